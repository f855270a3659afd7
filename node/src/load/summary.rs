//! What a load or a check came to, for the hospital's own people.

use std::collections::BTreeMap;
use std::path::Path;

use schemas::answer::Grade;
use schemas::time::Month;
use serde::{Deserialize, Serialize};

use super::exposure::Report;
use super::stream::Passed;
use super::{Exposure, LoadError, PatientCounts, Quality};
use crate::check::rules::Rule;
use crate::ingest::bound::Bound;

/// What a load or a check came to. It is shown to the hospital only.
#[derive(Clone, Debug, Serialize)]
pub struct Summary {
    /// Name of the load; `None` for a dry run.
    pub load: Option<String>,
    /// Rows kept.
    pub kept: u64,
    /// Rows in quarantine.
    pub refused: u64,
    /// Rows that the filter passed over.
    pub passed_over: u64,
    /// Rows in quarantine by rule.
    pub rules: BTreeMap<&'static str, u64>,
    /// Rows with a case group that the dictionary does not list, or none: counted as `other`.
    pub unknown_groups: u64,
    /// By dimension: rows with a value that the dictionary does not list, and rows without one.
    pub unlisted: BTreeMap<String, (u64, u64)>,
    /// Stays and patients by data year; empty where every row is its own patient.
    pub patients: Vec<PatientCounts>,
    /// What makes the load doubtful, in words for the officer.
    pub warnings: Vec<String>,
    /// Quality by month.
    pub quality: Vec<Quality>,
    /// De-identification by month; empty for a dry run.
    pub exposure: Vec<Exposure>,
    /// Identifiers found in what was written; any stops the release.
    pub findings: u64,
    /// What the officer should know about the mapping.
    pub notes: Vec<String>,
}

impl Summary {
    /// Refuses what cannot be loaded: a file of which no row is kept.
    pub fn loadable(&self) -> Result<(), LoadError> {
        if self.kept > 0 {
            return Ok(());
        }
        let most = self.rules.iter().max_by_key(|(_, rows)| **rows);
        let most = most.and_then(|(id, _)| Rule::ALL.into_iter().find(|rule| rule.id() == *id));
        Err(LoadError::Nothing {
            refused: self.refused,
            passed_over: self.passed_over,
            most: most.map_or_else(String::new, |rule| {
                format!("; most often broken: {} ({})", rule.id(), rule.entry().2)
            }),
        })
    }

    /// Months of grade D: they are loaded, but released only by the officer's special word.
    pub fn poor(&self) -> Vec<Month> {
        let poor = self
            .quality
            .iter()
            .filter(|quality| quality.grade == Grade::D);
        poor.map(|quality| quality.month).collect()
    }
}

/// The summary of a pass; a load adds its name, exposure and findings.
pub(super) fn of(bound: &Bound, passed: &Passed, quality: Vec<Quality>) -> Summary {
    let tally = &passed.tally;
    let rules = tally.refused();
    let names = bound
        .dimensions
        .iter()
        .map(|dimension| dimension.name.clone());
    let unlisted = names.zip(tally.unlisted.iter().copied());
    let patients = match bound.patient {
        Some(_) => passed.patients.clone(),
        None => Vec::new(),
    };
    let mut warnings: Vec<String> = patients.iter().filter_map(PatientCounts::doubt).collect();
    if let Some(rows) = rules.get(&Rule::Encoding) {
        warnings.push(format!(
            "{rows} rows hold bytes that are not UTF-8; save the file as UTF-8, or say `encoding = \"gb18030\"` in the \
             mapping if it is GBK, and load it again"
        ));
    }
    Summary {
        load: None,
        kept: tally.kept(),
        refused: rules.values().sum(),
        passed_over: tally.passed_over,
        rules: rules
            .iter()
            .map(|(rule, count)| (rule.id(), *count))
            .collect(),
        unknown_groups: tally.unknown_groups,
        unlisted: unlisted.filter(|(_, counts)| *counts != (0, 0)).collect(),
        patients,
        warnings,
        quality,
        exposure: Vec::new(),
        findings: 0,
        notes: bound.notes.clone(),
    }
}

/// What the kept reports of a load say of one month.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct MonthReport {
    /// The month.
    pub month: Month,
    /// k: rows of the smallest class that shares its quasi-identifiers.
    pub k: u64,
    /// l: distinct case groups of the class that has the fewest.
    pub l: u64,
    /// What falls short of the settings on k, l, t and rows, in words.
    pub short: Vec<String>,
    /// Why the grade is no better.
    pub why: String,
}

/// Reads the reports in a load's folder.
pub fn reports(load: &Path) -> Result<Vec<MonthReport>, LoadError> {
    #[derive(Deserialize)]
    struct Graded {
        month: Month,
        #[serde(default)]
        why: String,
    }
    let read = |name: &str| std::fs::read(load.join(name));
    let damaged = |error: serde_json::Error| LoadError::Io(error.into());
    let graded: Vec<Graded> = serde_json::from_slice(&read("quality.json")?).map_err(damaged)?;
    let exposed: Report =
        serde_json::from_slice(&read("deidentification.json")?).map_err(damaged)?;
    let why: BTreeMap<Month, String> = graded.into_iter().map(|q| (q.month, q.why)).collect();
    let report = |exposed: Exposure| MonthReport {
        month: exposed.month,
        k: exposed.risk.smallest_class,
        l: exposed.risk.fewest_groups,
        short: exposed.short,
        why: why.get(&exposed.month).cloned().unwrap_or_default(),
    };
    Ok(exposed.months.into_iter().map(report).collect())
}

/// The scores of one month as a load's folder keeps them.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
pub struct KeptQuality {
    /// The month.
    pub month: Month,
    /// Rows kept.
    pub kept: u64,
    /// Rows in quarantine.
    pub refused: u64,
    /// 准确率, 0 to 100.
    pub accuracy: u8,
    /// 完整性.
    pub completeness: u8,
    /// 一致性.
    pub consistency: u8,
    /// 时效性.
    pub timeliness: u8,
    /// From the lowest score.
    pub grade: Grade,
    /// The lowest score and what lowered it most; empty for grade A.
    #[serde(default)]
    pub why: String,
    /// Rows in quarantine by rule.
    pub rules: BTreeMap<String, u64>,
}

/// The two reports in a load's folder: quality and de-identification, by month.
pub fn kept_reports(load: &Path) -> Result<(Vec<KeptQuality>, Vec<Exposure>), LoadError> {
    let read = |name: &str| std::fs::read(load.join(name));
    let damaged = |error: serde_json::Error| LoadError::Io(error.into());
    let quality = serde_json::from_slice(&read("quality.json")?).map_err(damaged)?;
    let exposed: Report =
        serde_json::from_slice(&read("deidentification.json")?).map_err(damaged)?;
    Ok((quality, exposed.months))
}
