//! That no sum can leave the ring: `n·max_rows·max_cell·2^s + 16·⌈√n·σ·2^s⌉ < 2^62`, in whole
//! numbers.

use schemas::digest::Digest;
use schemas::loss::Rho;
use serde::{Deserialize, Serialize};

/// Greatest fixed-point scale `s`.
pub const MAX_SCALE: u8 = 20;
/// Deviations are in 1024ths of a block's unit.
const UNIT: u128 = 1024;
const LIMIT: i128 = 1 << 62;

/// One block of a round's vector.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Block {
    /// Its family: whose sums are held against each other ([`crate::family`]).
    pub family: Digest,
    /// Its numbers.
    pub cells: u32,
    /// s: the block is asked in units of 2^−s.
    pub scale: u8,
    /// Greatest absolute value that one row adds to a cell, in the block's unit.
    pub max_cell: u64,
    /// Loss of one patient's rows by this block, with whole noise.
    pub rho: Rho,
    /// Deviation of the whole noise, in 1024ths of the block's unit.
    pub sigma_total: u64,
    /// Deviation of each hospital's share, in 1024ths of the block's unit.
    pub sigma_share: u64,
}

/// Why a block is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RangeError {
    /// No cells, no noise, or a scale beyond [`MAX_SCALE`].
    #[error("a block has cells, noise and a scale of at most {MAX_SCALE}")]
    Block,
    /// Noise too coarse on the grid for the closed form of the loss.
    #[error("a share's deviation times 2^s must be at least 4: open the round with a larger s")]
    Coarse,
    /// The sum could leave the ring.
    #[error("the block's sum could reach 2^62: open the round with a smaller scale or roster")]
    Overflow,
}

impl Block {
    /// Greatest absolute value of the block's sum over `n` hospitals, in units of 2^−s; an error
    /// where that is 2^62 or more, or the block is none.
    pub fn bound(&self, n: usize, max_rows: u64) -> Result<i128, RangeError> {
        if self.cells == 0 || self.sigma_total == 0 || self.scale > MAX_SCALE {
            return Err(RangeError::Block);
        }
        if self.scaled_share() < 4 * UNIT {
            return Err(RangeError::Coarse);
        }
        let bound = self.greatest(n, max_rows).ok_or(RangeError::Overflow)?;
        if bound < LIMIT {
            Ok(bound)
        } else {
            Err(RangeError::Overflow)
        }
    }

    /// σ_i·2^s in 1024ths: the deviation at which a hospital draws its share.
    pub fn scaled_share(&self) -> u128 {
        u128::from(self.sigma_share) << self.scale.min(MAX_SCALE)
    }

    fn greatest(&self, n: usize, max_rows: u64) -> Option<i128> {
        let n = u128::try_from(n).ok()?;
        let rows = n.checked_mul(u128::from(max_rows))?;
        let values = rows.checked_mul(u128::from(self.max_cell))?;
        let values = values.checked_mul(1 << self.scale)?;
        let variance = self.scaled_share().checked_pow(2)?.checked_mul(n)?;
        let root = variance.isqrt();
        let root = if root * root < variance {
            root + 1
        } else {
            root
        };
        // ⌈√v / 1024⌉ is ⌈⌈√v⌉ / 1024⌉.
        let noise = root.div_ceil(UNIT).checked_mul(16)?;
        i128::try_from(values.checked_add(noise)?).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn block(max_cell: u64, scale: u8, sigma_share: u64) -> Block {
        Block {
            family: Digest::ZERO,
            cells: 1,
            scale,
            max_cell,
            rho: Rho::ZERO,
            sigma_total: sigma_share,
            sigma_share,
        }
    }

    #[test]
    fn by_hand() {
        // 5·10·3·2^2 + 16·⌈√5·6·4⌉ = 600 + 16·54
        assert_eq!(block(3, 2, 6 * 1024).bound(5, 10), Ok(600 + 16 * 54));
        // √4·4 = 8 exactly: nothing is rounded up.
        assert_eq!(block(0, 0, 4096).bound(4, 10), Ok(16 * 8));
        assert_eq!(block(0, 0, 4097).bound(4, 10), Ok(16 * 9));
    }

    #[test]
    fn edges() {
        assert_eq!(block(1, 0, 4095).bound(3, 1), Err(RangeError::Coarse));
        assert!(block(1, 2, 1024).bound(3, 1).is_ok());
        assert_eq!(block(1, 21, 4096).bound(3, 1), Err(RangeError::Block));
        assert_eq!(block(1, 0, 0).bound(3, 1), Err(RangeError::Block));
        // 2^62 − 1 − 16·8 rows of value 1 by one hospital, σ = 4·√1 → 16·4.
        let most = (1_u64 << 62) - 16 * 4 - 1;
        assert_eq!(block(most, 0, 4096).bound(1, 1), Ok(LIMIT - 1));
        assert_eq!(
            block(most + 1, 0, 4096).bound(1, 1),
            Err(RangeError::Overflow)
        );
        for huge in [block(u64::MAX, 20, u64::MAX), block(0, 20, u64::MAX)] {
            assert_eq!(huge.bound(usize::MAX, u64::MAX), Err(RangeError::Overflow));
        }
    }

    proptest! {
        #[test]
        fn never_panics_and_covers_the_values(
            max_cell: u64, max_rows: u64, scale: u8, sigma: u64, n in 0_usize..5_000,
        ) {
            if let Ok(bound) = block(max_cell, scale, sigma).bound(n, max_rows) {
                let values = i128::try_from(n).unwrap() * i128::from(max_rows) * i128::from(max_cell);
                prop_assert!(bound >= values << scale && bound < LIMIT);
            }
        }
    }
}
