//! Shares held between floors and ceilings: one factor λ for all, so that what one member gains or
//! loses by a bound is borne by all others in proportion.

use dashu::rational::RBig;
use serde::{Deserialize, Serialize};

use crate::figures::exact::sum;

/// What a member may get.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Wanted {
    /// Its share; all shares together need not be one.
    pub(super) share: RBig,
    /// The least amount.
    pub(super) floor: RBig,
    /// The greatest amount.
    pub(super) ceiling: RBig,
}

/// Whether a bound decided a member's amount.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pinned {
    /// The share decided.
    Free,
    /// The floor did.
    Floor,
    /// The ceiling did.
    Ceiling,
}

/// A member's exact amount.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Solved {
    /// The amount.
    pub(super) amount: RBig,
    /// What decided it.
    pub(super) pinned: Pinned,
}

/// Why no λ fits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BoundsError {
    /// A share below zero, or a floor above its ceiling or below zero.
    #[error("a share is below zero, or a floor is below zero or above its ceiling")]
    Shape,
    /// The floors together are more than there is.
    #[error("the floors add up to more than there is to distribute; lower them or the reserve")]
    Floors,
    /// The ceilings together are less than there is.
    #[error("the ceilings add up to less than there is to distribute; raise them or the reserve")]
    Ceilings,
}

/// Solves Σ clamp(λ·share, floor, ceiling) = `amount`. The left side grows with λ and is linear
/// between the λ at which a bound is reached, so the solution is found exactly: the first of these
/// whose sum is enough ends the stretch in which it lies.
pub(super) fn solve(amount: &RBig, wanted: &[Wanted]) -> Result<Vec<Solved>, BoundsError> {
    let sound = |one: &Wanted| {
        one.share >= RBig::ZERO && one.floor >= RBig::ZERO && one.floor <= one.ceiling
    };
    if !wanted.iter().all(sound) {
        return Err(BoundsError::Shape);
    }
    if sum(wanted.iter().map(|one| &one.floor)) > *amount {
        return Err(BoundsError::Floors);
    }
    let mut reached: Vec<RBig> = Vec::new();
    for one in wanted.iter().filter(|one| one.share > RBig::ZERO) {
        reached.push(&one.floor / &one.share);
        reached.push(&one.ceiling / &one.share);
    }
    reached.sort();
    reached.dedup();
    let enough = |lambda: &RBig| sum(wanted.iter().map(|one| clamped(one, lambda))) >= *amount;
    let place = reached.partition_point(|lambda| !enough(lambda));
    let Some(after) = reached.get(place) else {
        return Err(BoundsError::Ceilings);
    };
    let before = place.checked_sub(1).and_then(|place| reached.get(place));
    let before = before.cloned().unwrap_or(RBig::ZERO);
    let pinned: Vec<Pinned> = wanted
        .iter()
        .map(|one| {
            if one.share == RBig::ZERO || &one.floor / &one.share >= *after {
                Pinned::Floor
            } else if &one.ceiling / &one.share <= before {
                Pinned::Ceiling
            } else {
                Pinned::Free
            }
        })
        .collect();
    let both = || wanted.iter().zip(&pinned);
    let held = both().filter_map(|(one, pinned)| match pinned {
        Pinned::Free => None,
        Pinned::Floor => Some(&one.floor),
        Pinned::Ceiling => Some(&one.ceiling),
    });
    let left = amount - sum(held);
    let free = both().filter(|(_, pinned)| **pinned == Pinned::Free);
    let shares = sum(free.map(|(one, _)| &one.share));
    Ok(both()
        .map(|(one, pinned)| Solved {
            amount: match pinned {
                Pinned::Free => &left * &one.share / &shares,
                Pinned::Floor => one.floor.clone(),
                Pinned::Ceiling => one.ceiling.clone(),
            },
            pinned: *pinned,
        })
        .collect())
}

fn clamped(one: &Wanted, lambda: &RBig) -> RBig {
    let amount = lambda * &one.share;
    amount.clamp(one.floor.clone(), one.ceiling.clone())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn wanted(share: u32, floor: u32, ceiling: u32) -> Wanted {
        Wanted {
            share: share.into(),
            floor: floor.into(),
            ceiling: ceiling.into(),
        }
    }

    #[test]
    fn what_no_factor_reaches_is_refused() {
        let two = [wanted(1, 3, 5), wanted(1, 3, 5)];
        assert_eq!(solve(&5.into(), &two), Err(BoundsError::Floors));
        assert_eq!(solve(&11.into(), &two), Err(BoundsError::Ceilings));
        for amount in [6, 10] {
            let exact = solve(&amount.into(), &two).unwrap();
            assert_eq!(sum(exact.iter().map(|one| &one.amount)), amount.into());
        }
        assert_eq!(
            solve(&1.into(), &[wanted(1, 2, 1)]),
            Err(BoundsError::Shape)
        );
        // Nobody with a share: only the floors can be given.
        assert_eq!(
            solve(&2.into(), &[wanted(0, 1, 5)]),
            Err(BoundsError::Ceilings)
        );
    }

    /// A member of `(share, floor, how far the ceiling lies above)`.
    fn any() -> impl Strategy<Value = Vec<Wanted>> {
        let one = (0_u32..50, 0_u32..1000, 0_u32..2000);
        let one = one.prop_map(|(share, floor, above)| wanted(share, floor, floor + above));
        prop::collection::vec(one, 1..12)
    }

    proptest! {
        #[test]
        fn one_factor_fits_all(wanted in any(), part in 0_u32..=1000) {
            prop_assume!(wanted.iter().all(|one| one.share > RBig::ZERO));
            let least = sum(wanted.iter().map(|one| &one.floor));
            let most = sum(wanted.iter().map(|one| &one.ceiling));
            let amount = &least + (&most - &least) * RBig::from(part) / RBig::from(1000);
            let solved = solve(&amount, &wanted).unwrap();
            prop_assert_eq!(sum(solved.iter().map(|one| &one.amount)), amount);
            let free = || solved.iter().zip(&wanted).filter(|(one, _)| one.pinned == Pinned::Free);
            let lambdas: Vec<RBig> = free().map(|(one, wanted)| &one.amount / &wanted.share).collect();
            prop_assert!(lambdas.windows(2).all(|two| two[0] == two[1]));
            for (one, wanted) in solved.iter().zip(&wanted) {
                prop_assert!(wanted.floor <= one.amount && one.amount <= wanted.ceiling);
                let Some(lambda) = lambdas.first() else { continue };
                match one.pinned {
                    Pinned::Floor => prop_assert!(lambda * &wanted.share <= wanted.floor),
                    Pinned::Ceiling => prop_assert!(lambda * &wanted.share >= wanted.ceiling),
                    Pinned::Free => {}
                }
            }
        }

        #[test]
        fn the_order_of_members_decides_nothing(wanted in any(), part in 0_u32..=1000) {
            let least = sum(wanted.iter().map(|one| &one.floor));
            let amount = least + RBig::from(part);
            let turned: Vec<Wanted> = wanted.iter().rev().cloned().collect();
            let solved = solve(&amount, &wanted);
            let back = solve(&amount, &turned).map(|mut solved| {
                solved.reverse();
                solved
            });
            prop_assert_eq!(solved, back);
        }
    }
}
