//! Signals as canonical JSON and as CSV for spreadsheets: one row a test.

use std::path::{Path, PathBuf};

use policies::figures::signals::{Signals, Verdict};

use super::{ReportError, canonical, sheet, write_all};

const COLUMNS: [&str; 10] = [
    "hospital",
    "signal",
    "category",
    "status",
    "flagged",
    "value",
    "reference",
    "spread",
    "z",
    "p",
];

/// Writes `signals.json` and `signals.csv` into `out_dir`, which is made if need be. Returns the
/// paths written.
pub fn write(out_dir: &Path, signals: &Signals) -> Result<Vec<PathBuf>, ReportError> {
    let mut rows = vec![COLUMNS.map(str::to_owned).to_vec()];
    for signal in &signals.each {
        let kind = serde_json::to_value(signal.kind).map_err(|_| ReportError::Form("CSV"))?;
        let mut row = vec![
            signal.hospital.to_string(),
            kind.as_str().unwrap_or_default().to_owned(),
            signal.category.clone().unwrap_or_default(),
        ];
        match &signal.verdict {
            Verdict::Tested {
                value,
                reference,
                spread,
                z,
                p,
                flagged,
            } => {
                let flagged = if *flagged { "yes" } else { "no" };
                let cells = ["tested", flagged, value, reference, spread, z, p];
                row.extend(cells.map(str::to_owned));
            }
            Verdict::Untested => {
                row.push("untested".to_owned());
                row.resize(COLUMNS.len(), String::new());
            }
        }
        rows.push(row);
    }
    let files = [
        ("signals.json".to_owned(), canonical(signals)?),
        ("signals.csv".to_owned(), sheet::bytes(&rows)?),
    ];
    write_all(out_dir, files)
}
