//! The register of officers: the first two found it; whoever comes later, or leaves, is signed for
//! by two.

use policies::access::{Officers, Step};
use schemas::id::Slug;
use schemas::officer::{Departure, Officer, Role};
use schemas::seal::Signer;
use schemas::time::Timestamp;
use sqlx::{Row as _, Sqlite};

use super::AccessError;
use crate::store::state::{Change, State, StateError, append};

/// The roles whose signatures decide at a hospital.
pub const DECIDING: &[Role] = &[Role::Steward, Role::SecurityOfficer];

/// The officers as they came and left; a register in which a step is not signed for is refused
/// whole.
pub async fn officers<'e>(
    source: impl sqlx::Executor<'e, Database = Sqlite>,
    hospital: &Slug,
) -> Result<Officers, AccessError> {
    let mut register = Officers::none(hospital.clone(), DECIDING);
    let rows = sqlx::query("select step from officers order by position")
        .fetch_all(source)
        .await;
    for row in rows.map_err(StateError::from)? {
        let text: String = row.try_get(0).map_err(StateError::from)?;
        let step: Step = serde_json::from_str(&text).map_err(|_| StateError::Range)?;
        let taken = register.take(&step);
        taken.map_err(|_| AccessError::Register(step.name().to_string()))?;
    }
    Ok(register)
}

/// Registers an officer, signed for by those who act with their keys.
pub async fn add(
    state: &State,
    officer: &Officer,
    by: &[Signer],
    at: Timestamp,
) -> Result<(), AccessError> {
    let mut change = state.begin().await?;
    let step = Step::joins(officer.clone(), by)?;
    take(&mut change, &officer.organisation, &step).await?;
    let (key, role) = (officer.key.fingerprint(), officer.role.as_str().to_owned());
    let detail = [("name", officer.name.to_string()), ("role", role)];
    append(&mut change, at, "officer", key, &detail).await?;
    change.commit().await.map_err(StateError::from)?;
    Ok(())
}

/// Lets an officer leave, signed for by those who act with their keys: the key decides nothing from
/// now on. The policy in force stays; what waits and only this officer approved is void.
pub async fn remove(
    state: &State,
    departure: &Departure,
    by: &[Signer],
) -> Result<(), AccessError> {
    let mut change = state.begin().await?;
    let register = officers(&mut *change, &departure.organisation).await?;
    let key = register.named(&departure.name)?.key.fingerprint();
    let step = Step::leaves(departure.clone(), by)?;
    take(&mut change, &departure.organisation, &step).await?;
    let detail = [("name", departure.name.to_string())];
    append(&mut change, departure.at, "officer-leaves", key, &detail).await?;
    change.commit().await.map_err(StateError::from)?;
    Ok(())
}

async fn take(change: &mut Change, hospital: &Slug, step: &Step) -> Result<(), AccessError> {
    let mut register = officers(&mut **change, hospital).await?;
    register.take(step)?;
    let position = i64::try_from(register.changes()).map_err(|_| StateError::Range)?;
    let text = serde_json::to_string(step).map_err(|_| StateError::Range)?;
    let kept = sqlx::query("insert into officers (position, step) values ($1, $2)")
        .bind(position)
        .bind(text)
        .execute(&mut **change)
        .await;
    kept.map_err(StateError::from)?;
    Ok(())
}
