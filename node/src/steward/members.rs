//! Organisations of the alliance's key list: each counts here only after the steward compared its
//! fingerprint, over another way than the coordinator, and accepted it.

use std::collections::BTreeSet;

use policies::access::Officers;
use pooled::key_list::Member;
use schemas::digest::Digest;
use schemas::id::Slug;
use schemas::officer::{MemberApproval, Role};
use schemas::seal::Sealed;
use sqlx::Row as _;

use super::{Acting, StewardError};
use crate::store::state::{State, StateError, append};

/// Accepts an organisation as it stands in the key list.
pub async fn accept_member(
    state: &State,
    by: Acting<'_>,
    member: &Member,
) -> Result<(), StewardError> {
    by.check()?;
    let approval = MemberApproval {
        hospital: by.hospital.clone(),
        member: member.id.clone(),
        fingerprint: member.fingerprint()?,
        officer: by.name.clone(),
        at: by.at,
    };
    let sealed = Sealed::seal(by.key, &approval)?;
    let text = serde_json::to_string(&sealed).map_err(|_| StateError::Range)?;
    let mut change = state.begin().await?;
    sqlx::query(
        "insert into pooled_members (fingerprint, member, sealed) values ($1, $2, $3) \
         on conflict (fingerprint) do update set sealed = $3",
    )
    .bind(approval.fingerprint.to_string())
    .bind(member.id.as_str())
    .bind(text)
    .execute(&mut *change)
    .await?;
    let detail = [
        ("officer", by.name.to_string()),
        ("member", member.id.to_string()),
    ];
    append(
        &mut change,
        by.at,
        "member-accept",
        approval.fingerprint,
        &detail,
    )
    .await?;
    Ok(change.commit().await?)
}

/// Fingerprints that a registered steward signed for.
pub async fn accepted_members(
    state: &State,
    officers: &Officers,
    hospital: &Slug,
) -> Result<BTreeSet<Digest>, StewardError> {
    let rows = sqlx::query("select fingerprint, sealed from pooled_members")
        .fetch_all(state.pool())
        .await?;
    let mut accepted = BTreeSet::new();
    for row in &rows {
        let fingerprint: String = row.try_get(0)?;
        let fingerprint: Digest = fingerprint.parse().map_err(|_| StateError::Range)?;
        let sealed: Sealed<MemberApproval> =
            serde_json::from_str(&row.try_get::<String, _>(1)?).map_err(|_| StateError::Range)?;
        let mut stewards = officers.all().iter().filter(|o| o.role == Role::Steward);
        let signed = stewards.any(|officer| {
            sealed.open(&officer.key).is_ok_and(|approval| {
                approval.officer == officer.name
                    && approval.hospital == *hospital
                    && approval.fingerprint == fingerprint
            })
        });
        if signed {
            accepted.insert(fingerprint);
        }
    }
    Ok(accepted)
}
