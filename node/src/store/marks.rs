//! How far views were read: the table `view_marks`, a row a load.

use sqlx::{Row as _, Sqlite};

use super::state::{Change, StateError};

/// How far a view was read: the greatest watermark, and how many rows had it. Rows that come later with the
/// same watermark are told by the count. It does not print itself.
#[derive(Clone, PartialEq, Eq)]
pub struct Mark {
    /// The watermark, as the server writes it.
    pub text: String,
    /// Rows at it.
    pub rows: u64,
}

impl std::fmt::Debug for Mark {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Mark({} rows)", self.rows)
    }
}

/// How far a load read a view.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Reached {
    /// What the view is remembered by.
    pub source: String,
    /// How far.
    pub mark: Mark,
}

/// The last load of a view.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Last {
    /// Which load.
    pub load: String,
    /// How far it read.
    pub mark: Mark,
}

/// The last load of a view that still stands.
pub async fn last<'e>(
    from: impl sqlx::Executor<'e, Database = Sqlite>,
    source: &str,
) -> Result<Option<Last>, StateError> {
    let row = sqlx::query(
        "select load_id, mark, rows_at from view_marks where source = $1 \
         order by number desc limit 1",
    )
    .bind(source)
    .fetch_optional(from)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let rows = u64::try_from(row.try_get::<i64, _>(2)?).map_err(|_| StateError::Range)?;
    Ok(Some(Last {
        load: row.try_get(0)?,
        mark: Mark {
            text: row.try_get(1)?,
            rows,
        },
    }))
}

/// Remembers how far a load read; part of the change that registers it.
pub async fn remember(
    change: &mut Change,
    load: &str,
    reached: &Reached,
) -> Result<(), StateError> {
    let rows = i64::try_from(reached.mark.rows).map_err(|_| StateError::Range)?;
    sqlx::query(
        "insert into view_marks (number, load_id, source, mark, rows_at) \
         values ((select coalesce(max(number), 0) + 1 from view_marks), $1, $2, $3, $4)",
    )
    .bind(load)
    .bind(&reached.source)
    .bind(&reached.mark.text)
    .bind(rows)
    .execute(&mut **change)
    .await?;
    Ok(())
}

/// Forgets a load that is discarded, and the later loads of its view: their months are read again.
pub async fn forget(change: &mut Change, load: &str) -> Result<(), StateError> {
    sqlx::query(
        "delete from view_marks where exists (select 1 from view_marks f where f.load_id = $1 \
         and f.source = view_marks.source and f.number <= view_marks.number)",
    )
    .bind(load)
    .execute(&mut **change)
    .await?;
    Ok(())
}
