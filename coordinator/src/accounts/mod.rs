//! Who may sign in to the pages, and with what: local accounts, passwords kept as argon2id alone.

use schemas::digest::Digest;
use schemas::id::Slug;
pub use schemas::officer::Role;
use schemas::time::Timestamp;
use web::site::accounts as kept;
pub use web::site::accounts::{Account, AccountError};
pub use web::site::password::{Hashed, MOST, generate};

use crate::store::state::{State, StateError, append};

/// The roles that accounts here have: all pages, or all figures and the log.
pub const ROLES: [Role; 2] = [Role::Administrator, Role::Auditor];

impl From<StateError> for AccountError {
    fn from(error: StateError) -> Self {
        Self::State(Box::new(error))
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
    if !ROLES.contains(&account.role) {
        return Err(AccountError::Role(account.role));
    }
    let hashed = Hashed::new(password)?;
    let mut change = state.begin().await?;
    kept::put(&mut change, account, &hashed, new).await?;
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
    let mut change = state.begin().await?;
    let account = kept::remove(&mut change, name).await?;
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
pub async fn all(state: &State) -> Result<Vec<Account>, AccountError> {
    kept::all(state.pool()).await
}

/// An account and its password as kept.
pub async fn find(state: &State, name: &Slug) -> Result<Option<(Account, Hashed)>, AccountError> {
    kept::find(state.pool(), name).await
}

#[cfg(test)]
mod test;
