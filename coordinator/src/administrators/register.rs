//! The register of administrators: the first two found it; whoever comes later, or leaves, is signed
//! for by two.

use policies::access::{Officers, Step};
use schemas::id::Slug;
use schemas::officer::{Departure, Officer, Role};
use schemas::seal::Signer;
use schemas::time::Timestamp;
use sqlx::{Row as _, Sqlite};

use super::AdministratorsError;
use crate::store::state::{Change, State, StateError, append};

/// The roles whose signatures decide in an alliance.
pub const DECIDING: &[Role] = &[Role::Administrator];

/// The administrators as they came and left.
pub async fn administrators<'e>(
    source: impl sqlx::Executor<'e, Database = Sqlite>,
    alliance: &Slug,
) -> Result<Officers, AdministratorsError> {
    let mut register = Officers::none(alliance.clone(), DECIDING);
    let rows = sqlx::query("select step from administrators order by position")
        .fetch_all(source)
        .await?;
    for row in rows {
        let step: Step =
            serde_json::from_str(&row.try_get::<String, _>(0)?).map_err(|_| StateError::Range)?;
        let taken = register.take(&step);
        taken.map_err(|_| AdministratorsError::Register(step.name().clone()))?;
    }
    Ok(register)
}

/// Registers an administrator, signed for with these keys.
pub async fn add(
    state: &State,
    officer: &Officer,
    by: &[Signer],
    at: Timestamp,
) -> Result<(), AdministratorsError> {
    let mut change = state.begin().await?;
    let step = Step::joins(officer.clone(), by)?;
    take(&mut change, &officer.organisation, &step).await?;
    let (key, detail) = (
        officer.key.fingerprint(),
        [("name", officer.name.to_string())],
    );
    append(&mut change, at, "administrator", key, &detail).await?;
    Ok(change.commit().await?)
}

/// Lets an administrator leave, signed for with these keys: the key decides nothing from now on. The
/// policy in force stays.
pub async fn remove(
    state: &State,
    departure: &Departure,
    by: &[Signer],
) -> Result<(), AdministratorsError> {
    let mut change = state.begin().await?;
    let register = administrators(&mut *change, &departure.organisation).await?;
    let key = register.named(&departure.name)?.key.fingerprint();
    let step = Step::leaves(departure.clone(), by)?;
    take(&mut change, &departure.organisation, &step).await?;
    let detail = [("name", departure.name.to_string())];
    append(
        &mut change,
        departure.at,
        "administrator-leaves",
        key,
        &detail,
    )
    .await?;
    Ok(change.commit().await?)
}

async fn take(
    change: &mut Change,
    alliance: &Slug,
    step: &Step,
) -> Result<(), AdministratorsError> {
    let mut register = administrators(&mut **change, alliance).await?;
    register.take(step)?;
    sqlx::query("insert into administrators (position, step) values ($1, $2)")
        .bind(i64::try_from(register.changes()).map_err(|_| StateError::Range)?)
        .bind(serde_json::to_string(step).map_err(|_| StateError::Range)?)
        .execute(&mut **change)
        .await?;
    Ok(())
}
