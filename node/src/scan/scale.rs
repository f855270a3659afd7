//! Amounts in thousandths of a reference: `floor((2000·x + R) / 2R)`, exact for every stored x.

/// The scaling of one case group for one field.
///
/// Dividing by a constant is done by multiplying with its inverse (Granlund and Montgomery 1994):
/// with `t = floor(log2 d)` and `M = ceil(2^(64+t) / d)`, `floor(n·M / 2^(64+t)) = floor(n / d)`
/// for all n below 2^63, because `M·d - 2^(64+t) < d` and `n·d < 2^(64+t)·…` leaves no room for a
/// whole step. Here n is below 2^44.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scale {
    add: u64,
    magic: u64,
    shift: u32,
    /// The scaled cap: what a stay counts at most.
    pub(super) most: u32,
}

impl Scale {
    /// Scale against `reference`, clamped where the stay reaches `cap` × `own` (its group's own
    /// reference, not above `reference`). References are from 1 to 10^12.
    pub(super) fn new(reference: u64, own: u64, cap: u32) -> Self {
        let divisor = reference.max(1) * 2;
        let log = divisor.ilog2();
        let (magic, shift) = if divisor.is_power_of_two() {
            (1_u64 << 63, log - 1)
        } else {
            let numerator = 1_u128 << (64 + log);
            let magic = numerator.div_ceil(u128::from(divisor));
            (u64::try_from(magic).unwrap_or(u64::MAX), log)
        };
        let mut scale = Self {
            add: reference,
            magic,
            shift,
            most: u32::MAX,
        };
        let clamped = u128::from(own) * u128::from(cap);
        let rounded = (clamped * 2000 + u128::from(reference)) / u128::from(divisor);
        scale.most = u32::try_from(rounded).unwrap_or(u32::MAX);
        scale
    }

    /// What amounts are measured against, at least 1.
    pub(super) fn reference(&self) -> u64 {
        self.add.max(1)
    }

    /// The unclamped value; beyond 32 bits it reads as the greatest.
    #[inline]
    pub(super) fn apply(&self, value: u32) -> u32 {
        // value < 2^32, so the numerator stays below 2^44 and nothing wraps.
        let numerator = u64::from(value).wrapping_mul(2000).wrapping_add(self.add);
        let high = (u128::from(numerator).wrapping_mul(u128::from(self.magic))) >> 64;
        let quotient = (high as u64) >> self.shift;
        u32::try_from(quotient).unwrap_or(u32::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(20_000))]
        #[test]
        fn equals_the_division(value: u32, reference in 1_u64..=1_000_000_000_000) {
            let exact = (u128::from(value) * 2000 + u128::from(reference)) / (u128::from(reference) * 2);
            let scale = Scale::new(reference, reference, 3);
            prop_assert_eq!(u128::from(scale.apply(value)), exact.min(u128::from(u32::MAX)));
        }

        #[test]
        fn equals_the_division_near_its_steps(step in 0_u64..6000, reference in 1_u64..=20_000_000, off in 0_u64..3) {
            let value = (step * reference / 2000).saturating_add(off).saturating_sub(1);
            if let Ok(value) = u32::try_from(value) {
                let exact = (u64::from(value) * 2000 + reference) / (reference * 2);
                prop_assert_eq!(u64::from(Scale::new(reference, reference, 3).apply(value)), exact.min(u64::from(u32::MAX)));
            }
        }
    }

    #[test]
    fn powers_of_two_and_the_cap() {
        for log in 0..40 {
            let reference = 1_u64 << log;
            let scale = Scale::new(reference, reference, 3);
            assert_eq!(scale.most, 3000);
            for value in [0, 1, 2, 999, 1000, 12345, u32::MAX] {
                let exact = (u128::from(value) * 2000 + u128::from(reference))
                    / (u128::from(reference) * 2);
                assert_eq!(
                    u128::from(scale.apply(value)),
                    exact.min(u128::from(u32::MAX))
                );
            }
        }
        assert_eq!(Scale::new(1_000_000, 500_000, 3).most, 1500);
        assert_eq!(
            Scale::new(1000, 1000, 4_000_000).apply(u32::MAX),
            u32::MAX,
            "unit references lift the cap"
        );
    }
}
