//! The committee's shape: how many seats, how many may collude, and what follows. Seeds are
//! replicated: each class, a set of `m − f` seats, shares one seed of each hospital, so any `f`
//! seats lack the seed of the class that leaves them all out.

use serde::{Deserialize, Deserializer, Serialize};

/// Seats `m` and colluding seats `f` of a committee; only pairs of [`Shape::ALLOWED`] exist.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
pub struct Shape {
    m: u8,
    f: u8,
}

/// The pair is not in the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a committee (m, f) is one of (3, 1), (3, 2), (4, 1), (7, 2)")]
pub struct NotAShape;

/// A set of `m − f` seats: bit `j` stands for seat `j`, counted from 0.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Class(u8);

impl Shape {
    /// The allowed pairs.
    pub const ALLOWED: [Self; 4] = [
        Self { m: 3, f: 1 },
        Self { m: 3, f: 2 },
        Self { m: 4, f: 1 },
        Self { m: 7, f: 2 },
    ];
    /// The default: one seat may collude, one may be absent.
    pub const DEFAULT: Self = Self { m: 4, f: 1 };
    /// Most seats.
    pub const MAX_SEATS: usize = 7;

    /// A pair of the table.
    pub fn new(m: usize, f: u8) -> Result<Self, NotAShape> {
        let is = |shape: &Self| usize::from(shape.m) == m && shape.f == f;
        Self::ALLOWED.into_iter().find(is).ok_or(NotAShape)
    }

    /// Seats.
    pub fn m(self) -> u8 {
        self.m
    }

    /// Seats that may collude with the coordinator.
    pub fn f(self) -> u8 {
        self.f
    }

    /// Votes that certify or void: two such sets share at least `f + 1` seats, so an honest one.
    pub fn quorum(self) -> usize {
        usize::from(u8::midpoint(self.m, self.f)) + 1
    }

    /// Seats of a class that must name the same mask sum. Below `f + 1` (a class of (3, 2) has one
    /// seat) nothing protects the total against a lying member: see [`Self::has_integrity`].
    pub fn sum_signers(self) -> usize {
        usize::from((self.f + 1).min(self.m - self.f))
    }

    /// Whether a mask sum is always named by an honest seat.
    pub fn has_integrity(self) -> bool {
        self.m - self.f > self.f
    }

    /// Most seats that may be silent while the round still ends.
    pub fn absent(self) -> usize {
        let (m, class) = (usize::from(self.m), usize::from(self.m - self.f));
        (m - self.quorum()).min(class - self.sum_signers())
    }

    /// The classes, rising.
    pub fn classes(self) -> Vec<Class> {
        let size = u32::from(self.m - self.f);
        let all = (0..1_u8 << self.m).filter(|set| set.count_ones() == size);
        all.map(Class).collect()
    }

    /// The classes that a seat belongs to, rising.
    pub fn classes_of(self, seat: u8) -> Vec<Class> {
        let mut classes = self.classes();
        classes.retain(|class| class.contains(seat));
        classes
    }
}

impl<'de> Deserialize<'de> for Shape {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Pair {
            m: u8,
            f: u8,
        }
        let Pair { m, f } = Pair::deserialize(deserializer)?;
        Self::new(usize::from(m), f).map_err(serde::de::Error::custom)
    }
}

impl Class {
    /// Whether the seat belongs to it.
    pub fn contains(self, seat: u8) -> bool {
        u32::from(seat) < u8::BITS && self.0 >> seat & 1 == 1
    }

    /// The set as a number.
    pub fn bits(self) -> u8 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_quorum_pair_shares_an_honest_seat_and_every_coalition_lacks_a_class() {
        for shape in Shape::ALLOWED {
            let (m, f) = (usize::from(shape.m), usize::from(shape.f));
            assert!(2 * shape.quorum() > m + f, "{shape:?}");
            let classes = shape.classes();
            for coalition in (0..1_u8 << m).filter(|set| set.count_ones() == u32::from(shape.f)) {
                let lacked = classes.iter().filter(|class| class.0 & coalition == 0);
                assert_eq!(lacked.count(), 1, "{shape:?} {coalition:b}");
            }
            assert_eq!(shape.has_integrity(), shape.sum_signers() > f);
        }
    }

    #[test]
    fn the_table() {
        let figures = |shape: Shape| {
            let (quorum, signers) = (shape.quorum(), shape.sum_signers());
            (shape.classes().len(), quorum, signers, shape.absent())
        };
        let all = Shape::ALLOWED.map(figures);
        assert_eq!(
            all,
            [(3, 3, 2, 0), (3, 3, 1, 0), (4, 3, 2, 1), (21, 5, 3, 2)]
        );
        let bits: Vec<u8> = Shape::DEFAULT
            .classes()
            .into_iter()
            .map(Class::bits)
            .collect();
        assert_eq!(bits, [7, 11, 13, 14]);
        let of = Shape::DEFAULT.classes_of(0);
        assert_eq!(
            of.into_iter().map(Class::bits).collect::<Vec<_>>(),
            [7, 11, 13]
        );
        for (m, f) in [
            (2, 1),
            (3, 0),
            (3, 3),
            (4, 2),
            (5, 1),
            (7, 3),
            (0, 0),
            (260, 1),
        ] {
            assert_eq!(Shape::new(m, f), Err(NotAShape), "({m}, {f})");
        }
        assert!(!Shape::DEFAULT.classes()[0].contains(200));
    }
}
