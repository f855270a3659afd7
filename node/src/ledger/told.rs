//! What was told, and how: subjects one way only, and the wholes that attributed answers told, with
//! the data they were of and whether the answer has left.

use std::collections::{BTreeMap, BTreeSet};

use schemas::answer::{Answer, Snapshot};
use schemas::digest::Digest;
use schemas::question::Release;
use schemas::time::{Period, Timestamp};
use sqlx::Row as _;

use super::{Identity, LedgerError};
use crate::store::state::{Change, State, StateError};

/// What was answered one way for a month is never answered the other way: a pooled sum less the
/// attributed answers of all hospitals but one would be that one's.
pub(super) async fn keep_apart(
    change: &mut Change,
    subjects: &BTreeSet<String>,
    release: Release,
    period: Period,
) -> Result<(), LedgerError> {
    let way = match release {
        Release::Attributed => "attributed",
        Release::Pooled => "pooled",
    };
    for subject in subjects {
        let other = sqlx::query(
            "select 1 from released_subjects where subject = $1 and way <> $2 \
             and first_month <= $4 and $3 <= last_month limit 1",
        )
        .bind(subject)
        .bind(way)
        .bind(period.from.to_string())
        .bind(period.to.to_string())
        .fetch_optional(&mut **change)
        .await?;
        if other.is_some() {
            return Err(LedgerError::OtherWay(subject.clone()));
        }
        sqlx::query(
            "insert into released_subjects (subject, way, first_month, last_month) \
             values ($1, $2, $3, $4) on conflict do nothing",
        )
        .bind(subject)
        .bind(way)
        .bind(period.from.to_string())
        .bind(period.to.to_string())
        .execute(&mut **change)
        .await?;
    }
    Ok(())
}

/// Before anything is charged: whether these subjects may be answered this way. Keeps nothing.
pub async fn way_is_free(
    state: &State,
    subjects: &BTreeSet<String>,
    release: Release,
    period: Period,
) -> Result<(), LedgerError> {
    let mut change = state.begin().await?;
    keep_apart(&mut change, subjects, release, period).await
}

/// Which data something is told of: wholes and parts belong together only where all of it is equal.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Of {
    period: Period,
    dictionary: Digest,
    releases: String,
}

impl Of {
    /// The months asked about, the dictionary of the question, and the data by month.
    pub fn new(period: Period, dictionary: Digest, data: &[Snapshot]) -> Self {
        let one = |snapshot: &Snapshot| format!("{} release {}", snapshot.month, snapshot.release);
        let releases: Vec<String> = data.iter().map(one).collect();
        Self {
            period,
            dictionary,
            releases: releases.join(", "),
        }
    }
}

/// Keeps what wholes an attributed answer tells, beside the answer, in the transaction of its charge.
pub(super) async fn keep_wholes(
    change: &mut Change,
    wholes: &BTreeSet<String>,
    identity: &Identity,
) -> Result<(), LedgerError> {
    let layout = identity.layout();
    let of = Of::new(layout.period, layout.dictionary, identity.snapshots());
    for whole in wholes {
        sqlx::query(
            "insert into told_wholes (whole, question, releases, mechanism, dictionary, \
             first_month, last_month, data) values ($1, $2, $3, $4, $5, $6, $7, $8)",
        )
        .bind(whole)
        .bind(identity.question().to_string())
        .bind(identity.releases())
        .bind(identity.mechanism().to_string())
        .bind(of.dictionary.to_string())
        .bind(of.period.from.to_string())
        .bind(of.period.to.to_string())
        .bind(&of.releases)
        .execute(&mut **change)
        .await?;
    }
    Ok(())
}

/// An answer has left: the coordinator said that it has it.
pub async fn left(change: &mut Change, answer: &Answer, at: Timestamp) -> Result<(), StateError> {
    let numbers = answer.snapshots.iter().map(|one| one.release.to_string());
    let releases: Vec<String> = numbers.collect();
    sqlx::query(
        "update answers set left_at = $1 where question = $2 and releases = $3 \
         and mechanism = $4 and left_at is null",
    )
    .bind(at.0)
    .bind(answer.question.to_string())
    .bind(releases.join(","))
    .bind(answer.mechanism.to_string())
    .execute(&mut **change)
    .await?;
    Ok(())
}

/// Before anything is scanned for parts: whether [`charge_upload`](super::charge_upload) would find
/// their wholes told.
pub async fn wholes_told(
    state: &State,
    wholes: &BTreeMap<String, String>,
    of: &Of,
) -> Result<(), LedgerError> {
    let mut change = state.begin().await?;
    wholes_left(&mut change, wholes, of).await
}

/// Parts are pooled beside wholes that every hospital of the sum tells by itself, of the very same
/// data: of one that does not, or of other data, the parts' sum less the others' wholes would say
/// what it did not. A whole is told once its answer has left, not before.
pub(super) async fn wholes_left(
    change: &mut Change,
    wholes: &BTreeMap<String, String>,
    of: &Of,
) -> Result<(), LedgerError> {
    for (whole, words) in wholes {
        let rows = sqlx::query(
            "select w.dictionary, w.data, a.left_at from told_wholes w join answers a \
             on a.question = w.question and a.releases = w.releases and a.mechanism = w.mechanism \
             where w.whole = $1 and w.first_month = $2 and w.last_month = $3 order by a.at",
        )
        .bind(whole)
        .bind(of.period.from.to_string())
        .bind(of.period.to.to_string())
        .fetch_all(&mut **change)
        .await?;
        let mut nearest = LedgerError::NoWhole(words.clone());
        let mut told = false;
        for row in &rows {
            let (dictionary, data): (String, String) = (row.try_get(0)?, row.try_get(1)?);
            if dictionary != of.dictionary.to_string() {
                if matches!(nearest, LedgerError::NoWhole(_)) {
                    nearest = LedgerError::OtherDictionary(words.clone());
                }
            } else if data != of.releases {
                nearest = LedgerError::Restated {
                    what: words.clone(),
                    told: data,
                    now: of.releases.clone(),
                };
            } else if row.try_get::<Option<i64>, _>(2)?.is_none() {
                nearest = LedgerError::NotLeft(words.clone());
            } else {
                told = true;
            }
        }
        if !told {
            return Err(nearest);
        }
    }
    Ok(())
}
