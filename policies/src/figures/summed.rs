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
use schemas::id::Slug;
use serde::{Deserialize, Serialize};

use super::benchmark::{Benchmark, BenchmarkError, Kind, benchmark};
use super::decimal::fixed;
use crate::plan::{Layout, Sigma, pooled_charge};
use crate::rules::Privacy;

/// Figures of a pooled round as they are written to files.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Pooled {
    /// Form of the file: 1.
    pub version: u32,
    /// The round.
    pub round: Slug,
    /// H(M).
    pub manifest: Digest,
    /// h_U.
    pub survivors: Digest,
    /// The hospitals in every number.
    pub hospitals: Vec<Slug>,
    /// Those that were asked and are not in it.
    pub missing: Vec<Slug>,
    /// Fewer hospitals and there would be no numbers.
    pub least: u32,
    /// Hospitals that may collude.
    pub colluding: u32,
    /// Members of the committee, and how many of them may collude.
    pub committee: [u8; 2],
    /// Whether no single committee member could have falsified the sums.
    pub integrity: bool,
    /// What a patient-year loses if the whole committee colludes, in ρ.
    pub worst: String,
    /// How many times wider the noise of summed attributed answers would be: √(n_min − t), 2
    /// decimals.
    pub gain: String,
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
    let manifest = verified.round.manifest();
    let mechanism = layout.digest().map_err(|_| BenchmarkError::Digest)?;
    if manifest.layout != mechanism || manifest.question != layout.question {
        return Err(BenchmarkError::OtherQuestion(manifest.round.clone()));
    }
    let wide = realised(layout, &verified.totals);
    let alliance = dictionary.alliance.clone();
    let answer = Answer {
        question: wide.question,
        hospital: alliance.clone(),
        snapshots: Vec::new(),
        mechanism: wide.digest().map_err(|_| BenchmarkError::Digest)?,
        policy: Digest::ZERO,
        blocks: verified
            .totals
            .blocks
            .iter()
            .map(|block| Some(block.whole()))
            .collect(),
    };
    let found = benchmark(&wide, dictionary, rules, &[(alliance, Ok(answer))])?;
    let mut figures = alone(found)?;
    let certified = verified.certified.survivors();
    figures.inputs.mechanism = mechanism;
    let uploads = certified.uploads.iter();
    figures.inputs.answers = uploads
        .map(|one| (one.hospital.clone(), one.upload))
        .collect();
    figures.least_hospitals = manifest.n_min;
    let (charge, worst) = pooled_charge(layout, (manifest.n_min, manifest.t))
        .map_err(|_| BenchmarkError::OtherQuestion(manifest.round.clone()))?;
    figures.spent.charge = charge.to_string();
    figures.spent.charge_nano = charge;
    let shape = verified.round.shape();
    let honest = f64::from(manifest.n_min.saturating_sub(manifest.t));
    let set = certified.hospitals();
    let (hospitals, missing) = manifest
        .roster
        .iter()
        .cloned()
        .partition(|hospital| set.contains(hospital));
    Ok(Pooled {
        version: 1,
        round: manifest.round.clone(),
        manifest: *verified.round.hash(),
        survivors: *verified.certified.digest(),
        hospitals,
        missing,
        least: manifest.n_min,
        colluding: manifest.t,
        committee: [shape.m(), shape.f()],
        integrity: verified.totals.integrity,
        worst: worst.to_string(),
        gain: fixed(libm::sqrt(honest), 2).unwrap_or_default(),
        figures,
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
fn alone(mut found: Benchmark) -> Result<Benchmark, BenchmarkError> {
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
        if let Some(own) = row.hospitals.pop() {
            row.alliance = own;
        }
    }
    Ok(found)
}
