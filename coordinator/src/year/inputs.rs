//! Inputs of a plan: facts of the members from a table, case-weighted volume from a benchmark or from
//! what past months let expect.

use std::collections::BTreeMap;

use dashu::rational::RBig;
use policies::figures::benchmark::Benchmark;
use policies::figures::budget::{BudgetInput, BudgetRules, Measured, Member};
use schemas::id::Slug;
use schemas::money::Fen;

use super::YearError;
use super::facts::{Row, VOLUME, amount, each, released};

/// Where case-weighted volume comes from, if not from the table: forecasts, else a benchmark.
#[derive(Clone, Debug, Default)]
pub struct Volumes<'a> {
    /// What past months let expect, by member.
    pub expected: Option<BTreeMap<Slug, Measured>>,
    /// A benchmark.
    pub benchmark: Option<&'a Benchmark>,
    /// What the year before takes from members' budgets, where the table says nothing.
    pub deductions: BTreeMap<Slug, Fen>,
}

/// Reads a table of facts (CSV): `member,tier,before` and a column for each factor; `deduction` and
/// `services` where known. `before` holds amounts in yuan, oldest first, separated by `;`.
pub fn inputs(
    rules: &BudgetRules,
    (year, total): (u16, Fen),
    facts: &str,
    volumes: &Volumes<'_>,
) -> Result<BudgetInput, YearError> {
    let mut members = Vec::new();
    let fixed = ["member", "tier", "before", "deduction", "services"];
    let factor = |name: &str| {
        rules
            .factors
            .iter()
            .any(|factor| factor.id.as_str() == name)
    };
    let allowed = |name: &str| fixed.contains(&name) || factor(name);
    each(facts, (volumes.benchmark, &allowed), |row| {
        members.push(member(row, rules, volumes)?);
        Ok(())
    })?;
    Ok(BudgetInput {
        year,
        total,
        members,
    })
}

fn member(row: &Row<'_>, rules: &BudgetRules, volumes: &Volumes<'_>) -> Result<Member, YearError> {
    let id: Slug = row.need("member")?;
    let before = row.text("before").unwrap_or_default();
    let before: Result<Vec<Fen>, _> = before.split(';').map(str::parse).collect();
    let mut factors = BTreeMap::new();
    for factor in &rules.factors {
        let name = factor.id.as_str();
        let measured = match (row.text(name), name) {
            (None, VOLUME) => volume(row, volumes, &id)?,
            (Some(_), VOLUME) if volumes.expected.is_some() => {
                let twice = "`case-weighted-volume` (a column and --history: one of them)";
                return Err(row.wrong(twice));
            }
            _ => row.measured(name)?,
        };
        if measured.value.0 < RBig::ZERO {
            return Err(row.wrong(&format!("`{name}` (not below zero)")));
        }
        factors.insert(factor.id.clone(), measured);
    }
    let earlier = volumes.deductions.get(&id).copied().unwrap_or_default();
    Ok(Member {
        id,
        tier: row.tier()?,
        before: before.map_err(|_| row.wrong("before"))?,
        deduction: amount(row, "deduction")?.unwrap_or(earlier),
        factors,
        services: match row.text("services") {
            Some(_) => Some(row.need("services")?),
            None => None,
        },
    })
}

fn volume(row: &Row<'_>, volumes: &Volumes<'_>, id: &Slug) -> Result<Measured, YearError> {
    let (found, missing) = match (&volumes.expected, volumes.benchmark) {
        (Some(expected), _) => (expected.get(id).cloned(), "the history's volume"),
        (None, Some(benchmark)) => (released(benchmark, id, VOLUME), "the benchmark's volume"),
        (None, None) => (
            None,
            "`case-weighted-volume` (a column, --history or --benchmark)",
        ),
    };
    found.ok_or_else(|| row.wrong(missing))
}
