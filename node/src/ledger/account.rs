//! What was spent, for the officer's page and for proofs.

use schemas::loss::Rho;
use schemas::time::DataYear;
use sqlx::Row as _;

use crate::store::state::{State, StateError};

/// One line of the ledger.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Line {
    /// The data year.
    pub year: DataYear,
    /// `all`, or the purpose whose quota paid.
    pub purpose: String,
    /// Spent so far.
    pub spent: Rho,
}

/// All lines, by year and purpose.
pub async fn lines(state: &State) -> Result<Vec<Line>, StateError> {
    let rows = sqlx::query("select year, purpose, spent_nano from ledger order by year, purpose")
        .fetch_all(state.pool())
        .await?;
    let mut lines = Vec::with_capacity(rows.len());
    for row in &rows {
        let year = u16::try_from(row.try_get::<i64, _>(0)?).map_err(|_| StateError::Range)?;
        let nano = u64::try_from(row.try_get::<i64, _>(2)?).map_err(|_| StateError::Range)?;
        lines.push(Line {
            year: DataYear(year),
            purpose: row.try_get(1)?,
            spent: Rho::from_nano(nano).map_err(|_| StateError::Range)?,
        });
    }
    Ok(lines)
}
