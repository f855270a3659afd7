//! The hospital's crosswalks: tables of codes under a name and rising versions. A table is drafted when it is
//! added and counts from an officer's approval on; a changed one is another version and needs approval anew.

use std::collections::BTreeMap;

use policies::access::{Officers, OfficersError};
use schemas::digest::Digest;
use schemas::id::Slug;
use schemas::seal::{Message, SealError, Sealed, Signer};
use schemas::time::Timestamp;
use serde::{Deserialize, Serialize};
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use crate::ingest::IngestError;
use crate::ingest::crosswalk::{Crosswalk, Crosswalks};
use crate::ingest::table::TableError;
use crate::store::state::{State, StateError, append};

/// Why a crosswalk is not kept or approved.
#[derive(Debug, thiserror::Error)]
pub enum CrosswalkError {
    /// The table.
    #[error(transparent)]
    Table(#[from] TableError),
    /// The same table again.
    #[error("crosswalk `{0}` is this very table already, as version {1}; nothing changed")]
    Same(Slug, i64),
    /// No such crosswalk.
    #[error("there is no crosswalk `{0}`; see `consilium-node crosswalk add --help`")]
    Unknown(Slug),
    /// Approved before.
    #[error("version {1} of crosswalk `{0}` is approved already")]
    Approved(Slug, i64),
    /// An unknown person, or a key of somebody else.
    #[error(transparent)]
    Officers(#[from] OfficersError),
    /// A seal.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// A table that cannot be used.
    #[error(transparent)]
    Ingest(#[from] IngestError),
    /// The state file.
    #[error(transparent)]
    State(#[from] StateError),
}

impl From<sqlx::Error> for CrosswalkError {
    fn from(error: sqlx::Error) -> Self {
        Self::State(error.into())
    }
}

/// An officer's yes to one version.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Approval {
    /// The hospital.
    pub hospital: Slug,
    /// The crosswalk.
    pub name: Slug,
    /// Its version.
    pub version: i64,
    /// Digest of the table.
    pub table: Digest,
    /// Who.
    pub officer: Slug,
    /// When.
    pub at: Timestamp,
}

impl Message for Approval {
    const TAG: &'static str = "consilium-crosswalk-approval-v1";
}

/// A version of a crosswalk.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Version {
    /// 1, and one more for each other table.
    pub number: i64,
    /// The table.
    pub crosswalk: Crosswalk,
    /// Its digest.
    pub digest: Digest,
    /// Who approved it; a drafted one counts for nothing.
    pub approved_by: Option<Slug>,
}

/// Adds a table as a drafted version.
pub async fn add(
    state: &State,
    register: &Officers,
    crosswalk: &Crosswalk,
    now: Timestamp,
) -> Result<Version, CrosswalkError> {
    let digest = crosswalk.digest().map_err(StateError::from)?;
    let all = list(state, register).await?;
    let last = all.iter().rfind(|one| one.crosswalk.name == crosswalk.name);
    if let Some(last) = last.filter(|last| last.digest == digest) {
        return Err(CrosswalkError::Same(crosswalk.name.clone(), last.number));
    }
    let version = last.map_or(0, |last| last.number).checked_add(1);
    let version = version.ok_or(StateError::Range)?;
    let mut change = state.begin().await?;
    sqlx::query("insert into crosswalks (name, version, body, at) values ($1, $2, $3, $4)")
        .bind(crosswalk.name.as_str())
        .bind(version)
        .bind(text(crosswalk)?)
        .bind(now.0)
        .execute(&mut *change)
        .await?;
    let detail = [
        ("name", crosswalk.name.to_string()),
        ("version", version.to_string()),
    ];
    append(&mut change, now, "crosswalk", digest, &detail).await?;
    change.commit().await?;
    Ok(Version {
        number: version,
        crosswalk: crosswalk.clone(),
        digest,
        approved_by: None,
    })
}

/// Approves the newest version of a crosswalk.
pub async fn approve(
    state: &State,
    (hospital, register): (&Slug, &Officers),
    name: &Slug,
    (officer, key): (&Slug, &Signer),
    now: Timestamp,
) -> Result<Version, CrosswalkError> {
    register.acting(officer, key)?;
    let mut all = list(state, register).await?.into_iter();
    let newest = all.rfind(|one| one.crosswalk.name == *name);
    let mut newest = newest.ok_or_else(|| CrosswalkError::Unknown(name.clone()))?;
    if newest.approved_by.is_some() {
        return Err(CrosswalkError::Approved(name.clone(), newest.number));
    }
    let yes = Approval {
        hospital: hospital.clone(),
        name: name.clone(),
        version: newest.number,
        table: newest.digest,
        officer: officer.clone(),
        at: now,
    };
    let sealed = Sealed::seal(key, &yes)?;
    let mut change = state.begin().await?;
    sqlx::query("update crosswalks set approval = $3 where name = $1 and version = $2")
        .bind(name.as_str())
        .bind(newest.number)
        .bind(text(&sealed)?)
        .execute(&mut *change)
        .await?;
    let detail = [
        ("name", name.to_string()),
        ("version", newest.number.to_string()),
        ("officer", officer.to_string()),
    ];
    append(
        &mut change,
        now,
        "crosswalk-approve",
        newest.digest,
        &detail,
    )
    .await?;
    change.commit().await?;
    newest.approved_by = Some(officer.clone());
    Ok(newest)
}

/// All versions, by name and version. An approval counts where it is sealed over this very table by a person
/// who is, or was, registered.
pub async fn list(state: &State, register: &Officers) -> Result<Vec<Version>, CrosswalkError> {
    let rows = sqlx::query("select version, body, approval from crosswalks order by name, version")
        .fetch_all(state.pool())
        .await?;
    rows.iter().map(|row| read(row, register)).collect()
}

fn read(row: &SqliteRow, register: &Officers) -> Result<Version, CrosswalkError> {
    let body: String = row.try_get(1)?;
    let crosswalk: Crosswalk = serde_json::from_str(&body).map_err(|_| StateError::Range)?;
    let digest = crosswalk.digest().map_err(StateError::from)?;
    let version = row.try_get(0)?;
    let sealed: Option<String> = row.try_get(2)?;
    let sealed: Option<Sealed<Approval>> = sealed
        .map(|text| serde_json::from_str(&text))
        .transpose()
        .map_err(|_| StateError::Range)?;
    let former = register.former().iter().map(|(person, _)| person);
    let mut persons = register.all().iter().chain(former);
    let approved_by = sealed.and_then(|sealed| {
        persons.find_map(|person| {
            let yes = sealed.open(&person.key).ok()?;
            let same = (&yes.name, yes.version, yes.table) == (&crosswalk.name, version, digest);
            (same && yes.officer == person.name).then_some(yes.officer)
        })
    });
    Ok(Version {
        number: version,
        crosswalk,
        digest,
        approved_by,
    })
}

/// The newest approved version of each crosswalk: what mappings and closes go by.
pub async fn approved(state: &State, register: &Officers) -> Result<Crosswalks, CrosswalkError> {
    let mut newest: BTreeMap<Slug, Crosswalk> = BTreeMap::new();
    for one in list(state, register).await? {
        if one.approved_by.is_some() {
            newest.insert(one.crosswalk.name.clone(), one.crosswalk);
        }
    }
    let mut all = Crosswalks::default();
    for crosswalk in newest.into_values() {
        all.add(crosswalk)?;
    }
    Ok(all)
}

fn text(value: &impl Serialize) -> Result<String, StateError> {
    serde_json::to_string(value).map_err(|_| StateError::Range)
}
