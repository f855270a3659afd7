//! A result on the screen, beside the one before where there is one.

use std::io::Write;

use policies::figures::bonus::Pooled;
use policies::figures::budget::{Noise, Part, Plan};
use policies::year::{Computed, Published};
use schemas::id::Slug;
use schemas::money::Fen;
use schemas::year::Matter;

/// The newest result about a matter.
pub(super) fn newest(published: &Published, matter: Matter) -> Option<&Computed> {
    let mut results = published.results.iter().rev().map(|one| &one.computed);
    results.find(|computed| computed.matter() == matter)
}

/// A result, beside an earlier one where there is one.
pub(super) fn computed(
    of: &Computed,
    before: Option<&Computed>,
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    match of {
        Computed::Plan(plan) => {
            let before = match before {
                Some(Computed::Plan(before)) => Some(before),
                _ => None,
            };
            plan_of(plan, before, out)?;
        }
        Computed::Settlement(settled) => {
            writeln!(
                out,
                "reasonable {}, unreasonable {}: insurer {}, reserve {}, uncovered {}",
                settled.reasonable,
                settled.unreasonable,
                settled.insurer,
                settled.from_reserve,
                settled.uncovered
            )?;
            for (member, fen) in &settled.responsible {
                let next = settled.next_year.get(member).copied().unwrap_or_default();
                writeln!(
                    out,
                    "{:<16} {fen:>18}  bears itself; {next} less in its next budget",
                    member.as_str()
                )?;
            }
        }
        Computed::Bonus(bonus) => {
            for score in &bonus.scores {
                let id = &score.id;
                let of = |map: &std::collections::BTreeMap<Slug, Fen>| {
                    map.get(id).copied().unwrap_or_default()
                };
                let (basic, performance) = (of(&bonus.basic), of(&bonus.performance));
                writeln!(
                    out,
                    "{:<16} score {}  basic {basic}  performance {performance}",
                    id.as_str(),
                    score.counts
                )?;
            }
            writeln!(out, "retained {}", bonus.retained)?;
            pool_of(&bonus.pool, out)?;
            if let Some(siphon) = &bonus.siphon {
                writeln!(out, "{siphon} patients sent up for each that was sent down")?;
            }
        }
        Computed::Appraisal(all) => {
            for one in all {
                let (id, composite, grade) = (one.id.as_str(), &one.composite, &one.grade);
                let range = match &one.interval {
                    Some((low, high)) => format!("  {low} – {high}"),
                    None => String::new(),
                };
                let open = if one.settled {
                    ""
                } else {
                    "  the noise leaves the grade open"
                };
                let less = match &one.less {
                    Some(points) => format!("  less {points} for the year before"),
                    None => String::new(),
                };
                writeln!(out, "{id:<16} {composite:>7}  {grade}{range}{open}{less}")?;
            }
        }
    }
    writeln!(out, "result {}", of.digest()?)?;
    Ok(())
}

/// Who puts what into the pool, and who gets it.
fn pool_of(pool: &Pooled, out: &mut dyn Write) -> anyhow::Result<()> {
    if pool.put_in.is_empty() {
        return Ok(());
    }
    writeln!(out, "pool {}", pool.total)?;
    for (id, fen) in &pool.put_in {
        let kept = pool.kept.get(id).copied().unwrap_or_default();
        writeln!(out, "    {:<16} puts in {fen}, keeps {kept}", id.as_str())?;
    }
    for (id, fen) in &pool.referrals {
        writeln!(out, "    {:<16} gets {fen} for referrals", id.as_str())?;
    }
    if let Some((team, fen)) = &pool.team {
        writeln!(
            out,
            "    {:<16} gets {fen} as the team that rose most",
            team.as_str()
        )?;
    }
    if pool.left > Fen(0) {
        writeln!(out, "    {} stays: no prize was given from it", pool.left)?;
    }
    Ok(())
}

/// Each member's amount with its 95 % interval, earmarks, and what differs from the plan before.
fn plan_of(plan: &Plan, before: Option<&Plan>, out: &mut dyn Write) -> anyhow::Result<()> {
    let (total, reserve, distributed) = (plan.total, plan.reserve, plan.distributable);
    writeln!(
        out,
        "total {total}, reserve {reserve}, distributed {distributed}"
    )?;
    let mut same = before.is_some_and(|before| before.reserve == plan.reserve);
    for part in &plan.members {
        let earlier = before.and_then(|before| before.members.iter().find(|one| one.id == part.id));
        let (id, amount, share) = (part.id.as_str(), part.amount, &part.share);
        let pinned = format!("{:?}", part.pinned).to_lowercase();
        let apart = earlier.map(|own| format!("  {}", change(part.amount, own.amount)));
        writeln!(
            out,
            "{id:<16} {amount:>18}  share {share}  {pinned:<7}{}{}{}",
            apart.unwrap_or_default(),
            less(part),
            noise(part)
        )?;
        for (mark, fen) in &part.earmarks {
            let own = earlier.map(|own| own.earmarks.get(mark).copied().unwrap_or_default());
            let apart = own.map(|own| format!("  {}", change(*fen, own)));
            writeln!(
                out,
                "    for {mark:<28} {fen:>18}{}",
                apart.unwrap_or_default()
            )?;
        }
        let Some(own) = earlier else { continue };
        for (mark, fen) in &own.earmarks {
            if !part.earmarks.contains_key(mark) {
                writeln!(out, "    no longer for {mark}, which had {fen}")?;
            }
        }
        for (name, now, then) in [
            ("floor", part.floor, own.floor),
            ("ceiling", part.ceiling, own.ceiling),
        ] {
            if now != then {
                writeln!(out, "    {name} {now}, before {then}")?;
            }
        }
        same &= (part.amount, part.floor, part.ceiling) == (own.amount, own.floor, own.ceiling)
            && (part.deduction, &part.earmarks) == (own.deduction, &own.earmarks);
    }
    for (one, other) in &plan.not_separable {
        writeln!(
            out,
            "the order of {one} and {other} is not settled by the data"
        )?;
    }
    if same {
        writeln!(out, "nothing changes against the newest plan")?;
    }
    Ok(())
}

/// The difference, with its sign.
fn change(now: Fen, then: Fen) -> String {
    let fen = now.0.saturating_sub(then.0);
    format!("{}{}", if fen < 0 { "" } else { "+" }, Fen(fen))
}

fn less(part: &Part) -> String {
    let net = Fen(part.amount.0.saturating_sub(part.deduction.0));
    match part.deduction {
        Fen(0) => String::new(),
        taken => format!("  less {taken} for the year before: {net}"),
    }
}

/// What the noise of the inputs leaves open.
fn noise(part: &Part) -> String {
    match &part.noise {
        None => String::new(),
        Some(Noise::Interval { low, high }) => format!("  95 %: {low} – {high}"),
        Some(Noise::Held { stays }) => {
            format!("  held by a bound, also without noise with {stays}")
        }
    }
}
