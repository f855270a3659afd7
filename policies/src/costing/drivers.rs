//! Which property of cases goes with how much of the excess over a benchmark. A count of coincidence, not
//! of cause: who reads it decides what it means.

use dashu::rational::RBig;
use schemas::money::Fen;
use serde::{Deserialize, Serialize};

use crate::figures::half_up;

/// What goes with a property.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Attributed {
    /// Cases with it.
    pub cases: u64,
    /// Their mean cost in fen, two decimals.
    pub with: String,
    /// Mean cost of the others.
    pub without: String,
    /// Cost of all cases beyond the benchmark.
    pub excess: Fen,
    /// cases · (with − without), in fen, two decimals.
    pub attributable: String,
    /// Of the excess, percent, four decimals; none where there is no excess.
    pub share: Option<String>,
}

/// Why nothing can be said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DriverError {
    /// Nothing to compare.
    #[error("cases with the property and without it are both needed")]
    OneSided,
    /// Beyond 64 bits of fen.
    #[error("an amount is out of range")]
    OutOfRange,
}

/// attributable = n · (mean with − mean without); share = attributable / Σ (cost − benchmark).
pub fn attributed(cases: &[(bool, Fen)], benchmark: Fen) -> Result<Attributed, DriverError> {
    let mean = |with: bool| {
        let own = cases.iter().filter(|(has, _)| *has == with);
        let (count, sum) = own.fold((0_u64, RBig::ZERO), |(n, sum), (_, fen)| {
            (n.saturating_add(1), sum + RBig::from(fen.0))
        });
        (count > 0).then(|| (count, sum / RBig::from(count)))
    };
    let (Some((count, with)), Some((_, without))) = (mean(true), mean(false)) else {
        return Err(DriverError::OneSided);
    };
    let mut all = cases.iter();
    let excess = all.try_fold(0_i64, |sum, (_, fen)| {
        sum.checked_add(fen.0.checked_sub(benchmark.0)?)
    });
    let excess = excess.ok_or(DriverError::OutOfRange)?;
    let attributable = RBig::from(count) * (&with - &without);
    let share = (excess > 0).then(|| &attributable / RBig::from(excess) * RBig::from(100));
    Ok(Attributed {
        cases: count,
        with: half_up(&with, 2),
        without: half_up(&without, 2),
        excess: Fen(excess),
        attributable: half_up(&attributable, 2),
        share: share.map(|share| half_up(&share, 4)),
    })
}
