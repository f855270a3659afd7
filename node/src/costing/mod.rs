//! The monthly close of the hospital's costs: ledgers read from tables, handed on by
//! `policies::costing`, kept with what they were computed from. Nothing of it answers a question.

mod store;
mod tables;

pub use store::{Kept, closed, keep, list};
pub use tables::{Cases, amounts, cases, month};

use schemas::time::Month;

use crate::ingest::table::TableError;
use crate::store::state::StateError;

/// Why nothing is closed or shown. Names files, lines and columns, never an amount.
#[derive(Debug, thiserror::Error)]
pub enum CostError {
    /// A table.
    #[error(transparent)]
    Table(#[from] TableError),
    /// The ledgers.
    #[error(transparent)]
    Ledger(#[from] policies::costing::LedgerError),
    /// The same ledgers and rules again.
    #[error("{0} is closed from these ledgers already; nothing changed")]
    Same(Month),
    /// Closed from other ledgers.
    #[error(
        "{0} is closed from other ledgers; --again closes it once more, and what was computed \
         before stays"
    )]
    Again(Month),
    /// Not closed.
    #[error("{0} is not closed; see `consilium-node cost close --help`")]
    Open(Month),
    /// The state file.
    #[error(transparent)]
    State(#[from] StateError),
}

impl From<sqlx::Error> for CostError {
    fn from(error: sqlx::Error) -> Self {
        Self::State(error.into())
    }
}
