//! A result on the screen, beside the one before where there is one.

use std::collections::BTreeMap;
use std::io::Write;

use policies::figures::appraisal::Appraisal;
use policies::figures::bonus::{Bonus, Pooled};
use policies::figures::budget::{Noise, Part, Plan};
use policies::figures::overspend::Settlement;
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
            let before = match before {
                Some(Computed::Settlement(before)) => Some(before),
                _ => None,
            };
            settlement_of(settled, before, out)?;
        }
        Computed::Bonus(bonus) => {
            let before = match before {
                Some(Computed::Bonus(before)) => Some(before),
                _ => None,
            };
            bonus_of(bonus, before, out)?;
        }
        Computed::Appraisal(all) => {
            let before = match before {
                Some(Computed::Appraisal(before)) => &before[..],
                _ => &[],
            };
            appraisal_of(all, before, out)?;
        }
    }
    writeln!(out, "result {}", of.digest()?)?;
    Ok(())
}

/// Who bears what, and what differs from the settlement before.
fn settlement_of(
    of: &Settlement,
    before: Option<&Settlement>,
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    writeln!(
        out,
        "reasonable {}, unreasonable {}: insurer {}, reserve {}, uncovered {}",
        of.reasonable, of.unreasonable, of.insurer, of.from_reserve, of.uncovered
    )?;
    for (member, fen) in &of.responsible {
        let next = amount(&of.next_year, member);
        let apart = before.map(|own| apart(*fen, amount(&own.responsible, member)));
        writeln!(
            out,
            "{:<16} {fen:>18}{}  bears itself; {next} less in its next budget",
            member.as_str(),
            apart.unwrap_or_default()
        )?;
    }
    let none = |member: &&Slug| !of.responsible.contains_key(*member);
    let known = before.into_iter().flat_map(|own| own.responsible.keys());
    for member in known.filter(none) {
        writeln!(out, "{:<16} bears nothing any more", member.as_str())?;
    }
    Ok(())
}

/// Scores and amounts, and what differs from the bonus before.
fn bonus_of(of: &Bonus, before: Option<&Bonus>, out: &mut dyn Write) -> anyhow::Result<()> {
    for score in &of.scores {
        let id = &score.id;
        let (basic, performance) = (amount(&of.basic, id), amount(&of.performance, id));
        let own = before.and_then(|own| own.scores.iter().find(|one| one.id == *id));
        let was = own.filter(|own| own.counts != score.counts);
        let was = was.map(|own| format!(" (before {})", own.counts));
        let range = score.interval.as_ref();
        let range = range.map(|(low, high)| format!("  95 %: {low} – {high}"));
        let by = |map: fn(&Bonus) -> &BTreeMap<Slug, Fen>, now: Fen| {
            let apart = before.map(|own| apart(now, amount(map(own), id)));
            apart.unwrap_or_default()
        };
        writeln!(
            out,
            "{:<16} score {}{}  basic {basic}{}  performance {performance}{}{}",
            id.as_str(),
            score.counts,
            was.unwrap_or_default(),
            by(|own| &own.basic, basic),
            by(|own| &own.performance, performance),
            range.unwrap_or_default(),
        )?;
    }
    let retained = before.map(|own| apart(of.retained, own.retained));
    writeln!(
        out,
        "retained {}{}",
        of.retained,
        retained.unwrap_or_default()
    )?;
    pool_of(&of.pool, out)?;
    if before.is_some_and(|own| own.pool != of.pool) {
        writeln!(out, "the pool differs from the one before")?;
    }
    if let Some(siphon) = &of.siphon {
        writeln!(out, "{siphon} patients sent up for each that was sent down")?;
    }
    Ok(())
}

/// Composites and grades, and what differs from those before.
fn appraisal_of(
    all: &[Appraisal],
    before: &[Appraisal],
    out: &mut dyn Write,
) -> anyhow::Result<()> {
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
        let own = before.iter().find(|own| own.id == one.id);
        let was = own.filter(|own| (&own.composite, &own.grade) != (composite, grade));
        let was = was.map(|own| format!("  before {} {}", own.composite, own.grade));
        let was = was.unwrap_or_default();
        writeln!(
            out,
            "{id:<16} {composite:>7}  {grade}{range}{open}{less}{was}"
        )?;
    }
    Ok(())
}

fn amount(map: &BTreeMap<Slug, Fen>, id: &Slug) -> Fen {
    map.get(id).copied().unwrap_or_default()
}

/// The difference in brackets; nothing where there is none.
fn apart(now: Fen, then: Fen) -> String {
    if now == then {
        String::new()
    } else {
        format!(" ({})", change(now, then))
    }
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
        if part.noise != own.noise {
            writeln!(out, "    before{}", noise(own))?;
            same = false;
        }
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
        None => "  exact: no noise in the inputs".to_owned(),
        Some(Noise::Interval { low, high }) => format!("  95 %: {low} – {high}"),
        Some(Noise::Held { stays }) => {
            format!("  held by a bound, also without noise with {stays}")
        }
    }
}

#[cfg(test)]
mod tests {
    use policies::year::{Rules, compute};

    use super::*;

    /// A what-if of a bonus says of each member what differs.
    #[test]
    fn differences_of_a_bonus_are_said_by_member() {
        let inputs = |growth: &str| {
            let member = |id: &str, tier: &str, growth: &str| {
                format!(
                    r#"{{"id": "{id}", "tier": "{tier}", "quality_held": true, "dimensions": {{
                    "referral-share": {{"value": "0.2"}}, "chronic-control": {{"value": "0.5"}},
                    "grassroots-growth": {{"value": "{growth}"}}}}}}"#
                )
            };
            format!(
                r#"{{"year": 2026, "basic": 100000, "performance": 0, "strategic": 0, "lead": "a",
                "members": [{}, {}]}}"#,
                member("a", "tertiary", "0.1"),
                member("b", "grassroots", growth)
            )
        };
        let rules = Rules::read(|_| None).unwrap();
        let of = |growth| compute(&rules, 2026, Matter::Bonus, &inputs(growth)).unwrap();
        let (before, now) = (of("0.1"), of("0.3"));
        let told = |before| {
            let mut out = Vec::new();
            computed(&now, before, &mut out).unwrap();
            String::from_utf8(out).unwrap()
        };
        let text = told(Some(&before));
        assert!(
            text.contains("score 0.562500 (before 0.500000)  basic 337.50 (+37.50)"),
            "{text}"
        );
        assert!(
            text.contains("score 0.437500 (before 0.500000)  basic 262.50 (-37.50)"),
            "{text}"
        );
        assert!(!told(None).contains("before"));
    }
}
