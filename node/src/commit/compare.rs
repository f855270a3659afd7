//! The list against the stored stays: what benchmarks are computed from is what is committed to.

use std::collections::BTreeMap;
use std::path::Path;

use schemas::question::Dataset;
use schemas::time::Month;
use serde::Serialize;

use super::CloseError;
use super::list::Paid;
use crate::store::columns::MonthColumns;
use crate::store::loads;
use crate::store::state::State;

/// The stored field that holds what the payer's fund paid.
const FIELD: &str = "fund_paid";

/// What the officer looks into, by row number of the list. It stays at the hospital.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
pub struct Compared {
    /// Settlements that were found with the same amount.
    pub equal: u64,
    /// Rows whose stay is not stored.
    pub not_stored: Vec<u64>,
    /// Last rows of settlements that add up to another amount than stored.
    pub differ: Vec<u64>,
}

/// Compares a list with the latest load of its month; `None` where there is nothing to compare.
pub(super) async fn compare(
    state: &State,
    data: &Path,
    month: Month,
    paid: &[Paid],
) -> Result<Option<Compared>, CloseError> {
    let loads = loads::months(state.pool()).await?;
    let current = loads.iter().rev();
    let mut current = current
        .filter(|load| load.month == month && load.is_current() && load.dataset == Dataset::Stays);
    let Some(load) = current.find(|load| load.unit == "patient") else {
        return Ok(None);
    };
    if paid.is_empty() {
        return Ok(None);
    }
    // A correction pairs with its original by the settlement's number: amounts add up.
    let mut sums: BTreeMap<[u8; 16], (i128, u64)> = BTreeMap::new();
    for one in paid {
        let sum = sums.entry(one.stay).or_default();
        *sum = (sum.0 + i128::from(one.amount), one.row);
    }
    let mut compared = Compared::default();
    let columns = MonthColumns::open(&data.join(&load.folder), month)?;
    for batch in columns.batches() {
        let Some(amounts) = batch.amounts(FIELD) else {
            return Ok(None);
        };
        let (stays, _) = batch.stay().as_chunks::<16>();
        for (stay, amount) in stays.iter().zip(amounts) {
            match sums.remove(stay) {
                Some((sum, _)) if sum == i128::from(*amount) => compared.equal += 1,
                Some((_, row)) => compared.differ.push(row),
                None => {}
            }
        }
    }
    compared.not_stored = sums.into_values().map(|(_, row)| row).collect();
    compared.not_stored.sort_unstable();
    compared.differ.sort_unstable();
    Ok(Some(compared))
}
