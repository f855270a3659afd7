//! The thread that holds the connection: one consistent, read-only picture of the view, questions about it,
//! and its rows in batches, so that neither side waits in memory for the other.

use std::collections::BTreeSet;
use std::sync::mpsc::{Receiver, SyncSender};

use csv::ByteRecord;
use schemas::time::Month;

use super::plan::{Plan, count};
use super::session::Session;
use super::wire::MOST_CHARS;
use super::{Picture, SqlError};
use crate::ingest::IngestError;
use crate::store::marks::Mark;

/// Rows of a batch.
const BATCH: usize = 512;
/// Bytes of a batch.
const BATCH_BYTES: usize = 1024 * 1024;

/// Some rows, or why there are no more.
pub(super) type Batch = Result<Vec<ByteRecord>, IngestError>;

/// What the thread is asked.
pub(super) enum Ask {
    /// Begin a new picture and say what is new in it since a mark.
    Begin {
        last: Option<Mark>,
        tell: SyncSender<Result<Picture, SqlError>>,
    },
    /// Give the rows of the picture.
    Rows {
        months: Option<BTreeSet<Month>>,
        most: Option<u64>,
        tell: SyncSender<Batch>,
    },
}

/// Answers until nobody can ask any more.
pub(super) async fn serve(mut session: Session, plan: &Plan, asks: &Receiver<Ask>) {
    // An answer that nobody waits for is dropped.
    while let Ok(ask) = asks.recv() {
        match ask {
            Ask::Begin { last, tell } => {
                drop(tell.send(begin(&mut session, plan, last.as_ref()).await));
            }
            Ask::Rows { months, most, tell } => {
                if let Err(error) = rows(&mut session, plan, months.as_ref(), most, &tell).await {
                    drop(tell.send(Err(error.into())));
                }
            }
        }
    }
}

/// Begins a picture and looks what is new in it.
async fn begin(
    session: &mut Session,
    plan: &Plan,
    last: Option<&Mark>,
) -> Result<Picture, SqlError> {
    for statement in plan.wire.begin() {
        session.run(statement).await?;
    }
    let mut picture = Picture {
        mark: None,
        months: BTreeSet::new(),
        is_part: last.is_some(),
        has_new: false,
    };
    let Some(watermark) = &plan.watermark else {
        return Ok(picture);
    };
    let (sql, bound) = plan.survey(watermark, last);
    let found = session.one(sql, &bound).await?;
    let empty = count(found.get(1))?;
    if empty > 0 {
        return Err(SqlError::Empty { rows: empty });
    }
    if found.get(3).and_then(Option::as_deref) == Some("1") {
        return Err(SqlError::Fallen);
    }
    if let Some(text) = found.into_iter().nth(2).flatten() {
        let (sql, bound) = plan.at(watermark, &text);
        let rows = count(session.one(sql, &bound).await?.first())?;
        picture.mark = Some(Mark { text, rows });
    }
    let mut again = false;
    if let Some(last) = last {
        let (sql, bound) = plan.at(watermark, &last.text);
        again = count(session.one(sql, &bound).await?.first())? > last.rows;
    }
    if let Some(settled) = &plan.settled {
        let (sql, bound) = plan.touched(settled, last, again);
        session
            .each(sql, &bound, |row| {
                let day = row.first().copied().flatten().unwrap_or_default();
                picture.months.extend(settled.month(day.as_bytes()));
                picture.has_new = true;
                true
            })
            .await?;
    }
    Ok(picture)
}

/// Sends the rows of a picture.
async fn rows(
    session: &mut Session,
    plan: &Plan,
    months: Option<&BTreeSet<Month>>,
    most: Option<u64>,
    tell: &SyncSender<Batch>,
) -> Result<(), SqlError> {
    let (sql, bound) = plan.rows(months, most);
    let (mut batch, mut bytes) = (Vec::new(), 0);
    let mut number = 0_u64;
    session
        .each(sql, &bound, |row| {
            number += 1;
            let long = |text: &&str| text.len() > MOST_CHARS && text.chars().count() > MOST_CHARS;
            if row.iter().flatten().any(long) {
                drop(tell.send(Err(IngestError::TooLong { row: number })));
                return false;
            }
            let mut record = ByteRecord::new();
            for value in row {
                record.push_field(value.unwrap_or_default().as_bytes());
            }
            bytes += record.as_slice().len();
            batch.push(record);
            if batch.len() < BATCH && bytes < BATCH_BYTES {
                return true;
            }
            bytes = 0;
            tell.send(Ok(std::mem::take(&mut batch))).is_ok()
        })
        .await?;
    // An empty batch is the end. Where nobody reads any more, nothing is lost.
    if batch.is_empty() || tell.send(Ok(batch)).is_ok() {
        drop(tell.send(Ok(Vec::new())));
    }
    Ok(())
}
