//! The figures of a pooled round, from its verified totals: the alliance as if it were one hospital
//! that answered with less noise.
//!
//! What a single hospital put in is known to nobody. So the rule that three hospitals reach the
//! display threshold by themselves cannot be asked; in its place stands the round's own: at least
//! `n_min` hospitals, three or more, are in every number. The threshold is asked of the sum.

use pooled::published::Verified;
use pooled::total::Totals;
use schemas::answer::Answer;
use schemas::dictionary::Dictionary;
use schemas::digest::Digest;
use schemas::loss::Rho;
use serde::{Deserialize, Serialize};

use super::benchmark::{Benchmark, BenchmarkError, Inputs, Kind, PooledRound, of_sum};
use super::decimal::fixed;
use crate::plan::{Layout, Sigma, pooled_charge};
use crate::rules::Privacy;

/// Figures of a pooled round as they are written to files.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Pooled {
    /// Form of the file: 1.
    pub version: u32,
    /// The round.
    #[serde(flatten)]
    pub about: PooledRound,
    /// The figures. `hospitals` and the hospitals of each row are empty, the alliance's own cells
    /// hold the sums; the noise of a block is that of the sum.
    pub figures: Benchmark,
}

/// Computes the figures of a verified round. `layout` is its question's, compiled anew by whoever
/// asks.
pub fn pooled(
    layout: &Layout,
    dictionary: &Dictionary,
    rules: &Privacy,
    verified: &Verified,
) -> Result<Pooled, BenchmarkError> {
    let (wide, sum) = sums(layout, dictionary, verified)?;
    let mut figures = alone(of_sum(&wide, dictionary, rules, sum)?)?;
    let about = about(layout, verified)?;
    figures.inputs = inputs(layout, figures.inputs, verified)?;
    figures.least_hospitals = about.least;
    let (charge, _) = charges(layout, verified)?;
    figures.spent.charge = charge.to_string();
    figures.spent.charge_nano = charge;
    Ok(Pooled {
        version: 1,
        about,
        figures,
    })
}

/// The sums as one answer in the alliance's name, and the layout with the noise that they carry.
pub(super) fn sums(
    layout: &Layout,
    dictionary: &Dictionary,
    verified: &Verified,
) -> Result<(Layout, Answer), BenchmarkError> {
    let manifest = verified.round.manifest();
    let mechanism = layout.digest().map_err(|_| BenchmarkError::Digest)?;
    if manifest.layout != mechanism || manifest.question != layout.question {
        return Err(BenchmarkError::OtherQuestion(manifest.round.clone()));
    }
    let wide = realised(layout, &verified.totals);
    let blocks = verified.totals.blocks.iter();
    let sum = Answer {
        question: wide.question,
        hospital: dictionary.alliance.clone(),
        snapshots: Vec::new(),
        mechanism: wide.digest().map_err(|_| BenchmarkError::Digest)?,
        policy: Digest::ZERO,
        blocks: blocks.map(|block| Some(block.whole())).collect(),
    };
    Ok((wide, sum))
}

/// What the figures of a round cite: its own layout and uploads.
pub(super) fn inputs(
    layout: &Layout,
    cited: Inputs,
    verified: &Verified,
) -> Result<Inputs, BenchmarkError> {
    let uploads = verified.certified.survivors().uploads.iter();
    Ok(Inputs {
        mechanism: layout.digest().map_err(|_| BenchmarkError::Digest)?,
        answers: uploads
            .map(|one| (one.hospital.clone(), one.upload))
            .collect(),
        ..cited
    })
}

/// What an upload costs, and what it costs if the whole committee colludes.
pub(super) fn charges(layout: &Layout, verified: &Verified) -> Result<(Rho, Rho), BenchmarkError> {
    let manifest = verified.round.manifest();
    pooled_charge(layout, (manifest.n_min, manifest.t))
        .map_err(|_| BenchmarkError::OtherQuestion(manifest.round.clone()))
}

/// The facts of a verified round.
pub(super) fn about(layout: &Layout, verified: &Verified) -> Result<PooledRound, BenchmarkError> {
    let manifest = verified.round.manifest();
    let shape = verified.round.shape();
    let honest = f64::from(manifest.n_min.saturating_sub(manifest.t));
    let set = verified.certified.survivors().hospitals();
    let (hospitals, missing) = manifest
        .roster
        .iter()
        .cloned()
        .partition(|hospital| set.contains(hospital));
    Ok(PooledRound {
        round: manifest.round.clone(),
        manifest: *verified.round.hash(),
        survivors: *verified.certified.digest(),
        hospitals,
        missing,
        least: manifest.n_min,
        colluding: manifest.t,
        committee: [shape.m(), shape.f()],
        integrity: verified.totals.integrity,
        worst: charges(layout, verified)?.1.to_string(),
        gain: fixed(libm::sqrt(honest), 2).unwrap_or_default(),
    })
}

/// The layout with the noise that the totals really carry: of every survivor's share, and of
/// rounding them from the round's grid to whole numbers.
fn realised(layout: &Layout, totals: &Totals) -> Layout {
    const UNIT: u128 = 1024;
    let mut wide = layout.clone();
    for (block, total) in wide.blocks.iter_mut().zip(&totals.blocks) {
        // A number rounded to whole ones is off by an even twelfth of one squared.
        let rounding = if total.scale > 0 { UNIT * UNIT / 12 } else { 0 };
        let variance = total.variance.saturating_add(rounding);
        let root = variance.isqrt();
        let up = u128::from(root.saturating_mul(root) < variance);
        let sigma = u64::try_from(root.saturating_add(up)).unwrap_or(u64::MAX);
        block.sigma = Sigma(sigma);
    }
    wide
}

/// Puts the one answerer in the alliance's place.
pub(super) fn alone(mut found: Benchmark) -> Result<Benchmark, BenchmarkError> {
    let own = found.hospitals.pop().ok_or(BenchmarkError::Digest)?;
    found.total = own.totals;
    found.asked.retain(|asked| {
        !matches!(
            asked.figure,
            Kind::CostIndexAlliance
                | Kind::CostObservedExpected
                | Kind::TimeIndexAlliance
                | Kind::TimeObservedExpected
        )
    });
    for row in found.splits.iter_mut().flat_map(|split| &mut split.rows) {
        row.hospitals.clear();
    }
    Ok(found)
}
