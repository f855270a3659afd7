//! What would go, month by month.

use std::collections::BTreeSet;
use std::path::Path;

use schemas::digest::Digest;
use schemas::time::{Month, Timestamp};
use serde::Serialize;
use sqlx::Row as _;

use super::RetentionError;
use crate::ingest::date::month_of;
use crate::store::columns::{data_file, ranks_file};
use crate::store::loads::{self, LoadedMonth};
use crate::store::state::{Change, State, StateError};

/// A table whose rows rest on a month.
pub(super) struct Resting {
    /// What its rows are called in a list.
    pub(super) name: &'static str,
    months: &'static str,
    count: &'static str,
    pub(super) delete: &'static str,
}

macro_rules! resting {
    ($name:literal, $table:literal) => {
        Resting {
            name: $name,
            months: concat!("select distinct month from ", $table),
            count: concat!("select count(*) from ", $table, " where month = $1"),
            delete: concat!("delete from ", $table, " where month = $1"),
        }
    };
}

pub(super) const RESTING: [Resting; 6] = [
    resting!("quality findings", "quality_findings"),
    resting!("quality runs", "quality_runs"),
    resting!("finance's signatures", "quality_signed"),
    resting!("early warnings", "warnings"),
    resting!("cost closes", "cost_months"),
    resting!("cost rates", "cost_rates"),
];

/// Which months go.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Which {
    /// All that ended more than so many months ago.
    Past(u16),
    /// This one.
    Month(Month),
}

impl Which {
    /// Why, in the log's words.
    pub fn why(self) -> &'static str {
        match self {
            Self::Past(_) => "retention",
            Self::Month(_) => "request",
        }
    }

    fn takes(self, month: Month, now: Month) -> bool {
        match self {
            Self::Past(kept) => month.index().saturating_add(kept) < now.index(),
            Self::Month(one) => one == month,
        }
    }
}

/// What would go of one month.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Going {
    /// The month.
    pub month: Month,
    /// Loads that have it: column files, quarantine, reports.
    pub loads: Vec<String>,
    /// Their release numbers; they are never given again.
    pub releases: Vec<u32>,
    /// Bytes of its column files.
    pub bytes: u64,
    /// Rows of the state file that rest on it, by what they are; none where there are none.
    pub resting: Vec<(&'static str, u64)>,
}

/// What would go.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Plan {
    /// Months, oldest first.
    pub months: Vec<Going>,
}

impl Plan {
    /// The word that confirms exactly this list.
    pub fn word(&self) -> String {
        let text = format!("{:?}", self.months);
        Digest::of("consilium-retention-v1", &[text.as_bytes()]).short()
    }
}

/// Lists what would go and changes nothing.
pub async fn plan(
    state: &State,
    data: &Path,
    which: Which,
    now: Timestamp,
) -> Result<Plan, RetentionError> {
    // A change that is never committed: one moment of the state file.
    let mut change = state.begin().await?;
    let held = loads::months(&mut *change).await?;
    Ok(of(&mut change, data, which, (&held, now)).await?)
}

pub(super) async fn of(
    change: &mut Change,
    data: &Path,
    which: Which,
    (held, now): (&[LoadedMonth], Timestamp),
) -> Result<Plan, StateError> {
    let now = month_of(now).ok_or(StateError::Range)?;
    let mut months: BTreeSet<Month> = held.iter().map(|held| held.month).collect();
    for table in RESTING {
        let rows = sqlx::query(table.months).fetch_all(&mut **change).await?;
        for row in rows {
            let month: String = row.try_get(0)?;
            months.insert(month.parse().map_err(|_| StateError::Range)?);
        }
    }
    let mut plan = Plan { months: Vec::new() };
    for month in months.into_iter().filter(|month| which.takes(*month, now)) {
        plan.months.push(going(change, data, month, held).await?);
    }
    Ok(plan)
}

async fn going(
    change: &mut Change,
    data: &Path,
    month: Month,
    held: &[LoadedMonth],
) -> Result<Going, StateError> {
    let mut going = Going {
        month,
        loads: Vec::new(),
        releases: Vec::new(),
        bytes: 0,
        resting: Vec::new(),
    };
    for held in held.iter().filter(|held| held.month == month) {
        going.loads.push(held.load.clone());
        going.releases.extend(held.release);
        let folder = data.join(&held.folder);
        for file in [data_file(&folder, month), ranks_file(&folder, month)] {
            going.bytes += std::fs::metadata(file).map_or(0, |found| found.len());
        }
    }
    for table in RESTING {
        let rows: i64 = sqlx::query_scalar(table.count)
            .bind(month.to_string())
            .fetch_one(&mut **change)
            .await?;
        if rows > 0 {
            going
                .resting
                .push((table.name, u64::try_from(rows).unwrap_or(0)));
        }
    }
    Ok(going)
}
