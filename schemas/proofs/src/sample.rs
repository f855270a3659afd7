//! Which leaves are opened where there are too many to open all: chosen by a seed that neither side
//! could steer.
//!
//! `seed = SHA-256(checkpoint ‖ nonce)`. The payer commits to its nonce before the month is closed
//! (its digest stands in the header), so it cannot choose after it has seen the leaves; the
//! hospital signs the checkpoint before it sees the nonce, so it cannot order leaves to suit.

use schemas::digest::Digest;

/// What a payer hands over before the close: the digest of its nonce.
pub fn commitment(nonce: &Digest) -> Digest {
    Digest::of("consilium-nonce-v1", &[nonce.as_bytes()])
}

/// At most `most` of the `places`, in rising order: each set equally likely over a uniform nonce.
pub fn sample(checkpoint: &str, nonce: &Digest, places: &[u32], most: usize) -> Vec<u32> {
    let mut stream = Stream {
        seed: Digest::of(
            "consilium-sample-v1",
            &[checkpoint.as_bytes(), nonce.as_bytes()],
        ),
        counter: 0,
    };
    let mut left = places.to_vec();
    left.sort_unstable();
    left.dedup();
    let mut chosen = Vec::new();
    while chosen.len() < most && !left.is_empty() {
        chosen.push(left.swap_remove(stream.below(left.len())));
    }
    chosen.sort_unstable();
    chosen
}

struct Stream {
    seed: Digest,
    counter: u64,
}

impl Stream {
    /// A uniform number below `n`, by rejection.
    fn below(&mut self, n: usize) -> usize {
        let n = u64::try_from(n).unwrap_or(u64::MAX).max(1);
        let fair = u64::MAX - u64::MAX % n;
        loop {
            self.counter += 1;
            let parts: [&[u8]; 2] = [self.seed.as_bytes(), &self.counter.to_be_bytes()];
            let digest = Digest::of("consilium-sample-draw-v1", &parts);
            let drawn = digest.as_bytes().first_chunk().copied();
            let drawn = u64::from_be_bytes(drawn.unwrap_or_default());
            if drawn < fair {
                return usize::try_from(drawn % n).unwrap_or(0);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_follows_from_both_and_favours_nobody() {
        let places: Vec<u32> = (0..40).collect();
        let nonce = |n: u64| Digest::of("test", &[&n.to_be_bytes()]);
        let one = sample("c\n", &nonce(1), &places, 10);
        assert_eq!(one.len(), 10);
        assert_eq!(one, sample("c\n", &nonce(1), &places, 10));
        assert_ne!(one, sample("d\n", &nonce(1), &places, 10));
        assert_ne!(one, sample("c\n", &nonce(2), &places, 10));
        assert_eq!(sample("c\n", &nonce(1), &places, 99), places);
        assert!(sample("c\n", &nonce(1), &[], 5).is_empty());
        // Each of 40 places is taken 500 of 2,000 times; σ is 19.4.
        let mut taken = [0_u32; 40];
        for n in 0..2000 {
            for place in sample("c\n", &nonce(n), &places, 10) {
                taken[usize::try_from(place).unwrap()] += 1;
            }
        }
        assert!(taken.iter().all(|n| (400..=600).contains(n)), "{taken:?}");
    }
}
