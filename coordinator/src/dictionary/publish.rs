//! Publishing: the next version under the alliance's key. A published version never changes.

use schemas::dictionary::{Dictionary, DictionaryError};
use schemas::digest::Digest;
use schemas::seal::{SealError, Sealed};
use schemas::time::Timestamp;
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use crate::authority::Authority;
use crate::store::state::{State, StateError, append};

/// A published dictionary.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Published {
    /// As signed.
    pub sealed: Sealed<Dictionary>,
    /// Its digest.
    pub digest: Digest,
    /// What was signed.
    pub dictionary: Dictionary,
}

/// Why a dictionary was not published or read.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// It breaks a rule.
    #[error(transparent)]
    Dictionary(#[from] DictionaryError),
    /// Another alliance's.
    #[error("the dictionary is another alliance's")]
    Alliance,
    /// No difference to the latest version.
    #[error("the dictionary is the same as version {0}")]
    Same(u32),
    /// It could not be signed, or a stored one does not open.
    #[error("the dictionary could not be signed or opened")]
    Seal(#[from] SealError),
    /// The state file failed.
    #[error("the state file could not be read or written")]
    State(#[from] StateError),
}

impl From<sqlx::Error> for PublishError {
    fn from(error: sqlx::Error) -> Self {
        Self::State(error.into())
    }
}

/// Signs a dictionary under the next version number and stores it.
pub async fn publish(
    state: &State,
    authority: &Authority,
    mut dictionary: Dictionary,
    now: Timestamp,
) -> Result<Published, PublishError> {
    dictionary.check()?;
    if dictionary.alliance != *authority.alliance() {
        return Err(PublishError::Alliance);
    }
    let mut change = state.begin().await?;
    let row = sqlx::query("select sealed from dictionaries order by version desc limit 1")
        .fetch_optional(&mut *change)
        .await?;
    dictionary.version = match row {
        None => 1,
        Some(row) => {
            let before = open(&row, authority)?.dictionary;
            dictionary.version = before.version;
            if before == dictionary {
                return Err(PublishError::Same(before.version));
            }
            before.version.checked_add(1).ok_or(StateError::Range)?
        }
    };
    let sealed = Sealed::seal(authority.signer(), &dictionary)?;
    let digest = sealed.digest()?;
    sqlx::query("insert into dictionaries (version, digest, sealed, at) values ($1, $2, $3, $4)")
        .bind(i64::from(dictionary.version))
        .bind(digest.to_string())
        .bind(serde_json::to_string(&sealed).map_err(|_| StateError::Range)?)
        .bind(now.0)
        .execute(&mut *change)
        .await?;
    let detail = [("version", dictionary.version.to_string())];
    append(&mut change, now, "dictionary", digest, &detail).await?;
    change.commit().await.map_err(StateError::from)?;
    Ok(Published {
        sealed,
        digest,
        dictionary,
    })
}

/// The latest version.
pub async fn latest(
    state: &State,
    authority: &Authority,
) -> Result<Option<Published>, PublishError> {
    let row = sqlx::query("select sealed from dictionaries order by version desc limit 1")
        .fetch_optional(state.pool())
        .await?;
    row.map(|row| open(&row, authority)).transpose()
}

/// A version by number.
pub async fn at_version(
    state: &State,
    authority: &Authority,
    version: u32,
) -> Result<Option<Published>, PublishError> {
    let row = sqlx::query("select sealed from dictionaries where version = $1")
        .bind(i64::from(version))
        .fetch_optional(state.pool())
        .await?;
    row.map(|row| open(&row, authority)).transpose()
}

/// A version by its digest.
pub async fn by_digest(
    state: &State,
    authority: &Authority,
    digest: Digest,
) -> Result<Option<Published>, PublishError> {
    let row = sqlx::query("select sealed from dictionaries where digest = $1")
        .bind(digest.to_string())
        .fetch_optional(state.pool())
        .await?;
    row.map(|row| open(&row, authority)).transpose()
}

fn open(row: &SqliteRow, authority: &Authority) -> Result<Published, PublishError> {
    let text: String = row.try_get(0)?;
    let sealed: Sealed<Dictionary> = serde_json::from_str(&text).map_err(|_| StateError::Range)?;
    Ok(Published {
        digest: sealed.digest()?,
        dictionary: sealed.open(&authority.signer().public())?,
        sealed,
    })
}
