//! Columns in an engine that the hospital has. Loads send the columns that questions are computed from;
//! a question's exact partial sums are computed there by `scan::pushed`. The node's own files stay: ranks of
//! later loads, reports, backups and the digests of releases rest on them.

mod dialect;
mod error;
mod http;
mod parts;
mod send;
mod session;
mod tables;

pub use dialect::Dialect;
pub(crate) use dialect::list;
pub use error::EngineError;
pub use parts::Part;
pub(crate) use parts::{Held, counted, held};
pub(crate) use session::Session;
pub(crate) use tables::{field, key, table};

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use schemas::dictionary::Dictionary;
use schemas::id::Slug;
use schemas::question::Dataset;

use self::http::Target;
use crate::config::{Columns, EngineKind};
use crate::ingest::sql::{Address, Wire, read_secret};

/// An engine that the hospital has. Its address is never shown.
#[derive(Clone, Debug)]
pub struct Engine {
    dialect: Dialect,
    place: Place,
    cluster: Option<String>,
    hospital: Slug,
}

#[derive(Clone, Debug)]
enum Place {
    Sql(Address),
    Http(Vec<Target>),
}

impl Engine {
    /// Reads the settings of a hospital and the file of the engine's URL; connects to nothing.
    pub fn open(columns: &Columns, hospital: &Slug) -> Result<Self, EngineError> {
        let path = columns.url_file.as_path();
        let (dialect, place) = match columns.engine {
            EngineKind::Clickhouse => {
                let text = read_secret(path)?;
                let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
                let targets = lines.map(Target::parse).collect::<Result<Vec<_>, _>>()?;
                if targets.is_empty() || (targets.len() > 1 && columns.cluster.is_none()) {
                    return Err(EngineError::Address(
                        "one URL; several, one a shard, where `columns.cluster` is set".to_owned(),
                    ));
                }
                (Dialect::ClickHouse, Place::Http(targets))
            }
            kind => {
                let address = Address::find(Some(path))?;
                let dialect = match (kind, address.wire()?) {
                    (EngineKind::Postgresql, Wire::Postgres) => Dialect::Postgres,
                    (EngineKind::Mariadb, Wire::MySql) => Dialect::MariaDb,
                    _ => {
                        return Err(EngineError::Address(
                            "the URL is of another kind than `columns.engine`".to_owned(),
                        ));
                    }
                };
                (dialect, Place::Sql(address))
            }
        };
        Ok(Self {
            dialect,
            place,
            cluster: columns.cluster.clone(),
            hospital: hospital.clone(),
        })
    }

    /// Which SQL it speaks.
    pub fn dialect(&self) -> Dialect {
        self.dialect
    }

    fn making(&self, dictionary: &Dictionary, dataset: Dataset) -> Vec<tables::Making> {
        let database = match &self.place {
            Place::Http(targets) => targets.first().map(Target::database),
            Place::Sql(_) => None,
        };
        let cluster = self.cluster.as_deref().zip(database);
        tables::making(self.dialect, cluster, dictionary, dataset)
    }

    /// The statements that make the tables of a dictionary.
    pub fn ddl(&self, dictionary: &Dictionary) -> Vec<String> {
        let mut all = Vec::new();
        for dataset in Dataset::ALL {
            let Some(of) = dictionary.of(dataset) else {
                continue;
            };
            for one in self.making(&of, dataset) {
                if !all.contains(&one.sql) {
                    all.push(one.sql);
                }
            }
        }
        all
    }

    /// Makes the tables of a dataset where they are missing and the login may.
    async fn prepare(
        &self,
        session: &mut Session,
        dictionary: &Dictionary,
        dataset: Dataset,
    ) -> Result<(), EngineError> {
        if self.probe(session, dictionary, dataset).await.is_ok() {
            return Ok(());
        }
        for one in self.making(dictionary, dataset) {
            // Where the login may not, they may be there all the same.
            drop(if one.everywhere {
                session.change_all(&one.sql).await
            } else {
                session.change(one.sql).await
            });
        }
        if self.probe(session, dictionary, dataset).await.is_ok() {
            return Ok(());
        }
        // A later dictionary may have more columns; what is there already is refused, and that is well.
        for column in tables::columns(dictionary) {
            let definition = column.definition(self.dialect);
            if self.cluster.is_some() {
                let own = tables::shard(dataset);
                let sql = format!("alter table {own} add column {definition}");
                drop(session.change_all(&sql).await);
            }
            let all = table(dataset);
            let sql = format!("alter table {all} add column {definition}");
            drop(session.change(sql).await);
        }
        match self.probe(session, dictionary, dataset).await {
            Ok(()) => Ok(()),
            Err(error @ (EngineError::Lost | EngineError::Unreachable)) => Err(error),
            Err(_) => Err(EngineError::Table {
                table: table(dataset),
            }),
        }
    }

    /// Whether the tables are there with all columns.
    async fn probe(
        &self,
        session: &mut Session,
        dictionary: &Dictionary,
        dataset: Dataset,
    ) -> Result<(), EngineError> {
        let columns = tables::names(&tables::columns(dictionary));
        for sql in [
            format!("select {columns} from {} where 1 = 0", table(dataset)),
            format!(
                "select {} from {} where 1 = 0",
                tables::PARTS_COLUMNS,
                tables::PARTS
            ),
        ] {
            session.each(sql, |_| Ok(())).await?;
        }
        Ok(())
    }

    /// Sends months from their folders; those that are there already are passed over. Gives how many were
    /// sent. A kill at any moment leaves each month whole or not there.
    pub async fn send(
        &self,
        dictionary: &Dictionary,
        months: &[(Part, PathBuf)],
    ) -> Result<usize, EngineError> {
        let mut session = Session::open(self).await?;
        let mut ready = BTreeSet::new();
        let mut sent = 0;
        for (part, folder) in months {
            let of = dictionary.of(part.dataset).ok_or(EngineError::Answer)?;
            if ready.insert(part.dataset) {
                self.prepare(&mut session, &of, part.dataset).await?;
                parts::owned(&mut session, self.dialect, &self.hospital, true).await?;
            }
            let there = held(&mut session, self.dialect, Some(&[*part])).await?;
            if self.holds(&mut session, *part, &there).await? {
                continue;
            }
            send::send(&mut session, self, (*part, folder), &of).await?;
            sent += 1;
        }
        Ok(sent)
    }

    /// Deletes what is there of no registered month: rests of killed loads, of discarded and retired ones.
    pub async fn sweep(&self, registered: &BTreeSet<i64>) -> Result<usize, EngineError> {
        let mut session = Session::open(self).await?;
        let all = match held(&mut session, self.dialect, None).await {
            Err(error) if error.is_no_table() => return Ok(0),
            all => all?,
        };
        // Tables of an earlier build name nobody: they are whose months are in them.
        let own = all.is_empty() || all.keys().any(|part| registered.contains(part));
        parts::owned(&mut session, self.dialect, &self.hospital, own).await?;
        let mut gone = 0;
        for (part, held) in all {
            if !registered.contains(&part) {
                parts::remove(&mut session, self, part, held.dataset).await?;
                gone += 1;
            }
        }
        Ok(gone)
    }

    /// The parts that are not there whole, by their marks and by counting their rows.
    pub async fn missing(&self, wanted: &[Part]) -> Result<Vec<Part>, EngineError> {
        let mut session = Session::open(self).await?;
        if wanted.is_empty() {
            // Over HTTP nothing has been asked yet.
            session.each("select '1'".to_owned(), |_| Ok(())).await?;
            return Ok(Vec::new());
        }
        let there = match held(&mut session, self.dialect, Some(wanted)).await {
            Err(error) if error.is_no_table() => return Ok(wanted.to_vec()),
            there => there?,
        };
        let mut missing = Vec::new();
        for part in wanted {
            if !self.holds(&mut session, *part, &there).await? {
                missing.push(*part);
            }
        }
        Ok(missing)
    }

    /// Whether a part is there whole: by its mark, and with as many rows as the node has.
    async fn holds(
        &self,
        session: &mut Session,
        part: Part,
        there: &BTreeMap<i64, Held>,
    ) -> Result<bool, EngineError> {
        let marked = there.get(&part.number).and_then(|held| held.rows);
        Ok(marked == Some(part.rows)
            && send::count(session, self.dialect, part).await? == part.rows)
    }

    /// How many parts are there that the node does not know.
    pub async fn strangers(&self, registered: &BTreeSet<i64>) -> Result<usize, EngineError> {
        let mut session = Session::open(self).await?;
        match held(&mut session, self.dialect, None).await {
            Err(error) if error.is_no_table() => Ok(0),
            all => Ok(all?
                .keys()
                .filter(|part| !registered.contains(part))
                .count()),
        }
    }
}
