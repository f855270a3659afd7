//! The dictionaries that the node accepted. Everything works under the latest.

use schemas::canonical;
use schemas::dictionary::Dictionary;
use schemas::digest::Digest;
use schemas::time::Timestamp;
use sqlx::Row as _;

use super::state::{self, State, StateError};

/// Why a dictionary is not accepted.
#[derive(Debug, thiserror::Error)]
pub enum AcceptError {
    /// It breaks a rule of its own.
    #[error(transparent)]
    Unsound(#[from] schemas::dictionary::DictionaryError),
    /// Not newer than the one in use.
    #[error("version {offered} is not newer than the accepted version {held}")]
    NotNewer {
        /// The offered version.
        offered: u32,
        /// The version in use.
        held: u32,
    },
    /// Of another alliance than the one in use.
    #[error("this dictionary belongs to another alliance")]
    OtherAlliance,
    /// The state file refused.
    #[error(transparent)]
    State(#[from] StateError),
}

/// Accepts a dictionary: checked, newer than the last, logged. Accepting the same one again
/// changes nothing.
pub async fn accept(
    state: &State,
    dictionary: &Dictionary,
    signed: bool,
    at: Timestamp,
) -> Result<Digest, AcceptError> {
    dictionary.check()?;
    let digest = dictionary.digest().map_err(StateError::from)?;
    let mut change = state.begin().await?;
    if let Some(held) = latest(state).await? {
        if held.digest().map_err(StateError::from)? == digest {
            return Ok(digest);
        }
        if held.alliance != dictionary.alliance {
            return Err(AcceptError::OtherAlliance);
        }
        if held.version >= dictionary.version {
            return Err(AcceptError::NotNewer {
                offered: dictionary.version,
                held: held.version,
            });
        }
    }
    let bytes = canonical::to_bytes(dictionary).map_err(StateError::from)?;
    let text = String::from_utf8(bytes).map_err(|_| StateError::Range)?;
    sqlx::query("insert into dictionaries (version, digest, body, signed) values ($1, $2, $3, $4)")
        .bind(i64::from(dictionary.version))
        .bind(digest.to_string())
        .bind(text)
        .bind(i64::from(signed))
        .execute(&mut *change)
        .await
        .map_err(StateError::from)?;
    let detail = [
        ("version", dictionary.version.to_string()),
        ("signed", signed.to_string()),
    ];
    state::append(&mut change, at, "dictionary", digest, &detail).await?;
    change.commit().await.map_err(StateError::from)?;
    Ok(digest)
}

/// The dictionary in use.
pub async fn latest(state: &State) -> Result<Option<Dictionary>, StateError> {
    let row = sqlx::query("select body from dictionaries order by version desc limit 1")
        .fetch_optional(state.pool())
        .await?;
    row.map(|row| read(&row.try_get::<String, _>(0)?))
        .transpose()
}

/// An accepted dictionary by its digest.
pub async fn by_digest(state: &State, digest: &Digest) -> Result<Option<Dictionary>, StateError> {
    let row = sqlx::query("select body from dictionaries where digest = $1")
        .bind(digest.to_string())
        .fetch_optional(state.pool())
        .await?;
    row.map(|row| read(&row.try_get::<String, _>(0)?))
        .transpose()
}

fn read(text: &str) -> Result<Dictionary, StateError> {
    Ok(canonical::from_bytes(text.as_bytes())?)
}
