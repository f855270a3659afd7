//! A table of facts about members (CSV): a line a member, or a line a classified amount. A field
//! `@NAME` takes the benchmark's figure about the line's hospital, with its noise.

use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;

use dashu::rational::RBig;
use policies::figures::Exact;
use policies::figures::benchmark::{Benchmark, Figure};
use policies::figures::budget::{Measured, Tier};
use policies::figures::exact::round;
use schemas::digest::Digest;
use schemas::id::Slug;
use schemas::money::Fen;
use schemas::outcome::Outcome;
use schemas::question::Dataset;
use serde::de::DeserializeOwned;

use super::YearError;

/// The factor that a benchmark gives: stays times case mix index.
pub(super) const VOLUME: &str = "case-weighted-volume";

/// A line of the table.
pub(super) struct Row<'a> {
    number: usize,
    fields: BTreeMap<&'a str, &'a str>,
    benchmark: Option<&'a Benchmark>,
    source: Option<Digest>,
}

/// Reads a table and does something with each line.
pub(super) fn each(
    facts: &str,
    (benchmark, allowed): (Option<&Benchmark>, &dyn Fn(&str) -> bool),
    mut of: impl FnMut(&Row<'_>) -> Result<(), YearError>,
) -> Result<(), YearError> {
    let mut reader = csv::ReaderBuilder::new()
        .trim(csv::Trim::All)
        .from_reader(facts.trim_start_matches('\u{feff}').as_bytes());
    let broken = |line: usize, what: &str| YearError::Facts {
        line,
        what: what.to_owned(),
    };
    let head = reader
        .headers()
        .map_err(|_| broken(1, "the header"))?
        .clone();
    let names: BTreeSet<&str> = head.iter().collect();
    if names.len() != head.len() {
        return Err(broken(1, "a header without a name twice"));
    }
    // A misspelt column would be left out in silence.
    if let Some(unknown) = head.iter().find(|name| !allowed(name)) {
        return Err(broken(
            1,
            &format!("the column `{}`", schemas::shown::line(unknown)),
        ));
    }
    let source = benchmark.map(|of| schemas::canonical::digest("consilium-benchmark-v1", of));
    let source = source.transpose()?;
    for (place, record) in reader.records().enumerate() {
        let number = place.saturating_add(2);
        let record = record.map_err(|_| broken(number, "the number of fields"))?;
        of(&Row {
            number,
            fields: head.iter().zip(record.iter()).collect(),
            benchmark,
            source,
        })?;
    }
    Ok(())
}

impl Row<'_> {
    /// What is missing or refused in this line.
    pub(super) fn wrong(&self, what: &str) -> YearError {
        YearError::Facts {
            line: self.number,
            what: what.to_owned(),
        }
    }

    /// Digest of the benchmark that figures are taken from.
    pub(super) fn source(&self) -> Option<Digest> {
        self.source
    }

    /// A field's text, if there is one.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        let text = self.fields.get(name).copied();
        text.filter(|text| !text.is_empty())
    }

    /// A field that has to be there.
    pub(super) fn need<T: FromStr>(&self, name: &str) -> Result<T, YearError> {
        let text = self.text(name).ok_or_else(|| self.wrong(name))?;
        text.parse().map_err(|_| self.wrong(name))
    }

    /// A word of a list, as the rules write it.
    pub(super) fn word<T: DeserializeOwned>(&self, name: &str) -> Result<T, YearError> {
        let text = self.text(name).ok_or_else(|| self.wrong(name))?;
        let value = serde_json::Value::String(text.to_owned());
        serde_json::from_value(value).map_err(|_| self.wrong(name))
    }

    /// The member's level.
    pub(super) fn tier(&self) -> Result<Tier, YearError> {
        let tier = self.word("tier");
        tier.map_err(|_| self.wrong("tier (tertiary, secondary or grassroots)"))
    }

    /// An exact number, or a figure of the benchmark.
    pub(super) fn measured(&self, name: &str) -> Result<Measured, YearError> {
        let text = self.text(name).ok_or_else(|| self.wrong(name))?;
        let Some(figure) = text.strip_prefix('@') else {
            return Ok(Measured {
                value: self.need(name)?,
                variance: None,
                source: None,
            });
        };
        let hospital: Slug = self.need("member")?;
        if self.benchmark.is_some_and(|of| pilot(of, &hospital)) {
            let why = "is of a pilot in some departments, on which no budget rests: write a number";
            return Err(self.wrong(&format!("`{name}` (`{figure}` {why})")));
        }
        let found = self
            .benchmark
            .and_then(|of| released(of, &hospital, figure))
            .map(|found| Measured {
                source: self.source,
                ..found
            });
        found.ok_or_else(|| self.wrong(&format!("`{name}`: the benchmark's `{figure}`")))
    }

    /// Fields whose names begin so, without that beginning.
    pub(super) fn beginning(&self, with: &str) -> Result<BTreeMap<Slug, Measured>, YearError> {
        let mut found = BTreeMap::new();
        for name in self.fields.keys().filter(|name| self.text(name).is_some()) {
            if let Some(rest) = name.strip_prefix(with) {
                let id = rest.parse().map_err(|_| self.wrong(name))?;
                found.insert(id, self.measured(name)?);
            }
        }
        Ok(found)
    }
}

/// Hospitals that answered from a pilot.
pub fn pilots(of: &Benchmark) -> Vec<String> {
    let hospitals = of.hospitals.iter().filter(|one| pilot(of, &one.id));
    hospitals.map(|one| one.id.to_string()).collect()
}

/// Whether a hospital answered from a pilot: only some of its departments' stays are in its figures.
pub(super) fn pilot(of: &Benchmark, hospital: &Slug) -> bool {
    let mut hospitals = of.hospitals.iter();
    let found = hospitals.find(|one| one.id == *hospital);
    let data = found.and_then(|one| one.data.value());
    data.is_some_and(|data| data.snapshots.iter().any(|month| month.pilot))
}

/// A figure that a benchmark released about a hospital: `stays` (of another dataset its own name), `cmi`, `mean-cost` (yuan), `mean-stay`
/// (days), `mean-score` (points), `cost-index`, `time-index` (against the reference) or `case-weighted-volume`. `None` where it
/// is not shown, or of a pilot.
pub(super) fn released(of: &Benchmark, hospital: &Slug, figure: &str) -> Option<Measured> {
    if pilot(of, hospital) {
        return None;
    }
    let hospital = of.hospitals.iter().find(|one| one.id == *hospital)?;
    let totals = &hospital.totals;
    let shown = |outcome: &Outcome<Figure>| known(outcome.value()?);
    let dataset = of.dataset.unwrap_or_default();
    let (value, sd) = match figure {
        // `stays`, or `visits` of a benchmark of visits: never one in the place of the other.
        counted if counted == dataset.as_str() => shown(&totals.all.stays)?,
        "mean-cost" if dataset == Dataset::Visits => shown(&totals.all.mean_cost)?,
        "mean-score" => shown(&totals.all.mean_score)?,
        _ if dataset != Dataset::Stays => return None,
        "cmi" => shown(&totals.cmi)?,
        "mean-cost" => shown(&totals.all.mean_cost)?,
        "mean-stay" => shown(&totals.all.mean_stay)?,
        "cost-index" => shown(&totals.cost_index.reference)?,
        "time-index" => shown(&totals.time_index.reference)?,
        VOLUME => {
            // Whatever the two errors have in common, the product's standard deviation is at most
            // cmi·σ(n) + n·σ(cmi) + σ(n)·σ(cmi).
            let (n, of_n) = shown(&totals.all.stays)?;
            let (index, of_index) = shown(&totals.cmi)?;
            let sd = &index * &of_n + &n * &of_index + &of_n * &of_index;
            (n * index, sd)
        }
        _ => return None,
    };
    // Rounded up to millionths.
    let million = RBig::from(1_000_000);
    let variance = round(&(&sd * &sd * &million))?.0.checked_add(1)?;
    Some(Measured {
        value: Exact(value),
        variance: Some(Exact(RBig::from(variance) / million)),
        source: None,
    })
}

/// A figure and the standard deviation of its noise.
fn known(figure: &Figure) -> Option<(RBig, RBig)> {
    Some((figure.value.parse::<Exact>().ok()?.0, figure.deviation()?))
}

/// Yuan, or nothing where the field is empty.
pub(super) fn amount(row: &Row<'_>, name: &str) -> Result<Option<Fen>, YearError> {
    match row.text(name) {
        Some(_) => row.need(name).map(Some),
        None => Ok(None),
    }
}
