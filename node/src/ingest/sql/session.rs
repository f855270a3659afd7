//! One connection to the database, of either kind. Everything comes back as text; of an error only its kind
//! is kept, because its words may hold values.

use std::time::Duration;

use sqlx::mysql::{MySqlConnection, MySqlDatabaseError};
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, ColumnIndex, Connection as _, Decode, Row};
use tokio_stream::StreamExt as _;

use super::SqlError;
use super::address::{Address, Options};
use super::wire::Wire;

/// How long a server may take to answer at first.
const PATIENCE: Duration = Duration::from_secs(20);

/// An open connection.
pub(crate) enum Session {
    Postgres(Box<PgConnection>),
    MySql(Box<MySqlConnection>),
}

impl Session {
    /// Connects.
    pub(crate) async fn open(address: &Address) -> Result<Self, SqlError> {
        let connecting = async {
            Ok(match address.options()? {
                Options::Postgres(options) => Self::Postgres(Box::new(
                    PgConnection::connect_with(&options)
                        .await
                        .map_err(at_first)?,
                )),
                Options::MySql(options) => Self::MySql(Box::new(
                    MySqlConnection::connect_with(&options)
                        .await
                        .map_err(at_first)?,
                )),
            })
        };
        let connected = tokio::time::timeout(PATIENCE, connecting).await;
        connected.map_err(|_| SqlError::Unreachable)?
    }

    /// Which protocol is spoken.
    pub(crate) fn wire(&self) -> Wire {
        match self {
            Self::Postgres(_) => Wire::Postgres,
            Self::MySql(_) => Wire::MySql,
        }
    }

    /// Runs a fixed statement.
    pub(super) async fn run(&mut self, sql: &'static str) -> Result<(), SqlError> {
        match self {
            Self::Postgres(to) => sqlx::raw_sql(sql).execute(&mut **to).await.map(drop),
            Self::MySql(to) => sqlx::raw_sql(sql).execute(&mut **to).await.map(drop),
        }
        .map_err(refused)
    }

    /// Runs a statement that this program built from fixed words, names of a strict shape and numbers.
    pub(crate) async fn change(&mut self, sql: String) -> Result<(), SqlError> {
        let sql = AssertSqlSafe(sql);
        match self {
            Self::Postgres(to) => sqlx::raw_sql(sql).execute(&mut **to).await.map(drop),
            Self::MySql(to) => sqlx::raw_sql(sql).execute(&mut **to).await.map(drop),
        }
        .map_err(refused)
    }

    /// PostgreSQL: sends rows of text to a `copy … from stdin`.
    pub(crate) async fn copy(&mut self, sql: &str, rows: Vec<u8>) -> Result<(), SqlError> {
        let Self::Postgres(to) = self else {
            return Err(SqlError::Answer);
        };
        let mut copy = to.copy_in_raw(sql).await.map_err(refused)?;
        copy.send(rows).await.map_err(refused)?;
        copy.finish().await.map_err(refused)?;
        Ok(())
    }

    /// Runs a query and hands over each row, as texts. Ends early where `each` says `false`.
    pub(crate) async fn each(
        &mut self,
        sql: String,
        bound: &[String],
        mut each: impl FnMut(&[Option<&str>]) -> bool,
    ) -> Result<(), SqlError> {
        // Built by this module from quoted names and fixed words; every value is bound.
        let sql = AssertSqlSafe(sql);
        match self {
            Self::Postgres(to) => {
                let mut query = sqlx::query(sql).persistent(false);
                for value in bound {
                    query = query.bind(value);
                }
                let mut rows = query.fetch(&mut **to);
                while let Some(row) = rows.next().await {
                    if !each(&texts(&row.map_err(refused)?)?) {
                        break;
                    }
                }
            }
            Self::MySql(to) => {
                let mut query = sqlx::query(sql).persistent(false);
                for value in bound {
                    query = query.bind(value);
                }
                let mut rows = query.fetch(&mut **to);
                while let Some(row) = rows.next().await {
                    if !each(&texts(&row.map_err(refused)?)?) {
                        break;
                    }
                }
            }
        }
        Ok(())
    }

    /// The one row of a query.
    pub(super) async fn one(
        &mut self,
        sql: String,
        bound: &[String],
    ) -> Result<Vec<Option<String>>, SqlError> {
        let mut found = Vec::new();
        self.each(sql, bound, |row| {
            found = row.iter().map(|value| value.map(str::to_owned)).collect();
            false
        })
        .await?;
        Ok(found)
    }
}

/// The values of a row.
fn texts<'r, R>(row: &'r R) -> Result<Vec<Option<&'r str>>, SqlError>
where
    R: Row,
    usize: ColumnIndex<R>,
    &'r str: Decode<'r, R::Database>,
{
    let values = (0..row.len()).map(|place| row.try_get_unchecked::<Option<&'r str>, _>(place));
    values.collect::<Result<_, _>>().map_err(refused)
}

/// Why no connection came about.
fn at_first(error: sqlx::Error) -> SqlError {
    match error {
        sqlx::Error::Io(_) | sqlx::Error::PoolTimedOut => SqlError::Unreachable,
        error => refused(error),
    }
}

/// Keeps the kind of an error and drops its words.
#[expect(clippy::needless_pass_by_value, reason = "for `map_err`")]
pub(super) fn refused(error: sqlx::Error) -> SqlError {
    let error = match &error {
        sqlx::Error::Database(error) => error,
        sqlx::Error::Tls(_) => return SqlError::Tls,
        sqlx::Error::Io(_) => return SqlError::Lost,
        _ => return SqlError::Answer,
    };
    let code = error.code().unwrap_or_default();
    let number = error
        .try_downcast_ref::<MySqlDatabaseError>()
        .map(MySqlDatabaseError::number);
    match (&*code, number) {
        ("28P01" | "28000", _) | (_, Some(1045 | 1698)) => SqlError::Login,
        ("3D000", _) | (_, Some(1049)) => SqlError::Database,
        ("42501", _) | (_, Some(1044 | 1142 | 1143)) => SqlError::Permission,
        ("42P01" | "3F000", _) | (_, Some(1146)) => SqlError::View,
        (code, _) => SqlError::Refused {
            code: code
                .chars()
                .filter(char::is_ascii_alphanumeric)
                .take(5)
                .collect(),
        },
    }
}
