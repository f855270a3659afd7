//! Who may sign in: the table `accounts` of a state file. Whoever changes it logs that in the same change.

use schemas::id::Slug;
use schemas::officer::Role;
use schemas::time::Timestamp;
use serde::Serialize;
use sqlx::Row as _;
use sqlx::sqlite::{SqliteConnection, SqlitePool, SqliteRow};

use super::password::{Hashed, LEAST, MOST};

/// Accounts at most.
const ACCOUNTS: i64 = 1_000;

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
    /// Another organisation's role.
    #[error("no account here has the role `{}`", .0.as_str())]
    Role(Role),
    /// Too many.
    #[error("there are {ACCOUNTS} accounts already")]
    Full,
    /// What was kept cannot be read.
    #[error("an account is damaged")]
    Damaged,
    /// The system's random source failed.
    #[error("the system's random source failed")]
    Random,
    /// The password could not be hashed.
    #[error("the password could not be hashed")]
    Hash,
    /// The database failed.
    #[error("the state file could not be read or written")]
    Database(#[from] sqlx::Error),
    /// The site's state or log failed.
    #[error(transparent)]
    State(Box<dyn std::error::Error + Send + Sync>),
}

/// Adds an account, or sets the password of one that is there.
pub async fn put(
    change: &mut SqliteConnection,
    account: &Account,
    password: &Hashed,
    new: bool,
) -> Result<(), AccountError> {
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
    .bind(password.written())
    .bind(account.changed.0)
    .execute(&mut *change)
    .await?;
    Ok(())
}

/// Removes an account and gives what it was: whoever is signed in with it is signed out.
pub async fn remove(change: &mut SqliteConnection, name: &Slug) -> Result<Account, AccountError> {
    let known = sqlx::query("select name, role, password, changed from accounts where name = $1")
        .bind(name.as_str())
        .fetch_optional(&mut *change)
        .await?;
    let known = known.ok_or_else(|| AccountError::Unknown(name.clone()))?;
    sqlx::query("delete from accounts where name = $1")
        .bind(name.as_str())
        .execute(&mut *change)
        .await?;
    Ok(row(&known)?.0)
}

/// All accounts by name.
pub async fn all(pool: &SqlitePool) -> Result<Vec<Account>, AccountError> {
    let rows = sqlx::query("select name, role, password, changed from accounts order by name")
        .fetch_all(pool)
        .await?;
    rows.iter().map(|found| Ok(row(found)?.0)).collect()
}

/// An account and its password as kept.
pub async fn find(
    pool: &SqlitePool,
    name: &Slug,
) -> Result<Option<(Account, Hashed)>, AccountError> {
    let found = sqlx::query("select name, role, password, changed from accounts where name = $1")
        .bind(name.as_str())
        .fetch_optional(pool)
        .await?;
    found.as_ref().map(row).transpose()
}

fn row(found: &SqliteRow) -> Result<(Account, Hashed), AccountError> {
    let (name, role): (String, String) = (found.try_get(0)?, found.try_get(1)?);
    let password: String = found.try_get(2)?;
    let account = Account {
        name: name.parse().map_err(|_| AccountError::Damaged)?,
        role: role.parse().map_err(|_| AccountError::Damaged)?,
        changed: Timestamp(found.try_get(3)?),
    };
    Ok((
        account,
        Hashed::read(&password).ok_or(AccountError::Damaged)?,
    ))
}
