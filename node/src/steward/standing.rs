//! Templates that the steward lets be answered unasked, until a day and under one policy.

use policies::access::Officers;
use schemas::digest::Digest;
use schemas::id::Slug;
use schemas::officer::{Role, StandingApproval};
use schemas::question::Purpose;
use schemas::round::TemplateRef;
use schemas::seal::Sealed;
use schemas::time::Timestamp;
use sqlx::Row as _;

use super::{Acting, StewardError};
use crate::store::state::{State, StateError, append};

/// A standing approval and whether it counts now.
#[derive(Clone, Debug)]
pub struct Granted {
    /// As signed.
    pub approval: StandingApproval,
    /// Why it does not count, if so.
    pub void: Option<&'static str>,
}

/// The last second of a day in UTC, written YYYY-MM-DD.
pub fn end_of(day: &str) -> Option<Timestamp> {
    let date: jiff::civil::Date = day.parse().ok()?;
    let midnight = date
        .tomorrow()
        .ok()?
        .to_zoned(jiff::tz::TimeZone::UTC)
        .ok()?;
    Some(Timestamp(
        midnight.timestamp().as_second().saturating_sub(1),
    ))
}

/// Signs and keeps a standing approval; an earlier one of the template ends.
pub async fn stand(
    state: &State,
    by: Acting<'_>,
    template: TemplateRef,
    purpose: Option<Purpose>,
    until: Timestamp,
) -> Result<(), StewardError> {
    by.check()?;
    let approval = StandingApproval {
        hospital: by.hospital.clone(),
        template,
        purpose,
        until,
        policy: by.policy,
        officer: by.name.clone(),
        at: by.at,
    };
    let sealed = Sealed::seal(by.key, &approval)?;
    let text = serde_json::to_string(&sealed).map_err(|_| StateError::Range)?;
    let mut change = state.begin().await?;
    sqlx::query(
        "insert into standing (template, sealed) values ($1, $2) \
         on conflict (template) do update set sealed = $2",
    )
    .bind(approval.template.to_string())
    .bind(text)
    .execute(&mut *change)
    .await?;
    let detail = [
        ("officer", by.name.to_string()),
        ("template", approval.template.to_string()),
        ("until", until.0.to_string()),
        ("policy", approval.policy.to_string()),
    ];
    append(&mut change, by.at, "standing", sealed.digest()?, &detail).await?;
    Ok(change.commit().await?)
}

/// Ends a standing approval.
pub async fn remove(state: &State, by: Acting<'_>, template: &str) -> Result<(), StewardError> {
    by.check()?;
    let mut change = state.begin().await?;
    let removed = sqlx::query("delete from standing where template = $1")
        .bind(template)
        .execute(&mut *change)
        .await?;
    if removed.rows_affected() == 0 {
        return Err(StewardError::NoStanding(template.to_owned()));
    }
    let detail = [
        ("officer", by.name.to_string()),
        ("template", template.to_owned()),
    ];
    append(&mut change, by.at, "standing-end", by.policy, &detail).await?;
    Ok(change.commit().await?)
}

/// All standing approvals that a registered steward signed.
pub async fn list(
    state: &State,
    (officers, hospital, policy): (&Officers, &Slug, Digest),
    now: Timestamp,
) -> Result<Vec<Granted>, StewardError> {
    let rows = sqlx::query("select template, sealed from standing order by template")
        .fetch_all(state.pool())
        .await?;
    let mut granted = Vec::new();
    for row in &rows {
        let name: String = row.try_get(0)?;
        let text: String = row.try_get(1)?;
        let sealed: Sealed<StandingApproval> =
            serde_json::from_str(&text).map_err(|_| StateError::Range)?;
        let stewards = officers.all().iter().filter(|o| o.role == Role::Steward);
        let signed = stewards
            .filter_map(|officer| Some((officer, sealed.open(&officer.key).ok()?)))
            .find(|(officer, approval)| approval.officer == officer.name);
        // Signed by nobody who may: as if it were not there.
        let Some((_, approval)) = signed else {
            continue;
        };
        let checks = [
            (approval.template.to_string() == name, "another template's"),
            (approval.hospital == *hospital, "another hospital's"),
            (approval.policy == policy, "the policy changed"),
            (now <= approval.until, "ended"),
        ];
        let void = checks.into_iter().find(|(holds, _)| !holds);
        granted.push(Granted {
            approval,
            void: void.map(|(_, why)| why),
        });
    }
    Ok(granted)
}

/// Whether a template is answered unasked now, for a round of this purpose.
pub async fn granted(
    state: &State,
    whose: (&Officers, &Slug, Digest),
    (template, purpose): (&TemplateRef, Purpose),
    now: Timestamp,
) -> Result<bool, StewardError> {
    let all = list(state, whose, now).await?;
    Ok(all.iter().any(|granted| {
        granted.void.is_none()
            && granted.approval.template == *template
            && granted.approval.purpose.is_none_or(|only| only == purpose)
    }))
}
