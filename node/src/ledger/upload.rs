//! The one transaction in which an upload of a pooled round is charged, stored and logged. Neither
//! the exact cells nor the noise nor the seeds are in it: only the bytes that may leave.

use policies::plan::Apart;
use pooled::manifest::Round;
use pooled::upload::Upload;
use schemas::digest::Digest;
use schemas::id::Slug;
use schemas::loss::Rho;
use schemas::question::Release;
use schemas::time::Timestamp;
use sqlx::Row as _;

use super::limit::raise;
use super::told::{Of, keep_apart, wholes_left};
use super::{LedgerError, Payer, Step, WORST, Watch, name, rolled_back, voided, whole};
use crate::store::state::{Change, State, append};

/// An upload that was paid for. Only the ledger makes one, so an unpaid upload cannot be sent.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PaidUpload {
    bytes: Vec<u8>,
    paid_now: Rho,
}

impl PaidUpload {
    /// The bytes that are sent, the same whenever they are.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// What was charged to each data year just now; zero for a stored upload.
    pub fn paid_now(&self) -> Rho {
        self.paid_now
    }
}

/// What is charged, and for what.
#[derive(Clone, Debug)]
pub struct Due<'d> {
    /// The round.
    pub round: &'d Round,
    /// Digest of the question that was scanned for.
    pub question: Digest,
    /// Loss of each data year.
    pub charge: Rho,
    /// Loss of each data year if the whole committee colludes.
    pub worst: Rho,
    /// What the round tells about, and what it may do so beside.
    pub apart: &'d Apart,
    /// The data that it tells of.
    pub of: Of,
}

/// The stored upload of a round; of another manifest under the name there is none.
pub async fn stored_upload(
    state: &State,
    round: &Round,
) -> Result<Option<PaidUpload>, LedgerError> {
    if rolled_back(state.pool()).await? {
        return Err(LedgerError::RolledBack);
    }
    let row = sqlx::query("select upload, voided from pooled_uploads where manifest = $1")
        .bind(round.hash().to_string())
        .fetch_optional(state.pool())
        .await?;
    row.as_ref()
        .map(|row| kept(row, &round.manifest().round))
        .transpose()
}

/// A stored upload; that of a voided round is gone and leaves no more.
fn kept(row: &sqlx::sqlite::SqliteRow, round: &Slug) -> Result<PaidUpload, LedgerError> {
    if row.try_get::<Option<i64>, _>("voided")?.is_some() {
        return Err(LedgerError::Voided(round.clone()));
    }
    Ok(PaidUpload {
        bytes: row.try_get("upload")?,
        paid_now: Rho::ZERO,
    })
}

/// Charges and stores an upload. If another worker was faster, this one is dropped unsent and the
/// stored one returned, free of charge.
pub async fn charge_upload(
    state: &State,
    due: &Due<'_>,
    upload: &Upload,
    payer: Payer<'_>,
    watch: Watch,
) -> Result<PaidUpload, LedgerError> {
    let manifest = due.round.manifest();
    if due.question != manifest.question || upload.masked().hospital() != payer.hospital {
        return Err(LedgerError::OtherQuestion);
    }
    let bytes = upload.to_bytes().map_err(|_| LedgerError::Damaged)?;
    let mut change = state.begin().await?;
    watch(Step::Begun);
    if rolled_back(&mut *change).await? {
        return Err(LedgerError::RolledBack);
    }
    let name_of = &manifest.round;
    let before =
        sqlx::query("select manifest, upload, voided from pooled_uploads where round = $1")
            .bind(name_of.as_str())
            .fetch_optional(&mut *change)
            .await?;
    if let Some(row) = before {
        if row.try_get::<String, _>(0)? != due.round.hash().to_string() {
            return Err(LedgerError::SecondManifest(name_of.clone()));
        }
        return kept(&row, name_of);
    }
    if voided(&mut *change, due.round.hash()).await? {
        return Err(LedgerError::Voided(name_of.clone()));
    }
    if !payer.under.holds(&mut *change).await? {
        return Err(LedgerError::Changed);
    }
    keep_apart(
        &mut change,
        &due.apart.subjects,
        Release::Pooled,
        manifest.period,
    )
    .await?;
    wholes_left(&mut change, &due.apart.wholes, &due.of).await?;
    sqlx::query(
        "insert into pooled_uploads \
         (round, manifest, upload, digest, charged_nano, worst_nano, purpose, answer_by, at, question) \
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
    )
    .bind(name_of.as_str())
    .bind(due.round.hash().to_string())
    .bind(&bytes)
    .bind(upload.masked().digest().to_string())
    .bind(whole(due.charge)?)
    .bind(whole(due.worst)?)
    .bind(name(payer.purpose))
    .bind(manifest.answer_by.0)
    .bind(payer.at.0)
    .bind(due.question.to_string())
    .execute(&mut *change)
    .await?;
    watch(Step::Stored);
    let policy = payer.policy;
    let quota = policy.quota(payer.purpose);
    for year in manifest.period.years() {
        let lines = [
            ("all", due.charge, policy.allowance.total),
            (name(payer.purpose), due.charge, quota),
            (WORST, due.worst, policy.pooled.worst),
        ];
        for (line, loss, limit) in lines {
            raise(&mut change, year.0, line, loss, limit).await?;
        }
    }
    watch(Step::Paid);
    log(&mut change, due, upload, payer).await?;
    watch(Step::Logged);
    change.commit().await?;
    watch(Step::Committed);
    Ok(PaidUpload {
        bytes,
        paid_now: due.charge,
    })
}

async fn log(
    change: &mut Change,
    due: &Due<'_>,
    upload: &Upload,
    payer: Payer<'_>,
) -> Result<(), LedgerError> {
    let manifest = due.round.manifest();
    let years: Vec<String> = manifest
        .period
        .years()
        .iter()
        .map(ToString::to_string)
        .collect();
    let detail = [
        ("round", manifest.round.to_string()),
        ("question", due.question.to_string()),
        ("charge", due.charge.to_string()),
        ("worst", due.worst.to_string()),
        ("purpose", name(payer.purpose).to_owned()),
        ("years", years.join(" ")),
        ("upload", upload.masked().digest().to_string()),
        ("policy", payer.under.policy.to_string()),
    ];
    let subject = *due.round.hash();
    Ok(append(change, payer.at, "pooled-charge", subject, &detail).await?)
}

/// Rounds that this node uploaded to and that are neither known to be certified or void nor over.
pub async fn open_uploads(state: &State, now: Timestamp) -> Result<u32, LedgerError> {
    let open: i64 = sqlx::query_scalar(
        "select count(*) from pooled_uploads u where u.answer_by >= $1 and u.voided is null \
         and not exists (select 1 from pooled_certified c where c.manifest = u.manifest)",
    )
    .bind(now.0)
    .fetch_one(state.pool())
    .await?;
    Ok(u32::try_from(open).unwrap_or(u32::MAX))
}

/// Rounds that asked this question and hold an upload of this node, oldest first; no voided ones.
pub async fn uploaded_for(state: &State, question: &Digest) -> Result<Vec<String>, LedgerError> {
    let rounds = sqlx::query_scalar(
        "select round from pooled_uploads where question = $1 and voided is null order by at, round",
    );
    Ok(rounds
        .bind(question.to_string())
        .fetch_all(state.pool())
        .await?)
}

/// An upload as the ledger shows it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Uploaded {
    /// The round.
    pub round: Slug,
    /// Digest by which survivor sets cite it.
    pub digest: Digest,
    /// What each data year was charged.
    pub charge: Rho,
    /// The same if the whole committee colludes.
    pub worst: Rho,
    /// Whether its round was voided.
    pub voided: bool,
}

/// All uploads, oldest first.
pub async fn uploads(state: &State) -> Result<Vec<Uploaded>, LedgerError> {
    let rows = sqlx::query(
        "select round, digest, charged_nano, worst_nano, voided from pooled_uploads \
         order by at, round",
    )
    .fetch_all(state.pool())
    .await?;
    let read = |row: &sqlx::sqlite::SqliteRow| {
        let loss = |column| -> Result<Rho, LedgerError> {
            let nano = u64::try_from(row.try_get::<i64, _>(column)?);
            Ok(Rho::from_nano(nano.map_err(|_| LedgerError::Damaged)?)?)
        };
        let text = |column| row.try_get::<String, _>(column);
        Ok(Uploaded {
            round: text(0)?.parse().map_err(|_| LedgerError::Damaged)?,
            digest: text(1)?.parse().map_err(|_| LedgerError::Damaged)?,
            charge: loss(2)?,
            worst: loss(3)?,
            voided: row.try_get::<Option<i64>, _>(4)?.is_some(),
        })
    };
    rows.iter().map(read).collect()
}
