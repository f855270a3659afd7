//! Insurers, and what is carried between them and hospitals: signed bytes that the coordinator
//! could not make. It sees who asks, when, about how many lines and which places; what is opened is
//! sealed to the insurer.

use schemas::digest::Digest;
use schemas::id::Slug;
use schemas::time::{Month, Timestamp};
use sqlx::Row as _;

use crate::authority::{Authority, RequestError, Role};
use crate::certificates;
use crate::store::state::{State, StateError, append};

/// Requests of one insurer that are held at most.
const MOST_HELD: i64 = 2_000;
/// Bytes of one insurer's requests that are held at most.
const MOST_BYTES: i64 = 256 * 1024 * 1024;
/// Books of one hospital that are held at most.
const MOST_BOOKS: i64 = 600;
/// How long a request, its reply and a book are held: 60 days.
const HELD_SECONDS: i64 = 60 * 86_400;
/// Requests that a hospital is told of at once.
const MOST_TOLD: i64 = 256;

/// An insurer whose certificate is registered.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Insurer(pub Slug);

/// Why something is not carried.
#[derive(Debug, thiserror::Error)]
pub enum RelayError {
    /// The insurer has too many requests here.
    #[error("too many requests or books are held; old ones go after 60 days")]
    Full,
    /// Another reply is held.
    #[error("another reply to this request is held")]
    Conflict,
    /// Not this hospital's or insurer's, or not held.
    #[error("no such request")]
    Unknown,
    /// The signing request.
    #[error("the signing request is refused")]
    Request(#[from] RequestError),
    /// The state file.
    #[error(transparent)]
    State(#[from] StateError),
}

impl From<sqlx::Error> for RelayError {
    fn from(error: sqlx::Error) -> Self {
        Self::State(error.into())
    }
}

/// Admits an insurer: signs its request. An earlier certificate of it is void from now on.
pub async fn admit(
    state: &State,
    authority: &Authority,
    insurer: &Slug,
    request: &str,
    (by, now): (&Slug, Timestamp),
) -> Result<String, RelayError> {
    let issued = authority.issue_for(Role::Insurer, insurer, request, now)?;
    let mut change = state.begin().await?;
    sqlx::query(
        "insert into insurers (insurer, certificate, at) values ($1, $2, $3) \
         on conflict (insurer) do update set certificate = $2, at = $3",
    )
    .bind(insurer.as_str())
    .bind(issued.digest.to_string())
    .bind(now.0)
    .execute(&mut *change)
    .await?;
    certificates::revoke(&mut change, (Role::Insurer, insurer), now).await?;
    certificates::add(&mut change, (Role::Insurer, insurer), &issued).await?;
    let detail = [("insurer", insurer.to_string()), ("by", by.to_string())];
    append(&mut change, now, "admit", issued.digest, &detail).await?;
    change.commit().await?;
    Ok(issued.pem)
}

/// Removes an insurer: its certificate is revoked, its connections are cut.
pub async fn remove(
    state: &State,
    insurer: &Slug,
    (by, now): (&Slug, Timestamp),
) -> Result<(), RelayError> {
    let mut change = state.begin().await?;
    let removed = sqlx::query("delete from insurers where insurer = $1")
        .bind(insurer.as_str())
        .execute(&mut *change)
        .await?;
    if removed.rows_affected() == 0 {
        return Err(RelayError::Unknown);
    }
    certificates::revoke(&mut change, (Role::Insurer, insurer), now).await?;
    let subject = Digest::of("consilium-insurer-v1", &[insurer.as_str().as_bytes()]);
    sqlx::query("delete from audit_relay where insurer = $1 and reply is null")
        .bind(insurer.as_str())
        .execute(&mut *change)
        .await?;
    let detail = [("insurer", insurer.to_string()), ("by", by.to_string())];
    append(&mut change, now, "remove-insurer", subject, &detail).await?;
    change.commit().await?;
    Ok(())
}

/// The insurer of a certificate that is accepted now.
pub async fn insurer(
    state: &State,
    certificate: Digest,
    now: Timestamp,
) -> Result<Option<Insurer>, StateError> {
    let row = sqlx::query(
        "select i.insurer from insurers i join certificates c on c.digest = i.certificate \
         where i.certificate = $1 and c.revoked is null and c.expires > $2",
    )
    .bind(certificate.to_string())
    .bind(now.0)
    .fetch_optional(state.pool())
    .await?;
    let Some(row) = row else { return Ok(None) };
    let name: String = row.try_get(0)?;
    Ok(Some(Insurer(name.parse().map_err(|_| StateError::Name)?)))
}

/// Takes a request for a hospital; the same one again is welcome and has the same id.
pub async fn ask(
    state: &State,
    insurer: &Insurer,
    hospital: &Slug,
    request: &str,
    now: Timestamp,
) -> Result<Digest, RelayError> {
    let names = (insurer.0.as_str().as_bytes(), hospital.as_str().as_bytes());
    let id = Digest::of(
        "consilium-audit-relay-v1",
        &[names.0, names.1, request.as_bytes()],
    );
    let mut change = state.begin().await?;
    sqlx::query("delete from audit_relay where at < $1")
        .bind(now.0.saturating_sub(HELD_SECONDS))
        .execute(&mut *change)
        .await?;
    let held = sqlx::query(
        "select count(*), coalesce(sum(length(request)), 0) from audit_relay where insurer = $1",
    )
    .bind(insurer.0.as_str())
    .fetch_one(&mut *change)
    .await?;
    let (held, bytes): (i64, i64) = (held.try_get(0)?, held.try_get(1)?);
    let known = sqlx::query("select 1 from audit_relay where id = $1")
        .bind(id.to_string())
        .fetch_optional(&mut *change)
        .await?;
    if known.is_some() {
        return Ok(id);
    }
    if held >= MOST_HELD || bytes >= MOST_BYTES {
        return Err(RelayError::Full);
    }
    sqlx::query(
        "insert into audit_relay (id, insurer, hospital, request, at) values ($1, $2, $3, $4, $5)",
    )
    .bind(id.to_string())
    .bind(insurer.0.as_str())
    .bind(hospital.as_str())
    .bind(request)
    .bind(now.0)
    .execute(&mut *change)
    .await?;
    change.commit().await?;
    Ok(id)
}

/// Requests that wait for a hospital: each insurer's oldest, each insurer's next and so on, so that
/// none keeps another's from being told.
pub async fn waiting(state: &State, hospital: &Slug) -> Result<Vec<Digest>, StateError> {
    let rows = sqlx::query(
        "select r.id from audit_relay r join insurers i on i.insurer = r.insurer \
         where r.hospital = $1 and r.reply is null \
         order by row_number() over (partition by r.insurer order by r.at, r.id), r.id limit $2",
    )
    .bind(hospital.as_str())
    .bind(MOST_TOLD)
    .fetch_all(state.pool())
    .await?;
    let ids = rows.iter().map(|row| row.try_get::<String, _>(0));
    ids.map(|id| id?.parse().map_err(|_| StateError::Range))
        .collect()
}

/// A request for a hospital.
pub async fn request(state: &State, hospital: &Slug, id: Digest) -> Result<String, RelayError> {
    let row = sqlx::query(
        "select r.request from audit_relay r join insurers i on i.insurer = r.insurer \
         where r.id = $1 and r.hospital = $2",
    )
    .bind(id.to_string())
    .bind(hospital.as_str())
    .fetch_optional(state.pool())
    .await?;
    Ok(row.ok_or(RelayError::Unknown)?.try_get(0)?)
}

/// Takes a hospital's reply: once.
pub async fn reply(
    state: &State,
    hospital: &Slug,
    id: Digest,
    reply: &str,
) -> Result<(), RelayError> {
    let done = sqlx::query(
        "update audit_relay set reply = $3 where id = $1 and hospital = $2 \
         and (reply is null or reply = $3)",
    )
    .bind(id.to_string())
    .bind(hospital.as_str())
    .bind(reply)
    .execute(state.pool())
    .await?;
    if done.rows_affected() == 1 {
        return Ok(());
    }
    request(state, hospital, id).await?;
    Err(RelayError::Conflict)
}

/// The reply to an insurer's request, once it is there.
pub async fn replied(
    state: &State,
    insurer: &Insurer,
    id: Digest,
) -> Result<Option<String>, RelayError> {
    let row = sqlx::query("select reply from audit_relay where id = $1 and insurer = $2")
        .bind(id.to_string())
        .bind(insurer.0.as_str())
        .fetch_optional(state.pool())
        .await?;
    Ok(row.ok_or(RelayError::Unknown)?.try_get(0)?)
}

/// Holds a book for a payer; a restated month's replaces the earlier one.
pub async fn publish(
    state: &State,
    hospital: &Slug,
    (insurer, month): (&Slug, Month),
    book: &[u8],
    now: Timestamp,
) -> Result<(), RelayError> {
    let mut change = state.begin().await?;
    sqlx::query("delete from audit_books where at < $1")
        .bind(now.0.saturating_sub(HELD_SECONDS))
        .execute(&mut *change)
        .await?;
    let books: i64 = sqlx::query("select count(*) from audit_books where hospital = $1")
        .bind(hospital.as_str())
        .fetch_one(&mut *change)
        .await?
        .try_get(0)?;
    let known = sqlx::query("select 1 from insurers where insurer = $1")
        .bind(insurer.as_str())
        .fetch_optional(&mut *change)
        .await?;
    if known.is_none() {
        return Err(RelayError::Unknown);
    }
    if books >= MOST_BOOKS {
        return Err(RelayError::Full);
    }
    sqlx::query(
        "insert into audit_books (hospital, insurer, month, book, at) values ($1, $2, $3, $4, $5) \
         on conflict (hospital, insurer, month) do update set book = $4, at = $5",
    )
    .bind(hospital.as_str())
    .bind(insurer.as_str())
    .bind(month.to_string())
    .bind(book)
    .bind(now.0)
    .execute(&mut *change)
    .await?;
    change.commit().await?;
    Ok(())
}

/// A payer's book.
pub async fn book(
    state: &State,
    insurer: &Insurer,
    (hospital, month): (&Slug, Month),
) -> Result<Vec<u8>, RelayError> {
    let row = sqlx::query(
        "select book from audit_books where hospital = $1 and insurer = $2 and month = $3",
    )
    .bind(hospital.as_str())
    .bind(insurer.0.as_str())
    .bind(month.to_string())
    .fetch_optional(state.pool())
    .await?;
    Ok(row.ok_or(RelayError::Unknown)?.try_get(0)?)
}
