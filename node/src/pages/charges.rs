//! Every charge of the allowance, as the log tells it, and what was left after each.

use std::collections::BTreeMap;

use schemas::digest::Digest;
use schemas::entry::Entry;
use schemas::loss::Rho;
use schemas::time::Timestamp;

/// What was done to the allowance of a data year.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Charge {
    /// Number of the log entry.
    pub(super) sequence: u64,
    /// When.
    pub(super) at: Timestamp,
    /// `charge`, `pooled-charge`, `pooled-void` or `burn`.
    pub(super) kind: String,
    /// The question; of a pooled round and a burning what the entry is about.
    pub(super) subject: Digest,
    /// The quota that paid; nothing of a burning.
    pub(super) purpose: String,
    /// The data year.
    pub(super) year: u16,
    /// How much.
    pub(super) rho: Rho,
    /// Whether it was given back.
    pub(super) back: bool,
    /// What was spent of the year, all purposes together, after it.
    pub(super) spent: Rho,
}

/// What an entry did to which data years.
fn of(entry: &Entry) -> Option<(String, bool, Vec<(u16, Rho)>)> {
    let detail = |name: &str| {
        let mut all = entry.detail.iter();
        all.find(|(key, _)| key.as_str() == name)
            .map(|(_, value)| value.as_str())
    };
    let (name, back) = match entry.kind.as_str() {
        "charge" | "pooled-charge" => ("charge", false),
        "pooled-void" => ("credit", true),
        "burn" => {
            let lines = entry.detail.iter().filter_map(|(key, value)| {
                let year = key.as_str().strip_suffix(".all")?.parse().ok()?;
                Some((year, value.parse().ok()?))
            });
            return Some((String::new(), false, lines.collect()));
        }
        _ => return None,
    };
    let rho: Rho = detail(name)?.parse().ok()?;
    let years = detail("years")?.split(' ');
    let years = years.filter_map(|year| Some((year.parse().ok()?, rho)));
    Some((detail("purpose")?.to_owned(), back, years.collect()))
}

/// All charges, oldest first.
pub(super) fn charges(log: &[Entry]) -> Vec<Charge> {
    let mut spent: BTreeMap<u16, Rho> = BTreeMap::new();
    let mut all = Vec::new();
    for entry in log {
        let Some((purpose, back, years)) = of(entry) else {
            continue;
        };
        for (year, rho) in years {
            let sum = spent.entry(year).or_default();
            *sum = if back {
                sum.saturating_sub(rho)
            } else {
                // What left the range was refused when it was charged.
                sum.checked_add(rho).unwrap_or(*sum)
            };
            all.push(Charge {
                sequence: entry.sequence,
                at: entry.at,
                kind: entry.kind.to_string(),
                subject: entry.subject,
                purpose: purpose.clone(),
                year,
                rho,
                back,
                spent: *sum,
            });
        }
    }
    all
}
