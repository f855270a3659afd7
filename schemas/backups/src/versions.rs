//! Which version a kept state is of: an older one is carried forward step by step, a newer one is refused.
//! What the tables are is their owner's to say ([`Tables`]).
//!
//! The version rises when a table that is there already changes its columns, or a kept text its form; a
//! table that is added does not raise it. Kept texts that something signed or cites stay as they are:
//! they are read by the form that they were written in (`policies::year::Rules`), never written anew.

use sqlx::{Row as _, Sqlite, SqliteConnection, SqlitePool, Transaction};

/// The version of states that say none: they were kept by builds before there were versions.
const UNSAID: i64 = 1;

/// A change under way.
pub type Change = Transaction<'static, Sqlite>;

/// The tables of a state.
#[derive(Clone, Copy, Debug)]
pub struct Tables {
    /// The version that this build reads and writes.
    pub version: i64,
    /// What makes those that are missing, and leaves the others alone.
    pub schema: &'static str,
    /// Columns that a table gained, as the step to a version adds them: version, table, column, meaning.
    pub added: &'static [(i64, &'static str, &'static str, &'static str)],
}

/// A state that this build does not work on.
#[derive(Debug, thiserror::Error)]
pub enum VersionError {
    /// Kept by a later build.
    #[error(
        "the state is of version {found} (kept by build {build}), this binary ({own}) reads up to version \
         {known}: install build {build} or later, or put back the backup made before the upgrade"
    )]
    Newer {
        /// The state's version.
        found: i64,
        /// The build that kept it.
        build: String,
        /// The version that this build reads.
        known: i64,
        /// This build.
        own: &'static str,
    },
    /// No known step leads from it to here.
    #[error(
        "the state's table `{table}` has other columns than version {known} has: it was kept by a build \
         that this one ({own}) knows no step from, or was changed by hand; put back a backup, or upgrade \
         through the builds between"
    )]
    Shape {
        /// The first such table.
        table: String,
        /// The version that this build reads.
        known: i64,
        /// This build.
        own: &'static str,
    },
    /// The database refused.
    #[error("the state file could not be read or written")]
    Database(#[from] sqlx::Error),
}

/// This build, as a state names it.
pub const BUILD: &str = env!("CARGO_PKG_VERSION");

impl Tables {
    /// Makes a new state, or carries an older one forward, in one change; a state of this version is not
    /// written to, but for tables that are new. Where a step was taken its change is given back with the version
    /// before: the owner says so in its log, and commits.
    pub async fn bring(&self, pool: &SqlitePool) -> Result<Option<(Change, i64)>, VersionError> {
        let mut look: Change = pool.begin().await?;
        let found = self.found(&mut look).await?;
        look.rollback().await?;
        if found.is_some_and(|(version, _)| version == self.version) {
            // Nothing is locked where no table is new.
            self.make(&mut *pool.acquire().await?).await?;
            return Ok(None);
        }
        let mut change: Change = pool.begin_with("begin immediate").await?;
        let found = self.found(&mut change).await?;
        if let Some((version, build)) = &found
            && *version > self.version
        {
            return Err(VersionError::Newer {
                found: *version,
                build: build.clone(),
                known: self.version,
                own: BUILD,
            });
        }
        self.make(&mut change).await?;
        let before = match found {
            Some((version, _)) if version == self.version => None,
            None => {
                self.say(&mut change).await?;
                None
            }
            Some((version, _)) => {
                self.step(&mut change, version).await?;
                Some(version)
            }
        };
        if let Some(version) = before {
            return Ok(Some((change, version)));
        }
        change.commit().await?;
        Ok(None)
    }

    async fn step(&self, change: &mut Change, version: i64) -> Result<(), VersionError> {
        for (to, table, column, meaning) in self.added {
            let there = columns(change, table).await?;
            if *to > version && !there.iter().any(|one| one == column) {
                let add = format!("alter table {table} add column {column} {meaning}");
                sqlx::raw_sql(sqlx::AssertSqlSafe(add))
                    .execute(&mut **change)
                    .await?;
            }
        }
        match self.odd(change).await? {
            Some(table) => Err(self.shape(table)),
            None => self.say(change).await,
        }
    }

    fn shape(&self, table: String) -> VersionError {
        VersionError::Shape {
            table,
            known: self.version,
            own: BUILD,
        }
    }

    /// Makes the tables that are missing.
    async fn make(&self, connection: &mut SqliteConnection) -> Result<(), VersionError> {
        let all = sqlx::raw_sql(self.schema).execute(connection).await;
        Ok(all.map(drop)?)
    }

    /// Version and build of a state; none of one that is still empty.
    async fn found(&self, change: &mut Change) -> Result<Option<(i64, String)>, VersionError> {
        let lost = || self.shape("schema_version".to_owned());
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

    async fn say(&self, change: &mut Change) -> Result<(), VersionError> {
        sqlx::query(
            "insert into schema_version (id, version, build) values (1, $1, $2) \
             on conflict (id) do update set version = excluded.version, build = excluded.build",
        )
        .bind(self.version)
        .bind(BUILD)
        .execute(&mut **change)
        .await?;
        // The same in the head of the file, where the table cannot be lost with it (PostgreSQL has none).
        let mark = format!("pragma user_version = {}", self.version);
        sqlx::raw_sql(sqlx::AssertSqlSafe(mark))
            .execute(&mut **change)
            .await?;
        Ok(())
    }

    /// The first table whose columns are not those of a new state.
    async fn odd(&self, change: &mut Change) -> Result<Option<String>, VersionError> {
        let fresh = SqlitePool::connect("sqlite::memory:").await?;
        let mut fresh: Change = fresh.begin().await?;
        self.make(&mut fresh).await?;
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
}

/// Names of a table's columns; none of a table that is not there. The one question that PostgreSQL is
/// asked otherwise (`information_schema.columns`).
async fn columns(change: &mut Change, table: &str) -> Result<Vec<String>, VersionError> {
    let asked = sqlx::query_scalar::<Sqlite, String>("select name from pragma_table_info($1)");
    Ok(asked.bind(table).fetch_all(&mut **change).await?)
}
