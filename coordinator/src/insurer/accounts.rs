//! Who may sign in to the insurer's pages: a file that only its owner reads, beside the audits.

use std::path::Path;

use schemas::id::Slug;
use schemas::officer::Role;
use schemas::time::Timestamp;
use serde::{Deserialize, Serialize};
use web::site::accounts::{Account, AccountError};
use web::site::password::Hashed;

use crate::store::private;

const FILE: &str = "accounts.json";
/// Accounts at most.
const MOST: usize = 100;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kept {
    name: Slug,
    password: String,
    changed: i64,
}

fn read(root: &Path) -> Result<Vec<Kept>, AccountError> {
    let path = root.join(FILE);
    if !path.exists() {
        return Ok(Vec::new());
    }
    let bytes = private::read(&path).map_err(|error| AccountError::State(Box::new(error)))?;
    serde_json::from_slice(&bytes).map_err(|_| AccountError::Damaged)
}

fn write(root: &Path, all: &[Kept]) -> Result<(), AccountError> {
    let bytes = serde_json::to_vec_pretty(all).map_err(|_| AccountError::Damaged)?;
    private::replace(&root.join(FILE), &bytes).map_err(|error| AccountError::State(Box::new(error)))
}

fn account(kept: &Kept) -> Account {
    Account {
        name: kept.name.clone(),
        role: Role::InsurerAuditor,
        changed: Timestamp(kept.changed),
    }
}

/// Adds an account, or sets the password of one that is there.
pub fn set(root: &Path, name: &Slug, password: &str, at: Timestamp) -> Result<(), AccountError> {
    let hashed = Hashed::new(password)?;
    let mut all = read(root)?;
    all.retain(|one| one.name != *name);
    if all.len() >= MOST {
        return Err(AccountError::Full);
    }
    all.push(Kept {
        name: name.clone(),
        password: hashed.written(),
        changed: at.0,
    });
    write(root, &all)
}

/// Removes an account: whoever is signed in with it is signed out.
pub fn remove(root: &Path, name: &Slug) -> Result<(), AccountError> {
    let mut all = read(root)?;
    let before = all.len();
    all.retain(|one| one.name != *name);
    if all.len() == before {
        return Err(AccountError::Unknown(name.clone()));
    }
    write(root, &all)
}

/// All accounts.
pub fn all(root: &Path) -> Result<Vec<Account>, AccountError> {
    Ok(read(root)?.iter().map(account).collect())
}

/// An account and its password as kept.
pub(super) fn find(root: &Path, name: &Slug) -> Result<Option<(Account, Hashed)>, AccountError> {
    let all = read(root)?;
    let found = all.iter().find(|one| one.name == *name);
    found
        .map(|kept| {
            let hashed = Hashed::read(&kept.password).ok_or(AccountError::Damaged)?;
            Ok((account(kept), hashed))
        })
        .transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accounts_lie_in_a_file_of_their_own() {
        let folder = tempfile::tempdir().unwrap();
        let li: Slug = "li".parse().unwrap();
        assert!(all(folder.path()).unwrap().is_empty());
        set(folder.path(), &li, "long enough one", Timestamp(1)).unwrap();
        set(folder.path(), &li, "another long one", Timestamp(2)).unwrap();
        let (found, hashed) = find(folder.path(), &li).unwrap().unwrap();
        assert!(found.changed == Timestamp(2) && hashed.fits("another long one"));
        let text = std::fs::read_to_string(folder.path().join(FILE)).unwrap();
        assert!(!text.contains("long one"));
        remove(folder.path(), &li).unwrap();
        assert!(remove(folder.path(), &li).is_err());
        assert!(find(folder.path(), &li).unwrap().is_none());
    }
}
