//! The members: who is invited, who has joined with which keys, who was last heard of when.

use proofs::witness::COORDINATOR;
use ring::rand::{SecureRandom as _, SystemRandom};
use schemas::digest::Digest;
use schemas::enrolment::{JoinCode, JoinRequest};
use schemas::id::Slug;
use schemas::seal::PublicKey;
use schemas::time::Timestamp;
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use crate::authority::{Authority, Issued, RequestError};
use crate::store::state::{State, StateError, append};

/// How long a join code lives: seven days.
pub const CODE_SECONDS: i64 = 7 * 86_400;

/// An enrolled hospital.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Member {
    /// Its name.
    pub hospital: Slug,
    /// Digest of its client certificate.
    pub certificate: Digest,
    /// The key that signs its answers.
    pub message_key: PublicKey,
    /// When it joined.
    pub joined: Timestamp,
    /// When it was last heard of.
    pub seen: Option<Timestamp>,
}

/// Why a code was not made or a hospital did not join.
#[derive(Debug, thiserror::Error)]
pub enum JoinError {
    /// Wrong, used up, expired or another hospital's: not told apart, so that nothing can be
    /// learnt by trying.
    #[error("the join code is not valid: wrong, used up or expired")]
    Code,
    /// A hospital of this name would share the coordinator's log.
    #[error("no hospital can be called `coordinator`; take another name")]
    Reserved,
    /// The signing request is refused.
    #[error("the signing request is refused")]
    Request(#[from] RequestError),
    /// The system's random source failed.
    #[error("the system's random source failed")]
    Random,
    /// The state file failed.
    #[error("the state file could not be read or written")]
    State(#[from] StateError),
}

impl From<sqlx::Error> for JoinError {
    fn from(error: sqlx::Error) -> Self {
        Self::State(error.into())
    }
}

/// Makes a one-time code for a hospital; an older one of its codes is void from now on.
pub async fn invite(
    state: &State,
    authority: &Authority,
    url: &str,
    hospital: &Slug,
    now: Timestamp,
) -> Result<JoinCode, JoinError> {
    if hospital.as_str() == COORDINATOR {
        return Err(JoinError::Reserved);
    }
    let secret = random()?;
    let remembered = JoinCode::secret_digest(&secret);
    let mut change = state.begin().await?;
    sqlx::query(
        "insert into invites (hospital, secret, expires, used) values ($1, $2, $3, null) \
         on conflict (hospital) do update set secret = $2, expires = $3, used = null",
    )
    .bind(hospital.as_str())
    .bind(remembered.to_string())
    .bind(now.0.saturating_add(CODE_SECONDS))
    .execute(&mut *change)
    .await?;
    let detail = [("hospital", hospital.to_string())];
    append(&mut change, now, "invite", remembered, &detail).await?;
    change.commit().await?;
    Ok(JoinCode {
        url: url.to_owned(),
        hospital: hospital.clone(),
        ca: authority.ca_digest(),
        secret,
    })
}

fn random() -> Result<Digest, JoinError> {
    let mut bytes = [0; 32];
    SystemRandom::new()
        .fill(&mut bytes)
        .map_err(|_| JoinError::Random)?;
    // Any 32 bytes would do; a digest of random bytes is as random as they are.
    Ok(Digest::of("consilium-join-secret-seed-v1", &[&bytes]))
}

/// Uses up a code, signs the request and registers certificate and message key: one change, so
/// that of two nodes with one code exactly one joins.
pub async fn join(
    state: &State,
    authority: &Authority,
    request: &JoinRequest,
    now: Timestamp,
) -> Result<Issued, JoinError> {
    let remembered = JoinCode::secret_digest(&request.secret);
    let hospital = &request.hospital;
    let mut change = state.begin().await?;
    let used = sqlx::query(
        "update invites set used = $1 \
         where hospital = $2 and secret = $3 and used is null and expires > $1",
    )
    .bind(now.0)
    .bind(hospital.as_str())
    .bind(remembered.to_string())
    .execute(&mut *change)
    .await?;
    if used.rows_affected() != 1 {
        return Err(JoinError::Code);
    }
    let issued = authority.issue(hospital, &request.signing_request, now)?;
    sqlx::query(
        "insert into members (hospital, certificate, message_key, joined) \
         values ($1, $2, $3, $4) \
         on conflict (hospital) do update set certificate = $2, message_key = $3, joined = $4",
    )
    .bind(hospital.as_str())
    .bind(issued.digest.to_string())
    .bind(key_text(&request.message_key)?)
    .bind(now.0)
    .execute(&mut *change)
    .await?;
    let detail = [
        ("hospital", hospital.to_string()),
        ("message-key", request.message_key.fingerprint().to_string()),
    ];
    append(&mut change, now, "join", issued.digest, &detail).await?;
    change.commit().await?;
    Ok(issued)
}

/// The member that a certificate belongs to.
pub async fn member(state: &State, certificate: Digest) -> Result<Option<Member>, StateError> {
    let row = sqlx::query(
        "select m.hospital, m.certificate, m.message_key, m.joined, h.at from members m \
         left join heartbeats h on h.hospital = m.hospital where m.certificate = $1",
    )
    .bind(certificate.to_string())
    .fetch_optional(state.pool())
    .await?;
    row.as_ref().map(read).transpose()
}

/// All members by name.
pub async fn members(state: &State) -> Result<Vec<Member>, StateError> {
    let rows = sqlx::query(
        "select m.hospital, m.certificate, m.message_key, m.joined, h.at from members m \
         left join heartbeats h on h.hospital = m.hospital order by m.hospital",
    )
    .fetch_all(state.pool())
    .await?;
    rows.iter().map(read).collect()
}

fn read(row: &SqliteRow) -> Result<Member, StateError> {
    let text = |column| row.try_get::<String, _>(column);
    Ok(Member {
        hospital: text(0)?.parse().map_err(|_| StateError::Name)?,
        certificate: text(1)?.parse().map_err(|_| StateError::Range)?,
        message_key: key(&text(2)?)?,
        joined: Timestamp(row.try_get(3)?),
        seen: row.try_get::<Option<i64>, _>(4)?.map(Timestamp),
    })
}

/// A public key as the state file holds it.
pub(crate) fn key(text: &str) -> Result<PublicKey, StateError> {
    serde_json::from_value(serde_json::Value::String(text.to_owned()))
        .map_err(|_| StateError::Range)
}

/// The key as the state file holds it: 64 hexadecimal digits.
pub(crate) fn key_text(key: &PublicKey) -> Result<String, StateError> {
    match serde_json::to_value(key) {
        Ok(serde_json::Value::String(text)) => Ok(text),
        Ok(_) | Err(_) => Err(StateError::Range),
    }
}

/// Remembers that a member was heard of; at most one write every few seconds.
pub async fn heard(state: &State, member: &Member, now: Timestamp) -> Result<(), StateError> {
    const SECONDS: i64 = 5;
    let fresh = member
        .seen
        .is_some_and(|seen| seen <= now && now.0.saturating_sub(seen.0) < SECONDS);
    if fresh {
        return Ok(());
    }
    sqlx::query(
        "insert into heartbeats (hospital, at) values ($1, $2) \
         on conflict (hospital) do update set at = $2",
    )
    .bind(member.hospital.as_str())
    .bind(now.0)
    .execute(state.pool())
    .await?;
    Ok(())
}
