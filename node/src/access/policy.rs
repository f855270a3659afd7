//! The hospital's policy as a whole: its privacy rules and its access policies, under one digest
//! that two officers signed.

use std::fs;
use std::path::{Path, PathBuf};

use policies::access::{
    self, Access, Approved, Officers, Signatures, Signed, in_force, policy_digest,
};
use policies::rules::Privacy;
use schemas::digest::Digest;
use schemas::id::Slug;
use schemas::officer::PolicyApproval;
use schemas::seal::{Sealed, Signer};
use schemas::time::Timestamp;

use super::{AccessError, history, officers};
use crate::ledger::Under;
use crate::store::state::{State, StateError, append};

/// The hospital's own access policies, if it narrows the shipped ones.
pub const ACCESS: &str = "access.cedar";
/// Where the officers' signatures lie.
const APPROVALS: &str = "policy-approvals";

/// Everything that deciding needs, checked.
#[derive(Debug)]
pub struct Standing {
    /// The privacy rules in force.
    pub policy: Privacy,
    /// The validated access policies.
    pub access: Access,
    /// The register.
    pub officers: Officers,
    /// The signed policy in force.
    pub approved: Approved,
    /// From when the policy in the data folder counts, where it waits.
    pub waits_until: Option<Timestamp>,
    /// How many steps of the register and how many signed policies it was made of.
    of: (usize, usize),
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

/// Signs the policy as it lies there, for one officer.
pub async fn approve(
    state: &State,
    (data, hospital): (&Path, &Slug),
    (rules, access): (&Privacy, &Access),
    (officer, signer): (&Slug, &Signer),
    at: Timestamp,
) -> Result<Signatures, AccessError> {
    history::not_behind(state, at).await?;
    let believed = history::believed(state, at).await?;
    let mut change = state.begin().await?;
    let register = officers(&mut *change, hospital).await?;
    register.acting(officer, signer)?;
    let policy = digest(rules, access)?;
    let approval = PolicyApproval {
        organisation: hospital.clone(),
        policy,
        officer: officer.clone(),
        at,
    };
    let sealed = Sealed::seal(signer, &approval).map_err(access::OfficersError::Seal)?;
    let folder = data.join(APPROVALS);
    let path = folder.join(format!("{officer}.json"));
    let written = fs::create_dir_all(&folder)
        .and_then(|()| serde_json::to_vec(&sealed).map_err(std::io::Error::from))
        .and_then(|bytes| fs::write(&path, bytes));
    written.map_err(|error| AccessError::File(path.display().to_string(), error))?;
    let mut detail = vec![("officer", officer.to_string())];
    let signed = Signed::new(rules, access, approvals(data)?)?;
    let mut all = history::signed(&mut *change).await?;
    let known = all.len();
    let signatures = access::signed(&register, &mut all, signed, believed)?;
    if let Some(new) = all.get(known) {
        detail.push(("taken", all.len().to_string()));
        history::keep(&mut change, all.len(), new).await?;
    }
    let waits = signatures.waits_until;
    detail.extend(waits.map(|from| ("waits-until", from.to_string())));
    append(&mut change, at, "policy", policy, &detail).await?;
    change.commit().await.map_err(StateError::from)?;
    Ok(signatures)
}

impl Standing {
    /// Opens what a node needs before it may answer anything: valid policies under a digest that
    /// two officers signed. While a policy waits that protects less than the one before it, the one
    /// before stays in force.
    pub async fn open(
        state: &State,
        data: &Path,
        hospital: &Slug,
        policy: &Privacy,
        now: Timestamp,
    ) -> Result<Self, AccessError> {
        let access = open(data)?;
        let officers = officers(state.pool(), hospital).await?;
        let lies_there = digest(policy, &access)?;
        let all = history::signed(state.pool()).await?;
        // The last one signed stays signed when one of its signers leaves.
        let last = all.last().filter(|last| last.policy == lies_there);
        let steps = last.map_or(officers.changes(), |last| last.steps);
        let approved = officers.approved_then(steps, lies_there, &approvals(data)?);
        let approved = approved.map_err(AccessError::Unsigned)?;
        let force = in_force(&officers, &all, history::believed(state, now).await?)?;
        let current = force.current.ok_or(AccessError::Superseded)?;
        let of = (officers.changes(), all.len());
        if current.policy == lies_there && force.next.is_none() {
            return Ok(Self {
                policy: policy.clone(),
                access,
                officers,
                approved,
                waits_until: None,
                of,
            });
        }
        match force.next {
            Some((next, from)) if next.policy == lies_there => Ok(Self {
                policy: current.rules.clone(),
                access: current.access().ok_or(AccessError::Waits(from))?,
                approved: officers.approved_then(
                    current.steps,
                    current.policy,
                    &current.approvals,
                )?,
                officers,
                waits_until: Some(from),
                of,
            }),
            _ => Err(AccessError::Superseded),
        }
    }

    /// What an answer is bound to.
    pub fn under(&self) -> Under {
        Under {
            policy: self.approved.policy,
            steps: self.of.0,
            policies: self.of.1,
        }
    }
}
