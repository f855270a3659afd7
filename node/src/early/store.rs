//! The table `warnings`: what was told, once each, without whose it was.

use std::collections::BTreeSet;

use policies::early::Alert;
use schemas::time::Timestamp;
use serde::Serialize;
use sqlx::Row as _;

use crate::config::keys::PseudonymKey;
use crate::store::state::{State, StateError};

/// Letters of a hash.
const SHORT: usize = 32;

/// A warning as the node keeps it.
#[derive(Clone, Debug, Serialize)]
pub struct Told {
    /// Keyed hash of the case's number; empty of days and months.
    pub subject: String,
    /// The warning, without case and day.
    pub alert: Alert,
    /// When it was told.
    pub at: Timestamp,
}

/// By which a warning is known when it is computed again.
pub(super) fn id(key: &PseudonymKey, alert: &Alert) -> String {
    let parts = alert.parts();
    hash(key, &parts.each_ref().map(String::as_str))
}

fn hash(key: &PseudonymKey, parts: &[&str]) -> String {
    let mut hasher = blake3::Hasher::new_keyed(key.expose());
    for part in parts {
        hasher.update(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_le_bytes());
        hasher.update(part.as_bytes());
    }
    let text = hasher.finalize().to_hex();
    text.chars().take(SHORT).collect()
}

/// The ids of all that was told.
pub(super) async fn known(state: &State) -> Result<BTreeSet<String>, StateError> {
    let rows = sqlx::query("select id from warnings")
        .fetch_all(state.pool())
        .await?;
    rows.iter().map(|row| Ok(row.try_get(0)?)).collect()
}

/// Keeps what was told.
pub(super) async fn keep(
    state: &State,
    key: &PseudonymKey,
    told: &[(String, Alert)],
    now: Timestamp,
) -> Result<(), StateError> {
    let mut change = state.begin().await?;
    for (id, alert) in told {
        let subject = alert.case.as_deref().map(|case| hash(key, &["case", case]));
        let kept = serde_json::to_string(&alert.kept()).map_err(|_| StateError::Range)?;
        sqlx::query(
            "insert into warnings (id, subject, month, alert, at) values ($1, $2, $3, $4, $5) \
             on conflict do nothing",
        )
        .bind(id)
        .bind(subject.unwrap_or_default())
        .bind(alert.month.to_string())
        .bind(kept)
        .bind(now.0)
        .execute(&mut *change)
        .await?;
    }
    change.commit().await?;
    Ok(())
}

/// What was told, oldest first.
pub async fn list(state: &State) -> Result<Vec<Told>, StateError> {
    let rows = sqlx::query("select subject, alert, at from warnings order by at, id")
        .fetch_all(state.pool())
        .await?;
    let read = |row: &sqlx::sqlite::SqliteRow| {
        let alert: String = row.try_get(1)?;
        Ok(Told {
            subject: row.try_get(0)?,
            alert: serde_json::from_str(&alert).map_err(|_| StateError::Range)?,
            at: Timestamp(row.try_get(2)?),
        })
    };
    rows.iter().map(read).collect()
}
