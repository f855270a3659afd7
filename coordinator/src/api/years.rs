//! Budget years for members: which there are, all of one, and statements about one. What a statement
//! may say decides the year; who brings it does not matter, it is signed in itself.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{Path, State};
use axum::routing::{get, post};
use axum::{Json, Router};
use policies::year::{Published, Year};
use schemas::canonical;
use schemas::seal::Sealed;
use schemas::year::Statement;

use super::{App, Fault};
use crate::register::Member;
use crate::year::{self, Listed, YearError};

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/v1/years", get(all))
        .route("/v1/years/{year}", get(published))
        .route("/v1/years/{year}/standing", get(standing))
}

/// What members send: signed requests.
pub(super) fn signed_routes() -> Router<Arc<App>> {
    Router::new().route("/v1/years/{year}/statements", post(statement))
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
    let found = year::published(app.store.pool(), &app.config.alliance, read(&number)?).await?;
    takes_part(
        &found.replay(|_, _, _| Ok(())).map_err(YearError::from)?,
        &member,
    )?;
    Ok(Json(found))
}

fn takes_part(year: &Year, member: &Member) -> Result<(), Fault> {
    if year.members.contains_key(&member.hospital) {
        return Ok(());
    }
    let why = "this hospital takes no part in the year";
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
