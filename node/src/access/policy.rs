//! The hospital's policy as a whole: its privacy rules and its access policies, under one digest
//! that two officers signed.

use std::fs;
use std::path::{Path, PathBuf};

use policies::access::{Access, Approved, Officers, policy_digest};
use policies::rules::Privacy;
use schemas::digest::Digest;
use schemas::id::Slug;
use schemas::officer::PolicyApproval;
use schemas::seal::{Sealed, Signer};
use schemas::time::Timestamp;

use super::{AccessError, officers};
use crate::store::state::{State, StateError, append};

/// The hospital's own access policies, if it narrows the shipped ones.
pub const ACCESS: &str = "access.cedar";
/// Where the officers' signatures lie.
const APPROVALS: &str = "policy-approvals";

/// Everything that deciding needs, checked.
#[derive(Debug)]
pub struct Standing {
    /// The validated access policies.
    pub access: Access,
    /// The register.
    pub officers: Officers,
    /// The signed policy.
    pub approved: Approved,
}

/// The access policies in a data folder.
pub fn open(data: &Path) -> Result<Access, AccessError> {
    let path = data.join(ACCESS);
    let own = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(AccessError::File(ACCESS.to_owned(), error)),
    };
    Ok(Access::open(&own)?)
}

/// The digest that officers sign.
pub fn digest(policy: &Privacy, access: &Access) -> Result<Digest, AccessError> {
    Ok(policy_digest(policy, access)?)
}

/// The signatures in a data folder, by file.
pub fn approvals(data: &Path) -> Result<Vec<Sealed<PolicyApproval>>, AccessError> {
    let folder = data.join(APPROVALS);
    let failed = |path: &Path| {
        let name = path.display().to_string();
        move |error| AccessError::File(name, error)
    };
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let mut paths: Vec<PathBuf> = Vec::new();
    for entry in fs::read_dir(&folder).map_err(failed(&folder))? {
        paths.push(entry.map_err(failed(&folder))?.path());
    }
    paths.sort();
    let json = paths
        .into_iter()
        .filter(|path| path.extension().is_some_and(|e| e == "json"));
    json.map(|path| {
        let bytes = fs::read(&path).map_err(failed(&path))?;
        schemas::canonical::read(&bytes)
            .map_err(|_| AccessError::Damaged(path.display().to_string()))
    })
    .collect()
}

/// Signs the policy as it lies there, for one officer. Gives how many have signed it now.
pub async fn approve(
    state: &State,
    (data, hospital): (&Path, &Slug),
    policy: Digest,
    (officer, signer): (&Slug, &Signer),
    at: Timestamp,
) -> Result<usize, AccessError> {
    let mut change = state.begin().await?;
    let register = officers(&mut *change, hospital).await?;
    register.acting(officer, signer)?;
    let approval = PolicyApproval {
        organisation: hospital.clone(),
        policy,
        officer: officer.clone(),
        at,
    };
    let sealed = Sealed::seal(signer, &approval).map_err(policies::access::OfficersError::Seal)?;
    let detail = [("officer", officer.to_string())];
    append(&mut change, at, "policy", policy, &detail).await?;
    let folder = data.join(APPROVALS);
    let path = folder.join(format!("{officer}.json"));
    let written = fs::create_dir_all(&folder)
        .and_then(|()| serde_json::to_vec(&sealed).map_err(std::io::Error::from))
        .and_then(|bytes| fs::write(&path, bytes));
    written.map_err(|error| AccessError::File(path.display().to_string(), error))?;
    change.commit().await.map_err(StateError::from)?;
    match register.approved(policy, &approvals(data)?) {
        Ok(approved) => Ok(approved.by.len()),
        Err(policies::access::OfficersError::TooFew { have, .. }) => Ok(have),
        Err(error) => Err(error.into()),
    }
}

impl Standing {
    /// Opens what a node needs before it may answer anything: valid policies under a digest that
    /// two officers signed.
    pub async fn open(
        state: &State,
        data: &Path,
        hospital: &Slug,
        policy: &Privacy,
    ) -> Result<Self, AccessError> {
        let access = open(data)?;
        let officers = officers(state.pool(), hospital).await?;
        let approved = officers
            .approved(digest(policy, &access)?, &approvals(data)?)
            .map_err(AccessError::Unsigned)?;
        Ok(Self {
            access,
            officers,
            approved,
        })
    }
}
