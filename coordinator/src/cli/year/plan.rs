//! `year inputs … plan`: what a split is computed from, and what is said about it on the way.

use std::collections::BTreeMap;
use std::io::Write;

use policies::figures::Benchmark;
use policies::figures::budget::BudgetInput;
use policies::year::{Published, Year};
use schemas::money::Fen;

use super::super::Office;
use super::work::own;
use super::{args, bounded};
use crate::year;

/// Inputs of a plan; where members change, with what the plan in force keeps.
pub(super) async fn inputs(
    office: &Office,
    (kept, stands): (&Published, &Year),
    (args, facts): (&args::Inputs, &str),
    benchmark: Option<&Benchmark>,
    out: &mut dyn Write,
) -> anyhow::Result<BudgetInput> {
    let (alliance, number) = (&office.config.alliance, args.year);
    let expected = match &args.history {
        Some(file) => {
            let history = bounded(file)?;
            if !history
                .lines()
                .next()
                .unwrap_or_default()
                .contains("variance")
            {
                writeln!(
                    out,
                    "warning: the history has no column `variance`: its months are taken as free of noise"
                )?;
            }
            Some(year::expected(&history, number)?)
        }
        None => None,
    };
    let revision = year::revision(kept, stands);
    let deductions = if let Some(revision) = &revision {
        year::kept_deductions(revision)
    } else {
        let mut owed = year::owed(&office.state, alliance, number).await?;
        owed.retain(|member, _| stands.members.contains_key(member));
        owed
    };
    for (member, fen) in deductions.iter().filter(|(_, fen)| **fen > Fen(0)) {
        writeln!(
            out,
            "{member}: {fen} is owed for earlier years and taken from it, unless the table says otherwise"
        )?;
    }
    let demand = match &args.demand {
        Some(file) => year::demand(&bounded(file)?)?,
        None => BTreeMap::new(),
    };
    let levels = args.controls.as_deref().map(|file| own(file, alliance));
    let levels = levels.transpose()?;
    let pilots = levels.as_ref().map(year::pilots).unwrap_or_default();
    anyhow::ensure!(
        pilots.is_empty(),
        "{} answered --controls from a pilot in some departments, on which no control figure rests",
        pilots.join(", ")
    );
    let volumes = year::Volumes {
        expected,
        benchmark,
        deductions,
        demand,
        levels: levels.as_ref(),
    };
    let about = (number, stands.planned_target());
    let inputs = year::inputs(&kept.rules.budget, about, facts, &volumes)?;
    let spent = year::spent_before(&office.state, (alliance, number)).await?;
    for member in &inputs.members {
        let paid = spent.get(&member.id);
        let last = member.before.last();
        if let (Some((paid, own)), Some(last)) = (paid, last)
            && *last != *paid
            && Some(last.0) != paid.0.checked_sub(own.0)
        {
            let before = number.saturating_sub(1);
            writeln!(
                out,
                "warning: `before` of {} ends with {last}; by the year {before} {paid} was paid to it (less {own} \
                 that it overspent by its own fault): is {before} left out?",
                member.id
            )?;
        }
    }
    if let Some(revision) = &revision {
        writeln!(
            out,
            "the plan in force stands until {}; what it gives from then on is split again",
            revision.from
        )?;
    }
    Ok(BudgetInput { revision, ..inputs })
}
