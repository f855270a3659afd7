//! A hospital's own figures in a year: budget, spending, bonus, overspend, appraisal.

use std::collections::BTreeMap;
use std::io::Write;

use policies::figures::appraisal::Appraisal;
use policies::figures::bonus::Bonus;
use policies::figures::budget::Plan;
use policies::figures::overspend::Settlement;
use policies::year::{Computed, Published, Year};
use schemas::id::Slug;
use schemas::money::Fen;

/// What the newest result about each matter says of a hospital.
pub(super) fn of(
    published: &Published,
    year: &Year,
    own: &Slug,
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    for course in year.matters.values() {
        let mut results = published.results.iter().map(|one| &one.computed);
        let newest = results.find(|one| one.digest().is_ok_and(|digest| digest == course.result));
        let state = match (course.in_force, course.void) {
            (true, _) => "in force",
            (false, true) => "void: another is proposed",
            (false, false) => "proposed",
        };
        match newest {
            Some(Computed::Plan(of)) => plan(of, (own, state), out)?,
            Some(Computed::Bonus(of)) => bonus(of, (own, state), out)?,
            Some(Computed::Settlement(of)) => settlement(of, (own, state), out)?,
            Some(Computed::Appraisal(all)) => appraisal(all, (own, state), out)?,
            None => {}
        }
    }
    Ok(())
}

/// What was paid for a hospital, of its budget in force.
pub(super) fn spent(
    published: &Published,
    year: &Year,
    own: &Slug,
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    let Some(plan) = published.plan(year) else {
        return Ok(());
    };
    let months = year.paid.get(own);
    let paid = months.into_iter().flatten();
    let paid = Fen(paid.fold(0_i64, |sum, (_, fen)| sum.saturating_add(fen.0)));
    let known = months.map_or(0, BTreeMap::len);
    for part in plan.members.iter().filter(|part| part.id == *own) {
        let net = Fen(part.amount.0.saturating_sub(part.deduction.0));
        writeln!(out, "spent {paid} of {net}, of {known} months paid in")?;
    }
    Ok(())
}

fn plan(of: &Plan, (own, state): (&Slug, &str), out: &mut dyn Write) -> anyhow::Result<()> {
    for part in of.members.iter().filter(|part| part.id == *own) {
        let less = match part.deduction {
            Fen(0) => String::new(),
            taken => format!(", less {taken} for the year before"),
        };
        writeln!(
            out,
            "budget {state}: {} (share {}){less}",
            part.amount, part.share
        )?;
        for (mark, fen) in &part.earmarks {
            writeln!(out, "  of it for {mark}: {fen}")?;
        }
    }
    Ok(())
}

fn bonus(of: &Bonus, (own, state): (&Slug, &str), out: &mut dyn Write) -> anyhow::Result<()> {
    for score in of.scores.iter().filter(|score| score.id == *own) {
        let fen = |map: &BTreeMap<Slug, Fen>| map.get(own).copied().unwrap_or_default();
        let (basic, performance) = (fen(&of.basic), fen(&of.performance));
        let range = match &score.interval {
            Some((low, high)) => format!(" (95 %: {low} – {high})"),
            None => String::new(),
        };
        writeln!(
            out,
            "bonus {state}: score {}{range}, basic {basic}, performance {performance}",
            score.counts
        )?;
        if score.gated {
            writeln!(out, "  lowered: quality fell below last year's")?;
        }
        for name in &score.flagged {
            writeln!(out, "  lowered: {name} lies above its limit")?;
        }
        if let Some(put_in) = of.pool.put_in.get(own) {
            let kept = fen(&of.pool.kept);
            writeln!(out, "  pool: puts in {put_in} of its surplus, keeps {kept}")?;
        }
        if let Some(prize) = of.pool.referrals.get(own) {
            writeln!(out, "  pool: gets {prize} for referrals")?;
        }
        for (dimension, moved) in &score.moved {
            let name = dimension.as_str();
            let gain = score.gains.get(dimension).map_or("-", String::as_str);
            writeln!(
                out,
                "  moved by {name:<24} {moved}; a hundredth more of it: {gain}"
            )?;
        }
    }
    Ok(())
}

fn settlement(
    of: &Settlement,
    (own, state): (&Slug, &str),
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    let fen = |map: &BTreeMap<Slug, Fen>| map.get(own).copied().unwrap_or_default();
    let (borne, next) = (fen(&of.responsible), fen(&of.next_year));
    writeln!(
        out,
        "overspend {state}: bears {borne}, {next} less in the next budget"
    )?;
    Ok(())
}

fn appraisal(
    all: &[Appraisal],
    (own, state): (&Slug, &str),
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    for one in all.iter().filter(|one| one.id == *own) {
        let open = if one.settled {
            ""
        } else {
            ", the noise leaves the grade open"
        };
        writeln!(
            out,
            "appraisal {state}: {} ({}){open}",
            one.composite, one.grade
        )?;
        writeln!(out, "  points of the indicators: {}", one.points)?;
        for (indicator, (score, points)) in &one.indicators {
            let name = indicator.as_str();
            writeln!(out, "    {name:<24} score {score}, points {points}")?;
        }
        if let Some(less) = &one.less {
            writeln!(out, "  less {less} for the year before")?;
        }
    }
    Ok(())
}
