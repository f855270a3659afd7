//! What is made once when a month is opened, so that a scan neither divides nor looks anything up
//! for a row: scaled amounts, their bins, and the runs of rows of one case group.

use std::collections::BTreeMap;

use arrow_buffer::ScalarBuffer;
use schemas::dictionary::Dictionary;
use schemas::id::Slug;

use super::scale::Scale;

/// Columns that follow from the stored ones and the dictionary that coded them.
#[derive(Clone, Default)]
pub struct Ready {
    /// Fields in thousandths of the reference of the stay's own group, unclamped, 65,535 and more
    /// as 65,535.
    pub scaled: BTreeMap<Slug, ScalarBuffer<u16>>,
    /// Bins of the scaled amounts, for fields that are not items of another.
    pub bins: BTreeMap<Slug, ScalarBuffer<u8>>,
    /// Ends of the runs of rows of one case group, rising.
    pub(super) runs: ScalarBuffer<u32>,
}

impl std::fmt::Debug for Ready {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Ready(hidden)")
    }
}

impl Ready {
    /// Whether 16 bits hold every value that the dictionary's cap and bins tell apart.
    pub(super) fn can_scale(dictionary: &Dictionary) -> bool {
        let most = u32::from(u16::MAX);
        let edge = dictionary.bin_edges.last().copied().unwrap_or(0);
        dictionary.cap.saturating_mul(1000) < most && edge < most
    }

    pub(super) fn new(
        group: &[u16],
        fields: &BTreeMap<Slug, ScalarBuffer<u32>>,
        dictionary: &Dictionary,
    ) -> Self {
        let mut ready = Self {
            runs: runs(group),
            ..Self::default()
        };
        if !Self::can_scale(dictionary) {
            return ready;
        }
        let table = bins(&dictionary.bin_edges);
        for field in &dictionary.fields {
            let Some(values) = fields.get(&field.id) else {
                continue;
            };
            let references = dictionary.groups.iter();
            let scales: Vec<Scale> = references
                .map(|group| group.reference(field.reference))
                .map(|reference| Scale::new(reference, reference, dictionary.cap))
                .collect();
            let scale = |(value, group): (&u32, &u16)| {
                let scaled = scales
                    .get(usize::from(*group))
                    .map_or(0, |scale| scale.apply(*value));
                u16::try_from(scaled).unwrap_or(u16::MAX)
            };
            let scaled: ScalarBuffer<u16> = values.iter().zip(group).map(scale).collect();
            if field.part_of.is_none() {
                let bin = |value: &u16| bin_of(&table, u32::from(*value));
                let bins = scaled.iter().map(bin).collect();
                ready.bins.insert(field.id.clone(), bins);
            }
            ready.scaled.insert(field.id.clone(), scaled);
        }
        ready
    }
}

/// Ends of the runs of equal groups.
fn runs(group: &[u16]) -> ScalarBuffer<u32> {
    let mut end = 0;
    let runs = group.chunk_by(|a, b| a == b).map(|run| {
        // A batch has at most 65,536 rows.
        end += u32::try_from(run.len()).unwrap_or(u32::MAX);
        end
    });
    runs.collect()
}

/// Bin of every raw value from 0 to the last edge, at which the last bin begins.
pub(super) fn bins(edges: &[u32]) -> Vec<u8> {
    let last = edges.last().copied().unwrap_or(0);
    // At most 100,001 entries; at most 256 bins.
    let mut table = Vec::with_capacity(usize::try_from(last).unwrap_or(0) + 1);
    let mut current = 0;
    for value in 0..=last {
        if edges.get(current + 1).is_some_and(|edge| *edge == value) {
            current += 1;
        }
        table.push(u8::try_from(current).unwrap_or(u8::MAX));
    }
    table
}

/// The bin of a value; values beyond the last edge fall in the last bin.
pub(super) fn bin_of(table: &[u8], value: u32) -> u8 {
    let value = usize::try_from(value).unwrap_or(usize::MAX);
    let last = table.len().saturating_sub(1);
    table.get(value.min(last)).copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bins_follow_the_edges_and_runs_the_groups() {
        let edges = [0, 2, 5, 6];
        let table = bins(&edges);
        for value in 0..10 {
            let plain = edges.iter().filter(|edge| **edge <= value).count() - 1;
            assert_eq!(usize::from(bin_of(&table, value)), plain);
        }
        assert_eq!(runs(&[3, 3, 4, 3]).as_ref(), [2, 3, 4]);
        assert!(runs(&[]).is_empty());
    }
}
