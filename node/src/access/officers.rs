//! The register of officers: the first two found it, every later one is signed for by two.

use policies::access::Officers;
use schemas::id::Slug;
use schemas::officer::{Officer, Role};
use schemas::seal::{Sealed, Signer};
use schemas::time::Timestamp;
use sqlx::{Row as _, Sqlite};

use super::AccessError;
use crate::store::state::{State, StateError, append};

/// The roles whose signatures decide at a hospital.
pub const DECIDING: &[Role] = &[Role::Steward, Role::SecurityOfficer];

const SELECT: &str = "select officer, signed from officers order by position";

/// The officers in the order in which they came; a register in which one is not signed for is
/// refused whole.
pub async fn officers<'e>(
    source: impl sqlx::Executor<'e, Database = Sqlite>,
    hospital: &Slug,
) -> Result<Officers, AccessError> {
    let mut register = Officers::none(hospital.clone(), DECIDING);
    let rows = sqlx::query(SELECT).fetch_all(source).await;
    for row in rows.map_err(StateError::from)? {
        let text: String = row.try_get(0).map_err(StateError::from)?;
        let signed: String = row.try_get(1).map_err(StateError::from)?;
        let officer: Officer = serde_json::from_str(&text).map_err(|_| StateError::Range)?;
        let signed: Vec<Sealed<Officer>> =
            serde_json::from_str(&signed).map_err(|_| StateError::Range)?;
        let name = officer.name.to_string();
        register
            .add(officer, &signed)
            .map_err(|_| AccessError::Register(name))?;
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
    let mut register = officers(&mut *change, &officer.organisation).await?;
    let signed: Result<Vec<_>, _> = by.iter().map(|key| Sealed::seal(key, officer)).collect();
    let signed = signed.map_err(policies::access::OfficersError::Seal)?;
    register.add(officer.clone(), &signed)?;
    let text = |value: Result<String, serde_json::Error>| value.map_err(|_| StateError::Range);
    let position = i64::try_from(register.all().len()).map_err(|_| StateError::Range)?;
    sqlx::query("insert into officers (name, position, officer, signed) values ($1, $2, $3, $4)")
        .bind(officer.name.as_str())
        .bind(position)
        .bind(text(serde_json::to_string(officer))?)
        .bind(text(serde_json::to_string(&signed))?)
        .execute(&mut *change)
        .await
        .map_err(StateError::from)?;
    let detail = [
        ("name", officer.name.to_string()),
        ("role", officer.role.as_str().to_owned()),
    ];
    append(
        &mut change,
        at,
        "officer",
        officer.key.fingerprint(),
        &detail,
    )
    .await?;
    change.commit().await.map_err(StateError::from)?;
    Ok(())
}
