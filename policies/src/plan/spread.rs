//! Expected errors of what histograms and structures tell: percentiles and shares of a cell, by its
//! number of stays.

use schemas::question::Measure;

use super::layout::{BlockLayout, Layout};

/// Percentiles up to the 75th are shown of cells with so many times the noise of a bin in stays.
pub const LEAST_NOISES: f64 = 20.0;

/// Cell sizes for which the expected error is stated, where they are shown at all.
const SIZES: [u32; 4] = [300, 1000, 3000, 10_000];

/// The percentile that is stated: the highest of those that need the fewest stays.
const P: f64 = 0.75;

/// Half-widths of 95 % intervals in percentage points by number of stays, raw and improved.
pub(super) struct Ranks {
    pub(super) raw: Vec<(u32, String)>,
    pub(super) improved: Vec<(u32, String)>,
}

/// How far noise moves the 75th percentile among a cell's stays, where it lies in the middle of the
/// bins, as around the reference: raw, and from cumulative counts that end at the number of stays,
/// whose variance is given. From the least number of stays on for which it is shown.
pub(super) fn ranks(layout: &Layout, block: &BlockLayout, of_count: Option<f64>) -> Option<Ranks> {
    if !matches!(block.measure, Measure::Histogram { .. }) {
        return None;
    }
    let bins = parts(layout, block)?;
    let sigma = block.sigma.as_f64();
    let all = bins * sigma * sigma;
    // Of half the bins below: the walk between its ends, and the end's own noise by how far the
    // percentile lies from the middle.
    let middle = (0.5 - P) * (0.5 - P);
    let raw = (all * (0.25 + middle)).sqrt();
    let end = of_count.map(|of_count| 1.0 / (1.0 / of_count + 1.0 / all));
    let improved = end.map(|end| (all * 0.25 + middle * end).sqrt());
    let first = (LEAST_NOISES * sigma).max(1.0).ceil();
    let sizes: Vec<u32> = std::iter::once(whole(first))
        .chain(SIZES.into_iter().filter(|n| f64::from(*n) > first))
        .collect();
    let points = |error: f64| -> Vec<(u32, String)> {
        let point = |n: u32| format!("{:.1}", 196.0 * error / f64::from(n));
        sizes.iter().map(|n| (*n, point(*n))).collect()
    };
    Some(Ranks {
        raw: points(raw),
        improved: improved.map(points).unwrap_or_default(),
    })
}

/// How far noise moves the share of one of even items of a cell whose stays cost about their
/// reference, in percentage points. No improvement is made of shares.
pub(super) fn shares(layout: &Layout, block: &BlockLayout) -> Vec<(u32, String)> {
    let items = match block.measure {
        Measure::Structure { .. } => parts(layout, block),
        _ => None,
    };
    let Some(items) = items else {
        return Vec::new();
    };
    let error = block.sigma.as_f64() * (1.0 - 1.0 / items).max(0.0).sqrt();
    let point = |n: u32| format!("{:.1}", 196.0 * error / (1000.0 * f64::from(n)));
    SIZES.iter().map(|n| (*n, point(*n))).collect()
}

/// Numbers of one cell.
fn parts(layout: &Layout, block: &BlockLayout) -> Option<f64> {
    let cells = layout.table_of(block)?.cells;
    let numbers = u32::try_from(layout.numbers(block)).ok()?;
    let parts = numbers.checked_div(cells)?;
    (parts > 0).then(|| f64::from(parts))
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped to the range before"
)]
fn whole(number: f64) -> u32 {
    number.clamp(1.0, f64::from(u32::MAX)) as u32
}
