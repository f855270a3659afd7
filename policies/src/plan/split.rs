//! The split of a price over blocks that makes the error of what is shown least.
//!
//! A block at price ρ has noise of variance L2² / (2ρ) (Bun and Steinke 2016, Proposition 1.6), and
//! prices add. Where the error that is shown is Σ wₖ·σₖ², with public weights w, it is
//! Σ wₖ·L2ₖ² / (2ρₖ). Lagrange's condition under Σ ρₖ = ρ is wₖ·L2ₖ² / ρₖ² = constant, so
//! ρₖ = ρ · √(wₖ·L2ₖ²) / Σ √(w·L2²); the error is convex in the prices, so this is its least.
#![deny(clippy::arithmetic_side_effects, clippy::float_arithmetic)]

use dashu::base::SquareRoot;
use dashu::integer::UBig;
use schemas::loss::Rho;

/// A block as the split sees it. Both numbers are public: weights are chosen before any data is
/// seen, sensitivities follow from question and dictionary.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Weighted {
    /// How much a unit of its noise's variance weighs in what is shown; above zero.
    pub weight: u64,
    /// Square of its L2 sensitivity.
    pub l2_squared: u128,
}

/// Splits `total` for the least Σ weight·σ². Shares are whole billionths that add to `total`
/// exactly: each is rounded down, and what is left goes, one billionth each, to the largest
/// remainders, the first of equal ones first. `None` where a share would be zero, which buys no
/// noise: no blocks, a weight or sensitivity of zero, or fewer billionths than blocks need.
#[expect(
    clippy::arithmetic_side_effects,
    reason = "big integers do not overflow, and the sum of roots is checked to be above zero"
)]
pub fn least_error(total: Rho, blocks: &[Weighted]) -> Option<Vec<Rho>> {
    // 2^128 under the root: 64 binary places behind the point of each root.
    let root = |block: &Weighted| {
        let product = UBig::from(block.weight) * UBig::from(block.l2_squared);
        (product << 128).sqrt()
    };
    let roots: Vec<UBig> = blocks.iter().map(root).collect();
    let sum = roots.iter().fold(UBig::ZERO, |sum, root| sum + root);
    if sum == UBig::ZERO {
        return None;
    }
    let mut shares = Vec::with_capacity(roots.len());
    for (place, root) in roots.iter().enumerate() {
        let exact = UBig::from(total.nano()) * root;
        let (whole, rest) = (&exact / &sum, &exact % &sum);
        shares.push((u64::try_from(whole).ok()?, rest, place));
    }
    let spent = shares
        .iter()
        .try_fold(0_u64, |sum, share| sum.checked_add(share.0))?;
    let left = usize::try_from(total.nano().checked_sub(spent)?).ok()?;
    shares.sort_by(|a, b| b.1.cmp(&a.1).then(a.2.cmp(&b.2)));
    for share in shares.iter_mut().take(left) {
        share.0 = share.0.checked_add(1)?;
    }
    shares.sort_by_key(|share| share.2);
    let paid = |share: &(u64, UBig, usize)| match share.0 {
        0 => None,
        nano => Rho::from_nano(nano).ok(),
    };
    shares.iter().map(paid).collect()
}

#[cfg(test)]
#[expect(
    clippy::arithmetic_side_effects,
    clippy::float_arithmetic,
    clippy::cast_precision_loss,
    reason = "the objective of a test"
)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn rho(nano: u64) -> Rho {
        Rho::from_nano(nano).unwrap()
    }

    fn weighted(parts: &[(u64, u128)]) -> Vec<Weighted> {
        let of = |part: &(u64, u128)| Weighted {
            weight: part.0,
            l2_squared: part.1,
        };
        parts.iter().map(of).collect()
    }

    /// Σ weight·L2² / ρ in billionths; twice the error that is shown.
    fn error(shares: &[u64], blocks: &[Weighted]) -> f64 {
        let pairs = shares.iter().zip(blocks);
        pairs
            .map(|(nano, b)| b.weight as f64 * b.l2_squared as f64 / *nano as f64)
            .sum()
    }

    fn nano(shares: &[Rho]) -> Vec<u64> {
        shares.iter().map(|share| share.nano()).collect()
    }

    /// Three blocks, every whole split of 400 billionths: none is better than ours by more than
    /// the rounding of a share, and ours is the best to a thousandth.
    #[test]
    fn no_split_on_the_grid_is_better() {
        for parts in [
            [(1_000_000, 3), (1, 27_000_000), (1, 3)],
            [(1, 1), (1, 1), (1, 1)],
            [(7, 9), (3, 250), (11, 40)],
            [(1, 900), (1, 9_000_000), (2, 81_000)],
        ] {
            let blocks = weighted(&parts);
            let total = 400;
            let Some(found) = least_error(rho(total), &blocks) else {
                assert!(parts[2].1 == 3, "a share of zero buys no noise");
                continue;
            };
            let ours = error(&nano(&found), &blocks);
            let mut best = f64::INFINITY;
            for first in 1..total - 1 {
                for second in 1..total - first {
                    let shares = [first, second, total - first - second];
                    best = best.min(error(&shares, &blocks));
                }
            }
            assert!(ours <= best * 1.001, "{parts:?}: {ours} against {best}");
        }
    }

    /// Count and sum of a mean at cap 3: one to three, as the sensitivities stand.
    #[test]
    fn a_mean_pays_three_times_as_much_for_its_sum() {
        let blocks = weighted(&[(1_000_000, 3), (1, 27_000_000)]);
        let found = least_error("0.2".parse().unwrap(), &blocks).unwrap();
        assert_eq!(nano(&found), [50_000_000, 150_000_000]);
    }

    #[test]
    fn what_buys_no_noise_is_refused() {
        assert_eq!(least_error(rho(100), &[]), None);
        assert_eq!(least_error(rho(100), &weighted(&[(0, 3), (1, 3)])), None);
        assert_eq!(least_error(rho(1), &weighted(&[(1, 3), (1, 3)])), None);
        assert_eq!(least_error(Rho::ZERO, &weighted(&[(1, 3)])), None);
    }

    proptest! {
        #[test]
        fn shares_add_up_exactly(
            total in 1_000_000_u64..1_000_000_000,
            parts in prop::collection::vec((1_u64..1000, 1_u128..1_000_000), 1..12),
        ) {
            let blocks = weighted(&parts);
            let found = least_error(rho(total), &blocks).unwrap();
            prop_assert_eq!(nano(&found).iter().sum::<u64>(), total);
            prop_assert_eq!(&found, &least_error(rho(total), &blocks).unwrap());
            // Moving a billionth between any two shares gains at most what rounding moved.
            let ours = error(&nano(&found), &blocks);
            for from in 0..found.len() {
                for to in 0..found.len() {
                    let mut other = nano(&found);
                    if from == to || other[from] < 1001 {
                        continue;
                    }
                    other[from] -= 1000;
                    other[to] += 1000;
                    prop_assert!(ours <= error(&other, &blocks) * (1.0 + 1e-12));
                }
            }
        }
    }
}
