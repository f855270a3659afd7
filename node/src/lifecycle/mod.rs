//! Where a month of a load stands: loaded → validated → de-identified → released → retired, one step after the
//! other, each by a person and written to the log. What of this is *checked* lies elsewhere (quality,
//! de-identification report, files); here is the order, and the agreements that a release may rest on.

mod agreements;
mod steps;
#[cfg(test)]
pub(crate) mod test;

pub use agreements::{Agreement, Held, add, end, in_force, list};
pub use steps::{Taken, of, record, stage};

use policies::access::{Officers, OfficersError};
use schemas::id::Slug;
use schemas::officer::{Officer, Role};
use schemas::seal::Signer;
use schemas::time::{Month, Timestamp};
use serde::Serialize;

use crate::store::state::StateError;

/// A step of a month's life.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// Rows checked, de-identified and written; waits.
    Loaded,
    /// The data officer saw the quality report and lets it stand.
    Validated,
    /// The data officer saw the de-identification report; nothing shaped like an identifier was written.
    Deidentified,
    /// Questions are answered on it.
    Released,
    /// Rows, columns and what rests on them are gone; answers, charges and log stay.
    Retired,
}

impl Step {
    /// All, in order.
    pub const ALL: [Self; 5] = [
        Self::Loaded,
        Self::Validated,
        Self::Deidentified,
        Self::Released,
        Self::Retired,
    ];

    /// One word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Loaded => "loaded",
            Self::Validated => "validated",
            Self::Deidentified => "deidentified",
            Self::Released => "released",
            Self::Retired => "retired",
        }
    }

    /// The one that comes after it.
    pub fn next(self) -> Option<Self> {
        Self::ALL.into_iter().find(|step| *step > self)
    }

    /// Whether this step is the next of a month that stands there.
    pub fn after(self, month: Month, is: Self) -> Result<(), LifecycleError> {
        if is.next() == Some(self) {
            return Ok(());
        }
        Err(LifecycleError::Order {
            month,
            is: is.as_str(),
            to: self.as_str(),
            next: is.next().map_or("nothing", Self::as_str),
        })
    }
}

/// Why a step is not taken, or an agreement not kept.
#[derive(Debug, thiserror::Error)]
pub enum LifecycleError {
    /// Not the next step.
    #[error("{month} is {is}: what comes next is {next}, not {to}")]
    Order {
        /// The month.
        month: Month,
        /// Where it stands.
        is: &'static str,
        /// What was asked for.
        to: &'static str,
        /// What would be next.
        next: &'static str,
    },
    /// Not the data officer.
    #[error("`{0}` is no steward: this is the data officer's to decide")]
    NotSteward(Slug),
    /// An unknown person, or a key of somebody else.
    #[error(transparent)]
    Officers(#[from] OfficersError),
    /// An agreement breaks a rule.
    #[error("agreement: {field}: {rule}")]
    Agreement {
        /// The field.
        field: &'static str,
        /// What must hold.
        rule: &'static str,
    },
    /// The name is taken.
    #[error("agreement `{0}` is registered already; another one has another name")]
    Known(Slug),
    /// No such agreement, or it ended.
    #[error("no agreement `{0}` is in force or to come")]
    NoAgreement(Slug),
    /// The node's settings ask for an agreement on the dataset.
    #[error(
        "no data-use agreement on `{0}` is in force today, and this node releases under one only; first: \
         consilium-node agreement add"
    )]
    NeedsAgreement(&'static str),
    /// The state file.
    #[error(transparent)]
    State(#[from] StateError),
}

impl From<sqlx::Error> for LifecycleError {
    fn from(error: sqlx::Error) -> Self {
        Self::State(StateError::Database(error))
    }
}

/// Who decides, with the key that shows it.
#[derive(Clone, Copy, Debug)]
pub struct Deciding<'a> {
    /// The register.
    pub officers: &'a Officers,
    /// The name.
    pub name: &'a Slug,
    /// The key.
    pub key: &'a Signer,
    /// Now.
    pub at: Timestamp,
}

impl Deciding<'_> {
    /// The data officer, if it is one.
    pub fn steward(&self) -> Result<&Officer, LifecycleError> {
        let officer = self.officers.acting(self.name, self.key)?;
        if officer.role == Role::Steward {
            Ok(officer)
        } else {
            Err(LifecycleError::NotSteward(self.name.clone()))
        }
    }
}
