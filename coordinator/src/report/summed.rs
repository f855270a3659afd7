//! A pooled round as files: only sums over hospitals, what they are worth, and whose they are.

use std::path::{Path, PathBuf};

use askama::Template;
use policies::figures::{Benchmark, Pooled};

use super::page::{self, Line, TotalRow};
use super::split::{SplitView, split_view};
use super::{ReportError, canonical, chart, guide, sheet, write_all};

/// Writes `pooled.json`, `alliance.csv`, one `by-DIMENSION.csv` for each split, `columns.csv` and
/// `report.html` into `out_dir`, which is made if need be. Returns the paths written.
pub fn write(out_dir: &Path, pooled: &Pooled) -> Result<Vec<PathBuf>, ReportError> {
    let figures = &pooled.figures;
    let mut files = vec![
        ("pooled.json".to_owned(), canonical(pooled)?),
        ("alliance.csv".to_owned(), sheet::alliance(figures)?),
    ];
    for split in &figures.splits {
        let name = format!("by-{}.csv", split.dimension);
        files.push((name, sheet::split(figures, split)?));
    }
    files.push(("columns.csv".to_owned(), guide::guide(figures)?));
    files.push(("report.html".to_owned(), render(pooled)?));
    write_all(out_dir, files)
}

#[derive(Template)]
#[template(path = "pooled.html")]
struct Page<'a> {
    round: &'a Pooled,
    of: &'a Benchmark,
    period: String,
    totals: Vec<TotalRow>,
    sampled: bool,
    structure: Vec<Line>,
    structure_chart: String,
    splits: Vec<SplitView<'a>>,
}

fn render(pooled: &Pooled) -> Result<Vec<u8>, ReportError> {
    let of = &pooled.figures;
    let page = Page {
        round: pooled,
        of,
        period: page::period(of, false),
        totals: page::totals(of),
        sampled: of.asked.iter().any(|asked| asked.sampling),
        structure: page::structure(of),
        structure_chart: chart::structure(of),
        splits: of
            .splits
            .iter()
            .map(|split| split_view(of, split))
            .collect(),
    };
    let text = page.render().map_err(|_| ReportError::Form("HTML"))?;
    Ok(text.into_bytes())
}
