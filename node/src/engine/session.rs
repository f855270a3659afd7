//! A connection to the engine, of either kind.

use super::Engine;
use super::Place;
use super::dialect::Dialect;
use super::error::EngineError;
use super::http::Http;
use crate::ingest::sql;

/// An open connection.
pub(crate) enum Session {
    Sql(Box<sql::Session>),
    Http(Http),
}

impl Session {
    /// Connects.
    pub(crate) async fn open(engine: &Engine) -> Result<Self, EngineError> {
        Ok(match &engine.place {
            Place::Sql(address) => {
                let mut to = sql::Session::open(address).await?;
                if engine.dialect == Dialect::Postgres {
                    // Notices may hold values; none is sent.
                    let quiet = "set client_min_messages = error".to_owned();
                    to.change(quiet).await?;
                }
                Self::Sql(Box::new(to))
            }
            Place::Http(targets) => Self::Http(Http::open(targets)?),
        })
    }

    /// Runs a statement on the server that is asked.
    pub(crate) async fn change(&mut self, sql: String) -> Result<(), EngineError> {
        match self {
            Self::Sql(to) => Ok(to.change(sql).await?),
            Self::Http(to) => to.change(0, sql).await,
        }
    }

    /// Runs a statement on every shard.
    pub(crate) async fn change_all(&mut self, sql: &str) -> Result<(), EngineError> {
        match self {
            Self::Sql(to) => Ok(to.change(sql.to_owned()).await?),
            Self::Http(to) => {
                for server in 0..to.count() {
                    to.change(server, sql.to_owned()).await?;
                }
                Ok(())
            }
        }
    }

    /// Runs a query whose columns are texts, and hands over each row as it comes.
    pub(crate) async fn each(
        &mut self,
        sql: String,
        mut each: impl FnMut(&[&str]) -> Result<(), EngineError>,
    ) -> Result<(), EngineError> {
        match self {
            Self::Sql(to) => {
                let mut told = Ok(());
                to.each(sql, &[], |row| {
                    let values: Vec<&str> = row.iter().map(|one| one.unwrap_or("")).collect();
                    told = each(&values);
                    told.is_ok()
                })
                .await?;
                told
            }
            Self::Http(to) => to.each(sql, each).await,
        }
    }
}
