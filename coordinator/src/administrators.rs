//! The alliance's administrators and the policy that two of them signed. The service does not
//! start without it (rule FAIL-1).

use std::path::Path;

use policies::access::{
    Access, Approved, Officers, OfficersError, Signed, in_force, policy_digest,
};
use policies::rules::Privacy;
use schemas::canonical;
use schemas::digest::Digest;
use schemas::id::Slug;
use schemas::officer::{Officer, PolicyApproval, Role};
use schemas::request::SKEW;
use schemas::seal::{Sealed, Signer};
use schemas::time::Timestamp;
use sqlx::{Row as _, Sqlite};

use crate::store::state::{Change, State, StateError, append};

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
    /// Two administrators signed it, and another one after it.
    #[error("it was signed, but is not the last one that was: sign it again")]
    Superseded,
    /// It protects less than the one before it and waits.
    #[error(
        "it protects less than the one before it, or may, and comes into force at {0}; until then \
         put the files of the policy before back"
    )]
    Waits(Timestamp),
    /// The clock is not believed.
    #[error("the clock runs {0} seconds behind the time seen before; set it right, then sign")]
    Clock(i64),
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

/// How far the signing of a policy is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Signatures {
    /// How many administrators have signed it.
    pub have: usize,
    /// From when it counts, where two have and it protects less than the policy before.
    pub waits_until: Option<Timestamp>,
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
    let signatures = match register.approved(policy, &signed.approvals) {
        Ok(approved) => {
            let mut all = history(&mut *change).await?;
            if all.last().is_none_or(|last| last.policy != policy) {
                keep(&mut change, all.len() + 1, &signed).await?;
                all.push(signed);
            }
            let waits = in_force(&register, &all, at)?.next.map(|(_, from)| from);
            detail.extend(waits.map(|from| ("waits-until", from.to_string())));
            Signatures {
                have: approved.by.len(),
                waits_until: waits,
            }
        }
        Err(OfficersError::TooFew { have, .. }) => Signatures {
            have,
            waits_until: None,
        },
        Err(error) => return Err(error.into()),
    };
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
    let rows = sqlx::query("select sealed from policy_approvals order by officer")
        .fetch_all(source)
        .await?;
    let texts = rows.iter().map(|row| row.try_get::<String, _>(0));
    texts
        .map(|text| Ok(serde_json::from_str(&text?).map_err(|_| StateError::Range)?))
        .collect()
}

/// The policies that two administrators signed, oldest first.
async fn history<'e>(
    source: impl sqlx::Executor<'e, Database = Sqlite>,
) -> Result<Vec<Signed>, AdministratorsError> {
    let rows = sqlx::query("select signed from policies order by position")
        .fetch_all(source)
        .await?;
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
