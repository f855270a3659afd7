//! Data quality: a month's rows examined by `policies::quality`, findings with their states, the grade that
//! a release is held to, and finance's signature below it. All of it stays at the node.

mod finance;
mod gate;
mod read;
mod run;
mod store;
mod tables;
#[cfg(test)]
mod test;

pub use finance::{SignedOff, add as add_finance, persons as finance_persons, sign};
pub use gate::{Gate, graded};
pub use run::{Ran, run};
pub use store::{Standing, findings, list, ruled, standing, waive};
pub use tables::{Side, Tables};

use schemas::answer::Grade;
use schemas::time::Month;

use crate::access::AccessError;
use crate::ingest::table::TableError;
use crate::store::columns::ColumnsError;
use crate::store::state::StateError;

/// Why quality is not examined, waived or signed. Names months, rules and files, never a value.
#[derive(Debug, thiserror::Error)]
pub enum QualityError {
    /// The month is not loaded.
    #[error("{0} is not loaded; `load` comes first")]
    NotLoaded(Month),
    /// Its reports are gone or damaged.
    #[error("the load's report of {0} cannot be read; load the month again")]
    Report(Month),
    /// One of the three tables.
    #[error(transparent)]
    Table(#[from] TableError),
    /// The columns.
    #[error(transparent)]
    Columns(#[from] ColumnsError),
    /// Never examined, or another load was.
    #[error(
        "the quality of {0} was not examined as it is loaded; first: quality run {0} (--dataset NAME of others than stays)"
    )]
    NotRun(Month),
    /// Below what the node asks for.
    #[error(
        "{month} has grade {grade:?}, this node asks for {least:?}: mend what `quality list --month \
         {month}` shows and load again, waive what is right as it is, or let finance sign: quality sign \
         {month}"
    )]
    Below {
        /// The month.
        month: Month,
        /// Its grade.
        grade: Grade,
        /// The grade that the node's settings ask for.
        least: Grade,
    },
    /// No such finding.
    #[error("no finding `{0}`; `quality list` shows them")]
    Unknown(String),
    /// Fixed or waived.
    #[error("finding `{0}` is not open; only an open one is waived")]
    NotOpen(String),
    /// A name.
    #[error("a name is 1 to 64 characters on one line")]
    Name,
    /// A reason.
    #[error("a reason is 1 to 200 characters on one line")]
    Reason,
    /// The name belongs to somebody.
    #[error("`{0}` is registered already")]
    Known(String),
    /// Nobody of finance.
    #[error("`{0}` is no person of finance with that key; `quality finance` registers one")]
    NotFinance(String),
    /// Not signed for.
    #[error("a person of finance is signed for by two registered officers")]
    Unsigned,
    /// The register.
    #[error(transparent)]
    Access(#[from] AccessError),
    /// A signature.
    #[error("the signature could not be made")]
    Seal(#[from] schemas::seal::SealError),
    /// The state file.
    #[error(transparent)]
    State(#[from] StateError),
}

impl From<sqlx::Error> for QualityError {
    fn from(error: sqlx::Error) -> Self {
        Self::State(error.into())
    }
}

/// Who or why, as a person wrote it: so many characters on one line.
fn plain(text: &str, most: usize) -> bool {
    (1..=most).contains(&text.chars().count()) && schemas::shown::is_plain(text)
}
