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

    /// What follows reads alone, of one moment where the engine has that, and ends after so many seconds.
    pub(crate) async fn reads(&mut self, seconds: u64) -> Result<(), EngineError> {
        let Self::Sql(to) = self else {
            // Over HTTP every statement says so itself.
            return Ok(());
        };
        if to.wire() == sql::Wire::Postgres {
            let limit = format!("set statement_timeout = '{seconds}s'");
            to.change(limit).await?;
            let begin = "begin transaction isolation level repeatable read read only";
            return Ok(to.change(begin.to_owned()).await?);
        }
        // Of the engines that speak MySQL's wire some know these words and some do not; rows are counted before
        // and after all the same.
        for word in [
            format!("set session max_statement_time = {seconds}"),
            "set session transaction isolation level repeatable read".to_owned(),
            "start transaction with consistent snapshot, read only".to_owned(),
        ] {
            drop(to.change(word).await);
        }
        Ok(())
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
