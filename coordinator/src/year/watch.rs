//! What a year's warnings are computed from: the plan in force, what was paid, released counts.

use std::collections::BTreeMap;

use policies::figures::Exact;
use policies::figures::benchmark::Benchmark;
use policies::figures::decompose::stays;
use policies::figures::watch::{Warning, Watched, deviating, watch};
use policies::year::{Published, Year};
use schemas::id::Slug;
use schemas::money::Fen;
use schemas::time::Month;

/// All warnings up to a month, by member. `before` is the year before, whose months say what is usual;
/// `benchmarks` give monthly counts of stays, and case groups against the alliance.
pub fn warnings(
    (published, year): (&Published, &Year),
    before: Option<&Year>,
    benchmarks: &[Benchmark],
    until: Month,
) -> Vec<Warning> {
    let Some(plan) = published.plan(year) else {
        return Vec::new();
    };
    let rules = &published.rules.alerts;
    let mut found = Vec::new();
    for part in &plan.members {
        let id = &part.id;
        let watched = Watched {
            id: id.clone(),
            budget: Fen(part.amount.0.saturating_sub(part.deduction.0)),
            targets: part.monthly.clone(),
            paid: year.paid.get(id).cloned().unwrap_or_default(),
            usual: before.and_then(|before| usual(before, id)),
            stays: counted(benchmarks, id),
        };
        found.extend(watch(rules, &watched, until));
        for benchmark in benchmarks {
            let month = benchmark.period.months().last().copied();
            // An older benchmark says nothing about this year.
            let recent = |month: &Month| month.year().0.saturating_add(1) >= year.number;
            let month = month.filter(|month| *month <= until && recent(month));
            // A benchmark without costs by case group, or without this hospital, says nothing here.
            if let Some(Ok(more)) = month.map(|month| deviating(rules, benchmark, id, month)) {
                found.extend(more);
            }
        }
    }
    found
}

/// Twelve months' payments of a year: what is usual.
fn usual(of: &Year, member: &Slug) -> Option<[Exact; 12]> {
    let paid = of.paid.get(member)?;
    let months: Vec<Exact> = paid.values().copied().map(Exact::from).collect();
    months.try_into().ok()
}

/// Released counts of stays by benchmarks of single months.
fn counted(
    benchmarks: &[Benchmark],
    member: &Slug,
) -> BTreeMap<Month, policies::figures::decompose::Known> {
    let single = benchmarks
        .iter()
        .filter_map(|one| match one.period.months().as_slice() {
            [month] => Some((*month, stays(one, member)?)),
            _ => None,
        });
    single.collect()
}
