//! Who may sign in to the pages, and with what: local accounts, passwords kept as argon2id alone.

use argon2::{Algorithm, Argon2, Params, Version};
use ring::rand::{SecureRandom as _, SystemRandom};
use schemas::digest::Digest;
use schemas::id::Slug;
use schemas::time::Timestamp;
use serde::Serialize;
use sqlx::Row as _;

use crate::store::state::{State, StateError, append};

/// Fewest characters of a password.
pub const LEAST: usize = 12;
/// Most bytes of a password that is read.
pub const MOST: usize = 200;
/// Accounts at most.
const ACCOUNTS: i64 = 1_000;

/// Memory in KiB, passes, lanes: OWASP's first choice of 2024 for argon2id.
const COST: (u32, u32, u32) = (19_456, 2, 1);

/// What somebody who is signed in may see and do.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Everything on the pages.
    Administrator,
    /// All figures and the log, no accounts.
    Auditor,
}

impl Role {
    /// The word for it in the state file.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Administrator => "administrator",
            Self::Auditor => "auditor",
        }
    }

    fn read(word: &str) -> Option<Self> {
        [Self::Administrator, Self::Auditor]
            .into_iter()
            .find(|role| role.as_str() == word)
    }
}

/// An account, without its password.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Account {
    /// Its name.
    pub name: Slug,
    /// Its role.
    pub role: Role,
    /// When its password was set last: sessions from before are void.
    pub changed: Timestamp,
}

/// Why an account was not changed or a password not hashed.
#[derive(Debug, thiserror::Error)]
pub enum AccountError {
    /// Too short, too long or not plain.
    #[error(
        "a password has at least {LEAST} characters and at most {MOST} bytes, and no control characters"
    )]
    Password,
    /// There is one of this name.
    #[error(
        "there is an account `{0}`; `account remove` it first, or set its password anew with `account password`"
    )]
    Known(Slug),
    /// There is none.
    #[error("there is no account `{0}`; `account list` shows them")]
    Unknown(Slug),
    /// Too many.
    #[error("there are {ACCOUNTS} accounts already")]
    Full,
    /// The system's random source failed.
    #[error("the system's random source failed")]
    Random,
    /// The password could not be hashed.
    #[error("the password could not be hashed")]
    Hash,
    /// The state file failed.
    #[error(transparent)]
    State(#[from] StateError),
}

impl From<sqlx::Error> for AccountError {
    fn from(error: sqlx::Error) -> Self {
        Self::State(error.into())
    }
}

/// A password as it is kept. Its text says nothing of the password.
#[derive(Clone, PartialEq, Eq)]
pub struct Hashed {
    salt: [u8; 16],
    hash: [u8; 32],
}

impl std::fmt::Debug for Hashed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Hashed")
    }
}

impl Hashed {
    /// Hashes a password; some 30 ms of a core, and 19 MiB.
    pub fn new(password: &str) -> Result<Self, AccountError> {
        let mut salt = [0; 16];
        SystemRandom::new()
            .fill(&mut salt)
            .map_err(|_| AccountError::Random)?;
        Self::with(password, salt)
    }

    fn with(password: &str, salt: [u8; 16]) -> Result<Self, AccountError> {
        let (memory, passes, lanes) = COST;
        let params =
            Params::new(memory, passes, lanes, Some(32)).map_err(|_| AccountError::Hash)?;
        let argon = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let mut hash = [0; 32];
        argon
            .hash_password_into(password.as_bytes(), &salt, &mut hash)
            .map_err(|_| AccountError::Hash)?;
        Ok(Self { salt, hash })
    }

    /// One that no password fits, for names that nobody bears: trying costs the same.
    pub fn nobody() -> Self {
        Self {
            salt: [0; 16],
            hash: [0; 32],
        }
    }

    /// Whether it is this password's.
    pub fn fits(&self, password: &str) -> bool {
        // None is derived from an all-zero salt with a hash of zeros, but nobody's must never fit.
        let nobody = *self == Self::nobody();
        let Ok(tried) = Self::with(password, self.salt) else {
            return false;
        };
        // Every byte is looked at, whatever the first ones are.
        let apart = tried
            .hash
            .iter()
            .zip(&self.hash)
            .fold(0, |apart, (a, b)| apart | (a ^ b));
        let same = apart == 0;
        same && !nobody
    }

    fn written(&self) -> String {
        let (memory, passes, lanes) = COST;
        format!(
            "argon2id {memory} {passes} {lanes} {} {}",
            hex(&self.salt),
            hex(&self.hash)
        )
    }

    fn read(text: &str) -> Option<Self> {
        let (memory, passes, lanes) = COST;
        let rest = text.strip_prefix(&format!("argon2id {memory} {passes} {lanes} "))?;
        let (salt, hash) = rest.split_once(' ')?;
        Some(Self {
            salt: unhex(salt)?,
            hash: unhex(hash)?,
        })
    }
}

fn hex(bytes: &[u8]) -> String {
    let halves = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    halves
        .filter_map(|half| char::from_digit(u32::from(half), 16))
        .collect()
}

fn unhex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let mut out = [0; N];
    if text.len() != N.checked_mul(2)? {
        return None;
    }
    for (place, byte) in out.iter_mut().enumerate() {
        let from = place.checked_mul(2)?;
        *byte = u8::from_str_radix(text.get(from..from.checked_add(2)?)?, 16).ok()?;
    }
    Some(out)
}

/// A password that nobody thought of: 24 letters and digits, 119 bits; none that look alike.
pub fn generate() -> Result<String, AccountError> {
    const LETTERS: &[u8; 32] = b"abcdefghjkmnpqrstuvwxyz23456789A";
    let mut bytes = [0; 24];
    SystemRandom::new()
        .fill(&mut bytes)
        .map_err(|_| AccountError::Random)?;
    let letters = bytes
        .iter()
        .filter_map(|byte| LETTERS.get(usize::from(byte % 32)));
    Ok(letters.map(|letter| char::from(*letter)).collect())
}

/// Whether a password may be one.
pub fn acceptable(password: &str) -> Result<(), AccountError> {
    let long = password.chars().count() >= LEAST && password.len() <= MOST;
    if long && !password.chars().any(char::is_control) {
        Ok(())
    } else {
        Err(AccountError::Password)
    }
}

/// Adds an account, or sets the password of one that is there. `by` is the administrator; the log names
/// both, and the role.
pub async fn set(
    state: &State,
    account: &Account,
    password: &str,
    (by, new): (&Slug, bool),
) -> Result<(), AccountError> {
    acceptable(password)?;
    let hashed = Hashed::new(password)?;
    let mut change = state.begin().await?;
    let known: i64 = sqlx::query_scalar("select count(*) from accounts where name = $1")
        .bind(account.name.as_str())
        .fetch_one(&mut *change)
        .await?;
    match (known, new) {
        (0, false) => return Err(AccountError::Unknown(account.name.clone())),
        (1.., true) => return Err(AccountError::Known(account.name.clone())),
        _ => {}
    }
    let all: i64 = sqlx::query_scalar("select count(*) from accounts")
        .fetch_one(&mut *change)
        .await?;
    if all >= ACCOUNTS && new {
        return Err(AccountError::Full);
    }
    sqlx::query(
        "insert into accounts (name, role, password, changed) values ($1, $2, $3, $4) \
         on conflict (name) do update set password = $3, changed = $4",
    )
    .bind(account.name.as_str())
    .bind(account.role.as_str())
    .bind(hashed.written())
    .bind(account.changed.0)
    .execute(&mut *change)
    .await?;
    let kind = if new { "account" } else { "account-password" };
    told(&mut change, account, (kind, by)).await?;
    Ok(change.commit().await?)
}

async fn told(
    change: &mut crate::store::state::Change,
    account: &Account,
    (kind, by): (&str, &Slug),
) -> Result<(), StateError> {
    let detail = [
        ("name", account.name.to_string()),
        ("role", account.role.as_str().to_owned()),
        ("by", by.to_string()),
    ];
    append(change, account.changed, kind, Digest::ZERO, &detail).await
}

/// Removes an account: whoever is signed in with it is signed out.
pub async fn remove(
    state: &State,
    name: &Slug,
    by: &Slug,
    at: Timestamp,
) -> Result<(), AccountError> {
    let account = find(state, name)
        .await?
        .ok_or_else(|| AccountError::Unknown(name.clone()))?
        .0;
    let mut change = state.begin().await?;
    sqlx::query("delete from accounts where name = $1")
        .bind(name.as_str())
        .execute(&mut *change)
        .await?;
    told(
        &mut change,
        &Account {
            changed: at,
            ..account
        },
        ("account-removed", by),
    )
    .await?;
    Ok(change.commit().await?)
}

/// All accounts by name.
pub async fn all(state: &State) -> Result<Vec<Account>, StateError> {
    let rows = sqlx::query("select name, role, password, changed from accounts order by name")
        .fetch_all(state.pool())
        .await?;
    rows.iter().map(|found| Ok(row(found)?.0)).collect()
}

/// An account and its password as kept.
pub async fn find(state: &State, name: &Slug) -> Result<Option<(Account, Hashed)>, StateError> {
    let found = sqlx::query("select name, role, password, changed from accounts where name = $1")
        .bind(name.as_str())
        .fetch_optional(state.pool())
        .await?;
    found.as_ref().map(row).transpose()
}

fn row(found: &sqlx::sqlite::SqliteRow) -> Result<(Account, Hashed), StateError> {
    let (name, role): (String, String) = (found.try_get(0)?, found.try_get(1)?);
    let password: String = found.try_get(2)?;
    let account = Account {
        name: name.parse().map_err(|_| StateError::Name)?,
        role: Role::read(&role).ok_or(StateError::Range)?,
        changed: Timestamp(found.try_get(3)?),
    };
    Ok((account, Hashed::read(&password).ok_or(StateError::Range)?))
}

#[cfg(test)]
mod test;
