//! The de-identification report: what was written is read back and judged. Every code must be one
//! of the dictionary's; how far rows could be told apart by their quasi-identifiers
//! ([`crate::deidentify::risk`]), by month and over the whole load; and whether anything shaped like a
//! person's identifier stands in what was written. Risk figures inform; a found identifier stops the release.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use schemas::id::Slug;
use schemas::time::Month;
use serde::{Deserialize, Serialize};

use super::LoadError;
use crate::config::Quality;
use crate::deidentify::identifiers;
use crate::deidentify::risk::{Counts, Lines, Risk, Seen, Share};
use crate::store::columns::{Batch, Codes, MonthColumns, Shape};

/// What the report says of one month.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Exposure {
    /// The month.
    pub month: Month,
    /// Its figures.
    pub risk: Risk,
    /// Of a month with few rows: the figures as they were without each quasi-identifier.
    pub without: BTreeMap<Slug, Risk>,
    /// What falls short of the settings, in words.
    pub short: Vec<String>,
    /// Identifier-shaped values in pseudonyms.
    pub findings: u64,
}

/// What is kept of a load in `deidentification.json`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Report {
    /// All months together, as somebody would see them who holds them all.
    /// Nothing once one of them was retired.
    pub whole: Option<Risk>,
    /// Month by month.
    pub months: Vec<Exposure>,
}

/// Measures the months of a load.
pub(super) struct Measure<'a> {
    settings: &'a Quality,
    shape: &'a Shape,
    /// The field with the length of stay.
    stay: Option<&'a str>,
    whole: Counts,
    months: Vec<Exposure>,
}

impl<'a> Measure<'a> {
    /// Nothing measured so far.
    pub(super) fn new(settings: &'a Quality, shape: &'a Shape, stay: Option<&'a str>) -> Self {
        Self {
            settings,
            shape,
            stay,
            whole: Counts::default(),
            months: Vec::new(),
        }
    }

    /// Reads a written month back and judges it.
    pub(super) fn month(&mut self, load: &Path, month: Month) -> Result<(), LoadError> {
        let columns = MonthColumns::open(load, month)?;
        let mut findings = 0;
        for batch in columns.batches() {
            if !is_closed(batch, self.shape) {
                return Err(LoadError::NotClosed);
            }
            findings += identifiers::count(batch.patient()) + identifiers::count(batch.stay());
        }
        let quasi: Vec<&Slug> = self.settings.quasi_identifiers.iter().take(4).collect();
        let counts = self.counts(&columns, &quasi);
        let risk = counts.figures(self.lines());
        let mut without = BTreeMap::new();
        if risk.rows < u64::from(self.settings.small_month) && quasi.len() > 1 {
            for left_out in &quasi {
                let rest: Vec<&Slug> = quasi
                    .iter()
                    .filter(|one| *one != left_out)
                    .copied()
                    .collect();
                let figures = self.counts(&columns, &rest).figures(self.lines());
                without.insert((*left_out).clone(), figures);
            }
        }
        self.whole.add(&counts);
        self.months.push(Exposure {
            month,
            short: short(&risk, self.settings),
            risk,
            without,
            findings,
        });
        Ok(())
    }

    /// The report on all months so far.
    pub(super) fn report(self) -> Report {
        Report {
            whole: Some(self.whole.figures(self.lines())),
            months: self.months,
        }
    }

    fn lines(&self) -> Lines {
        Lines {
            small_class: self.settings.small_class,
            risk_permille: self.settings.risk_permille,
            has_days: self.stay.is_some(),
        }
    }

    fn counts(&self, columns: &MonthColumns, quasi: &[&Slug]) -> Counts {
        let mut rows = Vec::with_capacity(columns.rows());
        for batch in columns.batches() {
            collect(batch, (quasi, self.stay), &mut rows);
        }
        Counts::of(rows)
    }
}

/// Packs up to four quasi-identifiers of every row into one number, beside case group and stay.
fn collect(batch: &Batch, (quasi, stay): (&[&Slug], Option<&str>), rows: &mut Vec<Seen>) {
    let start = rows.len();
    rows.extend(batch.case_group().iter().map(|group| Seen {
        class: 0,
        group: *group,
        days: 0,
    }));
    let new = rows.get_mut(start..).unwrap_or_default();
    for name in quasi {
        match batch.codes(name.as_str()) {
            Some(Codes::Narrow(codes)) => pack(new, codes.iter().map(|code| u64::from(*code))),
            Some(Codes::Wide(codes)) => pack(new, codes.iter().map(|code| u64::from(*code))),
            None => {}
        }
    }
    let stays = stay
        .and_then(|field| batch.amounts(field))
        .unwrap_or_default();
    for (row, milli) in new.iter_mut().zip(stays) {
        row.days = u16::try_from(milli.div_ceil(1000)).unwrap_or(u16::MAX);
    }
}

fn pack(rows: &mut [Seen], codes: impl Iterator<Item = u64>) {
    for (row, code) in rows.iter_mut().zip(codes) {
        row.class = (row.class << 16) | code;
    }
}

/// What falls short of the settings: such rows are no export.
fn short(risk: &Risk, settings: &Quality) -> Vec<String> {
    let mut short = Vec::new();
    let mut below = |name: &str, value: u64, least: u32| {
        if value < u64::from(least) {
            short.push(format!("{name} {value} is below {least}"));
        }
    };
    below("k", risk.smallest_class, settings.small_class);
    below("l", risk.fewest_groups, settings.least_groups);
    let most = u128::from(settings.closeness_permille);
    for (name, t) in [("case group", Some(risk.t_groups)), ("stay", risk.t_days)] {
        if let Some(t) = t.map(Share::permille).filter(|t| *t > most) {
            short.push(format!(
                "t of the {name} {} is above {}",
                decimal(t),
                decimal(most)
            ));
        }
    }
    if risk.rows < u64::from(settings.small_month) {
        let least = settings.small_month;
        short.push(format!(
            "{} rows are fewer than {least}: a small month",
            risk.rows
        ));
    }
    short
}

/// Thousandths as a decimal number.
pub(super) fn decimal(permille: u128) -> String {
    format!("{}.{:03}", permille / 1000, permille % 1000)
}

/// Whether every code and amount is one that the dictionary allows.
fn is_closed(batch: &Batch, shape: &Shape) -> bool {
    let groups = batch.case_group().iter().all(|group| *group < shape.groups);
    let mut dimensions = shape.dimensions.iter().map(|(name, _, keys)| {
        let below = |code: u16| code < *keys;
        match batch.codes(name.as_str()) {
            Some(Codes::Narrow(codes)) => codes.iter().all(|code| below(u16::from(*code))),
            Some(Codes::Wide(codes)) => codes.iter().all(|code| below(*code)),
            None => false,
        }
    });
    let mut fields = shape.fields.iter().map(|(name, most)| {
        batch
            .amounts(name.as_str())
            .is_some_and(|amounts| amounts.iter().all(|amount| amount <= most))
    });
    groups && dimensions.all(|closed| closed) && fields.all(|closed| closed)
}

/// Identifier-shaped values in the texts that a load wrote (quarantine and reports).
pub(super) fn findings_in_texts(load: &Path) -> Result<u64, LoadError> {
    let mut found = 0;
    for entry in fs::read_dir(load)? {
        let path = entry?.path();
        if path.extension().is_some_and(|kind| kind != "arrow") {
            let bytes = crate::store::columns::map(&path)?;
            found += identifiers::count(&bytes);
        }
    }
    Ok(found)
}
