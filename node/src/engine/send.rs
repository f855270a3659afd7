//! Rows on their way to the engine: batch by batch from the mapped files of a load, so that memory holds one
//! batch as text at a time.

use std::io::Write as _;
use std::path::Path;

use schemas::dictionary::Dictionary;
use schemas::id::Slug;

use super::Engine;
use super::dialect::Dialect;
use super::error::EngineError;
use super::parts::{self, Part};
use super::session::Session;
use super::tables::{self, Column, Holds};
use crate::store::columns::{Batch, Codes, MonthColumns};

/// Rows of one `insert` of MySQL's wire: below its 16 MiB.
const INSERT: usize = 4096;

/// Values of a column, one a row.
enum Values<'a> {
    Same(i64),
    Narrow(&'a [u8]),
    Wide(&'a [u16]),
    Amounts(&'a [u32]),
}

impl Values<'_> {
    fn at(&self, row: usize) -> i64 {
        match self {
            Self::Same(value) => *value,
            Self::Narrow(values) => values.get(row).copied().map_or(0, i64::from),
            Self::Wide(values) => values.get(row).copied().map_or(0, i64::from),
            Self::Amounts(values) => values.get(row).copied().map_or(0, i64::from),
        }
    }
}

/// Sends a month of a dataset whose dictionary this is, from its folder. What an earlier attempt left of it
/// is deleted first.
pub(super) async fn send(
    session: &mut Session,
    engine: &Engine,
    (part, folder): (Part, &Path),
    dictionary: &Dictionary,
) -> Result<(), EngineError> {
    let month = part.month;
    let unread = EngineError::Files { month };
    let known = parts::held(session, engine.dialect, Some(&[part])).await?;
    if known.contains_key(&part.number) {
        parts::remove(session, engine, part.number, part.dataset).await?;
    }
    let files = MonthColumns::open(folder, month).map_err(|_| unread.clone())?;
    let columns = tables::columns(dictionary);
    parts::begin(session, part).await?;
    let mut rows = 0_u64;
    for batch in files.batches() {
        let values = columns.iter().map(|column| values(column, part, batch));
        let values: Vec<Values<'_>> = values.collect::<Option<_>>().ok_or(unread.clone())?;
        insert(session, engine, part, (&columns, &values), batch.rows()).await?;
        rows += u64::try_from(batch.rows()).unwrap_or(u64::MAX);
    }
    if count(session, engine.dialect, part).await? != rows {
        return Err(EngineError::Short { month });
    }
    let fields = dictionary.fields.iter().map(|field| &field.id);
    let batches = files.batches();
    let there = |field: &&Slug| batches.iter().all(|b| b.amounts(field.as_str()).is_some());
    let fields: Vec<&Slug> = fields.filter(there).collect();
    parts::complete(session, part, rows, &fields).await
}

/// The values of a column; `None` where the files lack a dimension. An absent field is all zeros, and never
/// asked for.
fn values<'a>(column: &Column, part: Part, batch: &'a Batch) -> Option<Values<'a>> {
    Some(match &column.holds {
        Holds::Part => Values::Same(part.number),
        Holds::Month => Values::Same(i64::from(part.month.index())),
        Holds::Group => Values::Wide(batch.case_group()),
        Holds::Key(id) => match batch.codes(id.as_str())? {
            Codes::Narrow(codes) => Values::Narrow(codes),
            Codes::Wide(codes) => Values::Wide(codes),
        },
        Holds::Field(id) => match batch.amounts(id.as_str()) {
            Some(amounts) => Values::Amounts(amounts),
            None => Values::Same(0),
        },
        Holds::Rank("group_rank") => Values::Narrow(batch.group_rank()),
        Holds::Rank("stay_rank") => Values::Narrow(batch.stay_rank()),
        Holds::Rank(_) => Values::Narrow(batch.series_rank()),
    })
}

/// Number of a part's rows in the engine.
pub(super) async fn count(
    session: &mut Session,
    dialect: Dialect,
    part: Part,
) -> Result<u64, EngineError> {
    let counted = dialect.text("count(*)");
    let from = tables::table(part.dataset);
    let sql = format!("select {counted} from {from} where part = {}", part.number);
    let mut rows = 0;
    session
        .each(sql, |row| {
            let [count] = row else {
                return Err(EngineError::Answer);
            };
            rows = count.parse().map_err(|_| EngineError::Answer)?;
            Ok(())
        })
        .await?;
    Ok(rows)
}

async fn insert(
    session: &mut Session,
    engine: &Engine,
    part: Part,
    (columns, values): (&[Column], &[Values<'_>]),
    rows: usize,
) -> Result<(), EngineError> {
    let names = tables::names(columns);
    let table = tables::table(part.dataset);
    match session {
        Session::Sql(to) if engine.dialect == Dialect::Postgres => {
            let sql = format!("copy {table} ({names}) from stdin");
            Ok(to
                .copy(&sql, text(values, 0, rows, ["", "\t", "\n"]))
                .await?)
        }
        Session::Sql(to) => {
            for start in (0..rows).step_by(INSERT) {
                let end = rows.min(start.saturating_add(INSERT));
                let mut list = text(values, start, end, ["(", ",", "),"]);
                list.pop();
                let list = String::from_utf8(list).map_err(|_| EngineError::Answer)?;
                let sql = format!("insert into {table} ({names}) values {list}");
                to.change(sql).await?;
            }
            Ok(())
        }
        Session::Http(to) => {
            let own = match engine.cluster {
                Some(_) => tables::shard(part.dataset),
                None => table,
            };
            let sql = format!("insert into {own} ({names}) format TabSeparated");
            // Every shard gets its share of every batch.
            let share = rows.div_ceil(to.count().max(1)).max(1);
            for (server, start) in (0..rows).step_by(share).enumerate() {
                let end = rows.min(start.saturating_add(share));
                let rows = text(values, start, end, ["", "\t", "\n"]);
                to.insert(server, &sql, rows).await?;
            }
            Ok(())
        }
    }
}

/// Rows as text: what begins, parts and ends one.
fn text(values: &[Values<'_>], start: usize, end: usize, marks: [&str; 3]) -> Vec<u8> {
    let [begins, parts, ends] = marks;
    let mut out = Vec::new();
    for row in start..end {
        out.extend_from_slice(begins.as_bytes());
        for (at, column) in values.iter().enumerate() {
            if at > 0 {
                out.extend_from_slice(parts.as_bytes());
            }
            // Writing to memory does not fail.
            drop(write!(out, "{}", column.at(row)));
        }
        out.extend_from_slice(ends.as_bytes());
    }
    out
}
