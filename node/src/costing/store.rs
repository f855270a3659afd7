//! The table `cost_months`: closed months with the ledgers and rules they follow from.

use policies::costing::{Closed, CostRules, Ledgers, Volume, close};
use schemas::canonical;
use schemas::time::{self, Timestamp};
use serde::Serialize;
use serde::de::DeserializeOwned;
use sqlx::Row as _;

use super::{CostError, rates};
use crate::store::state::{State, StateError, append};

/// A closed month as it is kept.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Kept {
    /// 1, and one more each time that it was closed again.
    pub version: i64,
    /// The rules.
    pub rules: CostRules,
    /// The ledgers.
    pub ledgers: Ledgers,
    /// What follows from them.
    pub closed: Closed,
    /// When.
    pub at: Timestamp,
}

/// Closes a month and keeps it, with the rates that follow from it and from what the departments did. The
/// same ledgers, rules and volumes again are refused; others replace it only where `again` says so, under
/// a higher version.
pub async fn keep(
    state: &State,
    rules: &CostRules,
    (ledgers, volumes): (&Ledgers, &[Volume]),
    (again, now): (bool, Timestamp),
) -> Result<Kept, CostError> {
    let closed = close(rules, ledgers)?;
    let tables = rates::of(&closed, volumes)?;
    let month = ledgers.month;
    let mut change = state.begin().await?;
    let last = sqlx::query(
        "select version, closed from cost_months where month = $1 order by version desc limit 1",
    )
    .bind(month.to_string())
    .fetch_optional(&mut *change)
    .await?;
    let version = match last {
        None => 1,
        Some(row) => {
            let before: Closed = parse(&row.try_get::<String, _>(1)?)?;
            let version: i64 = row.try_get(0)?;
            if before == closed && rates::same(&mut change, (month, version), &tables).await? {
                return Err(CostError::Same(month));
            }
            if !again {
                return Err(CostError::Again(month));
            }
            version.checked_add(1).ok_or(StateError::Range)?
        }
    };
    sqlx::query(
        "insert into cost_months (month, version, rules, ledgers, closed, at) \
         values ($1, $2, $3, $4, $5, $6)",
    )
    .bind(month.to_string())
    .bind(version)
    .bind(text(rules)?)
    .bind(text(ledgers)?)
    .bind(text(&closed)?)
    .bind(now.0)
    .execute(&mut *change)
    .await?;
    rates::write(&mut change, (month, version), &tables).await?;
    let digest = canonical::digest("consilium-cost-month-v1", &closed).map_err(StateError::from)?;
    let detail = [
        ("month", month.to_string()),
        ("version", version.to_string()),
    ];
    append(&mut change, now, "cost-close", digest, &detail).await?;
    change.commit().await.map_err(StateError::from)?;
    Ok(Kept {
        version,
        rules: rules.clone(),
        ledgers: ledgers.clone(),
        closed,
        at: now,
    })
}

/// The newest close of a month.
pub async fn closed(state: &State, month: time::Month) -> Result<Kept, CostError> {
    let row = sqlx::query(
        "select version, rules, ledgers, closed, at from cost_months where month = $1 \
         order by version desc limit 1",
    )
    .bind(month.to_string())
    .fetch_optional(state.pool())
    .await?;
    let row = row.ok_or(CostError::Open(month))?;
    Ok(Kept {
        version: row.try_get(0)?,
        rules: parse(&row.try_get::<String, _>(1)?)?,
        ledgers: parse(&row.try_get::<String, _>(2)?)?,
        closed: parse(&row.try_get::<String, _>(3)?)?,
        at: Timestamp(row.try_get(4)?),
    })
}

/// The closed months with their newest versions, oldest first.
pub async fn list(state: &State) -> Result<Vec<(time::Month, i64, Timestamp)>, CostError> {
    let rows = sqlx::query(
        "select month, max(version), max(at) from cost_months group by month order by month",
    )
    .fetch_all(state.pool())
    .await?;
    let read = |row: &sqlx::sqlite::SqliteRow| {
        let month: String = row.try_get(0)?;
        let month = month.parse().map_err(|_| StateError::Range)?;
        Ok((month, row.try_get(1)?, Timestamp(row.try_get(2)?)))
    };
    rows.iter().map(read).collect()
}

pub(super) fn text(value: &impl Serialize) -> Result<String, StateError> {
    serde_json::to_string(value).map_err(|_| StateError::Range)
}

pub(super) fn parse<T: DeserializeOwned>(text: &str) -> Result<T, StateError> {
    serde_json::from_str(text).map_err(|_| StateError::Range)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use policies::costing::DEFAULT;

    use super::*;
    use crate::costing::month;

    /// The shipped sample closes to the fen; a close is kept once, and again only where that is said.
    #[tokio::test]
    async fn a_month_is_closed_once_and_again_where_that_is_said() {
        let folder = tempfile::tempdir().unwrap();
        let state = State::open(folder.path()).await.unwrap();
        let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/samples/costs");
        let rules = CostRules::parse(DEFAULT).unwrap();
        let january = "2026-01".parse().unwrap();
        let ledgers = month(january, &samples).unwrap();
        let at = |again| (again, Timestamp(7));
        let missing = closed(&state, january).await;
        assert!(matches!(missing, Err(CostError::Open(_))));
        let kept = keep(&state, &rules, (&ledgers, &[]), at(false))
            .await
            .unwrap();
        let given = ledgers.direct.iter().map(|line| line.amount.0);
        let given: i64 = given
            .chain(ledgers.shared.iter().map(|line| line.amount.0))
            .sum();
        let full: i64 = kept
            .closed
            .full
            .values()
            .flat_map(|items| items.values())
            .map(|fen| fen.0)
            .sum();
        assert_eq!((full, kept.closed.total.0), (given, given));
        assert_eq!(closed(&state, january).await.unwrap(), kept);
        let same = keep(&state, &rules, (&ledgers, &[]), at(true)).await;
        assert!(matches!(same, Err(CostError::Same(_))));
        let mut other = ledgers.clone();
        other.direct.pop();
        let refused = keep(&state, &rules, (&other, &[]), at(false)).await;
        assert!(matches!(refused, Err(CostError::Again(_))));
        let again = keep(&state, &rules, (&other, &[]), at(true)).await.unwrap();
        assert_eq!(again.version, 2);
        assert_eq!(list(&state).await.unwrap(), [(january, 2, Timestamp(7))]);
        // The log tells of both, without an amount.
        let entries = state.log().await.unwrap();
        assert_eq!(entries.len(), 2);
        let names: Vec<&str> = entries[0]
            .detail
            .keys()
            .map(schemas::id::Slug::as_str)
            .collect();
        assert_eq!(names, ["month", "version"]);
    }
}
