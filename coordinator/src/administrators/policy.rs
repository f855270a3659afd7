//! What administrators sign: rules and access policies together.

use std::path::Path;

use policies::access::{
    self, Access, Approved, OfficersError, Signatures, Signed, in_force, policy_digest,
};
use policies::rules::Privacy;
use schemas::digest::Digest;
use schemas::id::Slug;
use schemas::officer::PolicyApproval;
use schemas::request::SKEW;
use schemas::seal::{Sealed, Signer};
use schemas::time::Timestamp;
use serde::de::DeserializeOwned;
use sqlx::{Row as _, Sqlite};

use super::{AdministratorsError, administrators};
use crate::store::state::{Change, State, StateError, append};

/// The alliance's own access policies, if it narrows the shipped ones.
pub const ACCESS: &str = "access.cedar";

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

/// Signs the policy as it lies there.
pub async fn approve(
    state: &State,
    (alliance, rules, access): (&Slug, &Privacy, &Access),
    (name, signer): (&Slug, &Signer),
    at: Timestamp,
) -> Result<Signatures, AdministratorsError> {
    let mut change = state.begin().await?;
    not_behind(&mut *change, at).await?;
    let register = administrators(&mut *change, alliance).await?;
    register.acting(name, signer)?;
    let policy = policy_digest(rules, access)?;
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
    let mut detail = vec![("officer", name.to_string())];
    let signed = Signed::new(rules, access, approvals(&mut *change).await?)?;
    let mut all = history(&mut *change).await?;
    let known = all.len();
    let signatures = access::signed(&register, &mut all, signed, at)?;
    if let Some(new) = all.get(known) {
        keep(&mut change, all.len(), new).await?;
    }
    let waits = signatures.waits_until;
    detail.extend(waits.map(|from| ("waits-until", from.to_string())));
    append(&mut change, at, "policy", policy, &detail).await?;
    change.commit().await?;
    Ok(signatures)
}

/// Whether this policy is in force: two administrators signed exactly it, nothing was signed after
/// it, and its time has come.
pub async fn approved(
    state: &State,
    alliance: &Slug,
    policy: Digest,
    now: Timestamp,
) -> Result<Approved, AdministratorsError> {
    let register = administrators(state.pool(), alliance).await?;
    let all = history(state.pool()).await?;
    let force = in_force(&register, &all, now)?;
    if let Some((next, from)) = force.next
        && next.policy == policy
    {
        return Err(AdministratorsError::Waits(from));
    }
    match force.current {
        Some(current) if current.policy == policy => {
            Ok(register.approved(policy, &current.approvals)?)
        }
        _ => {
            register.approved(policy, &approvals(state.pool()).await?)?;
            Err(AdministratorsError::Superseded)
        }
    }
}

/// The last signature of each administrator.
async fn approvals<'e>(
    source: impl sqlx::Executor<'e, Database = Sqlite>,
) -> Result<Vec<Sealed<PolicyApproval>>, AdministratorsError> {
    read(
        source,
        "select sealed from policy_approvals order by officer",
    )
    .await
}

/// The policies that two administrators signed, oldest first.
async fn history<'e>(
    source: impl sqlx::Executor<'e, Database = Sqlite>,
) -> Result<Vec<Signed>, AdministratorsError> {
    read(source, "select signed from policies order by position").await
}

/// Rows of one column of JSON.
async fn read<'e, T: DeserializeOwned>(
    source: impl sqlx::Executor<'e, Database = Sqlite>,
    query: &'static str,
) -> Result<Vec<T>, AdministratorsError> {
    let rows = sqlx::query(query).fetch_all(source).await?;
    let texts = rows.iter().map(|row| row.try_get::<String, _>(0));
    texts
        .map(|text| Ok(serde_json::from_str(&text?).map_err(|_| StateError::Range)?))
        .collect()
}

async fn keep(
    change: &mut Change,
    position: usize,
    signed: &Signed,
) -> Result<(), AdministratorsError> {
    sqlx::query("insert into policies (position, signed) values ($1, $2)")
        .bind(i64::try_from(position).map_err(|_| StateError::Range)?)
        .bind(serde_json::to_string(signed).map_err(|_| StateError::Range)?)
        .execute(&mut **change)
        .await?;
    Ok(())
}

/// A signature's time is not believed while the clock runs behind the highest time seen.
async fn not_behind<'e>(
    source: impl sqlx::Executor<'e, Database = Sqlite>,
    now: Timestamp,
) -> Result<(), AdministratorsError> {
    let row = sqlx::query("select highest from clock where id = 1")
        .fetch_optional(source)
        .await?;
    let highest: Option<i64> = row.map(|row| row.try_get(0)).transpose()?;
    match highest.map_or(0, |highest| highest.saturating_sub(now.0)) {
        behind if behind > SKEW => Err(AdministratorsError::Clock(behind)),
        _ => Ok(()),
    }
}
