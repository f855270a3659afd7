//! The alliance's administrators and the policy that two of them signed. The service does not
//! start without it (rule FAIL-1).

use std::path::Path;

use policies::access::{Access, Approved, Officers, OfficersError, policy_digest};
use policies::rules::Privacy;
use schemas::canonical;
use schemas::digest::Digest;
use schemas::id::Slug;
use schemas::officer::{Officer, PolicyApproval, Role};
use schemas::seal::{Sealed, Signer};
use schemas::time::Timestamp;
use sqlx::{Row as _, Sqlite};

use crate::store::state::{State, StateError, append};

/// The roles whose signatures decide in an alliance.
pub const DECIDING: &[Role] = &[Role::Administrator];
/// The alliance's own access policies, if it narrows the shipped ones.
pub const ACCESS: &str = "access.cedar";

/// Why persons or policy are refused.
#[derive(Debug, thiserror::Error)]
pub enum AdministratorsError {
    /// The access policies are not valid.
    #[error(transparent)]
    Policy(#[from] policies::access::AccessError),
    /// Too few signatures, or an unknown person.
    #[error(transparent)]
    Officers(#[from] OfficersError),
    /// The access policies could not be read.
    #[error("`{ACCESS}` could not be read")]
    File(#[source] std::io::Error),
    /// The register is damaged.
    #[error("the register of administrators is damaged: `{0}` is not signed for")]
    Register(Slug),
    /// The policy has no digest.
    #[error("the policy has no digest")]
    Digest(#[from] canonical::Error),
    /// The state file.
    #[error(transparent)]
    State(#[from] StateError),
}

impl From<sqlx::Error> for AdministratorsError {
    fn from(error: sqlx::Error) -> Self {
        Self::State(error.into())
    }
}

/// The administrators in the order in which they came.
pub async fn administrators<'e>(
    source: impl sqlx::Executor<'e, Database = Sqlite>,
    alliance: &Slug,
) -> Result<Officers, AdministratorsError> {
    let mut register = Officers::none(alliance.clone(), DECIDING);
    let rows = sqlx::query("select officer, signed from administrators order by position")
        .fetch_all(source)
        .await?;
    for row in rows {
        let (text, signed): (String, String) = (row.try_get(0)?, row.try_get(1)?);
        let officer: Officer = serde_json::from_str(&text).map_err(|_| StateError::Range)?;
        let signed: Vec<Sealed<Officer>> =
            serde_json::from_str(&signed).map_err(|_| StateError::Range)?;
        let name = officer.name.clone();
        let added = register.add(officer, &signed);
        added.map_err(|_| AdministratorsError::Register(name))?;
    }
    Ok(register)
}

/// Registers an administrator; after the first two, signed for by two.
pub async fn add(
    state: &State,
    officer: &Officer,
    by: &[Signer],
    at: Timestamp,
) -> Result<(), AdministratorsError> {
    let mut change = state.begin().await?;
    let mut register = administrators(&mut *change, &officer.organisation).await?;
    let signed: Result<Vec<_>, _> = by.iter().map(|key| Sealed::seal(key, officer)).collect();
    let signed = signed.map_err(OfficersError::Seal)?;
    register.add(officer.clone(), &signed)?;
    let position = i64::try_from(register.all().len()).map_err(|_| StateError::Range)?;
    sqlx::query(
        "insert into administrators (name, position, officer, signed) values ($1, $2, $3, $4)",
    )
    .bind(officer.name.as_str())
    .bind(position)
    .bind(serde_json::to_string(officer).map_err(|_| StateError::Range)?)
    .bind(serde_json::to_string(&signed).map_err(|_| StateError::Range)?)
    .execute(&mut *change)
    .await?;
    let detail = [("name", officer.name.to_string())];
    append(
        &mut change,
        at,
        "administrator",
        officer.key.fingerprint(),
        &detail,
    )
    .await?;
    Ok(change.commit().await?)
}

/// The alliance's access policies and the digest that administrators sign.
pub fn policy(data: &Path, rules: &Privacy) -> Result<(Access, Digest), AdministratorsError> {
    let own = match std::fs::read_to_string(data.join(ACCESS)) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(AdministratorsError::File(error)),
    };
    let access = Access::open(&own)?;
    let digest = policy_digest(rules, &access)?;
    Ok((access, digest))
}

/// Signs the policy as it lies there. Gives how many have signed it now.
pub async fn approve(
    state: &State,
    (alliance, policy): (&Slug, Digest),
    (name, signer): (&Slug, &Signer),
    at: Timestamp,
) -> Result<usize, AdministratorsError> {
    let mut change = state.begin().await?;
    let register = administrators(&mut *change, alliance).await?;
    register.acting(name, signer)?;
    let approval = PolicyApproval {
        organisation: alliance.clone(),
        policy,
        officer: name.clone(),
        at,
    };
    let sealed = Sealed::seal(signer, &approval).map_err(OfficersError::Seal)?;
    sqlx::query(
        "insert into policy_approvals (officer, policy, sealed) values ($1, $2, $3) \
         on conflict (officer) do update set policy = $2, sealed = $3",
    )
    .bind(name.as_str())
    .bind(policy.to_string())
    .bind(serde_json::to_string(&sealed).map_err(|_| StateError::Range)?)
    .execute(&mut *change)
    .await?;
    let detail = [("officer", name.to_string())];
    append(&mut change, at, "policy", policy, &detail).await?;
    change.commit().await?;
    match approved(state, alliance, policy).await {
        Ok(approved) => Ok(approved.by.len()),
        Err(AdministratorsError::Officers(OfficersError::TooFew { have, .. })) => Ok(have),
        Err(error) => Err(error),
    }
}

/// Whether two administrators signed exactly this policy.
pub async fn approved(
    state: &State,
    alliance: &Slug,
    policy: Digest,
) -> Result<Approved, AdministratorsError> {
    let register = administrators(state.pool(), alliance).await?;
    let rows = sqlx::query("select sealed from policy_approvals order by officer")
        .fetch_all(state.pool())
        .await?;
    let mut approvals: Vec<Sealed<PolicyApproval>> = Vec::new();
    for row in rows {
        let text: String = row.try_get(0)?;
        approvals.push(serde_json::from_str(&text).map_err(|_| StateError::Range)?);
    }
    Ok(register.approved(policy, &approvals)?)
}
