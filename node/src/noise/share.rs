//! A hospital's share of the noise of a pooled round. What comes out still holds nearly exact
//! numbers: it is wiped when it is dropped, and only masking takes it.

use policies::plan::{BlockLayout, Layout, Sigma};
use pooled::range::Block;
use schemas::digest::Digest;
use zeroize::Zeroizing;

use super::{NoiseError, Source, add};
use crate::scan::Exact;

/// Cells in fixed-point units plus this hospital's share of the noise.
///
/// It cannot be serialized, copied or printed.
///
/// ```compile_fail
/// fn leaves<T: serde::Serialize>() {}
/// leaves::<node::noise::Shared>();
/// ```
pub struct Shared {
    question: Digest,
    cells: Zeroizing<Vec<i64>>,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Shared(hidden)")
    }
}

impl Shared {
    /// Digest of the question whose cells these are.
    pub fn question(&self) -> Digest {
        self.question
    }

    /// The cells, for the mask.
    pub fn cells(&self) -> &[i64] {
        &self.cells
    }
}

/// Brings every block onto the round's grid and adds the share. `honest` is n_min − t, by which a
/// share may be smaller than the whole noise.
pub fn share(
    layout: &Layout,
    blocks: &[Block],
    honest: u32,
    exact: Exact,
    source: &dyn Source,
    threads: usize,
) -> Result<Shared, NoiseError> {
    if exact.question() != layout.question || blocks.len() != layout.blocks.len() {
        return Err(NoiseError::OtherQuestion);
    }
    let mut fine = layout.clone();
    let mut scaled = Vec::with_capacity(blocks.len());
    let cells = exact.into_blocks();
    for ((spec, block), cells) in fine.blocks.iter_mut().zip(blocks).zip(cells) {
        // A sum has no gaps: a hospital without the field cannot take part.
        let cells = Zeroizing::new(cells.ok_or(NoiseError::NoField)?);
        finer(spec, block, honest)?;
        let mut on_grid = Vec::with_capacity(cells.len());
        for cell in cells.iter() {
            let cell = cell.checked_mul(1 << block.scale);
            on_grid.push(cell.ok_or(NoiseError::Range)?);
        }
        scaled.push(Some(on_grid));
    }
    let noisy = add(
        &fine,
        Exact::scaled(layout.question, scaled),
        source,
        threads,
    )?;
    let mut cells = Zeroizing::new(Vec::new());
    for block in noisy.into_blocks() {
        let block = Zeroizing::new(block.ok_or(NoiseError::NoField)?);
        cells.extend_from_slice(&block);
    }
    Ok(Shared {
        question: layout.question,
        cells,
    })
}

/// What the sampler is told of a block: the share's deviation and the sensitivity on the grid. By
/// itself a share protects `honest` times less than the whole noise; the sampler's own map is held
/// to that.
fn finer(spec: &mut BlockLayout, block: &Block, honest: u32) -> Result<(), NoiseError> {
    let sigma = block.scaled_share();
    spec.sigma = Sigma(u64::try_from(sigma).map_err(|_| NoiseError::Range)?);
    let squared = 1_u128 << (u32::from(block.scale) * 2);
    spec.l2_squared = spec
        .l2_squared
        .checked_mul(squared)
        .ok_or(NoiseError::Range)?;
    let alone = spec.rho.checked_mul(u64::from(honest));
    spec.rho = alone.map_err(|_| NoiseError::Range)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::noise::Gaussian;

    fn layout() -> Layout {
        Layout {
            dataset: schemas::question::Dataset::Stays,
            question: Digest::ZERO,
            dictionary: Digest::ZERO,
            period: "2025-01..2025-01".parse().unwrap(),
            bound: policies::plan::Bound::Year {
                groups: 1,
                stays: 1,
            },
            filter: Vec::new(),
            tables: Vec::new(),
            blocks: vec![BlockLayout {
                table: 0,
                measure: schemas::question::Measure::Count,
                width: 1,
                centre: 0,
                l2_squared: 1,
                rho: "0.5".parse().unwrap(),
                sigma: Sigma(1024),
            }],
            charge: "0.5".parse().unwrap(),
            series: None,
        }
    }

    /// 40,000 draws of a share of a quarter of the variance, on a grid of 2^−3.
    #[test]
    fn a_share_has_its_deviation_on_the_grid() {
        let block = Block {
            family: Digest::ZERO,
            cells: 40_000,
            scale: 3,
            max_cell: 1,
            rho: "0.5".parse().unwrap(),
            sigma_total: 1024,
            sigma_share: 512,
        };
        let exact = || Exact::scaled(Digest::ZERO, vec![Some(vec![5; 40_000])]);
        let drawn = |honest| {
            let blocks = std::slice::from_ref(&block);
            share(&layout(), blocks, honest, exact(), &Gaussian, 2)
        };
        let shared = drawn(4).unwrap();
        let sum: i64 = shared.cells().iter().map(|cell| cell - 40).sum();
        let squares: i64 = shared.cells().iter().map(|cell| (cell - 40).pow(2)).sum();
        // Variance 16 on the grid: sums of 40,000 lie within six deviations.
        assert!(sum.abs() < 6 * 800, "{sum}");
        assert!((squares - 16 * 40_000).abs() < 6 * 4_600, "{squares}");
        assert!(shared.cells().iter().any(|cell| cell % 8 != 0));
        // The sampler's own map refuses a share that is smaller than n_min − t allows.
        assert_eq!(drawn(3).unwrap_err(), NoiseError::Underpaid);
        let none = Exact::scaled(Digest::ZERO, vec![None]);
        let blocks = std::slice::from_ref(&block);
        let refused = share(&layout(), blocks, 4, none, &Gaussian, 1);
        assert_eq!(refused.unwrap_err(), NoiseError::NoField);
    }
}
