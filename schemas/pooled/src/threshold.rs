//! How many must take part, how many may collude, and how much noise each must add: the least that
//! any hospital accepts, and what a hospital's own policy adds to it.

use serde::{Deserialize, Serialize};

use crate::shape::Shape;

/// The alliance's least share of the roster that must take part, in percent.
pub const LEAST_PERCENT: u32 = 80;

/// What a hospital or a committee member accepts. It can only be stricter than the floors: lower
/// numbers than those change nothing.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// Least number of hospitals whose collusion must not help.
    pub t: u32,
    /// Least number of survivors.
    pub n_min: u32,
    /// Least share of the roster that must survive, in percent.
    pub percent: u32,
    /// Committees accepted.
    pub shapes: Vec<Shape>,
    /// Key lists must be countersigned by more than so many hospitals.
    pub t_max: u32,
}

impl Policy {
    /// The floors alone.
    pub fn floors() -> Self {
        Self {
            t: 1,
            n_min: 3,
            percent: LEAST_PERCENT,
            shapes: Shape::ALLOWED.to_vec(),
            t_max: 1,
        }
    }
}

/// What a manifest asks for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Thresholds {
    /// The committee.
    pub shape: Shape,
    /// Contributing hospitals that may collude.
    pub t: u32,
    /// Least number of survivors.
    pub n_min: u32,
    /// Hospitals asked.
    pub roster: u32,
    /// Seats whose organisation is also asked.
    pub both: u32,
    /// Legal entities among the hospitals asked.
    pub entities: u32,
    /// The most hospitals asked of one entity: they collude as one.
    pub largest: u32,
}

/// Which rule a manifest's thresholds break.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ThresholdError {
    /// The committee's shape.
    #[error("the local policy accepts no committee of this shape")]
    Shape,
    /// `t` too small.
    #[error("t must be at least {least}: open the round with a larger t")]
    Colluding {
        /// The least.
        least: u32,
    },
    /// `t` below what one entity runs.
    #[error(
        "t must be at least {least}, as one legal entity runs {least} of the hospitals asked: open \
         the round with a larger t, or ask fewer of them"
    )]
    Entity {
        /// The most hospitals of one entity.
        least: u32,
    },
    /// Fewer entities than `n_min`.
    #[error(
        "n_min is {n_min}, and only {entities} legal entities are behind the hospitals asked: ask \
         hospitals of other entities"
    )]
    Entities {
        /// Entities asked.
        entities: u32,
        /// What the round asks for.
        n_min: u32,
    },
    /// `n_min` too small.
    #[error("n_min must be at least {least}: open the round with a larger n_min")]
    Survivors {
        /// The least.
        least: u64,
    },
    /// `n_min` above the roster.
    #[error("n_min is above the number of hospitals asked")]
    Roster,
    /// Noise too small.
    #[error("block {block}: the shares of n_min - t hospitals add up to less than the whole noise")]
    Variance {
        /// Which block.
        block: usize,
    },
}

impl Thresholds {
    /// Checks every rule but the noise.
    pub fn check(&self, policy: &Policy) -> Result<(), ThresholdError> {
        if !policy.shapes.contains(&self.shape) {
            return Err(ThresholdError::Shape);
        }
        let least = u32::from(self.shape.f()).min(self.both);
        let least = least.max(policy.t).max(1);
        if self.t < least {
            return Err(ThresholdError::Colluding { least });
        }
        if self.t < self.largest {
            let least = self.largest;
            return Err(ThresholdError::Entity { least });
        }
        let percent = u64::from(policy.percent.max(LEAST_PERCENT));
        let share = (u64::from(self.roster) * percent).div_ceil(100);
        let least = (u64::from(self.t) + 2).max(3).max(policy.n_min.into());
        let least = least.max(share);
        if u64::from(self.n_min) < least {
            return Err(ThresholdError::Survivors { least });
        }
        if self.n_min > self.roster {
            return Err(ThresholdError::Roster);
        }
        if self.entities < self.n_min {
            let (entities, n_min) = (self.entities, self.n_min);
            return Err(ThresholdError::Entities { entities, n_min });
        }
        Ok(())
    }

    /// Whether `n_min − t` shares carry the whole noise: `(n_min − t)·share² ≥ total²`, exactly.
    /// Both deviations are in 1024ths of the block's unit.
    pub fn carries(&self, total: u64, share: u64) -> bool {
        let honest = u128::from(self.n_min.saturating_sub(self.t));
        let square = |sigma: u64| u128::from(sigma) * u128::from(sigma);
        // What saturates is more than any square of a u64.
        honest.saturating_mul(square(share)) >= square(total)
    }

    /// The least share of a whole deviation, in 1024ths; `None` where no hospital would be honest.
    pub fn share(&self, total: u64) -> Option<u64> {
        let honest = self
            .n_min
            .checked_sub(self.t)
            .filter(|honest| *honest > 0)?;
        let square = u128::from(total) * u128::from(total);
        let least = u64::try_from(square.div_ceil(u128::from(honest)).isqrt()).ok()?;
        // The root is rounded down: the least share is it or the next.
        [least, least.checked_add(1)?]
            .into_iter()
            .find(|share| self.carries(total, *share))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn thresholds(roster: u32, n_min: u32, t: u32, f: u8, both: u32) -> Thresholds {
        let m = if f == 2 { 7 } else { 4 };
        let shape = Shape::new(m, f).unwrap();
        Thresholds {
            shape,
            t,
            n_min,
            roster,
            both,
            entities: roster,
            largest: 1,
        }
    }

    /// Hospitals of one entity are one party: `t` covers all of them, and `n_min` counts entities.
    #[test]
    fn entities_count_as_one() {
        use ThresholdError::{Entities, Entity};
        for (t, n_min, entities, largest, expected) in [
            (1, 8, 10, 1, Ok(())),
            (1, 8, 9, 2, Err(Entity { least: 2 })),
            (2, 8, 9, 2, Ok(())),
            (2, 8, 8, 2, Ok(())),
            (
                2,
                8,
                7,
                2,
                Err(Entities {
                    entities: 7,
                    n_min: 8,
                }),
            ),
            (3, 8, 8, 3, Ok(())),
            (2, 8, 8, 3, Err(Entity { least: 3 })),
        ] {
            let asked = Thresholds {
                entities,
                largest,
                ..thresholds(10, n_min, t, 1, 0)
            };
            assert_eq!(asked.check(&Policy::floors()), expected, "{asked:?}");
        }
    }

    #[test]
    fn boundaries() {
        use ThresholdError::{Colluding, Roster, Survivors};
        let floors = Policy::floors();
        for (roster, n_min, t, f, both, expected) in [
            (3, 3, 1, 1, 0, Ok(())),
            (3, 3, 0, 1, 0, Err(Colluding { least: 1 })),
            (3, 3, 2, 1, 0, Err(Survivors { least: 4 })),
            (2, 2, 1, 1, 0, Err(Survivors { least: 3 })),
            (2, 3, 1, 1, 0, Err(Roster)),
            (4, 3, 1, 1, 1, Err(Survivors { least: 4 })),
            (4, 4, 1, 1, 1, Ok(())),
            (5, 4, 1, 1, 4, Ok(())),
            (5, 4, 2, 1, 4, Ok(())),
            (5, 4, 3, 1, 4, Err(Survivors { least: 5 })),
            (5, 6, 1, 1, 4, Err(Roster)),
            (10, 8, 1, 1, 0, Ok(())),
            (10, 7, 1, 1, 0, Err(Survivors { least: 8 })),
            (11, 8, 1, 1, 0, Err(Survivors { least: 9 })),
            (11, 9, 1, 1, 0, Ok(())),
            (10, 8, 1, 2, 0, Ok(())),
            (10, 8, 1, 2, 1, Ok(())),
            (10, 8, 1, 2, 2, Err(Colluding { least: 2 })),
            (10, 8, 2, 2, 7, Ok(())),
            (
                u32::MAX,
                u32::MAX,
                u32::MAX,
                1,
                0,
                Err(Survivors {
                    least: (1 << 32) + 1,
                }),
            ),
        ] {
            let asked = thresholds(roster, n_min, t, f, both);
            assert_eq!(asked.check(&floors), expected, "{asked:?}");
        }
    }

    #[test]
    fn a_policy_is_only_ever_stricter() {
        let asked = thresholds(10, 8, 1, 1, 0);
        let own = |change: fn(&mut Policy)| {
            let mut policy = Policy::floors();
            change(&mut policy);
            asked.check(&policy)
        };
        assert_eq!(
            own(|policy| policy.t = 2),
            Err(ThresholdError::Colluding { least: 2 })
        );
        assert_eq!(
            own(|policy| policy.n_min = 9),
            Err(ThresholdError::Survivors { least: 9 })
        );
        assert_eq!(
            own(|policy| policy.percent = 81),
            Err(ThresholdError::Survivors { least: 9 })
        );
        assert_eq!(
            own(|policy| policy.shapes.retain(|s| s.f() == 2)),
            Err(ThresholdError::Shape)
        );
        let lax = Policy {
            t: 0,
            n_min: 0,
            percent: 0,
            ..Policy::floors()
        };
        let few = thresholds(10, 7, 1, 1, 0);
        assert_eq!(few.check(&lax), Err(ThresholdError::Survivors { least: 8 }));
        assert_eq!(
            thresholds(10, 8, 0, 1, 0).check(&lax),
            Err(ThresholdError::Colluding { least: 1 })
        );
    }

    #[test]
    fn noise_at_its_edge() {
        let asked = thresholds(5, 5, 1, 1, 0);
        assert_eq!(asked.share(1024), Some(512));
        assert!(asked.carries(1024, 512) && !asked.carries(1024, 511) && !asked.carries(1025, 512));
        assert!(asked.carries(u64::MAX, u64::MAX) && !asked.carries(u64::MAX, 1));
        assert_eq!(thresholds(5, 1, 1, 1, 0).share(7), None);
    }

    proptest! {
        #[test]
        fn the_least_share_carries_and_one_less_does_not(
            total in 1..=u64::MAX, n_min in 3_u32..2_000, t in 1_u32..500,
        ) {
            prop_assume!(n_min >= t + 2);
            let asked = thresholds(n_min, n_min, t, 1, 0);
            let share = asked.share(total).unwrap();
            prop_assert!(asked.carries(total, share));
            prop_assert!(!asked.carries(total, share - 1));
        }
    }
}
