//! Which version the state is of: an older one is carried forward step by step, a newer one is refused.
//!
//! The version rises when a table that is there already changes its columns, or a kept text its form; a
//! table that is added does not raise it. Kept texts that something signed or cites stay as they are:
//! they are read by the form that they were written in (`policies::year::Rules`), never written anew.

use schemas::digest::Digest;
use schemas::time::Timestamp;
use sqlx::{Row as _, Sqlite, SqliteConnection, SqlitePool};

use super::state::{Change, StateError, append};

/// The version that this build reads and writes.
pub const VERSION: i64 = 2;

/// The version of states that say none: they were kept by builds before this module.
const UNSAID: i64 = 1;

/// Columns that a table gained, as the step to a version adds them: version, table, column, meaning.
const ADDED: &[(i64, &str, &str, &str)] = &[(2, "years", "earlier", "text not null default '[]'")];

/// A state that this build does not work on.
#[derive(Debug, thiserror::Error)]
pub enum VersionError {
    /// Kept by a later build.
    #[error(
        "the state is of version {found} (kept by build {build}), this binary ({own}) reads up to version \
         {VERSION}: install build {build} or later, or put back the backup made before the upgrade"
    )]
    Newer {
        /// The state's version.
        found: i64,
        /// The build that kept it.
        build: String,
        /// This build.
        own: &'static str,
    },
    /// No known step leads from it to here.
    #[error(
        "the state's table `{table}` has other columns than version {VERSION} has: it was kept by a build \
         that this one ({own}) knows no step from, or was changed by hand; put back a backup, or upgrade \
         through the builds between"
    )]
    Shape {
        /// The first such table.
        table: String,
        /// This build.
        own: &'static str,
    },
}

/// This build, as the state names it.
pub const BUILD: &str = env!("CARGO_PKG_VERSION");

/// Makes a new state, or carries an older one forward, in one change. `at` stands in the log entry of the
/// step; a state of this version is not written to, but for tables that are new.
pub async fn bring(pool: &SqlitePool, at: Timestamp) -> Result<(), StateError> {
    let mut look: Change = pool.begin().await?;
    if matches!(found(&mut look).await?, Some((VERSION, _))) {
        look.rollback().await?;
        // Nothing is locked where no table is new.
        tables(&mut *pool.acquire().await?).await?;
        return Ok(());
    }
    look.rollback().await?;
    let mut change: Change = pool.begin_with("begin immediate").await?;
    let found = found(&mut change).await?;
    if let Some((version, build)) = &found
        && *version > VERSION
    {
        return Err(StateError::Version(VersionError::Newer {
            found: *version,
            build: build.clone(),
            own: BUILD,
        }));
    }
    tables(&mut change).await?;
    match found {
        Some((VERSION, _)) => {}
        None => say(&mut change).await?,
        Some((version, _)) => {
            for (to, table, column, meaning) in ADDED {
                if *to > version
                    && !columns(&mut change, table)
                        .await?
                        .contains(&(*column).to_owned())
                {
                    let add = format!("alter table {table} add column {column} {meaning}");
                    sqlx::raw_sql(sqlx::AssertSqlSafe(add))
                        .execute(&mut *change)
                        .await?;
                }
            }
            if let Some(table) = odd(&mut change).await? {
                return Err(StateError::Version(VersionError::Shape {
                    table,
                    own: BUILD,
                }));
            }
            say(&mut change).await?;
            let detail = [("from", version.to_string()), ("to", VERSION.to_string())];
            append(&mut change, at, "state-version", Digest::ZERO, &detail).await?;
        }
    }
    change.commit().await?;
    Ok(())
}

/// Makes the tables that are missing.
async fn tables(connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
    let all = sqlx::raw_sql(include_str!("schema.sql"));
    all.execute(connection).await.map(drop)
}

/// Version and build of a state; none of one that is still empty.
async fn found(change: &mut Change) -> Result<Option<(i64, String)>, StateError> {
    let lost = || {
        let table = String::from("schema_version");
        StateError::Version(VersionError::Shape { table, own: BUILD })
    };
    if columns(change, "schema_version").await?.is_empty() {
        // A state that once said its version has not come to say none.
        let marked: i64 = sqlx::query_scalar("pragma user_version")
            .fetch_one(&mut **change)
            .await?;
        if marked != 0 {
            return Err(lost());
        }
        let kept = !columns(change, "log").await?.is_empty();
        return Ok(kept.then(|| (UNSAID, String::from("before 0.1.0"))));
    }
    let row = sqlx::query("select version, build from schema_version where id = 1")
        .fetch_optional(&mut **change)
        .await?
        .ok_or_else(lost)?;
    let version: i64 = row.try_get(0)?;
    if version < UNSAID {
        return Err(lost());
    }
    Ok(Some((version, row.try_get(1)?)))
}

async fn say(change: &mut Change) -> Result<(), StateError> {
    sqlx::query(
        "insert into schema_version (id, version, build) values (1, $1, $2) \
         on conflict (id) do update set version = excluded.version, build = excluded.build",
    )
    .bind(VERSION)
    .bind(BUILD)
    .execute(&mut **change)
    .await?;
    // The same in the head of the file, where the table cannot be lost with it (PostgreSQL has none).
    let mark = format!("pragma user_version = {VERSION}");
    sqlx::raw_sql(sqlx::AssertSqlSafe(mark))
        .execute(&mut **change)
        .await?;
    Ok(())
}

/// The first table whose columns are not those of a new state.
async fn odd(change: &mut Change) -> Result<Option<String>, StateError> {
    let fresh = SqlitePool::connect("sqlite::memory:").await?;
    let mut fresh: Change = fresh.begin().await?;
    tables(&mut fresh).await?;
    let names: Vec<String> =
        sqlx::query_scalar("select name from sqlite_master where type = 'table' order by name")
            .fetch_all(&mut *fresh)
            .await?;
    for table in names {
        let (mut new, mut kept) = (
            columns(&mut fresh, &table).await?,
            columns(change, &table).await?,
        );
        new.sort();
        kept.sort();
        if new != kept {
            return Ok(Some(table));
        }
    }
    Ok(None)
}

/// Names of a table's columns; none of a table that is not there. The one question that PostgreSQL is
/// asked otherwise (`information_schema.columns`).
async fn columns(change: &mut Change, table: &str) -> Result<Vec<String>, StateError> {
    let asked = sqlx::query_scalar::<Sqlite, String>("select name from pragma_table_info($1)");
    Ok(asked.bind(table).fetch_all(&mut **change).await?)
}
