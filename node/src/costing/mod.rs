//! The monthly close of the hospital's costs: ledgers read from tables, handed on by
//! `policies::costing`, kept with what they were computed from. Questions see none of it but stays
//! whose cost follows from the signed rates of an earlier closed month (`orders`).

mod crossed;
mod orders;
mod rates;
mod store;
mod tables;

pub use crossed::crossed;
pub use orders::{Ordered, RatesOrder, book, order, orders};
pub use rates::{KeptRates, kept as kept_rates, list as rate_tables};
pub use store::{Kept, closed, keep, list};
pub use tables::{Cases, amounts, cases, month, volumes};

use policies::access::OfficersError;
use policies::costing::Method;

use schemas::time::Month;

use crate::ingest::IngestError;
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
    /// What departments did does not fit the close.
    #[error(transparent)]
    Rates(#[from] policies::costing::RateError),
    /// Closed without rates.
    #[error(
        "{0} is closed without rates by {1}: put `volumes.csv` beside its ledgers and close it with --again"
    )]
    NoRates(Month, Method),
    /// Rates of the month that they would cost, or of a later one.
    #[error(
        "rates of {period} cannot cost stays from {from} on: a stay is costed by rates of an earlier closed \
         month, else its own patient would move other patients' costs"
    )]
    NotEarlier {
        /// The closed month of the rates.
        period: Month,
        /// The first month that they would cost.
        from: Month,
    },
    /// Rates that stays cannot be costed by.
    #[error(transparent)]
    Ingest(#[from] IngestError),
    /// Codes of departments that nobody knows.
    #[error(
        "{count} codes of departments are neither in crosswalk `{crosswalk}` nor in `departments.csv`: {codes}"
    )]
    Unmapped {
        /// The crosswalk.
        crosswalk: schemas::id::Slug,
        /// How many.
        count: usize,
        /// The first 20.
        codes: String,
    },
    /// A target that is no department's code.
    #[error("crosswalk `{0}` has a target that is no code of a department (A-Z a-z 0-9 _ - .)")]
    Target(schemas::id::Slug),
    /// Fewer than two persons signed.
    #[error("two registered officers sign for the rates that stays are costed by")]
    Unsigned,
    /// A seal.
    #[error(transparent)]
    Seal(#[from] schemas::seal::SealError),
    /// The register of officers.
    #[error(transparent)]
    Officers(#[from] OfficersError),
    /// The state file.
    #[error(transparent)]
    State(#[from] StateError),
}

impl From<sqlx::Error> for CostError {
    fn from(error: sqlx::Error) -> Self {
        Self::State(error.into())
    }
}
