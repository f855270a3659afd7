//! The attacks that must fail, against the real path: CSV files through the loader, questions
//! through the answering path, the product's own noise. T1 to T9; T13 is in `amounts`, T17 in
//! `ledger`, T18 in `planted`. No refusal and no suppression depends on true data, so most attacks
//! are not refused: each question pays, looks the same for neighbouring data, and tells little.

mod differences;
mod outliers;
mod language;
mod price;
mod rosters;

use node::answer::App;
use node::noise::{Gaussian, add};
use policies::plan::{Layout, compile};
use schemas::question::Question;

use crate::hospital::Line;

/// Stays of `count` patients spread over groups, months and departments.
pub(super) fn crowd(count: u32) -> Vec<Line> {
    let groups = ["JR19", "IC29", "FR25", "ES31"];
    (0..count)
        .map(|n| {
            let at = n as usize;
            let month = 1 + (n % 12) as u8;
            let yuan = 8_000 + u64::from(n % 97) * 50;
            let (patient, settlement) = (format!("P{n:05}"), format!("S{n:05}"));
            Line::new(&patient, &settlement, month, groups[at % 4], yuan)
                .with("department", ["0401", "0403", "0304"][at % 3])
        })
        .collect()
}

/// The only patient of rehabilitation.
pub(super) fn victim() -> Line {
    Line::new("VICTIM", "SV", 1, "JR19", 14_321).with("department", "2100")
}

pub(super) fn compiled(app: &App, question: &Question) -> Layout {
    compile(question, &app.dictionary, &app.policy).unwrap()
}

/// Fresh noise on exact cells: what a node that never asked before would answer.
pub(super) fn drawn(
    app: &App,
    layout: &Layout,
    rows: &[node::scan::Rows],
) -> Vec<Option<Vec<i64>>> {
    let exact = node::scan::run(layout, &app.dictionary, rows, 1).unwrap();
    add(layout, exact, &Gaussian, 1).unwrap().into_blocks()
}

pub(super) fn first(blocks: &[Option<Vec<i64>>]) -> f64 {
    blocks[0].as_ref().unwrap()[0] as f64
}
