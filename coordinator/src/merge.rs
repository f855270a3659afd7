//! Merging: what the hospitals of an ended round said, verified once more from the stored bytes.

use std::collections::BTreeMap;

use schemas::answer::Answer;
use schemas::dictionary::Dictionary;
use schemas::digest::Digest;
use schemas::id::Slug;
use schemas::outcome::Reason;
use schemas::round::{Round, Said, State as RoundState};
use schemas::seal::SealError;

use crate::ask::{self, AskError};
use crate::authority::Authority;
use crate::collect;
use crate::dictionary::{self, PublishError};
use crate::store::state::{State, StateError};

/// A hospital's verified answer, or why there is none.
pub type Outcome = Result<Answer, Reason>;

/// Everything that the figures of a round follow from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Collected {
    /// The round.
    pub round: Round,
    /// The dictionary that the question cites.
    pub dictionary: Dictionary,
    /// Each hospital asked, by name: its answer, or why there is none.
    pub hospitals: Vec<(Slug, Outcome)>,
    /// What the result cites.
    pub digests: Digests,
}

/// Digests of the inputs, so that anyone who holds them can check a result.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize)]
pub struct Digests {
    /// Of the round as signed.
    pub round: Digest,
    /// Of the dictionary.
    pub dictionary: Digest,
    /// Of the question.
    pub question: Digest,
    /// Of the alliance's rules that the question cites.
    pub rules: Digest,
    /// Of each answer as signed by its hospital.
    pub answers: BTreeMap<Slug, Digest>,
}

/// Why a round cannot be merged.
#[derive(Debug, thiserror::Error)]
pub enum MergeError {
    /// Answers are still taken.
    #[error("round `{0}` is still open")]
    Open(Slug),
    /// Too few answers.
    #[error("round `{0}` died: too few hospitals answered")]
    Dead(Slug),
    /// A stored reply no longer verifies.
    #[error("the stored reply of `{hospital}` does not verify")]
    Reply {
        /// Whose.
        hospital: Slug,
        /// Why.
        source: SealError,
    },
    /// A stored answer is to another question.
    #[error("the stored answer of `{0}` does not fit the question")]
    Answer(Slug),
    /// The question has no digest.
    #[error("the question has no digest")]
    Question(#[from] schemas::canonical::Error),
    /// The dictionary is missing.
    #[error("the dictionary of the question is not stored")]
    NoDictionary,
    /// The dictionary could not be read.
    #[error("the dictionary could not be read")]
    Dictionary(#[from] PublishError),
    /// The round could not be read.
    #[error(transparent)]
    Round(#[from] AskError),
    /// The state file failed.
    #[error("the state file could not be read or written")]
    State(#[from] StateError),
}

/// Loads and verifies a closed round.
pub async fn merge(
    state: &State,
    authority: &Authority,
    id: &Slug,
) -> Result<Collected, MergeError> {
    let held = ask::find(state, authority, id).await?;
    match held.state {
        RoundState::Open => return Err(MergeError::Open(id.clone())),
        RoundState::Dead => return Err(MergeError::Dead(id.clone())),
        RoundState::Closed => {}
    }
    let cited = held.round.question.dictionary;
    let published = dictionary::by_digest(state, authority, cited).await?;
    let dictionary = published.ok_or(MergeError::NoDictionary)?.dictionary;
    let question = held.round.question.digest()?;
    let replies = collect::replies(state, id).await?;
    let mut hospitals = Vec::with_capacity(held.round.roster.len());
    let mut answers = BTreeMap::new();
    for hospital in &held.round.roster {
        let broken = |source| MergeError::Reply {
            hospital: hospital.clone(),
            source,
        };
        let Some((sealed, key)) = replies.get(hospital) else {
            hospitals.push((hospital.clone(), Err(Reason::Late)));
            continue;
        };
        let said = match sealed.open(key).map_err(broken)?.said {
            Said::Declined(reason) => Err(reason),
            Said::Answered(sealed) => {
                let answer = sealed.open(key).map_err(broken)?;
                if answer.question != question || answer.hospital != *hospital {
                    return Err(MergeError::Answer(hospital.clone()));
                }
                answers.insert(hospital.clone(), sealed.digest().map_err(broken)?);
                Ok(answer)
            }
        };
        hospitals.push((hospital.clone(), said));
    }
    let digests = Digests {
        round: held.digest,
        dictionary: cited,
        question,
        rules: held.round.question.rules,
        answers,
    };
    Ok(Collected {
        round: held.round,
        dictionary,
        hospitals,
        digests,
    })
}
