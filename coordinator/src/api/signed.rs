//! Signed requests: who is connected must also sign with its message key, over the bytes as sent.
//! A request has one effect however often it arrives; the same again gets the stored response.

use std::sync::Arc;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{FromRequestParts as _, Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use schemas::digest::Digest;
use schemas::id::Slug;
use schemas::request::{self, Arrived, LIFETIME, Receipt, SKEW};
use schemas::seal::Sealed;
use schemas::time::Timestamp;
use sqlx::Row as _;

use super::{App, Fault, MOST_BODY};
use crate::register::Member;
use crate::store::state::{State as Store, StateError};

/// Largest response that is kept.
const MOST_RESPONSE: usize = 1024 * 1024;

/// A response as it was given.
struct Given {
    request: Digest,
    status: u16,
    kind: String,
    body: String,
    receipt: String,
}

/// Lets a request through once, if its sender signed it.
pub(super) async fn once(
    State(app): State<Arc<App>>,
    request: Request,
    next: Next,
) -> Result<Response, Fault> {
    let (mut parts, body) = request.into_parts();
    let member = Member::from_request_parts(&mut parts, &app).await?;
    // Read first: whoever is refused while it still sends sees a broken connection and not why.
    let body = to_bytes(body, MOST_BODY)
        .await
        .map_err(|_| Fault::new("too-long", 413, "the body is too long", "at most 16 MiB"))?;
    let header = parts.headers.get(request::REQUEST);
    let sealed = header.and_then(|value| serde_json::from_slice(value.as_bytes()).ok());
    let sealed: Sealed<request::Request> =
        sealed.ok_or_else(|| unsigned("the header consilium-request holds no signed request"))?;
    let signed = sealed
        .open(&member.message_key)
        .map_err(|error| unsigned(&error.to_string()))?;
    let now = app.clock.now();
    let arrived = Arrived {
        sender: &member.hospital,
        recipient: app.authority.signer().public().fingerprint(),
        path: parts.uri.path(),
        body: &body,
        now,
    };
    signed
        .check(&arrived)
        .map_err(|error| unsigned(&error.to_string()))?;
    let digest = sealed
        .digest()
        .map_err(|error| unsigned(&error.to_string()))?;
    // One at a time for each id: a second copy waits for the first one's response.
    let _turn = app.turn(&signed.id).lock().await;
    if let Some(given) = find(&app.store, &member.hospital, &signed.id).await? {
        if given.request != digest {
            return Err(Fault::new(
                "message-id",
                409,
                "this message id was used for another request",
                "make a new id for each request",
            ));
        }
        return Ok(response(given));
    }
    let done = next.run(Request::from_parts(parts, Body::from(body))).await;
    let status = done.status();
    if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS {
        // Nothing was decided: the same request may come again.
        return Ok(done);
    }
    let (head, body) = done.into_parts();
    let kind = head.headers.get(header::CONTENT_TYPE);
    let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let body = to_bytes(body, MOST_RESPONSE).await;
    let body = body.map_err(|_| StateError::Range)?;
    let given = receipt(&app, digest, (status, kind), &body)?;
    keep(&app.store, (&member.hospital, &signed.id), &given, now).await?;
    Ok(response(given))
}

fn unsigned(why: &str) -> Fault {
    Fault::new(
        "unsigned",
        401,
        "the request is not signed by the member's message key, or not for here and now",
        why,
    )
}

fn receipt(
    app: &App,
    request: Digest,
    (status, kind): (StatusCode, &str),
    body: &Bytes,
) -> Result<Given, StateError> {
    let receipt = Receipt {
        request,
        status: status.as_u16(),
        body: request::digest(body),
    };
    let sealed = Sealed::seal(app.authority.signer(), &receipt).map_err(|_| StateError::Range)?;
    Ok(Given {
        request,
        status: status.as_u16(),
        kind: kind.to_owned(),
        body: String::from_utf8(body.to_vec()).map_err(|_| StateError::Range)?,
        receipt: serde_json::to_string(&sealed).map_err(|_| StateError::Range)?,
    })
}

fn response(given: Given) -> Response {
    let status = StatusCode::from_u16(given.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = (status, given.body).into_response();
    let headers = response.headers_mut();
    if let Ok(kind) = HeaderValue::from_str(&given.kind) {
        headers.insert(header::CONTENT_TYPE, kind);
    }
    if let Ok(receipt) = HeaderValue::from_str(&given.receipt) {
        headers.insert(request::RECEIPT, receipt);
    }
    response
}

async fn find(store: &Store, hospital: &Slug, id: &str) -> Result<Option<Given>, StateError> {
    let row = sqlx::query(
        "select request, status, kind, body, receipt from messages where hospital = $1 and id = $2",
    )
    .bind(hospital.as_str())
    .bind(id)
    .fetch_optional(store.pool())
    .await?;
    let Some(row) = row else {
        return Ok(None);
    };
    let request: String = row.try_get(0)?;
    Ok(Some(Given {
        request: request.parse().map_err(|_| StateError::Range)?,
        status: u16::try_from(row.try_get::<i64, _>(1)?).map_err(|_| StateError::Range)?,
        kind: row.try_get(2)?,
        body: row.try_get(3)?,
        receipt: row.try_get(4)?,
    }))
}

/// Keeps a response as long as its request could come again.
async fn keep(
    store: &Store,
    (hospital, id): (&Slug, &str),
    given: &Given,
    now: Timestamp,
) -> Result<(), StateError> {
    let mut change = store.begin().await?;
    sqlx::query("delete from messages where expires < $1")
        .bind(now.0)
        .execute(&mut *change)
        .await?;
    sqlx::query(
        "insert into messages (hospital, id, request, status, kind, body, receipt, expires) \
         values ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(hospital.as_str())
    .bind(id)
    .bind(given.request.to_string())
    .bind(i64::from(given.status))
    .bind(&given.kind)
    .bind(&given.body)
    .bind(&given.receipt)
    // Its own end lies at most a lifetime after the latest moment at which it is taken.
    .bind(now.0.saturating_add(LIFETIME + 2 * SKEW))
    .execute(&mut *change)
    .await?;
    change.commit().await?;
    Ok(())
}
