//! How far one patient can move a block, and the noise that a price buys. Proof in `PROOF.md`.
#![deny(clippy::arithmetic_side_effects, clippy::float_arithmetic)]

use dashu::integer::UBig;
use schemas::loss::Rho;
use schemas::question::{Measure, Question, Table};

use super::Refusal;
use super::layout::{Bound, Sigma};

/// Greatest number that one stay adds to the vector of a block, by its L2 norm: 1 for counts
/// (each stay falls in one cell), 1000 × cap for scaled sums, its square for squares. A structure
/// spreads at most 1000 × cap over its items, so its norm is no larger. A centred value, from
/// −centre to 1000 × cap − centre, is no further from zero than the greater of the two.
pub(super) fn per_stay(measure: &Measure, cap: u32, centre: u32) -> Option<u128> {
    let (most, centre) = (u128::from(cap).checked_mul(1000)?, u128::from(centre));
    let most = most.checked_sub(centre)?.max(centre);
    match measure {
        Measure::Count | Measure::CountWhere { .. } | Measure::Histogram { .. } => Some(1),
        Measure::Sum { .. } | Measure::Relative { .. } | Measure::Structure { .. } => Some(most),
        Measure::Squares { .. } => most.checked_mul(most),
    }
}

/// What a stay counts less in the blocks of a table: half the cap, a whole number of thousandths,
/// where the question asks centred sums and the same cells are counted; of squares, where their sum
/// stands beside them too. Zero in all others.
pub(super) fn centre(
    question: &Question,
    table: &Table,
    measure: &Measure,
    cap: u32,
) -> Option<u32> {
    let has = |wanted: &Measure| table.blocks.iter().any(|block| block.measure == *wanted);
    let beside = match measure {
        Measure::Sum { .. } | Measure::Relative { .. } => true,
        Measure::Squares { field } => has(&Measure::Sum {
            field: field.clone(),
        }),
        Measure::Count
        | Measure::CountWhere { .. }
        | Measure::Histogram { .. }
        | Measure::Structure { .. } => false,
    };
    if question.centred && beside && has(&Measure::Count) {
        cap.checked_mul(500)
    } else {
        Some(0)
    }
}

/// Square of the L2 sensitivity of a block under adding or removing one patient.
///
/// With case groups among the axes a patient reaches at most K separate sets of cells with c stays
/// each, all c in one cell at worst: (c·v)²·K. Without, all K·c stays may share one cell: (K·c·v)².
/// In a series one stay a month counts: v².
pub(super) fn l2_squared(bound: Bound, by_group: bool, per_stay: u128) -> Option<u128> {
    let (stays, parts) = match bound {
        Bound::Series { .. } => (1_u128, 1_u128),
        Bound::Year { groups, stays } if by_group => (u128::from(stays), u128::from(groups)),
        Bound::Year { groups, stays } => (u128::from(stays).checked_mul(u128::from(groups))?, 1),
    };
    let one = stays.checked_mul(per_stay)?;
    one.checked_mul(one)?.checked_mul(parts)
}

/// The least scale σ = k / 1024 with ρ ≥ L2² / (2σ²), compared in whole numbers:
/// 2·ρ·k² ≥ L2²·10⁹·2²⁰ with ρ in billionths.
#[expect(
    clippy::arithmetic_side_effects,
    reason = "big integers do not overflow"
)]
pub(super) fn least_sigma(l2_squared: u128, rho: Rho) -> Result<Sigma, Refusal> {
    if rho == Rho::ZERO {
        return Err(Refusal::Price);
    }
    let need = UBig::from(l2_squared) * UBig::from(1_000_000_000_u64) * UBig::from(1_u64 << 20);
    let twice = UBig::from(rho.nano()) * UBig::from(2_u8);
    let enough = |k: u64| &twice * UBig::from(k) * UBig::from(k) >= need;
    // Scales of 2^53 and more would not be exact as a float.
    let (mut low, mut high) = (0_u64, 1_u64 << 53);
    if !enough(high) {
        return Err(Refusal::Range);
    }
    // Invariant: `high` is enough, `low` is not.
    while high.saturating_sub(low) > 1 {
        let middle = low.midpoint(high);
        if enough(middle) {
            high = middle;
        } else {
            low = middle;
        }
    }
    Ok(Sigma(high))
}

/// Whether a block stays inside exact 64-bit arithmetic: rows × greatest cell + 16σ < 2^62.
pub(super) fn in_range(per_stay: u128, max_rows: u64, sigma: Sigma) -> bool {
    let rows = per_stay.checked_mul(u128::from(max_rows));
    let noise = u128::from(sigma.0).checked_div(64);
    rows.zip(noise)
        .and_then(|(rows, noise)| rows.checked_add(noise))
        .is_some_and(|sum| sum < 1_u128 << 62)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sigma_is_least_for_every_bound() {
        for groups in 1..=50 {
            for stays in 1..=50 {
                let l2 = l2_squared(Bound::Year { groups, stays }, true, 3000).unwrap();
                let rho: Rho = "0.05".parse().unwrap();
                let Sigma(k) = least_sigma(l2, rho).unwrap();
                let cost = |k: u64| {
                    (UBig::from(l2) * UBig::from(1_u64 << 20) * UBig::from(1_000_000_000_u64))
                        .cmp(&(UBig::from(2 * rho.nano()) * UBig::from(k) * UBig::from(k)))
                };
                assert!(cost(k).is_le(), "pays for itself");
                assert!(cost(k - 1).is_gt(), "one step less would not");
            }
        }
    }

    /// |v − c| ≤ max(c, cap − c) for v from 0 to the cap: half the cap is least, by every centre.
    #[test]
    fn a_centred_stay_moves_a_sum_by_its_distance() {
        let field = || "cost".parse().unwrap();
        let (sum, squares) = (
            Measure::Sum { field: field() },
            Measure::Squares { field: field() },
        );
        for cap in 1..=5 {
            let most = 1000 * cap;
            for centre in (0..=most).step_by(250) {
                let reach = (0..=most)
                    .map(|v: u32| v.abs_diff(centre))
                    .max()
                    .map(u128::from);
                assert_eq!(per_stay(&sum, cap, centre), reach);
                let squared = reach.and_then(|reach| reach.checked_pow(2));
                assert_eq!(per_stay(&squares, cap, centre), squared);
                assert!(reach >= Some(u128::from(most / 2)));
            }
            assert_eq!(per_stay(&sum, cap, most / 2), Some(u128::from(most / 2)));
            assert_eq!(per_stay(&sum, cap, most + 1), None);
        }
        assert_eq!(per_stay(&Measure::Count, 3, 0), Some(1));
    }

    #[test]
    fn a_count_at_rho_one_half_has_sigma_one() {
        assert_eq!(least_sigma(1, "0.5".parse().unwrap()), Ok(Sigma(1024)));
        assert_eq!(least_sigma(1, Rho::ZERO), Err(Refusal::Price));
    }

    #[test]
    fn without_groups_all_stays_may_share_a_cell() {
        let bound = Bound::Year {
            groups: 3,
            stays: 2,
        };
        assert_eq!(l2_squared(bound, true, 1), Some(12));
        assert_eq!(l2_squared(bound, false, 1), Some(36));
        assert_eq!(l2_squared(Bound::Series { months: 3 }, false, 1), Some(1));
    }
}
