//! The hospital's own exact figures by case group, from its released rows. They are shown to this hospital
//! only and are put into nothing that leaves.

use std::collections::BTreeMap;

use schemas::dictionary::Dictionary;
use schemas::id::Slug;

use crate::scan::Rows;

/// What the stays of one case group came to; amounts in fen.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Own {
    /// Stays.
    pub(super) stays: i128,
    /// Their costs.
    pub(super) cost: i128,
    /// Their costs up to the cap, each by itself, as a benchmark counts them.
    pub(super) capped: i128,
    /// The cost items in the order asked for, each scaled to the capped cost of its stay.
    pub(super) items: Vec<i128>,
}

/// By which fields, and up to how many times the reference a stay counts.
#[derive(Clone, Debug)]
pub(super) struct Asked<'a> {
    pub(super) cost: &'a Slug,
    pub(super) items: Vec<&'a Slug>,
    pub(super) cap: u32,
}

/// Adds up all rows by case group (index into the dictionary). `None` where the rows lack the cost.
pub(super) fn own(
    rows: &[Rows],
    dictionary: &Dictionary,
    asked: &Asked<'_>,
) -> Option<BTreeMap<usize, Own>> {
    let mut all: BTreeMap<usize, Own> = BTreeMap::new();
    for batch in rows {
        let costs = batch.fields.get(asked.cost)?;
        let items: Vec<_> = asked
            .items
            .iter()
            .map(|item| batch.fields.get(*item))
            .collect();
        for (row, (group, cost)) in batch.group.iter().zip(costs.iter()).enumerate() {
            let place = usize::from(*group);
            let reference = dictionary.groups.get(place)?.references.cost;
            let cost = i128::from(*cost);
            let capped = cost.min(i128::from(reference).checked_mul(i128::from(asked.cap))?);
            let sum = all.entry(place).or_insert_with(|| Own {
                items: vec![0; items.len()],
                ..Own::default()
            });
            sum.stays = sum.stays.checked_add(1)?;
            sum.cost = sum.cost.checked_add(cost)?;
            sum.capped = sum.capped.checked_add(capped)?;
            for (held, item) in sum.items.iter_mut().zip(&items) {
                let amount = item.and_then(|item| item.get(row)).copied();
                let amount = i128::from(amount.unwrap_or_default());
                let scaled = amount.checked_mul(capped)?.checked_div(cost.max(1))?;
                *held = held.checked_add(scaled)?;
            }
        }
    }
    Some(all)
}
