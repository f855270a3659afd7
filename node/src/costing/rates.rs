//! The table `cost_rates`: rates of closed months, one table a method that there were volumes for.

use policies::costing::{Closed, Method, RateError, RateTable, Volume};
use schemas::time;
use sqlx::Row as _;

use super::CostError;
use super::store::{parse, text};
use crate::store::state::{Change, State, StateError};

/// A rate table as it is kept.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct KeptRates {
    /// Version of the close.
    pub version: i64,
    /// The rates.
    pub table: RateTable,
}

/// The tables of a close: one for each method that the volumes say enough for.
pub(super) fn of(closed: &Closed, volumes: &[Volume]) -> Result<Vec<RateTable>, CostError> {
    let mut tables = Vec::new();
    if volumes.is_empty() {
        return Ok(tables);
    }
    for method in Method::ALL {
        match policies::costing::rates(closed, method, volumes) {
            Ok(table) => tables.push(table),
            Err(RateError::Nothing(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(tables)
}

/// Whether these are the tables of a version.
pub(super) async fn same(
    change: &mut Change,
    (month, version): (time::Month, i64),
    tables: &[RateTable],
) -> Result<bool, CostError> {
    let rows = sqlx::query(
        "select digest from cost_rates where month = $1 and version = $2 order by digest",
    )
    .bind(month.to_string())
    .bind(version)
    .fetch_all(&mut **change)
    .await?;
    let kept: Result<Vec<String>, _> = rows.iter().map(|row| row.try_get(0)).collect();
    let digests = tables.iter().map(|table| Ok(digest(table)?.to_string()));
    let mut digests = digests.collect::<Result<Vec<String>, CostError>>()?;
    digests.sort_unstable();
    Ok(kept? == digests)
}

/// Writes the tables of a version.
pub(super) async fn write(
    change: &mut Change,
    (month, version): (time::Month, i64),
    tables: &[RateTable],
) -> Result<(), CostError> {
    for table in tables {
        sqlx::query(
            "insert into cost_rates (month, version, method, digest, rates) \
             values ($1, $2, $3, $4, $5)",
        )
        .bind(month.to_string())
        .bind(version)
        .bind(table.method.as_str())
        .bind(digest(table)?.to_string())
        .bind(text(table)?)
        .execute(&mut **change)
        .await?;
    }
    Ok(())
}

/// The digest that officers sign.
pub(super) fn digest(table: &RateTable) -> Result<schemas::digest::Digest, StateError> {
    Ok(table.digest()?)
}

/// The rates of the newest close of a month by a method.
pub async fn kept(
    state: &State,
    month: time::Month,
    method: Method,
) -> Result<KeptRates, CostError> {
    let all = list(state).await?.into_iter();
    let mut of = all.filter(|kept| kept.table.period == month);
    if let Some(found) = of.find(|kept| kept.table.method == method) {
        return Ok(found);
    }
    super::closed(state, month).await?;
    Err(CostError::NoRates(month, method))
}

/// The rates of the newest close of every month, oldest first.
pub async fn list(state: &State) -> Result<Vec<KeptRates>, CostError> {
    let rows = sqlx::query(
        "select version, rates from cost_rates r where version = \
         (select max(version) from cost_months m where m.month = r.month) \
         order by month, method desc",
    )
    .fetch_all(state.pool())
    .await?;
    let read = |row: &sqlx::sqlite::SqliteRow| {
        Ok(KeptRates {
            version: row.try_get(0)?,
            table: parse(&row.try_get::<String, _>(1)?)?,
        })
    };
    rows.iter().map(read).collect()
}
