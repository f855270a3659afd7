//! Budget years for members: which there are, all of one, and statements about one. What a statement
//! may say decides the year; who brings it does not matter, it is signed in itself.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{Path, State};
use axum::routing::{get, post};
use axum::{Json, Router};
use policies::figures::alerts::Execution;
use policies::figures::watch::Warning;
use policies::year::{Computed, Published, Rules, Year, compute};
use schemas::canonical;
use schemas::id::Slug;
use schemas::money::Fen;
use schemas::seal::Sealed;
use schemas::time::Month;
use schemas::year::{Matter, Statement};
use serde::{Deserialize, Serialize};

use super::{App, Fault};
use crate::register::Member;
use crate::year::{self, Listed, YearError};

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/v1/years", get(all))
        .route("/v1/years/{year}", get(published))
        .route("/v1/years/{year}/standing", get(standing))
        .route("/v1/years/{year}/execution/{month}", get(execution))
        .route("/v1/years/{year}/warnings/{month}", get(warnings))
}

/// What members send: signed requests.
pub(super) fn signed_routes() -> Router<Arc<App>> {
    Router::new()
        .route("/v1/years/{year}/statements", post(statement))
        .route("/v1/years/{year}/what-if", post(what_if))
}

async fn all(State(app): State<Arc<App>>, _: Member) -> Result<Json<Vec<Listed>>, Fault> {
    Ok(Json(year::all(&app.store, &app.config.alliance).await?))
}

/// All that was said and computed, for whoever verifies it.
async fn published(
    State(app): State<Arc<App>>,
    member: Member,
    Path(number): Path<String>,
) -> Result<Json<Published>, Fault> {
    Ok(Json(of_member(&app, &member, read(&number)?).await?.0))
}

fn takes_part(year: &Year, member: &Member) -> Result<(), Fault> {
    // A party that is a member of the network is known by its message key.
    let mut parties = year.parties.values();
    if year.members.contains_key(&member.hospital) || parties.any(|key| *key == member.message_key)
    {
        return Ok(());
    }
    let why = "this organisation takes no part in the year";
    Err(Fault::new("not-in-year", 403, "not for this member", why))
}

/// Where it stands, as the coordinator replayed it.
async fn standing(
    State(app): State<Arc<App>>,
    member: Member,
    Path(number): Path<String>,
) -> Result<Json<Year>, Fault> {
    let found = year::read(&app.store, &app.config.alliance, read(&number)?).await?;
    takes_part(&found, &member)?;
    Ok(Json(found))
}

/// A member's spending against its budget, up to a month.
#[derive(Serialize)]
struct Row {
    member: Slug,
    /// Its budget less what earlier years take, in fen.
    budget: Fen,
    /// What the insurer says it paid up to the month, in fen.
    spent: Fen,
    /// Months up to there of which the insurer said nothing.
    unknown: Vec<Month>,
    /// Rates and level by the year's rules; none of a budget of nothing.
    stands: Option<Execution>,
}

/// A year and how it stands, for one of its members.
async fn of_member(app: &App, member: &Member, number: u16) -> Result<(Published, Year), Fault> {
    let found = year::published(app.store.pool(), &app.config.alliance, number).await?;
    let stands = found.replay(|_, _, _| Ok(())).map_err(YearError::from)?;
    takes_part(&stands, member)?;
    Ok((found, stands))
}

/// Spending against the plan in force; no rows before one is.
async fn execution(
    State(app): State<Arc<App>>,
    member: Member,
    Path((number, month)): Path<(String, String)>,
) -> Result<Json<Vec<Row>>, Fault> {
    let until = in_year(read(&number)?, &month)?;
    let (found, stands) = of_member(&app, &member, until.year().0).await?;
    let mut missing = stands.unpaid(app.clock.now());
    let rows = year::execution(&found, &stands, until.number());
    let rows = rows.into_iter().map(|(member, budget, spent, of)| {
        let mut unknown = missing.remove(&member).unwrap_or_default();
        unknown.retain(|month| *month <= until);
        Row {
            member,
            budget,
            spent,
            unknown,
            stands: of,
        }
    });
    Ok(Json(rows.collect()))
}

/// Warnings up to a month from plan and payments; those from benchmarks are `year warnings`'.
async fn warnings(
    State(app): State<Arc<App>>,
    member: Member,
    Path((number, month)): Path<(String, String)>,
) -> Result<Json<Vec<Warning>>, Fault> {
    let until = in_year(read(&number)?, &month)?;
    let (found, stands) = of_member(&app, &member, until.year().0).await?;
    let before = until.year().0.saturating_sub(1);
    let before = match year::read(&app.store, &app.config.alliance, before).await {
        Err(YearError::Unknown(_)) => None,
        other => Some(other?),
    };
    Ok(Json(year::warnings(
        (&found, &stands),
        before.as_ref(),
        &[],
        until,
    )))
}

/// What a result would be under other inputs or rules.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WhatIf {
    matter: Matter,
    /// The text of the inputs (JSON), as a published result has it.
    inputs: String,
    /// The year's rules where it is left out.
    #[serde(default)]
    rules: Option<Box<Rules>>,
}

/// Computes a result and keeps nothing of it.
async fn what_if(
    State(app): State<Arc<App>>,
    member: Member,
    Path(number): Path<String>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<Computed>, Fault> {
    let (found, stands) = of_member(&app, &member, read(&number)?).await?;
    let refused = |why: &str| Fault::new("what-if", 422, "nothing was computed", why);
    let asked: WhatIf = serde_json::from_slice(&body?).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        refused(&format!(
            "the question is not of the expected shape: {line}:{column}"
        ))
    })?;
    let rules = asked.rules.map_or(found.rules, |rules| *rules);
    rules
        .check()
        .map_err(|broken| refused(&broken.to_string()))?;
    let Ok(turn) = Arc::clone(&app.computing).try_acquire_owned() else {
        let why = "other members' questions are being computed; ask again in a few seconds";
        return Err(Fault::new("busy", 503, "busy", why));
    };
    // The turn ends with the work, also where nobody waits for it any more.
    let computed = tokio::task::spawn_blocking(move || {
        let _turn = turn;
        compute(&rules, stands.number, asked.matter, &asked.inputs)
    });
    let computed = computed.await.map_err(|error| Fault::ours(&error))?;
    Ok(Json(computed.map_err(|error| refused(&error.to_string()))?))
}

/// A month of a year by its number, 1 to 12.
fn in_year(year: u16, month: &str) -> Result<Month, Fault> {
    let number = month.parse().ok();
    let month = number.and_then(|number| Month::new(year, number).ok());
    month.ok_or_else(|| {
        let why = "a month is a number from 1 to 12";
        Fault::new("no-such-month", 404, "no such month", why)
    })
}

/// Takes a statement, or says why not; then nothing has changed.
async fn statement(
    State(app): State<Arc<App>>,
    member: Member,
    Path(number): Path<String>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<Listed>, Fault> {
    let sealed: Sealed<Statement> = canonical::read(&body?)?;
    let about = (&app.config.alliance, read(&number)?);
    let taken = year::take(&app.store, about, &sealed, app.clock.now()).await?;
    tracing::info!(year = taken.number, by = %member.hospital, "a statement about a year was taken");
    Ok(Json(Listed::from(&taken)))
}

fn read(number: &str) -> Result<u16, Fault> {
    number.parse().map_err(|_| unknown())
}

fn unknown() -> Fault {
    Fault::new(
        "no-such-year",
        404,
        "no such year",
        "the alliance did not open it",
    )
}

impl From<YearError> for Fault {
    fn from(error: YearError) -> Self {
        let detail = error.to_string();
        match &error {
            YearError::Unknown(_) => unknown(),
            YearError::Refused(_) | YearError::NoResult | YearError::Unfounded(_) => {
                Self::new("year", 422, "the statement is refused", &detail)
            }
            _ => Self::ours(&error),
        }
    }
}
