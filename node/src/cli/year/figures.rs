//! A hospital's own figures in a year: budget, spending, bonus, overspend, appraisal.

use std::collections::BTreeMap;
use std::io::Write;

use policies::figures::appraisal::{Appraisal, AppraisalRules, Source};
use policies::figures::bonus::{Bonus, BonusRules, Score};
use policies::figures::budget::{Noise, Pinned, Plan};
use policies::figures::exact::sum;
use policies::figures::overspend::Settlement;
use policies::figures::{Exact, half_up};
use policies::year::{AppraisalInput, Computed, Course, Published, Year};
use schemas::id::Slug;
use schemas::money::Fen;
use schemas::year::Matter;

/// What the newest result about each matter says of a hospital.
pub(super) fn of(
    published: &Published,
    year: &Year,
    own: &Slug,
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    for (matter, course) in &year.matters {
        let newest = published.newest(year, *matter);
        let shown = year.shown_plan().filter(|_| *matter == Matter::Plan);
        let course = shown.unwrap_or(course);
        let state = match (course.in_force, course.void) {
            (true, _) => "in force",
            (false, true) => "void: another is proposed",
            (false, false) => "proposed",
        };
        match newest.map(|one| &one.computed) {
            Some(Computed::Plan(of)) => {
                let left = year.term(own).until.is_some();
                plan(of, (own, state, left), out)?;
            }
            Some(Computed::Bonus(of)) => bonus(of, (own, state), &published.rules.bonus, out)?,
            Some(Computed::Settlement(of)) => settlement(of, (own, state), out)?,
            Some(Computed::Appraisal(all)) => {
                appraisal(all, (own, state), out)?;
                let inputs = newest.map(|one| one.inputs.as_str()).unwrap_or_default();
                sources(inputs, own, &published.rules.appraisal, out)?;
            }
            None => {}
        }
        objections(course, own, out)?;
    }
    Ok(())
}

/// What a hospital objected to, in every version, and what it was answered.
fn objections(course: &Course, own: &Slug, out: &mut dyn Write) -> anyhow::Result<()> {
    for (version, _, objection) in course.heard().filter(|(_, member, _)| *member == own) {
        let (why, outcome) = (&objection.why, objection.outcome());
        writeln!(
            out,
            "  your objection to version {version}: {why}: {outcome}"
        )?;
        for (by, answer) in &objection.answers {
            let word = if answer.upheld { "right" } else { "not right" };
            writeln!(out, "    {by} finds it {word}: {}", answer.why)?;
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

fn plan(
    of: &Plan,
    (own, state, left): (&Slug, &str, bool),
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    for part in of.members.iter().filter(|part| part.id == *own) {
        let net = Fen(part.amount.0.saturating_sub(part.deduction.0));
        let less = match part.deduction {
            Fen(0) => String::new(),
            taken => format!(", less {taken} for the year before: {net}"),
        };
        writeln!(out, "budget {state}: {}{less}", part.amount)?;
        if let Some(revised) = of.revised.as_ref().filter(|_| left) {
            writeln!(
                out,
                "  it takes no part in the split from {} on, and keeps the advances of the months before",
                revised.from
            )?;
            continue;
        }
        writeln!(
            out,
            "  why: share {} (of the base {}, of the factors {}) would give {}; at least {}, at most {}",
            part.share,
            part.base_share,
            part.factor_share,
            part.unclipped,
            part.floor,
            part.ceiling
        )?;
        let held = match part.pinned {
            Pinned::Free => "no bound holds it; it bears its part of what bounds give or take",
            Pinned::Floor => "the floor holds it up",
            Pinned::Ceiling => "the ceiling holds it down",
        };
        let noise = match &part.noise {
            None => String::new(),
            Some(Noise::Interval { low, high }) => {
                format!("; without noise it would be {low} to {high} (95 %)")
            }
            Some(Noise::Held { stays }) => format!("; without noise so too with {stays}"),
        };
        writeln!(out, "  {held}{noise}")?;
        if let Some(month) = part.monthly.first() {
            writeln!(out, "  advance of the first month {month}")?;
        }
        for (mark, fen) in &part.earmarks {
            writeln!(out, "  of it for {mark}: {fen}")?;
        }
    }
    Ok(())
}

fn bonus(
    of: &Bonus,
    (own, state): (&Slug, &str),
    rules: &BonusRules,
    out: &mut dyn Write,
) -> anyhow::Result<()> {
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
        lowered(score, rules, out)?;
        let known: Vec<Exact> = of
            .scores
            .iter()
            .filter_map(|one| one.counts.parse().ok())
            .collect();
        let whole = half_up(&sum(known.iter().map(|one| &one.0)), 6);
        writeln!(
            out,
            "  basic: the members' part of the basic surplus by score, about {} of {whole}, the sum of all \
             scores (shown with six decimals; the split uses them exact, see `year verify`)",
            score.counts
        )?;
        if let Some(put_in) = of.pool.put_in.get(own) {
            let kept = fen(&of.pool.kept);
            writeln!(out, "  pool: puts in {put_in} of its surplus, keeps {kept}")?;
        }
        if let Some(prize) = of.pool.referrals.get(own) {
            writeln!(out, "  pool: gets {prize} for referrals")?;
        }
        writeln!(out, "  in all: {} (below zero it pays)", of.net(own))?;
        writeln!(
            out,
            "  an equal part of every dimension is a score of 1/{}; away from it:",
            of.scores.len()
        )?;
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

/// What gate and flags took from a score, and by which rule.
fn lowered(score: &Score, rules: &BonusRules, out: &mut dyn Write) -> anyhow::Result<()> {
    if score.gated {
        writeln!(
            out,
            "  lowered: quality fell below last year's; {} of the score is left",
            rules.gate
        )?;
    }
    for one in rules
        .gaming
        .iter()
        .filter(|one| score.flagged.contains(&one.id))
    {
        writeln!(
            out,
            "  lowered: {} lies above {}; {} of the score is left",
            one.id, one.limit, one.keeps
        )?;
    }
    if score.before != score.counts {
        writeln!(out, "  it was {} before", score.before)?;
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
        let open = match (&one.interval, one.settled) {
            (Some((low, high)), true) => format!(", 95 %: {low} – {high}"),
            (Some((low, high)), false) => {
                format!(", 95 %: {low} – {high}: the noise leaves the grade open")
            }
            (None, _) => String::new(),
        };
        writeln!(
            out,
            "appraisal {state}: {} ({}){open}",
            one.composite, one.grade
        )?;
        writeln!(out, "  payments are multiplied by {}", one.payment)?;
        if let Some(days) = one.improve_days {
            writeln!(out, "  a plan for improvement is due within {days} days")?;
        }
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

/// What each source weighs in the whole, and what the others said of a hospital.
fn sources(
    inputs: &str,
    own: &Slug,
    rules: &AppraisalRules,
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    let input: AppraisalInput = serde_json::from_str(inputs)?;
    let of = input.members.iter().find(|one| one.id == *own);
    for (source, share) in &rules.sources {
        let told = of.and_then(|of| of.scores.get(source));
        let name = format!("{source:?}").to_lowercase();
        match (source, told) {
            (Source::Indicators, _) => writeln!(out, "  in the whole they weigh {share}")?,
            (_, Some(told)) => writeln!(out, "  {name} say {told}, which weighs {share}")?,
            (_, None) => {}
        }
    }
    Ok(())
}
