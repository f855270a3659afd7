//! Random numbers that are the same on every machine: whole numbers only, one stream for each
//! thing that is made, so that a row depends on its own place and not on the rows before it.

/// A stream of random numbers (splitmix64 by Steele, Lea and Flood).
#[derive(Debug, Clone)]
pub(super) struct Chance(u64);

impl Chance {
    /// The stream of the thing that `place` names: seed, hospital, patient …
    pub(super) fn of(place: &[u64]) -> Self {
        let start = place.iter().fold(0, |state, part| mix(state ^ mix(*part)));
        Self(start)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mix(self.0)
    }

    /// A whole number from 0 to `count - 1`; 0 for a count of 0.
    pub(super) fn below(&mut self, count: u32) -> u32 {
        u32::try_from(((self.next() >> 32) * u64::from(count)) >> 32).unwrap_or(0)
    }

    /// A whole number from `low` to `high`, both included.
    pub(super) fn between(&mut self, low: u32, high: u32) -> u32 {
        low + self.below(high.saturating_sub(low) + 1)
    }

    /// True `parts` times in a million.
    pub(super) fn happens(&mut self, parts: u32) -> bool {
        self.below(1_000_000) < parts
    }

    /// A position of `rising`, running totals of weights, chosen by weight.
    pub(super) fn pick(&mut self, rising: &[u32]) -> usize {
        let point = self.below(rising.last().copied().unwrap_or(0));
        rising.partition_point(|total| *total <= point)
    }

    /// One of `choices`.
    pub(super) fn of_these<T: Copy + Default>(&mut self, choices: &[T]) -> T {
        let count = u32::try_from(choices.len()).unwrap_or(0);
        let position = usize::try_from(self.below(count)).unwrap_or(0);
        choices.get(position).copied().unwrap_or_default()
    }
}

/// Running totals of weights, for [`Chance::pick`].
pub(super) fn rising(weights: impl IntoIterator<Item = u32>) -> Vec<u32> {
    let mut total = 0_u32;
    let totals = weights.into_iter().map(|weight| {
        total = total.saturating_add(weight);
        total
    });
    totals.collect()
}

fn mix(mut z: u64) -> u64 {
    z = z.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_fill_their_range_and_nothing_else() {
        let mut chance = Chance::of(&[7]);
        let mut seen = [0_u32; 10];
        for _ in 0..10_000 {
            seen[chance.below(10) as usize] += 1;
        }
        assert!(
            seen.iter().all(|count| (850..1150).contains(count)),
            "{seen:?}"
        );
        assert_eq!(chance.below(0), 0);
    }

    #[test]
    fn picks_follow_the_weights() {
        let totals = rising([1, 0, 3]);
        let mut seen = [0_u32; 3];
        let mut chance = Chance::of(&[1, 2]);
        for _ in 0..8000 {
            seen[chance.pick(&totals)] += 1;
        }
        assert_eq!(seen[1], 0);
        assert!((1800..2200).contains(&seen[0]), "{seen:?}");
    }
}
