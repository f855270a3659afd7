//! Budget years: what was said in them, kept in the order in which it was taken. What may be said,
//! and what follows, is `policies::year`'s.

mod facts;
mod history;
mod inputs;
mod letter;
mod sinks;
mod store;
mod table;
mod tables;
mod watch;

pub use history::{expected, volumes};
pub use inputs::{Volumes, inputs};
pub use letter::letter;
pub use sinks::{SinkError, append, post};
pub use store::{Listed, all, open, propose, published, read, take};
pub use table::{execution, members};
pub use tables::{Surplus, appraisal, settlement, surplus};
pub use watch::warnings;

use policies::year::{Broken, Fault, OutcomeError, Refused, Rules};
use schemas::canonical;

use crate::administrators::AdministratorsError;
use crate::store::state::StateError;

/// Why nothing was kept.
#[derive(Debug, thiserror::Error)]
pub enum YearError {
    /// No such year.
    #[error("the year {0} was not opened; see `consilium-coordinator year open --help`")]
    Unknown(u16),
    /// It is there.
    #[error("the year {0} is open already")]
    Known(u16),
    /// What was said may not be said.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// What is kept does not hold.
    #[error("the year as it is kept does not hold: {0}")]
    Fault(#[from] Fault),
    /// A result could not be computed.
    #[error(transparent)]
    Outcome(#[from] OutcomeError),
    /// Rules of the alliance's own.
    #[error(transparent)]
    Rules(#[from] Broken),
    /// A table of facts.
    #[error("line {line} of the facts: {what} is missing or refused")]
    Facts {
        /// The line.
        line: usize,
        /// What.
        what: String,
    },
    /// A series that nothing is forecast from.
    #[error("the months of `{0}` are too few to be believed, or end more than 36 months early")]
    History(schemas::id::Slug),
    /// Nothing to settle against.
    #[error("no plan is in force yet")]
    NoPlan,
    /// A stage that the rules do not have.
    #[error("the rules of appraisal have no stage `{0}`")]
    Stage(schemas::id::Slug),
    /// The result is about another amount.
    #[error("the plan splits {planned}, the year's target is {target}")]
    Target {
        /// What the inputs say.
        planned: schemas::money::Fen,
        /// What the year says.
        target: schemas::money::Fen,
    },
    /// The result is about others.
    #[error(
        "the inputs name hospitals that take no part in this year, or leave one out of the plan"
    )]
    Members,
    /// Administrators.
    #[error(transparent)]
    Administrators(#[from] AdministratorsError),
    /// A key.
    #[error("the key `{0}` could not be read; name the speaker's with --key")]
    Key(String, #[source] std::io::Error),
    /// Something has no canonical form.
    #[error("a statement has no canonical form")]
    Canonical(#[from] canonical::Error),
    /// A statement could not be sealed.
    #[error(transparent)]
    Seal(#[from] schemas::seal::SealError),
    /// The state file.
    #[error(transparent)]
    State(#[from] StateError),
}

impl From<sqlx::Error> for YearError {
    fn from(error: sqlx::Error) -> Self {
        Self::State(error.into())
    }
}

/// The rules of an alliance: its own files in `rules/` of the data folder, else those shipped.
pub fn rules(data: &std::path::Path) -> Result<Rules, Broken> {
    Rules::read(|file| std::fs::read_to_string(data.join("rules").join(file)).ok())
}
