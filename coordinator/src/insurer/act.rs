//! Steps of an audit that are begun on a page: each does what the command of its name does, beside the page,
//! which tells how it went. One step of an audit works at a time.

use std::sync::Arc;

use axum::Extension;
use axum::extract::{RawPathParams, State};
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use web::site::answer::{self, Visit, escaped};
use web::site::fault::Fault;
use web::site::routes::{Fields, Places};

use super::desk::{Desk, Step, broken};
use super::tar;
use crate::audit::{self, AuditError, Folder, Known};

/// Looks for replies in one step, half a second each.
const LOOKS: u32 = 20;

const STEPS: [&str; 6] = ["exchange", "match", "totals", "sample", "report", "verify"];

/// Begins a step and leads back to the audit.
pub(super) async fn step(
    desk: Arc<Desk>,
    _visit: Visit,
    places: Places,
    fields: Fields,
) -> Result<String, Fault> {
    let name = places.text("audit").to_owned();
    let folder = desk.folder(&name)?;
    let wanted = fields.text("step");
    let step = STEPS.into_iter().find(|step| *step == wanted);
    let step = step.ok_or(Fault::Form)?;
    let to = format!("/audits/{}", escaped(&name));
    let turn = desk.begin(&name, step).ok_or(Fault::Often)?;
    tokio::spawn(async move {
        turn.end(Step::ended(step, work(folder, step).await));
    });
    Ok(to)
}

async fn work(folder: Folder, step: &'static str) -> Result<(), AuditError> {
    if step == "exchange" {
        let left = audit::exchange(&folder, LOOKS, &|_, _| {}).await?;
        return if left == 0 {
            Ok(())
        } else {
            Err(AuditError::Waiting(format!(
                "{left} requests are not answered yet"
            )))
        };
    }
    let worked = tokio::task::spawn_blocking(move || match step {
        "match" => audit::find(&folder, &|_, _| {}).map(drop),
        "totals" => audit::totals(&folder).map(drop),
        "sample" => audit::sample(&folder).map(drop),
        "report" => audit::report(&folder).map(drop),
        _ => {
            let case = folder.case()?;
            let known = Known {
                log_key: Some(case.log_key),
                witnesses: (case.quorum > 0).then_some((case.witnesses, case.quorum)),
            };
            audit::verify(&Folder::new(&folder.path("pack")), &known).map(drop)
        }
    });
    worked.await.map_err(|_| AuditError::Stopped)?
}

/// The evidence pack as one file.
pub(super) async fn pack(
    State(desk): State<Arc<Desk>>,
    Extension(visit): Extension<Visit>,
    params: RawPathParams,
) -> Response {
    let places = Places::of(&params);
    match packed(&desk, &places).await {
        Ok(response) => response,
        Err(fault) => answer::failed(&desk, &visit, &fault),
    }
}

async fn packed(desk: &Desk, places: &Places) -> Result<Response, Fault> {
    let folder = desk.folder(places.text("audit"))?;
    let of = audit::progress(&folder).map_err(broken)?;
    if of.report.is_none() {
        return Err(Fault::Missing);
    }
    let worked = tokio::task::spawn_blocking(move || audit::pack_files(&folder)).await;
    let files = worked.map_err(|error| Fault::broken("a pack", error))?;
    let bytes = tar::archive(&files.map_err(broken)?).ok_or(Fault::Missing)?;
    let (hospital, month) = (&of.case.subject.hospital, of.case.subject.period);
    let headers = [
        (header::CONTENT_TYPE, "application/x-tar".to_owned()),
        (
            header::CONTENT_DISPOSITION,
            format!("attachment; filename=\"evidence-{hospital}-{month}.tar\""),
        ),
    ];
    Ok((headers, bytes).into_response())
}
