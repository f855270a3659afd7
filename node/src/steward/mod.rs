//! What the hospital's steward decides: questions one by one, templates until a day, and whether
//! rounds are answered at all. Every decision is signed by the officer's own key and checked again
//! at the moment of answering; every change is a log entry in the same transaction.

mod inbox;
mod approval;
mod standing;
mod quota;
mod lock;
mod alarm;
mod members;
mod words;

pub use alarm::{alarm, declined};
pub use approval::{Fits, approve, approved, check_reason, hold, refuse, release};
pub use inbox::{Letter, State as LetterState, answered, expire, find, let_go, letters, put, void};
pub(crate) use lock::last;
pub use lock::{Lock, lock, locked, unlock};
pub use members::{accept_member, accepted_members};
pub use quota::{Admitted, Similar, admit, similar, suspect};
pub use standing::{Granted, end_of, granted, list as standing, remove as remove_standing, stand};
pub use words::{Text, text};

use policies::access::OfficersError;
use schemas::canonical;

use crate::store::state::StateError;

/// Why a decision is refused.
#[derive(Debug, thiserror::Error)]
pub enum StewardError {
    /// Nothing of that name waits.
    #[error("no round `{0}` is in the inbox")]
    NoLetter(String),
    /// It is past the point at which this can be decided.
    #[error("the round is {0} already; nothing is left to decide about it")]
    Decided(&'static str),
    /// The person may not decide this.
    #[error("the officer may not decide this: {0}")]
    Forbidden(String),
    /// An unknown person, or a key of somebody else.
    #[error(transparent)]
    Officers(#[from] OfficersError),
    /// No such standing approval.
    #[error("no standing approval of `{0}`")]
    NoStanding(String),
    /// The reason is empty or too long.
    #[error("a reason is 1 to 200 characters on one line")]
    Reason,
    /// The signature could not be made.
    #[error("the decision could not be signed")]
    Seal(#[from] schemas::seal::SealError),
    /// Canonical form.
    #[error("the question has no canonical form")]
    Canonical(#[from] canonical::Error),
    /// The state file.
    #[error(transparent)]
    State(#[from] StateError),
}

impl From<sqlx::Error> for StewardError {
    fn from(error: sqlx::Error) -> Self {
        Self::State(StateError::Database(error))
    }
}

/// Who decides, acting with his own key.
#[derive(Clone, Copy, Debug)]
pub struct Acting<'a> {
    /// The register.
    pub officers: &'a policies::access::Officers,
    /// The policies that say who may decide.
    pub access: &'a policies::access::Access,
    /// The digest of the hospital's policy.
    pub policy: schemas::digest::Digest,
    /// This hospital.
    pub hospital: &'a schemas::id::Slug,
    /// The officer's name.
    pub name: &'a schemas::id::Slug,
    /// The officer's key.
    pub key: &'a schemas::seal::Signer,
    /// Now.
    pub at: schemas::time::Timestamp,
}

impl Acting<'_> {
    /// Whether the person is registered, holds the key and has a role that decides on questions.
    pub fn check(&self) -> Result<(), StewardError> {
        use policies::access::{Channel, Principal, Request};
        let officer = self.officers.acting(self.name, self.key)?;
        let principal = Principal {
            role: officer.role,
            organisation: officer.organisation.clone(),
        };
        let request = Request::ApproveQuestion {
            organisation: self.hospital.clone(),
            channel: Channel::Local,
        };
        let verdict = self.access.judge(&principal, &request);
        if verdict.allowed {
            Ok(())
        } else {
            Err(StewardError::Forbidden(verdict.reason))
        }
    }
}
