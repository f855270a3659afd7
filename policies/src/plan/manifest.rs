//! The blocks of a pooled round. Coordinator, hospitals and committee members compile them from
//! the question by this code, so that a manifest with less noise, other cells or another family is
//! seen by each.

use pooled::family::family;
use pooled::manifest::Manifest;
use pooled::range::{Block, MAX_SCALE};
use pooled::shape::Shape;
use pooled::threshold::Thresholds;
use schemas::dictionary::Dictionary;
use schemas::loss::Rho;
use schemas::question::{Question, Release};

use super::layout::Layout;
use super::{Refusal, compile, sensitivity};
use crate::rules::Privacy;

/// Shares are drawn at 4 or more steps of the grid: the sum of so wide discrete Gaussians is one, up
/// to less than 10^−60 (Kairouz, Liu and Steinke 2021, proposition 14).
const LEAST_STEPS: u64 = 4 * 1024;

/// The blocks of a round with these thresholds, in the layout's order: the least share of the noise
/// that `n_min − t` hospitals carry, on the coarsest grid that is fine enough.
pub fn pooled_blocks(
    question: &Question,
    layout: &Layout,
    dictionary: &Dictionary,
    (n_min, t): (u32, u32),
) -> Result<Vec<Block>, Refusal> {
    if question.release != Release::Pooled {
        return Err(Refusal::NotAllowed(
            "a pooled round of an attributed question",
        ));
    }
    if question.series.is_some() {
        return Err(Refusal::NotAllowed("a series in a pooled round"));
    }
    let family = family(question.dataset).map_err(|_| Refusal::NotCanonical)?;
    let thresholds = Thresholds {
        shape: Shape::DEFAULT,
        t,
        n_min,
        roster: n_min,
        both: 0,
        entities: n_min,
        largest: 1,
    };
    let mut blocks = Vec::with_capacity(layout.blocks.len());
    for block in &layout.blocks {
        let sigma_total = block.sigma.0;
        let sigma_share = thresholds.share(sigma_total).ok_or(Refusal::Range)?;
        let fine = |scale: &u8| sigma_share << *scale >= LEAST_STEPS;
        let scale = (0..=MAX_SCALE).find(fine).ok_or(Refusal::Range)?;
        let per_stay = sensitivity::per_stay(&block.measure, dictionary.cap, block.centre)
            .ok_or(Refusal::Range)?;
        blocks.push(Block {
            family,
            cells: u32::try_from(layout.numbers(block)).map_err(|_| Refusal::Range)?,
            scale,
            max_cell: u64::try_from(per_stay).map_err(|_| Refusal::Range)?,
            rho: block.rho,
            sigma_total,
            sigma_share,
        });
    }
    Ok(blocks)
}

/// Compiles the question of a manifest and compares everything that follows from it.
pub fn pooled_fits(
    manifest: &Manifest,
    question: &Question,
    dictionary: &Dictionary,
    rules: &Privacy,
) -> Result<Layout, Refusal> {
    let layout = compile(question, dictionary, rules)?;
    let blocks = pooled_blocks(question, &layout, dictionary, (manifest.n_min, manifest.t))?;
    let digest = layout.digest().map_err(|_| Refusal::NotCanonical)?;
    let same = [
        (manifest.question == layout.question, "question"),
        (manifest.layout == digest, "layout"),
        (manifest.period == layout.period, "period"),
        (manifest.max_rows == dictionary.max_rows, "max_rows"),
        (manifest.blocks == blocks, "blocks"),
    ];
    match same.into_iter().find(|(holds, _)| !holds) {
        Some((_, what)) => Err(Refusal::Manifest(what)),
        None => Ok(layout),
    }
}

/// What an upload costs each data year, and what it costs if the whole committee colludes: then
/// only the hospital's own share stands before a patient.
pub fn pooled_charge(layout: &Layout, (n_min, t): (u32, u32)) -> Result<(Rho, Rho), Refusal> {
    let price = |_| Refusal::Price;
    // One billionth covers that a sum of discrete Gaussians is not quite one itself.
    let charge = layout.charge.checked_add(Rho::from_nano(1).map_err(price)?);
    let charge = charge.map_err(price)?;
    let worst = charge.checked_mul(u64::from(n_min.saturating_sub(t)));
    Ok((charge, worst.map_err(price)?))
}
