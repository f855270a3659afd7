//! Inputs of a plan: facts of the members from a table, case-weighted volume from a benchmark.

use std::collections::BTreeMap;

use dashu::rational::RBig;
use policies::figures::Exact;
use policies::figures::benchmark::{Benchmark, Figure};
use policies::figures::budget::{BudgetInput, BudgetRules, Measured, Member, Tier};
use policies::figures::exact::round;
use schemas::id::Slug;
use schemas::money::Fen;

use super::YearError;

/// The factor that a benchmark gives: stays times case mix index.
const VOLUME: &str = "case-weighted-volume";

/// Where case-weighted volume comes from, if not from the table: forecasts, else a benchmark.
#[derive(Clone, Debug, Default)]
pub struct Volumes<'a> {
    /// What past months let expect, by member.
    pub expected: Option<BTreeMap<Slug, Measured>>,
    /// A benchmark.
    pub benchmark: Option<&'a Benchmark>,
}

/// Reads a table of facts (CSV): `member,tier,before` and a column for each factor; `deduction` and
/// `services` where known. `before` holds amounts in yuan, oldest first, separated by `;`.
pub fn inputs(
    rules: &BudgetRules,
    (year, total): (u16, Fen),
    facts: &str,
    volumes: &Volumes<'_>,
) -> Result<BudgetInput, YearError> {
    let mut reader = csv::ReaderBuilder::new()
        .trim(csv::Trim::All)
        .from_reader(facts.trim_start_matches('\u{feff}').as_bytes());
    let broken = |number: usize| YearError::Facts {
        line: number,
        what: "the number of fields".to_owned(),
    };
    let head = reader.headers().map_err(|_| broken(1))?.clone();
    let mut members = Vec::new();
    for (place, record) in reader.records().enumerate() {
        let number = place.saturating_add(2);
        let record = record.map_err(|_| broken(number))?;
        let row = Row {
            number,
            fields: head.iter().zip(record.iter()).collect(),
        };
        members.push(row.member(rules, volumes)?);
    }
    Ok(BudgetInput {
        year,
        total,
        members,
    })
}

struct Row<'a> {
    number: usize,
    fields: BTreeMap<&'a str, &'a str>,
}

impl Row<'_> {
    fn wrong(&self, what: &str) -> YearError {
        YearError::Facts {
            line: self.number,
            what: what.to_owned(),
        }
    }

    fn need<T: std::str::FromStr>(&self, name: &str) -> Result<T, YearError> {
        let text = self.fields.get(name).ok_or_else(|| self.wrong(name))?;
        text.parse().map_err(|_| self.wrong(name))
    }

    fn member(&self, rules: &BudgetRules, volumes: &Volumes<'_>) -> Result<Member, YearError> {
        let id: Slug = self.need("member")?;
        let tier = match self.fields.get("tier").copied() {
            Some("tertiary") => Tier::Tertiary,
            Some("secondary") => Tier::Secondary,
            Some("grassroots") => Tier::Grassroots,
            _ => return Err(self.wrong("tier")),
        };
        let before = self.fields.get("before").copied().unwrap_or_default();
        let before: Result<Vec<Fen>, _> = before.split(';').map(str::parse).collect();
        let mut factors = BTreeMap::new();
        for factor in &rules.factors {
            let name = factor.id.as_str();
            let measured = if self.fields.contains_key(name) {
                Measured {
                    value: self.need(name)?,
                    variance: None,
                }
            } else if name == VOLUME {
                self.volume(volumes, &id)?
            } else {
                return Err(self.wrong(name));
            };
            factors.insert(factor.id.clone(), measured);
        }
        let known = |name: &str| self.fields.get(name).is_some_and(|text| !text.is_empty());
        Ok(Member {
            id,
            tier,
            before: before.map_err(|_| self.wrong("before"))?,
            deduction: if known("deduction") {
                self.need("deduction")?
            } else {
                Fen(0)
            },
            factors,
            services: if known("services") {
                Some(self.need("services")?)
            } else {
                None
            },
        })
    }
}

impl Row<'_> {
    fn volume(&self, volumes: &Volumes<'_>, id: &Slug) -> Result<Measured, YearError> {
        let (found, missing) = match (&volumes.expected, volumes.benchmark) {
            (Some(expected), _) => (expected.get(id).cloned(), "the history's volume"),
            (None, Some(benchmark)) => (volume(benchmark, id), "the benchmark's volume"),
            (None, None) => (
                None,
                "`case-weighted-volume` (a column, --history or --benchmark)",
            ),
        };
        found.ok_or_else(|| self.wrong(missing))
    }
}

/// Stays times case mix index of a hospital, with a variance that is never too small: whatever the
/// two errors have in common, the product's standard deviation is at most cmi·σ(n) + n·σ(cmi).
pub(super) fn volume(benchmark: &Benchmark, hospital: &Slug) -> Option<Measured> {
    let hospital = benchmark.hospitals.iter().find(|one| one.id == *hospital)?;
    let totals = &hospital.totals;
    let (stays, cmi) = (totals.all.stays.value()?, totals.cmi.value()?);
    let number = |text: &str| text.parse::<Exact>().ok();
    let width = |figure: &Figure| {
        let (low, high) = (
            number(&figure.noise.low)?,
            number(figure.noise.high.as_deref()?)?,
        );
        // Both ends lie 1.96 σ away; 3.9 for 3.92 makes σ a little larger.
        Some((high.0 - low.0) * RBig::from(10) / RBig::from(39))
    };
    let (n, index) = (number(&stays.value)?, number(&cmi.value)?);
    let sd = &index.0 * width(stays)? + &n.0 * width(cmi)?;
    Some(Measured {
        value: Exact(&n.0 * &index.0),
        variance: Some(Exact::from(Fen(round(&(&sd * &sd))?.0.saturating_add(1)))),
    })
}
