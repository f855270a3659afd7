//! The one transaction in which a voided round is remembered and its charge taken back. What a
//! failing committee would cost (`pooled-worst`) stays: the upload has left.

use pooled::manifest::Round;
use pooled::survivors::VoidCertificate;
use schemas::digest::Digest;
use schemas::loss::Rho;
use schemas::time::Timestamp;
use sqlx::Row as _;

use super::{LedgerError, Step, Watch, rolled_back, whole};
use crate::store::state::{Change, State, StateError, append};

/// Whether a round was voided, as far as this node knows.
pub async fn voided<'e>(
    source: impl sqlx::SqliteExecutor<'e>,
    manifest: &Digest,
) -> Result<bool, StateError> {
    let row = sqlx::query("select 1 from pooled_voided where manifest = $1")
        .bind(manifest.to_string())
        .fetch_optional(source)
        .await?;
    Ok(row.is_some())
}

/// When a steward burned the newest rollback; of rounds opened before, nothing is believed here.
pub async fn burned_at<'e>(
    source: impl sqlx::SqliteExecutor<'e>,
) -> Result<Option<Timestamp>, StateError> {
    let at: Option<i64> = sqlx::query_scalar("select max(burned) from rollbacks")
        .fetch_one(source)
        .await?;
    Ok(at.map(Timestamp))
}

/// Verifies a void certificate and, once, takes back what the round's upload was charged, wipes the
/// upload and logs it. Gives what was credited to each data year; nothing where there was no upload,
/// where it was done before, or where the round is older than a burned rollback: its credit may be
/// among what was lost. A round of which any certificate was seen is never credited.
pub async fn credit(
    state: &State,
    round: &Round,
    certificate: &VoidCertificate,
    now: Timestamp,
    watch: Watch,
) -> Result<Option<Rho>, LedgerError> {
    certificate.verify(round)?;
    let (manifest, hash) = (round.manifest(), round.hash());
    let mut change = state.begin().await?;
    watch(Step::Begun);
    if rolled_back(&mut *change).await? {
        return Err(LedgerError::RolledBack);
    }
    let certified = sqlx::query("select 1 from pooled_certified where manifest = $1")
        .bind(hash.to_string())
        .fetch_optional(&mut *change)
        .await?;
    if certified.is_some() {
        return Err(LedgerError::Certified(manifest.round.clone()));
    }
    if voided(&mut *change, hash).await? {
        return Ok(None);
    }
    let text = serde_json::to_string(certificate).map_err(|_| LedgerError::Damaged)?;
    sqlx::query(
        "insert into pooled_voided (manifest, round, certificate, at) values ($1, $2, $3, $4)",
    )
    .bind(hash.to_string())
    .bind(manifest.round.as_str())
    .bind(text)
    .bind(now.0)
    .execute(&mut *change)
    .await?;
    let restored = burned_at(&mut *change).await?;
    let believed = restored.is_none_or(|burned| manifest.opened > burned);
    let paid = wipe(&mut change, hash, now).await?;
    watch(Step::Stored);
    let mut detail = vec![("round", manifest.round.to_string())];
    let paid = paid.filter(|_| believed);
    if let Some((charge, purpose)) = &paid {
        let years = manifest.period.years();
        for year in &years {
            for line in ["all", purpose.as_str()] {
                lower(&mut change, year.0, line, *charge).await?;
            }
        }
        let years: Vec<String> = years.iter().map(ToString::to_string).collect();
        detail.push(("credit", charge.to_string()));
        detail.push(("purpose", purpose.clone()));
        detail.push(("years", years.join(" ")));
    }
    watch(Step::Paid);
    append(&mut change, now, "pooled-void", *hash, &detail).await?;
    watch(Step::Logged);
    change.commit().await?;
    watch(Step::Committed);
    Ok(paid.map(|(charge, _)| charge))
}

/// Empties the upload of a round; gives what it was charged, and which line beside `all` paid.
async fn wipe(
    change: &mut Change,
    manifest: &Digest,
    now: Timestamp,
) -> Result<Option<(Rho, String)>, LedgerError> {
    let row = sqlx::query(
        "update pooled_uploads set upload = x'', voided = $1 \
         where manifest = $2 and voided is null returning charged_nano, purpose",
    )
    .bind(now.0)
    .bind(manifest.to_string())
    .fetch_optional(&mut **change)
    .await?;
    let Some(row) = row else {
        return Ok(None);
    };
    let nano = u64::try_from(row.try_get::<i64, _>(0)?).map_err(|_| LedgerError::Damaged)?;
    Ok(Some((Rho::from_nano(nano)?, row.try_get(1)?)))
}

async fn lower(
    change: &mut Change,
    year: u16,
    purpose: &str,
    credit: Rho,
) -> Result<(), LedgerError> {
    let lowered = sqlx::query(
        "update ledger set spent_nano = spent_nano - $1 \
         where year = $2 and purpose = $3 and spent_nano >= $1",
    )
    .bind(whole(credit)?)
    .bind(i64::from(year))
    .bind(purpose)
    .execute(&mut **change)
    .await?;
    if lowered.rows_affected() == 1 {
        Ok(())
    } else {
        Err(LedgerError::Damaged)
    }
}
