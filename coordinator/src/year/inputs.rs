//! Inputs of a plan: facts of the members from a table, case-weighted volume from a benchmark or from
//! what past months let expect, demand by service line, levels of case groups for control figures.

use std::collections::BTreeMap;

use dashu::rational::RBig;
use policies::figures::Exact;
use policies::figures::benchmark::{self, Benchmark, Figure};
use policies::figures::budget::{
    BudgetInput, BudgetRules, DEMAND, GroupLevel, Measured, Member, RATED, Revision,
};
use policies::figures::exact::round;
use policies::year::{Published, Year};
use schemas::id::Slug;
use schemas::money::Fen;
use schemas::outcome::Outcome;

use super::YearError;
use super::facts::{Row, VOLUME, amount, each, released};

/// The dimension of a benchmark whose rows get control figures.
const GROUPS: &str = "case_group";

/// Where case-weighted volume comes from, if not from the table: forecasts, else a benchmark.
#[derive(Clone, Debug, Default)]
pub struct Volumes<'a> {
    /// What past months let expect, by member.
    pub expected: Option<BTreeMap<Slug, Measured>>,
    /// A benchmark.
    pub benchmark: Option<&'a Benchmark>,
    /// What the year before takes from members' budgets, where the table says nothing.
    pub deductions: BTreeMap<Slug, Fen>,
    /// What the population needs of each service line.
    pub demand: BTreeMap<Slug, Measured>,
    /// A benchmark whose case groups get control figures.
    pub levels: Option<&'a Benchmark>,
}

/// Reads a table of facts (CSV): `member,tier,before` and a column for each factor; `deduction` and
/// `services` where known; `score:NAME` instead of `capability-score`; `serves:LINE` (0 to 1) where
/// demand is given. `before` holds amounts in yuan, oldest first, separated by `;`.
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
    let score = |name: &str| {
        let known = |of: &BTreeMap<Slug, Exact>| of.keys().any(|one| one.as_str() == name);
        rules.capability.values().any(known)
    };
    let line = |name: &str| volumes.demand.keys().any(|one| one.as_str() == name);
    let allowed = |name: &str| {
        let scored = name.strip_prefix("score:").is_some_and(score);
        let serves = name.strip_prefix("serves:").is_some_and(line);
        fixed.contains(&name) || factor(name) || scored || serves
    };
    each(facts, (volumes.benchmark, &allowed), |row| {
        members.push(member(row, rules, volumes)?);
        Ok(())
    })?;
    Ok(BudgetInput {
        year,
        total,
        members,
        demand: volumes.demand.clone(),
        groups: volumes.levels.map_or_else(Vec::new, levels),
        revision: None,
    })
}

/// What a plan keeps of the one in force, where members change; none where they do not.
pub fn revision(published: &Published, year: &Year) -> Option<Revision> {
    let from = year.changing.as_ref()?.from;
    let given = published.plan(year)?.given(from);
    Some(Revision { from, given })
}

/// Deductions of members as the plan in force takes them: they do not change in mid-year.
pub fn kept_deductions(revision: &Revision) -> BTreeMap<Slug, Fen> {
    let given = revision.given.iter();
    given.map(|one| (one.id.clone(), one.deduction)).collect()
}

fn member(row: &Row<'_>, rules: &BudgetRules, volumes: &Volumes<'_>) -> Result<Member, YearError> {
    let id: Slug = row.need("member")?;
    let before = row.text("before").unwrap_or_default();
    let before: Result<Vec<Fen>, _> = before.split(';').map(str::parse).collect();
    let mut factors = BTreeMap::new();
    let scores = row.beginning("score:")?;
    for factor in &rules.factors {
        let name = factor.id.as_str();
        // What the plan computes itself.
        let rated = name == RATED && !scores.is_empty() && row.text(name).is_none();
        if rated || (name == DEMAND && !volumes.demand.is_empty()) {
            continue;
        }
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
    let serves: Result<BTreeMap<Slug, Exact>, YearError> = row
        .beginning("serves:")?
        .into_iter()
        .map(|(line, part)| match part.variance {
            None => Ok((line, part.value)),
            Some(_) => Err(row.wrong(&format!("`serves:{line}` (a number from 0 to 1)"))),
        })
        .collect();
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
        scores,
        serves: serves?,
    })
}

/// The alliance's level of each case group that it shows, of a benchmark.
fn levels(of: &Benchmark) -> Vec<GroupLevel> {
    let value = |figure: &Outcome<Figure>| figure.value()?.value.parse::<Exact>().ok();
    let groups = of
        .splits
        .iter()
        .find(|split| split.dimension.as_str() == GROUPS);
    let rows = groups.into_iter().flat_map(|split| &split.rows);
    let level = |row: &benchmark::Row| {
        let cost = value(&row.alliance.mean_cost)?.0 * RBig::from(100);
        let days = value(&row.alliance.mean_stay)?;
        let cost = round(&cost).filter(|fen| *fen > Fen(0))?;
        let sound = days.0 > RBig::ZERO;
        sound.then(|| GroupLevel {
            group: row.code.clone(),
            cost,
            days,
        })
    };
    rows.filter_map(level).collect()
}

/// Demand by service line (CSV): `line,value` and, where forecast, `variance`.
pub fn demand(text: &str) -> Result<BTreeMap<Slug, Measured>, YearError> {
    let mut found = BTreeMap::new();
    let columns = |name: &str| ["line", "value", "variance"].contains(&name);
    each(text, (None, &columns), |row| {
        let variance = match row.text("variance") {
            Some(_) => Some(row.need("variance")?),
            None => None,
        };
        let demand = Measured {
            value: row.need("value")?,
            variance,
            source: None,
        };
        if found.insert(row.need("line")?, demand).is_some() {
            return Err(row.wrong("line (each once)"));
        }
        Ok(())
    })?;
    Ok(found)
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
    // A history ends in the benchmark that other factors are figures of: its error may be theirs.
    let found = found.map(|found| Measured {
        source: row.source(),
        ..found
    });
    found.ok_or_else(|| row.wrong(missing))
}
