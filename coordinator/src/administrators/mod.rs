//! The alliance's administrators and the policy that two of them signed. The service does not
//! start without it (rule FAIL-1).

mod policy;
mod register;

pub use policy::{ACCESS, approve, approved, policy};
pub use register::{DECIDING, add, administrators, remove};

use policies::access::OfficersError;
use schemas::canonical;
use schemas::id::Slug;
use schemas::time::Timestamp;

use crate::store::state::StateError;

/// Why persons or policy are refused.
#[derive(Debug, thiserror::Error)]
pub enum AdministratorsError {
    /// The access policies are not valid.
    #[error(transparent)]
    Policy(#[from] policies::access::AccessError),
    /// Too few signatures, or an unknown person.
    #[error(transparent)]
    Officers(#[from] OfficersError),
    /// Two administrators signed it, and another one after it.
    #[error("it was signed, but is not the last one that was: sign it again")]
    Superseded,
    /// It protects less than the one before it and waits.
    #[error(
        "it protects less than the one before it, or may, and comes into force at {0}; until then \
         put the files of the policy before back"
    )]
    Waits(Timestamp),
    /// The clock is not believed.
    #[error("the clock runs {0} seconds behind the time seen before; set it right, then sign")]
    Clock(i64),
    /// The access policies could not be read.
    #[error("`{ACCESS}` could not be read")]
    File(#[source] std::io::Error),
    /// The register is damaged.
    #[error("the register of administrators is damaged: `{0}` is not signed for")]
    Register(Slug),
    /// The policy has no digest.
    #[error("the policy has no digest")]
    Digest(#[from] canonical::Error),
    /// The state file.
    #[error(transparent)]
    State(#[from] StateError),
}

impl From<sqlx::Error> for AdministratorsError {
    fn from(error: sqlx::Error) -> Self {
        Self::State(error.into())
    }
}
