//! Signals for the insurer: where a hospital's noised rates lie above those of its peers by more
//! than noise and chance explain, over all tests of a report together (false-discovery control).
//!
//! A signal says where to look, not that somebody did wrong. What is tested: the hypothesis that the
//! hospital's true rate is at most the median of its peers' true rates. Its deviate divides the
//! difference by the root of the variances of noise, of chance, of the median, and of the peers'
//! spread (MAD²), which can only make it smaller. Flagged are the tests that Benjamini and Hochberg
//! (1995) reject at q: of all flags, on average at most the part q is there by noise and chance
//! alone. The bound holds for independent and for positively dependent tests; a test of this module
//! measures it on simulated alliances.

mod discovery;
mod peers;
mod rate;
#[cfg(test)]
mod test;

use schemas::dictionary::Dictionary;
use schemas::id::Slug;
use schemas::time::Period;
use serde::Serialize;

use super::benchmark::{BenchmarkError, Inputs, Replies, inputs};
use super::decimal::fixed;
use crate::plan::Layout;
use crate::rules::Privacy;
use peers::Standing;
use rate::{Rate, What};

/// The part of all flags that may be there by chance.
const Q: f64 = 0.05;

/// A closed round that signals are read from.
#[derive(Clone, Copy, Debug)]
pub struct Source<'a> {
    /// The compiled question.
    pub layout: &'a Layout,
    /// The dictionary that it cites.
    pub dictionary: &'a Dictionary,
    /// What each hospital said; signatures were verified before.
    pub replies: &'a Replies,
}

/// What a signal is about.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Stays of one or two days: as where admissions are split.
    ShortStays,
    /// Admitted again within 15 days in the same group.
    Readmissions,
    /// Coded with major complications.
    Severity,
    /// Stays at or above the cost cap.
    Outliers,
    /// The part coded with major complications rose more than the peers' did.
    SeverityRose,
    /// Costs fell while readmissions or deaths rose, each against the peers.
    CheaperAndWorse,
}

/// What came of a test.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "snake_case", tag = "status")]
pub enum Verdict {
    /// Tested. Rates are parts of one (cost indices for costs) with four decimals; for a change,
    /// the later minus the earlier.
    Tested {
        /// The hospital's.
        value: String,
        /// The median of its peers.
        reference: String,
        /// The peers' spread: 1.4826 times the median absolute deviation.
        spread: String,
        /// The deviate; two decimals.
        z: String,
        /// One-sided p-value, in scientific notation.
        p: String,
        /// Whether it is among the discoveries.
        flagged: bool,
    },
    /// Not tested: fewer than four other hospitals show the rate, or this one does not
    /// (too few stays, or its source lacks it).
    Untested,
}

/// One test.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Signal {
    /// The hospital.
    pub hospital: Slug,
    /// What about.
    pub kind: Kind,
    /// Major diagnostic category; none for the whole hospital.
    pub category: Option<String>,
    /// What came of it.
    #[serde(flatten)]
    pub verdict: Verdict,
}

/// All signals of a round, and of the change from an earlier one.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Signals {
    /// Version of this form.
    pub version: u32,
    /// Months of the round.
    pub period: Period,
    /// Months of the earlier round.
    pub before: Option<Period>,
    /// The part of all flags that may be there by chance.
    pub q: String,
    /// Number of tests.
    pub tests: usize,
    /// Every test, by kind, category and hospital.
    pub each: Vec<Signal>,
    /// Digests of what this follows from: the round's and the earlier one's.
    pub inputs: Vec<Inputs>,
}

/// A test before all of them are compared.
struct Test {
    hospital: Slug,
    kind: Kind,
    category: Option<String>,
    standing: Option<Standing>,
}

/// Computes the signals of a round and, with an earlier round, of the change since. The order of
/// replies does not matter.
pub fn signals(
    now: Source<'_>,
    before: Option<Source<'_>>,
    rules: &Privacy,
) -> Result<Signals, BenchmarkError> {
    let check =
        |source: &Source<'_>| inputs(source.layout, source.dictionary, rules, source.replies);
    let mut cited = vec![check(&now)?];
    if let Some(before) = &before {
        cited.push(check(before)?);
    }
    let mut hospitals: Vec<&Slug> = now.replies.iter().map(|(id, _)| id).collect();
    hospitals.sort();
    let threshold = rules.display.insurer_threshold;
    let rates = |source: &Source<'_>, what, cell| -> Vec<Option<Rate>> {
        let of = |id: &&Slug| rate::rate(source, id, what, cell, threshold);
        hospitals.iter().map(of).collect()
    };
    let mut tests = Vec::new();
    let mut add = |kind, category: Option<&str>, standings: Vec<Option<Standing>>| {
        for (hospital, standing) in hospitals.iter().zip(standings) {
            tests.push(Test {
                hospital: (*hospital).clone(),
                kind,
                category: category.map(str::to_owned),
                standing,
            });
        }
    };
    for (kind, what) in [
        (Kind::ShortStays, What::ShortStays),
        (Kind::Readmissions, What::Readmissions),
        (Kind::Severity, What::Severity),
        (Kind::Outliers, What::Outliers),
    ] {
        for (cell, category) in rate::cells(&now, what) {
            let found = rates(&now, what, cell);
            add(kind, category, peers::standings(&found));
        }
    }
    if let Some(before) = &before {
        let change = |what, cell| {
            let (now, before) = (rates(&now, what, cell), rates(before, what, cell));
            let pairs = now.iter().zip(&before);
            let changes: Vec<Option<Rate>> = pairs
                .map(|(now, before)| Some(now.as_ref()?.since(before.as_ref()?)))
                .collect();
            changes
        };
        for (cell, category) in rate::cells(&now, What::Severity) {
            let changes = change(What::Severity, cell);
            add(Kind::SeverityRose, category, peers::standings(&changes));
        }
        let whole = rate::WHOLE;
        let cheaper: Vec<Option<Rate>> = change(What::Costs, whole)
            .into_iter()
            .map(|change| change.map(|change| change.turned()))
            .collect();
        let worse =
            [What::Readmissions, What::Deaths].map(|what| peers::standings(&change(what, whole)));
        let cheaper = peers::standings(&cheaper);
        let [readmitted, died] = &worse;
        let both = cheaper.into_iter().zip(readmitted.iter().zip(died));
        let both = both.map(|(cheaper, (readmitted, died))| {
            peers::both(&cheaper?, readmitted.as_ref(), died.as_ref())
        });
        add(Kind::CheaperAndWorse, None, both.collect());
    }
    let tested: Vec<f64> = tests
        .iter()
        .filter_map(|test| Some(test.standing.as_ref()?.p))
        .collect();
    let most = discovery::threshold(&tested, Q);
    Ok(Signals {
        version: 1,
        period: now.layout.period,
        before: before.map(|before| before.layout.period),
        q: fixed(Q, 2).unwrap_or_default(),
        tests: tested.len(),
        each: tests.into_iter().map(|test| test.judged(most)).collect(),
        inputs: cited,
    })
}

impl Test {
    fn judged(self, most: f64) -> Signal {
        let told = |standing: Standing| {
            Some(Verdict::Tested {
                value: fixed(standing.value, 4)?,
                reference: fixed(standing.reference, 4)?,
                spread: fixed(standing.spread, 4)?,
                z: fixed(standing.z, 2)?,
                p: format!("{:.2e}", standing.p),
                flagged: standing.p <= most,
            })
        };
        Signal {
            hospital: self.hospital,
            kind: self.kind,
            category: self.category,
            verdict: self.standing.and_then(told).unwrap_or(Verdict::Untested),
        }
    }
}
