//! From a finished round to its figures: the publication is verified like anybody's, the question
//! compiled anew.

use policies::figures::{self, Pooled};
use policies::plan::pooled_fits;
use policies::rules::Privacy;
use pooled::published::verify;
use schemas::id::Slug;
use schemas::time::Timestamp;

use super::{PooledError, open, publish};
use crate::authority::Authority;
use crate::dictionary;
use crate::store::state::State;

/// The figures of a finished round.
pub async fn figures(
    state: &State,
    authority: &Authority,
    rules: &Privacy,
    round: &Slug,
    now: Timestamp,
) -> Result<Pooled, PooledError> {
    let held = open::find(state, authority, round).await?;
    let files = publish::files(state, &held).await?;
    let verified = verify(&files, &authority.signer().public(), now)?;
    let question = &verified.asked.question;
    let cited = dictionary::by_digest(state, authority, question.dictionary).await?;
    let dictionary = cited.ok_or(PooledError::NoDictionary)?.dictionary;
    let layout = pooled_fits(verified.round.manifest(), question, &dictionary, rules)?;
    Ok(figures::pooled(&layout, &dictionary, rules, &verified)?)
}
