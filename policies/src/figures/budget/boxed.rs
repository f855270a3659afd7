//! How far the amount of the only member between its bounds may lie from what is shown. It gets what the
//! others' bounds leave, so that its own noise moves nothing; without noise some of the others may be
//! between theirs. Its amount rises with its own share and falls with every other: over a box that all
//! shares lie in together (95 %), the ends are at two corners.

use std::ops::Range;

use super::bounds::Wanted;
use super::noise::Moves;
use crate::figures::decimal::float;
use crate::figures::errors::together;

/// Chance that some share lies outside the box.
const OUTSIDE: f64 = 0.05;
/// Halvings of the stretch in which the factor lies: down to the last bit.
const HALVINGS: u32 = 200;

/// A member's share with its reach, and its bounds.
struct Side {
    share: f64,
    reach: f64,
    floor: f64,
    ceiling: f64,
}

/// All members' shares with their reaches.
pub(super) struct Boxed(Vec<Side>);

impl Boxed {
    /// Each share reaches as far as P(|Z| > z) ≤ exp(−z²/2) asks for, of as many shares as are noisy.
    pub(super) fn new(by_value: &[Moves], share: &[f64], wanted: &[Wanted]) -> Self {
        let sd = |place: usize| {
            let parts = by_value.iter().map(|value| {
                let part = value.shares.get(place).copied().unwrap_or(0.0);
                (value.origin, part)
            });
            together(parts)
        };
        let all: Vec<f64> = (0..share.len()).map(sd).collect();
        let noisy = all.iter().filter(|sd| **sd > 0.0).map(|_| 1.0).sum::<f64>();
        let z = libm::sqrt(2.0 * libm::log(noisy.max(1.0) / OUTSIDE));
        let sides = share.iter().zip(all).zip(wanted);
        let sides = sides.map(|((share, sd), wanted)| Side {
            share: *share,
            reach: z * sd,
            floor: float(&wanted.floor),
            ceiling: float(&wanted.ceiling),
        });
        Self(sides.collect())
    }

    /// The least and the greatest amount of a member in the box, where all of `money` is distributed.
    pub(super) fn amounts(&self, of: usize, money: f64) -> Range<f64> {
        self.corner(of, money, -1.0)..self.corner(of, money, 1.0)
    }

    /// What a member gets where its share lies at one end of its reach and all others at the other.
    fn corner(&self, of: usize, money: f64, own: f64) -> f64 {
        let sides = self.0.iter().enumerate().map(|(place, side)| {
            let way = if place == of { own } else { -own };
            (side, (side.share + way * side.reach).max(0.0))
        });
        let sides: Vec<(&Side, f64)> = sides.collect();
        let amount = |(side, share): &(&Side, f64), factor: f64| {
            (factor * share).clamp(side.floor, side.ceiling)
        };
        let (mut low, mut high) = (0.0, 0.0);
        for (side, share) in &sides {
            if *share > 0.0 {
                high = f64::max(high, side.ceiling / share);
            }
        }
        for _ in 0..HALVINGS {
            let middle = f64::midpoint(low, high);
            let given: f64 = sides.iter().map(|one| amount(one, middle)).sum();
            if given < money {
                low = middle;
            } else {
                high = middle;
            }
        }
        sides.get(of).map_or(0.0, |one| amount(one, high))
    }
}
