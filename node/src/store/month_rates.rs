//! The table `month_rates`: by which rates the cost of a loaded month was computed.

use std::collections::BTreeMap;

use policies::costing::Method;
use schemas::digest::Digest;
use schemas::time::Month;
use serde::Serialize;
use sqlx::{Row as _, Sqlite};

use super::state::{Change, StateError};

/// Rates by which the cost of a month's stays is computed. It does not leave the node.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct RatesUsed {
    /// The closed month that they are of; earlier than the stays'.
    pub period: Month,
    /// The method.
    pub method: Method,
    /// Digest of the table.
    pub digest: Digest,
}

/// Remembers the rates of a month; part of the change that registers its load.
pub async fn remember(
    change: &mut Change,
    (load, month): (&str, Month),
    rates: &RatesUsed,
) -> Result<(), StateError> {
    sqlx::query(
        "insert into month_rates (load_id, month, period, method, digest) \
         values ($1, $2, $3, $4, $5)",
    )
    .bind(load)
    .bind(month.to_string())
    .bind(rates.period.to_string())
    .bind(rates.method.as_str())
    .bind(rates.digest.to_string())
    .execute(&mut **change)
    .await?;
    Ok(())
}

/// Forgets the rates of the months of a load that are discarded: those that are no more.
pub async fn forget(change: &mut Change, load: &str) -> Result<(), StateError> {
    sqlx::query(
        "delete from month_rates where load_id = $1 and not exists (select 1 from months m \
         where m.load_id = month_rates.load_id and m.month = month_rates.month)",
    )
    .bind(load)
    .execute(&mut **change)
    .await?;
    Ok(())
}

/// The rates of all loaded months that were costed, by load and month.
pub async fn all<'e>(
    from: impl sqlx::Executor<'e, Database = Sqlite>,
) -> Result<BTreeMap<(String, Month), RatesUsed>, StateError> {
    let rows = sqlx::query("select load_id, month, period, method, digest from month_rates")
        .fetch_all(from)
        .await?;
    let month = |text: String| text.parse().map_err(|_| StateError::Range);
    let read = |row: &sqlx::sqlite::SqliteRow| {
        let (method, digest): (String, String) = (row.try_get(3)?, row.try_get(4)?);
        let rates = RatesUsed {
            period: month(row.try_get(2)?)?,
            method: method.parse().map_err(|_| StateError::Range)?,
            digest: digest.parse().map_err(|_| StateError::Range)?,
        };
        Ok(((row.try_get(0)?, month(row.try_get(1)?)?), rates))
    };
    rows.iter().map(read).collect()
}
