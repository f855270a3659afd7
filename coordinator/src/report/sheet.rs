//! CSV for spreadsheets: UTF-8 with a byte order mark so that Chinese opens well, and no cell that
//! a spreadsheet would take for a formula.

use policies::figures::Benchmark;
use policies::figures::benchmark::{Cell, Figure, Hospital, Split, Totals};
use schemas::outcome::Outcome;

use super::ReportError;

const MARK: &str = "\u{feff}";
/// For every figure: what became of it, then numbers.
const COLUMNS: [&str; 7] = [
    "status",
    "value",
    "above",
    "noise_low",
    "noise_high",
    "sampling_low",
    "sampling_high",
];

/// One row a hospital, and one for the alliance.
pub(super) fn hospitals(benchmark: &Benchmark) -> Result<Vec<u8>, ReportError> {
    let mut head: Vec<String> = [
        "hospital",
        "reply",
        "grade",
        "newest",
        "missing_months",
        "rank_first",
        "rank_last",
    ]
    .map(str::to_owned)
    .into();
    head.extend(columns(benchmark, &total_names()));
    let mut rows = vec![head];
    for hospital in &benchmark.hospitals {
        let mut row = facts(hospital);
        row.extend(figures(&total_figures(&hospital.totals)));
        rows.push(row);
    }
    let mut alliance: Vec<String> = vec!["(alliance)".to_owned()];
    alliance.resize(7, String::new());
    alliance.extend(figures(&total_figures(&benchmark.total)));
    rows.push(alliance);
    bytes(&rows)
}

/// One row a hospital and key, and one a key for the alliance.
pub(super) fn split(benchmark: &Benchmark, split: &Split) -> Result<Vec<u8>, ReportError> {
    let mut head = vec![
        "hospital".to_owned(),
        split.dimension.to_string(),
        "name_zh".to_owned(),
        "name_en".to_owned(),
    ];
    head.extend(columns(benchmark, &[]));
    let mut rows = vec![head];
    for row in &split.rows {
        let named = benchmark
            .hospitals
            .iter()
            .map(|hospital| hospital.id.as_str());
        let cells = std::iter::once(("(alliance)", &row.alliance)).chain(named.zip(&row.hospitals));
        for (hospital, cell) in cells {
            let mut line = vec![
                hospital.to_owned(),
                row.code.clone(),
                row.name.zh.clone(),
                row.name.en.clone(),
            ];
            line.extend(figures(&cell_figures(cell)));
            rows.push(line);
        }
    }
    bytes(&rows)
}

fn facts(hospital: &Hospital) -> Vec<String> {
    let data = hospital.data.value();
    let rank = hospital.rank.value();
    vec![
        hospital.id.to_string(),
        hospital.data.word().to_owned(),
        data.and_then(|data| data.grade)
            .map_or_else(String::new, |grade| format!("{grade:?}")),
        data.and_then(|data| data.newest)
            .map_or_else(String::new, |month| month.to_string()),
        data.map_or_else(String::new, |data| data.missing.len().to_string()),
        rank.map_or_else(String::new, |rank| rank.first.to_string()),
        rank.map_or_else(String::new, |rank| rank.last.to_string()),
    ]
}

fn cell_figures(cell: &Cell) -> Vec<&Outcome<Figure>> {
    let mut all = vec![
        &cell.stays,
        &cell.total_cost,
        &cell.mean_cost,
        &cell.deviation,
        &cell.variation,
    ];
    all.extend(cell.percentiles.all());
    all.extend([&cell.capped_share, &cell.above_cap, &cell.mean_stay]);
    all.extend(&cell.structure);
    all
}

fn total_names() -> Vec<String> {
    [
        "cmi",
        "cost_index_reference",
        "cost_index_alliance",
        "cost_observed_expected",
        "time_index_reference",
        "time_index_alliance",
        "time_observed_expected",
    ]
    .map(str::to_owned)
    .into()
}

fn total_figures(totals: &Totals) -> Vec<&Outcome<Figure>> {
    let mut all = cell_figures(&totals.all);
    all.extend([
        &totals.cmi,
        &totals.cost_index.reference,
        &totals.cost_index.alliance,
        &totals.cost_index.observed_expected,
        &totals.time_index.reference,
        &totals.time_index.alliance,
        &totals.time_index.observed_expected,
    ]);
    all
}

/// Column names of a cell's figures, then of the further ones.
fn columns(benchmark: &Benchmark, further: &[String]) -> Vec<String> {
    let mut names: Vec<String> = [
        "stays",
        "total_cost",
        "mean_cost",
        "deviation",
        "variation",
        "p25",
        "p50",
        "p75",
        "p90",
        "capped_share",
        "above_cap",
        "mean_stay_days",
    ]
    .map(str::to_owned)
    .into();
    names.extend(
        benchmark
            .items
            .iter()
            .map(|item| format!("share_{}", item.id)),
    );
    names.extend(further.iter().cloned());
    let one = |name: &String| COLUMNS.map(|column| format!("{name}_{column}"));
    names.iter().flat_map(one).collect()
}

fn figures(outcomes: &[&Outcome<Figure>]) -> Vec<String> {
    let one = |outcome: &&Outcome<Figure>| {
        let figure = outcome.value();
        let text = |pick: fn(&Figure) -> Option<String>| figure.and_then(pick).unwrap_or_default();
        [
            outcome.word().to_owned(),
            text(|f| Some(f.value.clone())),
            text(|f| f.above.then(|| "above".to_owned())),
            text(|f| Some(f.noise.low.clone())),
            text(|f| f.noise.high.clone()),
            text(|f| f.sampling.as_ref().map(|s| s.low.clone())),
            text(|f| f.sampling.as_ref().and_then(|s| s.high.clone())),
        ]
    };
    outcomes.iter().flat_map(one).collect()
}

/// A text that a spreadsheet would calculate gets an apostrophe in front; numbers stay as they
/// are.
fn harmless(text: &str) -> String {
    let number = !text.is_empty()
        && text
            .strip_prefix('-')
            .unwrap_or(text)
            .chars()
            .all(|c| c.is_ascii_digit() || c == '.');
    if !number && text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'])
    {
        format!("'{text}")
    } else {
        text.to_owned()
    }
}

fn bytes(rows: &[Vec<String>]) -> Result<Vec<u8>, ReportError> {
    let wrong = |_| ReportError::Form("CSV");
    let mut writer = csv::Writer::from_writer(MARK.as_bytes().to_vec());
    for row in rows {
        writer
            .write_record(row.iter().map(|text| harmless(text)))
            .map_err(wrong)?;
    }
    writer.into_inner().map_err(|_| ReportError::Form("CSV"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_taken_for_a_formula() {
        for bad in ["=1+1", "+1-2", "@SUM(A1)", "-2+3", "\t=1", "＝1"] {
            assert!(harmless(bad).starts_with('\''), "{bad}");
        }
        for fine in ["-12.50", "12", "(alliance)", "阑尾切除", ""] {
            assert_eq!(harmless(fine), fine);
        }
        let made = bytes(&[vec!["a".to_owned(), "=b,\"c\"".to_owned()]]).unwrap();
        assert_eq!(made, "\u{feff}a,\"'=b,\"\"c\"\"\"\n".as_bytes());
    }
}
