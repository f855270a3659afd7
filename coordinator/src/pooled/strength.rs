//! How strong a committee is: how many of its seats may collude before one hospital's own noise is
//! all that is left, how many may be silent, and whether one seat could falsify a sum.

use std::fmt;

use pooled::shape::Shape;
use schemas::id::Slug;

use super::PooledError;
use super::bodies::committees;
use crate::store::state::State;

/// What a committee withstands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Strength {
    shape: Shape,
    operator: u8,
}

impl Strength {
    /// Of so many seats, with so many that may collude, of which the operator holds some.
    pub fn new(seats: usize, f: u8, operator: u8) -> Result<Self, PooledError> {
        let shape = Shape::new(seats, f).map_err(|_| PooledError::Committee { seats, f })?;
        Ok(Self { shape, operator })
    }

    /// Seats of others that the coordinator must win over before it learns more than the sum.
    fn others(self) -> u8 {
        self.shape
            .f()
            .saturating_sub(self.operator)
            .saturating_add(1)
    }

    /// In what it is weaker than an earlier one.
    pub fn weaker_than(self, before: Self) -> Vec<String> {
        let mut weaker = Vec::new();
        let (now, then) = (self.others(), before.others());
        if now < then {
            weaker.push(format!(
                "{now} seats of others open it together, before {then}"
            ));
        }
        if before.shape.has_integrity() && !self.shape.has_integrity() {
            weaker.push("one seat could falsify a sum, before none".to_owned());
        }
        let (now, then) = (self.shape.absent(), before.shape.absent());
        if now < then {
            weaker.push(format!("{now} seats may be silent, before {then}"));
        }
        weaker
    }
}

impl fmt::Display for Strength {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { shape, operator } = self;
        let falsify = if shape.has_integrity() {
            "no single seat can falsify a sum"
        } else {
            "one lying seat could falsify a sum"
        };
        write!(
            f,
            "({}, {}): {} seats, {} may collude",
            shape.m(),
            shape.f(),
            shape.m(),
            shape.f()
        )?;
        if *operator > 0 {
            write!(f, " ({operator} of them are the operator's)")?;
        }
        write!(f, ", {} may be silent, {falsify}", shape.absent())
    }
}

/// The newest committee: its epoch, seats and strength.
pub async fn newest_committee(
    state: &State,
) -> Result<Option<(u32, Vec<Slug>, Strength)>, PooledError> {
    let Some(newest) = committees(state).await?.pop() else {
        return Ok(None);
    };
    let strength = Strength::new(newest.seats.len(), newest.f, newest.operator_seats)?;
    Ok(Some((newest.epoch, newest.seats, strength)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fewer_to_win_over_less_silence_and_lost_integrity_are_weaker() {
        let of = |m, f, operator| Strength::new(m, f, operator).unwrap();
        let weaker = |now: Strength, before: Strength| now.weaker_than(before).len();
        for same in [(3, 1, 0), (3, 2, 0), (4, 1, 0), (7, 2, 1)] {
            let same = of(same.0, same.1, same.2);
            assert_eq!(weaker(same, same), 0);
        }
        assert_eq!(weaker(of(7, 2, 0), of(4, 1, 0)), 0);
        assert!(weaker(of(4, 1, 0), of(7, 2, 0)) >= 1);
        assert!(
            weaker(of(3, 1, 0), of(4, 1, 0)) >= 1,
            "nobody may be silent"
        );
        let lost = of(3, 2, 0).weaker_than(of(4, 1, 0));
        assert!(lost.iter().any(|why| why.contains("falsify")), "{lost:?}");
        assert_eq!(
            weaker(of(4, 1, 1), of(4, 1, 0)),
            1,
            "the operator sits in it"
        );
        assert!(Strength::new(5, 1, 0).is_err());
        let told = of(4, 1, 0).to_string();
        assert!(
            told.contains("(4, 1)") && told.contains("1 may collude"),
            "{told}"
        );
    }
}
