//! The members: who is invited, who has joined with which keys, who was last heard of when.

use proofs::witness::COORDINATOR;
use ring::rand::{SecureRandom as _, SystemRandom};
use schemas::digest::Digest;
use schemas::enrolment::{Fingerprint, JoinCode, JoinRequest};
use schemas::id::Slug;
use schemas::seal::PublicKey;
use schemas::time::Timestamp;
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use crate::authority::{Authority, Issued, RequestError, Role, possesses};
use crate::certificates;
use crate::store::state::{State, StateError, append};

/// How long a join code lives: one day.
pub const CODE_SECONDS: i64 = 86_400;

/// Whether a member takes part.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Standing {
    /// Joined; a second administrator has not compared its fingerprint yet.
    Pending,
    /// Approved.
    Active,
    /// Shut out.
    Revoked,
}

impl Standing {
    /// The word for it in the state file and in lists.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Active => "active",
            Self::Revoked => "revoked",
        }
    }
}

/// An enrolled hospital.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Member {
    /// Its name.
    pub hospital: Slug,
    /// Digest of its client certificate.
    pub certificate: Digest,
    /// The key that signs its answers.
    pub message_key: PublicKey,
    /// Whether it takes part. Of a member found by its certificate: whether by that one.
    pub standing: Standing,
    /// When it joined.
    pub joined: Timestamp,
    /// When it was last heard of.
    pub seen: Option<Timestamp>,
}

impl Member {
    /// What the hospital reads to an administrator by phone.
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of(&self.certificate, &self.message_key)
    }
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

/// Makes a one-time code for a hospital; an older one of its codes is void from now on. `by` is the
/// administrator: another one approves.
pub async fn invite(
    state: &State,
    authority: &Authority,
    url: &str,
    hospital: &Slug,
    by: &Slug,
    now: Timestamp,
) -> Result<JoinCode, JoinError> {
    if hospital.as_str() == COORDINATOR {
        return Err(JoinError::Reserved);
    }
    let secret = random()?;
    let remembered = JoinCode::secret_digest(&secret);
    let mut change = state.begin().await?;
    sqlx::query(
        "insert into invites (hospital, secret, expires, used, invited_by) \
         values ($1, $2, $3, null, $4) on conflict (hospital) do update \
         set secret = $2, expires = $3, used = null, invited_by = $4",
    )
    .bind(hospital.as_str())
    .bind(remembered.to_string())
    .bind(now.0.saturating_add(CODE_SECONDS))
    .bind(by.as_str())
    .execute(&mut *change)
    .await?;
    let detail = [("hospital", hospital.to_string()), ("by", by.to_string())];
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
/// that of two nodes with one code exactly one joins. Whoever joins waits for approval; what the
/// hospital held before is revoked.
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
    possesses(request)?;
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
    certificates::revoke(&mut change, (Role::Hospital, hospital), now).await?;
    certificates::add(&mut change, (Role::Hospital, hospital), &issued).await?;
    sqlx::query(
        "insert into standings (hospital, standing, invited_by, approved_by) \
         select hospital, 'pending', invited_by, null from invites where hospital = $1 \
         on conflict (hospital) do update set standing = 'pending', \
         invited_by = excluded.invited_by, approved_by = null",
    )
    .bind(hospital.as_str())
    .execute(&mut *change)
    .await?;
    let fingerprint = Fingerprint::of(&issued.digest, &request.message_key);
    let detail = [
        ("hospital", hospital.to_string()),
        ("message-key", request.message_key.fingerprint().to_string()),
        ("fingerprint", fingerprint.to_string()),
    ];
    append(&mut change, now, "join", issued.digest, &detail).await?;
    change.commit().await?;
    Ok(issued)
}

/// The member that a certificate belongs to, unless it has expired or was superseded. The first use
/// of a renewed certificate ends the one before an hour later.
pub async fn member(
    state: &State,
    certificate: Digest,
    now: Timestamp,
) -> Result<Option<Member>, StateError> {
    let row = sqlx::query(
        "select m.hospital, c.digest, m.message_key, \
         case when c.revoked is null then s.standing else 'revoked' end, m.joined, h.at, \
         exists (select 1 from certificates o where o.role = c.role and o.holder = c.holder \
         and o.number < c.number and o.accepted_until is null and o.revoked is null) \
         from certificates c join members m on m.hospital = c.holder \
         join standings s on s.hospital = c.holder \
         left join heartbeats h on h.hospital = c.holder \
         where c.role = 'hospital' and c.digest = $1 and c.expires > $2 \
         and (c.accepted_until is null or c.accepted_until > $2)",
    )
    .bind(certificate.to_string())
    .bind(now.0)
    .fetch_optional(state.pool())
    .await?;
    let Some(row) = row else {
        return Ok(None);
    };
    if row.try_get::<i64, _>(6)? != 0 {
        certificates::supersede(state, certificate, now).await?;
    }
    read(&row).map(Some)
}

/// All members by name.
pub async fn members(state: &State) -> Result<Vec<Member>, StateError> {
    let rows = sqlx::query(
        "select m.hospital, m.certificate, m.message_key, s.standing, m.joined, h.at \
         from members m join standings s on s.hospital = m.hospital \
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
        standing: match text(3)?.as_str() {
            "pending" => Standing::Pending,
            "active" => Standing::Active,
            _ => Standing::Revoked,
        },
        joined: Timestamp(row.try_get(4)?),
        seen: row.try_get::<Option<i64>, _>(5)?.map(Timestamp),
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
