//! Places by cost index, as far as the intervals tell the hospitals apart.

use schemas::outcome::Outcome;

use super::types::{Figure, Hospital, Rank};

/// Sets every hospital's place. Two hospitals are told apart when neither their noise intervals
/// nor their sampling intervals overlap.
pub(super) fn place(hospitals: &mut [Hospital]) {
    let spans: Vec<Option<(f64, f64)>> = hospitals
        .iter()
        .map(|hospital| span(hospital.totals.cost_index.reference.value()?))
        .collect();
    let compared = spans.iter().flatten();
    let of = count(compared.clone());
    for (hospital, span) in hospitals.iter_mut().zip(&spans) {
        let reference = hospital.totals.cost_index.reference.clone();
        hospital.rank = match span {
            Some((low, high)) => {
                let below = count(compared.clone().filter(|other| other.1 < *low));
                let above = count(compared.clone().filter(|other| other.0 > *high));
                Outcome::Value(Rank {
                    first: below.saturating_add(1),
                    last: of.saturating_sub(above),
                    of,
                })
            }
            None => reference.map(|_| Rank {
                first: 1,
                last: of,
                of,
            }),
        };
    }
}

fn count<'a>(spans: impl Iterator<Item = &'a (f64, f64)>) -> u32 {
    u32::try_from(spans.count()).unwrap_or(u32::MAX)
}

/// From the lowest to the highest value that either interval allows.
fn span(figure: &Figure) -> Option<(f64, f64)> {
    let ends = |interval: &super::types::Interval| {
        let high = interval.high.as_ref()?;
        Some((interval.low.parse::<f64>().ok()?, high.parse::<f64>().ok()?))
    };
    let noise = ends(&figure.noise)?;
    let sampling = figure.sampling.as_ref().and_then(ends).unwrap_or(noise);
    Some((noise.0.min(sampling.0), noise.1.max(sampling.1)))
}
