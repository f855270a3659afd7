//! Finance's sign-off: a person of finance, signed for by two registered officers, answers with a key of the
//! person's own for one report of one load. Another run with other findings voids it. These persons are
//! apart from the register: their keys decide about nothing else.

use policies::access::Officers;
use schemas::answer::Grade;
use schemas::digest::Digest;
use schemas::id::Slug;
use schemas::officer::{Officer, Role};
use schemas::question::Dataset;
use schemas::seal::{Message, Sealed, Signer};
use schemas::time::{Month, Timestamp};
use serde::{Deserialize, Serialize};

use super::store::{self, Standing, text};
use super::{QualityError, plain};
use crate::store::state::{Change, State, StateError, append};

/// How many officers sign for a person of finance.
const PERSONS: usize = 2;

/// Finance's yes to a report.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignedOff {
    /// The hospital.
    pub hospital: Slug,
    /// The month.
    pub month: Month,
    /// The load that was examined.
    pub load: String,
    /// Digest of report and findings.
    pub report: Digest,
    /// The grade that is answered for.
    pub grade: Grade,
    /// Who.
    pub officer: Slug,
    /// Why.
    pub reason: String,
    /// When.
    pub at: Timestamp,
}

impl Message for SignedOff {
    const TAG: &'static str = "consilium-quality-sign-v1";
}

/// Registers a person of finance.
pub async fn add(
    state: &State,
    register: &Officers,
    officer: &Officer,
    by: &[Signer],
    now: Timestamp,
) -> Result<(), QualityError> {
    let name = officer.name.to_string();
    let sealed: Result<Vec<_>, _> = by
        .iter()
        .map(|signer| Sealed::seal(signer, officer))
        .collect();
    let sealed = sealed?;
    if officer.role != Role::Finance || register.named(&officer.name).is_ok() {
        return Err(QualityError::Known(name));
    }
    if !signed_for(register, officer, &sealed) {
        return Err(QualityError::Unsigned);
    }
    let mut change = state.begin().await?;
    let written = sqlx::query(
        "insert into quality_finance (name, officer, signed) values ($1, $2, $3) \
         on conflict do nothing",
    )
    .bind(&name)
    .bind(text(officer)?)
    .bind(text(&sealed)?)
    .execute(&mut *change)
    .await?;
    if written.rows_affected() == 0 {
        return Err(QualityError::Known(name));
    }
    let detail = [("name", name)];
    let key = officer.key.fingerprint();
    append(&mut change, now, "quality-finance", key, &detail).await?;
    change.commit().await.map_err(StateError::from)?;
    Ok(())
}

/// The persons of finance whose signatures hold; who signed may have left since.
pub async fn persons(state: &State, register: &Officers) -> Result<Vec<Officer>, QualityError> {
    let rows = sqlx::query("select officer, signed from quality_finance order by name")
        .fetch_all(state.pool())
        .await?;
    let mut found = Vec::new();
    for row in &rows {
        let officer: Officer = store::parse(row, 0)?;
        let sealed: Vec<Sealed<Officer>> = store::parse(row, 1)?;
        if officer.role == Role::Finance && signed_for(register, &officer, &sealed) {
            found.push(officer);
        }
    }
    Ok(found)
}

fn signed_for(register: &Officers, officer: &Officer, sealed: &[Sealed<Officer>]) -> bool {
    let former = register.former().iter().map(|(person, _)| person);
    let persons = register.all().iter().chain(former);
    let by = persons.filter(|person| {
        let mut opened = sealed.iter().filter_map(|one| one.open(&person.key).ok());
        opened.any(|one| one == *officer)
    });
    by.count() >= PERSONS
}

/// Signs the report of a dataset's month as it stands.
pub async fn sign(
    state: &State,
    hospital: &Slug,
    persons: &[Officer],
    (name, key): (&Slug, &Signer),
    (dataset, month, reason): (Dataset, Month, &str),
    now: Timestamp,
) -> Result<Standing, QualityError> {
    if !plain(reason, 200) {
        return Err(QualityError::Reason);
    }
    let mut persons = persons.iter();
    if !persons.any(|one| one.name == *name && one.key == key.public()) {
        return Err(QualityError::NotFinance(name.to_string()));
    }
    let mut change = state.begin().await?;
    let standing = store::standing(&mut change, dataset.as_str(), month).await?;
    let standing = standing.ok_or(QualityError::NotRun(month))?;
    let yes = SignedOff {
        hospital: hospital.clone(),
        month,
        load: standing.load.clone(),
        report: standing.digest,
        grade: standing.report.grade,
        officer: name.clone(),
        reason: reason.to_owned(),
        at: now,
    };
    let sealed = Sealed::seal(key, &yes)?;
    sqlx::query(
        "insert into quality_signed (month, load_id, report, sealed, at) \
         values ($1, $2, $3, $4, $5) on conflict (month, load_id, report) do update set \
         sealed = $4, at = $5",
    )
    .bind(month.to_string())
    .bind(&standing.load)
    .bind(standing.digest.to_string())
    .bind(text(&sealed)?)
    .bind(now.0)
    .execute(&mut *change)
    .await?;
    let detail = [
        ("month", month.to_string()),
        ("grade", format!("{:?}", yes.grade)),
        ("officer", name.to_string()),
    ];
    append(&mut change, now, "quality-sign", standing.digest, &detail).await?;
    change.commit().await.map_err(StateError::from)?;
    Ok(standing)
}

/// Whether a person of finance signed this very report.
pub(super) async fn signed(
    change: &mut Change,
    persons: &[Officer],
    standing: &Standing,
) -> Result<bool, StateError> {
    let row = sqlx::query(
        "select sealed from quality_signed where month = $1 and load_id = $2 and report = $3",
    )
    .bind(standing.report.month.to_string())
    .bind(&standing.load)
    .bind(standing.digest.to_string())
    .fetch_optional(&mut **change)
    .await?;
    let Some(row) = row else { return Ok(false) };
    let sealed: Sealed<SignedOff> = store::parse(&row, 0)?;
    Ok(persons.iter().any(|person| {
        let yes = sealed.open(&person.key).ok();
        yes.is_some_and(|yes| yes.officer == person.name && yes.report == standing.digest)
    }))
}
