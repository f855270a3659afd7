//! Exact discrete Gaussian noise. [`add`] takes the exact cells by value and gives noisy ones;
//! nothing after it can see the exact cells again.

mod gaussian;
mod loss;
mod share;

pub use gaussian::Gaussian;
pub use loss::epsilon;
pub use share::{Shared, share};

use policies::plan::{BlockLayout, Layout, Sigma};
use schemas::digest::Digest;

use crate::scan::Exact;

/// Cells with noise, in layout order; `None` where the source lacks the field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Noisy {
    question: Digest,
    blocks: Vec<Option<Vec<i64>>>,
}

impl Noisy {
    /// Digest of the question whose cells these are.
    pub fn question(&self) -> Digest {
        self.question
    }

    /// The noisy cells.
    pub fn into_blocks(self) -> Vec<Option<Vec<i64>>> {
        self.blocks
    }
}

/// The noise could not be drawn; nothing was released.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoiseError {
    /// The cells are another question's than the layout.
    #[error("the cells are those of another question")]
    OtherQuestion,
    /// The sampler refused.
    #[error("the noise sampler refused: {0}")]
    Sampler(String),
    /// The sampler's own privacy map asks for more than the block pays.
    #[error("the noise would cost more than the block pays")]
    Underpaid,
    /// A pooled round needs a field that this hospital lacks.
    #[error("the source lacks a field that the pooled round sums up")]
    NoField,
    /// A number leaves the round's grid.
    #[error("a number leaves the range of the round's grid")]
    Range,
    /// A worker ended early.
    #[error("a worker of the noise ended early")]
    Worker,
}

/// Where noise comes from. The node uses [`Gaussian`]; tests script it, since the sampler takes
/// no seed.
pub trait Source: Send + Sync + std::fmt::Debug {
    /// Gives `exact` plus noise of scale `sigma`; refuses if that costs more than the block pays.
    fn add(&self, exact: &[i64], block: &BlockLayout) -> Result<Vec<i64>, NoiseError>;
}

/// Numbers drawn at a time: equal slices over all blocks keep the threads equally busy.
const SLICE: usize = 512;

/// Adds noise to all blocks, split over so many fresh threads. A fresh thread has a generator
/// freshly seeded by the system, so that copies of a machine do not share noise.
pub fn add(
    layout: &Layout,
    exact: Exact,
    source: &dyn Source,
    threads: usize,
) -> Result<Noisy, NoiseError> {
    if exact.question() != layout.question {
        return Err(NoiseError::OtherQuestion);
    }
    let blocks = exact.into_blocks();
    let mut work: Vec<(usize, &[i64], &BlockLayout)> = Vec::new();
    for (position, (block, spec)) in blocks.iter().zip(&layout.blocks).enumerate() {
        let slices = block.iter().flat_map(|cells| cells.chunks(SLICE));
        work.extend(slices.map(|slice| (position, slice, spec)));
    }
    let threads = threads.clamp(1, work.len().max(1));
    let share = |worker: usize| work.iter().enumerate().skip(worker).step_by(threads);
    let draw = |worker: usize| -> Result<Vec<(usize, Vec<i64>)>, NoiseError> {
        share(worker)
            .map(|(at, (_, slice, block))| Ok((at, source.add(slice, block)?)))
            .collect()
    };
    let parts: Vec<_> = std::thread::scope(|scope| {
        let draw = &draw;
        let workers: Vec<_> = (0..threads)
            .map(|worker| scope.spawn(move || draw(worker)))
            .collect();
        workers
            .into_iter()
            .map(|w| w.join().unwrap_or(Err(NoiseError::Worker)))
            .collect()
    });
    let mut drawn: Vec<(usize, Vec<i64>)> = Vec::with_capacity(work.len());
    for part in parts {
        drawn.extend(part?);
    }
    drawn.sort_unstable_by_key(|(at, _)| *at);
    let mut noisy: Vec<Option<Vec<i64>>> = blocks
        .iter()
        .map(|block| block.as_ref().map(|cells| Vec::with_capacity(cells.len())))
        .collect();
    for ((position, _, _), (_, slice)) in work.iter().zip(drawn) {
        if let Some(Some(cells)) = noisy.get_mut(*position) {
            cells.extend(slice);
        }
    }
    Ok(Noisy {
        question: layout.question,
        blocks: noisy,
    })
}

/// The scale as the sampler takes it.
fn scale(sigma: Sigma) -> f64 {
    sigma.as_f64()
}
