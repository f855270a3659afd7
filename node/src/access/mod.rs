//! Who decides at this hospital, and whether two of them signed its policy. A node without that
//! answers nothing (rule FAIL-1).

mod officers;
mod history;
mod policy;

pub use officers::{DECIDING, add, officers, remove};
pub use policy::{ACCESS, Standing, approvals, approve, digest, open};

use policies::access::OfficersError;
use schemas::time::Timestamp;

use crate::config::ConfigError;
use crate::store::state::StateError;

/// Why persons or policy are refused.
#[derive(Debug, thiserror::Error)]
pub enum AccessError {
    /// The access policies are not valid.
    #[error(transparent)]
    Policy(#[from] policies::access::AccessError),
    /// Too few signatures, or an unknown person.
    #[error(transparent)]
    Officers(#[from] OfficersError),
    /// The policy is not signed.
    #[error(
        "the hospital's policy is not signed by two officers; see `consilium-node policy approve --help`"
    )]
    Unsigned(#[source] OfficersError),
    /// Two officers signed it, and another one after it.
    #[error(
        "the policy in the data folder was signed, but is not the last one that was: sign it again"
    )]
    Superseded,
    /// It protects less than the one before it and waits, and the one before cannot be kept up.
    #[error("the policy protects less than the one before it, or may; it comes into force at {0}")]
    Waits(Timestamp),
    /// The clock is not believed.
    #[error("the clock runs {0} seconds behind the time seen before; set it right, then sign")]
    Clock(i64),
    /// A file could not be read or written.
    #[error("`{0}` could not be read or written")]
    File(String, #[source] std::io::Error),
    /// A file holds no approval.
    #[error("`{0}` holds no approval of a policy; remove it and approve again")]
    Damaged(String),
    /// The register of officers is damaged.
    #[error("the register of officers is damaged: `{0}` is not signed for")]
    Register(String),
    /// The policy has no digest.
    #[error("the policy has no digest")]
    Digest(#[from] schemas::canonical::Error),
    /// Keys.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The state file.
    #[error(transparent)]
    State(#[from] StateError),
}
