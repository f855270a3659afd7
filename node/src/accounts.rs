//! Who may sign in to this node's pages. Whoever decides here signs in under the name that the register of
//! officers has, and is signed out for good when the register lets that person go.

use schemas::digest::Digest;
use schemas::id::Slug;
use schemas::officer::Role;
use schemas::time::Timestamp;
use web::site::accounts as kept;
pub use web::site::accounts::{Account, AccountError};
pub use web::site::password::{Hashed, MOST, generate};

use crate::access::{self, AccessError, DECIDING};
use crate::store::state::{Change, State, StateError, append};

/// The roles that accounts here have.
pub const ROLES: [Role; 4] = [
    Role::Finance,
    Role::Steward,
    Role::SecurityOfficer,
    Role::It,
];

/// The name is no officer's.
#[derive(Debug, thiserror::Error)]
#[error(
    "`{name}` is not registered as {}; an account that decides bears the name of an officer (`officer list`)",
    .role.as_str()
)]
pub struct NotOfficer {
    name: Slug,
    role: Role,
}

impl From<StateError> for AccountError {
    fn from(error: StateError) -> Self {
        Self::State(Box::new(error))
    }
}

impl From<AccessError> for AccountError {
    fn from(error: AccessError) -> Self {
        Self::State(Box::new(error))
    }
}

/// Whether the register of officers bears an account out; one that decides nothing needs no entry.
async fn borne_out(state: &State, hospital: &Slug, account: &Account) -> Result<bool, AccessError> {
    if !DECIDING.contains(&account.role) {
        return Ok(true);
    }
    let register = access::officers(state.pool(), hospital).await?;
    let mut all = register.all().iter();
    Ok(all.any(|officer| officer.name == account.name && officer.role == account.role))
}

/// Adds an account, or sets the password of one that is there. `by` is the officer; the log names both, and
/// the role.
pub async fn set(
    state: &State,
    hospital: &Slug,
    account: &Account,
    password: &str,
    (by, new): (&Slug, bool),
) -> Result<(), AccountError> {
    if !ROLES.contains(&account.role) {
        return Err(AccountError::Role(account.role));
    }
    if !borne_out(state, hospital, account).await? {
        let stranger = NotOfficer {
            name: account.name.clone(),
            role: account.role,
        };
        return Err(AccountError::State(Box::new(stranger)));
    }
    let hashed = Hashed::new(password)?;
    let mut change = state.begin().await?;
    kept::put(&mut change, account, &hashed, new).await?;
    let kind = if new { "account" } else { "account-password" };
    told(&mut change, account, (kind, by)).await?;
    Ok(change.commit().await?)
}

/// Removes an account: whoever is signed in with it is signed out.
pub async fn remove(
    state: &State,
    name: &Slug,
    by: &Slug,
    at: Timestamp,
) -> Result<(), AccountError> {
    let mut change = state.begin().await?;
    let removed = kept::remove(&mut change, name).await?;
    let gone = Account {
        changed: at,
        ..removed
    };
    told(&mut change, &gone, ("account-removed", by)).await?;
    Ok(change.commit().await?)
}

async fn told(
    change: &mut Change,
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

/// All accounts by name.
pub async fn all(state: &State) -> Result<Vec<Account>, AccountError> {
    kept::all(state.pool()).await
}

/// An account that counts now, and its password as kept.
pub async fn find(
    state: &State,
    hospital: &Slug,
    name: &Slug,
) -> Result<Option<(Account, Hashed)>, AccountError> {
    let Some(found) = kept::find(state.pool(), name).await? else {
        return Ok(None);
    };
    let counts = borne_out(state, hospital, &found.0).await?;
    Ok(counts.then_some(found))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_account_that_decides_is_an_officers() {
        let folder = tempfile::tempdir().unwrap();
        let state = State::open(folder.path()).await.unwrap();
        let slug = |text: &str| text.parse::<Slug>().unwrap();
        let (h1, by) = (slug("h1"), slug("zhao-min"));
        let account = |role| Account {
            name: slug("li-hua"),
            role,
            changed: Timestamp(5),
        };
        let password = "long enough one";
        for role in [Role::Steward, Role::SecurityOfficer, Role::Administrator] {
            let refused = set(&state, &h1, &account(role), password, (&by, true)).await;
            assert!(refused.is_err(), "{role:?}");
        }
        assert!(state.log().await.unwrap().is_empty());
        set(&state, &h1, &account(Role::It), password, (&by, true))
            .await
            .unwrap();
        assert!(find(&state, &h1, &slug("li-hua")).await.unwrap().is_some());
        remove(&state, &slug("li-hua"), &by, Timestamp(6))
            .await
            .unwrap();
        assert!(find(&state, &h1, &slug("li-hua")).await.unwrap().is_none());
        assert_eq!(state.log().await.unwrap().len(), 2);
    }
}
