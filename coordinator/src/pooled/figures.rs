//! From a finished round to its figures, alone or beside those of an attributed round: the
//! publication is verified like anybody's, the question compiled anew.

use policies::figures::{self, Benchmark, Pooled};
use policies::plan::{Layout, compile, pooled_fits};
use policies::rules::Privacy;
use pooled::published::{Verified, verify};
use schemas::dictionary::Dictionary;
use schemas::id::Slug;
use schemas::time::Timestamp;

use super::{PooledError, open, publish};
use crate::authority::Authority;
use crate::dictionary;
use crate::merge::Collected;
use crate::store::state::State;

/// The figures of a finished round.
pub async fn figures(
    state: &State,
    authority: &Authority,
    rules: &Privacy,
    round: &Slug,
    now: Timestamp,
) -> Result<Pooled, PooledError> {
    let (layout, dictionary, verified) = found(state, authority, rules, round, now).await?;
    Ok(figures::pooled(&layout, &dictionary, rules, &verified)?)
}

/// The figures of an attributed round and what the sums of a finished pooled round add to them.
pub async fn beside(
    state: &State,
    authority: &Authority,
    rules: &Privacy,
    collected: &Collected,
    (round, now): (&Slug, Timestamp),
) -> Result<Benchmark, PooledError> {
    let (of_pooled, _, verified) = found(state, authority, rules, round, now).await?;
    let dictionary = &collected.dictionary;
    let layout = compile(&collected.round.question, dictionary, rules)?;
    let attributed = (&layout, collected.hospitals.as_slice());
    let pooled = (&of_pooled, &verified);
    Ok(figures::together(attributed, pooled, dictionary, rules)?)
}

async fn found(
    state: &State,
    authority: &Authority,
    rules: &Privacy,
    round: &Slug,
    now: Timestamp,
) -> Result<(Layout, Dictionary, Verified), PooledError> {
    let held = open::find(state, authority, round).await?;
    let files = publish::files(state, &held).await?;
    let verified = verify(&files, &authority.signer().public(), now)?;
    let question = &verified.asked.question;
    let cited = dictionary::by_digest(state, authority, question.dictionary).await?;
    let dictionary = cited.ok_or(PooledError::NoDictionary)?.dictionary;
    let layout = pooled_fits(verified.round.manifest(), question, &dictionary, rules)?;
    Ok((layout, dictionary, verified))
}
