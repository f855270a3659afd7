//! The alliance's totals: the survivors' masked vectors, less the mask sums of all classes.

use std::collections::BTreeMap;

use schemas::digest::Digest;
use schemas::id::Slug;

use crate::manifest::Round;
use crate::shape::Class;
use crate::sums::MaskSum;
use crate::survivors::Certified;
use crate::upload::Masked;

/// Why there is no total.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TotalError {
    /// A survivor's masked vector is missing, or not the certified one.
    #[error("the certified upload of {0} is missing")]
    Upload(Slug),
    /// More vectors than survivors.
    #[error("a masked vector of a hospital outside the certified set")]
    Outsider,
    /// A class without its sum, or a sum about another set.
    #[error("the mask sum of a class is missing, there twice, or about another set")]
    Class,
    /// Outside what values and noise can reach: a hospital or member lied. What they signed is
    /// evidence; the round stays spent.
    #[error("block {block}: a total is outside its possible range: the round is spoilt")]
    Range {
        /// The first such block.
        block: usize,
    },
}

/// Totals of one block, noise included.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BlockTotal {
    /// s: the totals are in units of 2^−s.
    pub scale: u8,
    /// The totals, cell by cell.
    pub raw: Vec<i64>,
    /// Variance of their noise, |U|·σ_i², in 1024²ths of the block's unit squared.
    pub variance: u128,
}

/// Totals of a round.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Totals {
    /// By block, in the layout's order.
    pub blocks: Vec<BlockTotal>,
    /// Whether no single committee member could have falsified them.
    pub integrity: bool,
}

impl BlockTotal {
    /// The totals in the block's own unit, to the nearest whole number, halves to the even one.
    pub fn whole(&self) -> Vec<i64> {
        self.raw
            .iter()
            .map(|raw| nearest(*raw, self.scale))
            .collect()
    }
}

/// `raw / 2^scale` to the nearest whole number, halves to the even one.
fn nearest(raw: i64, scale: u8) -> i64 {
    let down = raw >> scale;
    let rest = raw - (down << scale);
    let twice = i128::from(rest) * 2;
    let up = match twice.cmp(&(1_i128 << scale)) {
        std::cmp::Ordering::Less => 0,
        std::cmp::Ordering::Equal => down & 1,
        std::cmp::Ordering::Greater => 1,
    };
    down + up
}

/// The sum of a certified set's masked vectors as they are read: one of them is in memory at a time.
#[derive(Debug)]
pub struct Adding<'r> {
    round: &'r Round,
    certified: &'r Certified,
    waiting: BTreeMap<&'r Slug, &'r Digest>,
    cells: Vec<u64>,
}

impl<'r> Adding<'r> {
    /// Nothing yet.
    pub fn new(round: &'r Round, certified: &'r Certified) -> Self {
        let uploads = certified.survivors().uploads.iter();
        Self {
            round,
            certified,
            waiting: uploads.map(|one| (&one.hospital, &one.upload)).collect(),
            cells: vec![0; round.cells()],
        }
    }

    /// Adds a survivor's vector, once.
    pub fn add(&mut self, masked: &Masked) -> Result<(), TotalError> {
        match self.waiting.remove(masked.hospital()) {
            Some(upload) if upload == masked.digest() => {}
            Some(_) => return Err(TotalError::Upload(masked.hospital().clone())),
            None => return Err(TotalError::Outsider),
        }
        for (cell, masked) in self.cells.iter_mut().zip(masked.vector()) {
            *cell = cell.wrapping_add(*masked);
        }
        Ok(())
    }

    /// Unmasks the sum, once all survivors are in it.
    pub fn total(mut self, sums: &[MaskSum]) -> Result<Totals, TotalError> {
        if let Some((missing, _)) = self.waiting.pop_first() {
            return Err(TotalError::Upload(missing.clone()));
        }
        let (round, certified) = (self.round, self.certified);
        let mut classes: Vec<Class> = sums.iter().map(MaskSum::class).collect();
        classes.sort_unstable();
        let about = |sum: &MaskSum| sum.survivors() == certified.digest();
        if classes != round.shape().classes() || !sums.iter().all(about) {
            return Err(TotalError::Class);
        }
        for sum in sums {
            for (cell, mask) in self.cells.iter_mut().zip(sum.vector()) {
                *cell = cell.wrapping_sub(*mask);
            }
        }
        blocks(round, certified, &self.cells)
    }
}

/// Unmasks the sum over a certified set.
pub fn total<'m>(
    round: &Round,
    certified: &Certified,
    uploads: impl IntoIterator<Item = &'m Masked>,
    sums: &[MaskSum],
) -> Result<Totals, TotalError> {
    let mut adding = Adding::new(round, certified);
    for masked in uploads {
        adding.add(masked)?;
    }
    adding.total(sums)
}

fn blocks(round: &Round, certified: &Certified, cells: &[u64]) -> Result<Totals, TotalError> {
    let survivors = certified.survivors().uploads.len();
    let mut rest = cells.iter();
    let mut blocks = Vec::with_capacity(round.manifest().blocks.len());
    for (place, (block, bound)) in round
        .manifest()
        .blocks
        .iter()
        .zip(round.bounds())
        .enumerate()
    {
        let count = usize::try_from(block.cells).unwrap_or(usize::MAX);
        let raw: Vec<i64> = rest
            .by_ref()
            .take(count)
            .map(|cell| cell.cast_signed())
            .collect();
        if raw.iter().any(|raw| i128::from(*raw).abs() > *bound) {
            return Err(TotalError::Range { block: place });
        }
        // Below 2^128: the range check of the manifest held with the whole roster.
        let share = u128::from(block.sigma_share);
        let variance = share
            .saturating_mul(share)
            .saturating_mul(survivors as u128);
        blocks.push(BlockTotal {
            scale: block.scale,
            raw,
            variance,
        });
    }
    let integrity = round.shape().has_integrity();
    Ok(Totals { blocks, integrity })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn halves_go_to_the_even_number() {
        let cases = [
            (6, 2, 2),
            (10, 2, 2),
            (7, 2, 2),
            (5, 2, 1),
            (-6, 2, -2),
            (-10, 2, -2),
            (-7, 2, -2),
            (9, 0, 9),
        ];
        for (raw, scale, whole) in cases {
            assert_eq!(nearest(raw, scale), whole, "{raw}/2^{scale}");
        }
    }

    proptest! {
        #[test]
        fn nearest_is_nearest(raw in -(1_i64 << 62)..(1 << 62), scale in 0_u8..=20) {
            let away = (i128::from(nearest(raw, scale)) << scale) - i128::from(raw);
            prop_assert!(away.abs() * 2 <= 1 << scale);
        }
    }
}
