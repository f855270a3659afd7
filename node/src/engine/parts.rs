//! Which months are in the engine, and whole. A month's rows stand under one number, the digest of its
//! files. Marks are only ever added while rows come or go, so that a kill at any moment leaves a month either
//! whole or not there: begun, then held with the number of its rows, then going.

use std::collections::{BTreeMap, BTreeSet};

use schemas::digest::Digest;
use schemas::id::Slug;
use schemas::question::Dataset;
use schemas::time::Month;

use super::Engine;
use super::dialect::{Dialect, list};
use super::error::EngineError;
use super::session::Session;
use super::tables::{PARTS, PARTS_COLUMNS, shard, table};
use crate::store::loads::LoadedMonth;

/// The row that names the hospital whose tables these are; parts are numbers from 0.
const OWNER: i64 = -1;
/// Rows are on their way.
const BEGUN: i64 = -1;
/// Rows are being deleted.
const GOING: i64 = -2;

/// One month of one load, as the engine knows it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Part {
    /// The number under which its rows stand.
    pub number: i64,
    /// What a row of it is.
    pub dataset: Dataset,
    /// The month.
    pub month: Month,
    /// Its rows, as the node itself counts them.
    pub rows: u64,
}

/// What is there of a part.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Held {
    pub(crate) dataset: Dataset,
    /// Its rows; `None` where it is not whole.
    pub(crate) rows: Option<u64>,
    /// Names of the fields that its source had.
    pub(crate) fields: BTreeSet<Slug>,
}

impl Part {
    /// The part that has these files.
    pub fn new(dataset: Dataset, month: Month, [data, ranks]: [&str; 2], rows: u64) -> Self {
        let name = month.to_string();
        let parts = [dataset.as_str(), &name, data, ranks].map(str::as_bytes);
        let digest = Digest::of("consilium-part-v1", &parts);
        let first = digest.as_bytes().first_chunk::<8>().copied();
        let number = i64::from_be_bytes(first.unwrap_or_default()) & i64::MAX;
        Self {
            number,
            dataset,
            month,
            rows,
        }
    }

    /// The part of a month that was loaded.
    pub fn of(month: &LoadedMonth) -> Self {
        let digests = [month.data_digest.as_str(), month.ranks_digest.as_str()];
        Self::new(month.dataset, month.month, digests, month.rows)
    }
}

/// What the engine has; of these parts, or of all.
pub(crate) async fn held(
    session: &mut Session,
    dialect: Dialect,
    parts: Option<&[Part]>,
) -> Result<BTreeMap<i64, Held>, EngineError> {
    // Below zero stands whose the tables are.
    let of = parts.map_or_else(
        || " where part >= 0".to_owned(),
        |parts| {
            let numbers = list(parts.iter().map(|part| part.number));
            format!(" where part in ({numbers})")
        },
    );
    let (part, held) = (dialect.text("part"), dialect.text("held"));
    let sql = format!("select {part}, {held}, dataset, fields from {PARTS}{of}");
    let mut found: BTreeMap<i64, Held> = BTreeMap::new();
    let mut going = BTreeSet::new();
    session
        .each(sql, |row| {
            let [part, held, dataset, fields] = row else {
                return Err(EngineError::Answer);
            };
            let number = |text: &str| text.parse::<i64>().map_err(|_| EngineError::Answer);
            let (part, state) = (number(part)?, number(held)?);
            let dataset = Dataset::named(dataset).ok_or(EngineError::Answer)?;
            let one = found.entry(part).or_insert_with(|| Held {
                dataset,
                rows: None,
                fields: BTreeSet::new(),
            });
            if let Ok(rows) = u64::try_from(state) {
                one.rows = Some(rows);
                one.fields = fields.split(',').filter_map(|f| f.parse().ok()).collect();
            } else if state == GOING {
                going.insert(part);
            }
            Ok(())
        })
        .await?;
    for part in going {
        if let Some(one) = found.get_mut(&part) {
            one.rows = None;
        }
    }
    Ok(found)
}

/// Counts the rows of each part and compares them with the node's own number: an engine that lost or gained
/// some does not answer.
pub(crate) async fn counted(
    session: &mut Session,
    dialect: Dialect,
    parts: &[Part],
) -> Result<(), EngineError> {
    let Some(first) = parts.first() else {
        return Ok(());
    };
    let (part, rows) = (dialect.text("part"), dialect.text("count(*)"));
    let (from, numbers) = (
        table(first.dataset),
        list(parts.iter().map(|one| one.number)),
    );
    let sql = format!("select {part}, {rows} from {from} where part in ({numbers}) group by part");
    let mut found: BTreeMap<i64, u64> = BTreeMap::new();
    session
        .each(sql, |row| {
            let [part, rows] = row else {
                return Err(EngineError::Answer);
            };
            let part = part.parse().map_err(|_| EngineError::Answer)?;
            found.insert(part, rows.parse().map_err(|_| EngineError::Answer)?);
            Ok(())
        })
        .await?;
    let other = |one: &&Part| found.get(&one.number).copied().unwrap_or(0) != one.rows;
    match parts.iter().find(other) {
        Some(one) => Err(EngineError::Rows { month: one.month }),
        None => Ok(()),
    }
}

/// Whose the tables are: the first who may claim them says it. Two hospitals in the same tables would delete each
/// other's months.
pub(crate) async fn owned(
    session: &mut Session,
    dialect: Dialect,
    hospital: &Slug,
    may_claim: bool,
) -> Result<(), EngineError> {
    let state = dialect.text("held");
    let sql = format!("select fields, {state} from {PARTS} where part = {OWNER}");
    let (mut owners, mut other) = (0_usize, false);
    session
        .each(sql, |row| {
            owners = owners.saturating_add(1);
            other |= row.first() != Some(&hospital.as_str());
            Ok(())
        })
        .await?;
    if other || (owners == 0 && !may_claim) {
        return Err(EngineError::Foreign);
    }
    if owners == 0 {
        mark(session, (OWNER, Dataset::Stays), (0, hospital.as_str())).await?;
    }
    Ok(())
}

async fn mark(
    session: &mut Session,
    (part, dataset): (i64, Dataset),
    (state, fields): (i64, &str),
) -> Result<(), EngineError> {
    let dataset = dataset.as_str();
    let sql = format!(
        "insert into {PARTS} ({PARTS_COLUMNS}) values ({part}, {state}, '{dataset}', '{fields}')"
    );
    session.change(sql).await
}

/// Says that rows of a part are on their way.
pub(crate) async fn begin(session: &mut Session, part: Part) -> Result<(), EngineError> {
    mark(session, (part.number, part.dataset), (BEGUN, "")).await
}

/// Says that all rows of a part are there. Names of fields hold letters, digits, `_`, `-` and `.` only.
pub(crate) async fn complete(
    session: &mut Session,
    part: Part,
    rows: u64,
    fields: &[&Slug],
) -> Result<(), EngineError> {
    let rows = i64::try_from(rows).map_err(|_| EngineError::Answer)?;
    let fields: Vec<&str> = fields.iter().map(|field| field.as_str()).collect();
    let fields = fields.join(",");
    mark(session, (part.number, part.dataset), (rows, &fields)).await
}

/// Deletes a part: first that it is whole, then its rows, then that it ever was.
pub(crate) async fn remove(
    session: &mut Session,
    engine: &Engine,
    part: i64,
    dataset: Dataset,
) -> Result<(), EngineError> {
    mark(session, (part, dataset), (GOING, "")).await?;
    if engine.dialect == Dialect::ClickHouse {
        let own = match engine.cluster {
            Some(_) => shard(dataset),
            None => table(dataset),
        };
        let drop_rows = format!("alter table {own} drop partition {part}");
        session.change_all(&drop_rows).await?;
        let drop_mark = format!("alter table {PARTS} drop partition {part}");
        return session.change(drop_mark).await;
    }
    let rows = format!("delete from {} where part = {part}", table(dataset));
    session.change(rows).await?;
    let mark = format!("delete from {PARTS} where part = {part}");
    session.change(mark).await
}
