//! What goes wrong, as problem documents (RFC 9457). Faults of ours are logged and never shown.

use axum::extract::rejection::BytesRejection;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use schemas::canonical;
use schemas::problem::Problem;

use crate::ask::AskError;
use crate::authority::RequestError;
use crate::collect::ReplyError;
use crate::dictionary::PublishError;
use crate::log::LogError;
use crate::membership::MembershipError;
use crate::register::JoinError;
use crate::store::state::StateError;

const BUSY: u16 = 503;
/// Seconds after which a busy coordinator is asked again, at the earliest.
const RETRY_AFTER: &str = "5";

/// A refused request.
#[derive(Debug)]
pub struct Fault(Problem);

impl Fault {
    /// A problem of ours; `detail` says what to do next.
    pub fn new(kind: &str, status: u16, title: &str, detail: &str) -> Self {
        Self(Problem::new(kind, status, title, detail))
    }

    /// A fault of ours: the chain goes to the log, the asker sees that there is one. Where the state
    /// file was in use for too long, nothing was done and the asker may come again.
    pub(super) fn ours(error: &(dyn std::error::Error + 'static)) -> Self {
        let mut chain = error.to_string();
        let mut busy = false;
        let mut source = error.source();
        while let Some(cause) = source {
            chain.push_str(": ");
            chain.push_str(&cause.to_string());
            busy |= cause.downcast_ref().is_some_and(StateError::is_busy);
            source = cause.source();
        }
        if busy {
            tracing::warn!(fault = %chain, "too much at a time: a request is to come again");
            let later = "nothing was done; send it again later";
            return Self::new("busy", BUSY, "the coordinator is busy", later);
        }
        tracing::error!(fault = %chain, "a request failed");
        Self::new(
            "internal",
            500,
            "the coordinator failed",
            "its log says why",
        )
    }
}

impl IntoResponse for Fault {
    fn into_response(self) -> Response {
        let status =
            StatusCode::from_u16(self.0.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let body = serde_json::to_vec(&self.0).unwrap_or_default();
        let kind = HeaderValue::from_static("application/problem+json");
        let mut response = (status, [(header::CONTENT_TYPE, kind)], body).into_response();
        if status == StatusCode::SERVICE_UNAVAILABLE {
            let later = HeaderValue::from_static(RETRY_AFTER);
            response.headers_mut().insert(header::RETRY_AFTER, later);
        }
        if status == StatusCode::FORBIDDEN {
            // Who is not let in has no connection to keep.
            let close = HeaderValue::from_static("close");
            response.headers_mut().insert(header::CONNECTION, close);
        }
        response
    }
}

impl From<StateError> for Fault {
    fn from(error: StateError) -> Self {
        Self::ours(&error)
    }
}

impl From<BytesRejection> for Fault {
    fn from(error: BytesRejection) -> Self {
        match error.status() {
            StatusCode::PAYLOAD_TOO_LARGE => {
                Self::new("too-long", 413, "the body is too long", "at most 16 MiB")
            }
            _ => Self::new("unreadable", 400, "the body could not be read", ""),
        }
    }
}

impl From<canonical::Error> for Fault {
    fn from(error: canonical::Error) -> Self {
        Self::new("shape", 400, "the body is refused", &error.to_string())
    }
}

impl From<JoinError> for Fault {
    fn from(error: JoinError) -> Self {
        match &error {
            JoinError::Code => Self::new(
                "join-code",
                403,
                "the join code is not valid",
                "it is wrong, used up or expired; ask the alliance for a new one",
            ),
            JoinError::Request(source) => match source {
                RequestError::Authority(_) => Self::ours(&error),
                _ => signing_request(source),
            },
            JoinError::Reserved | JoinError::Random | JoinError::State(_) => Self::ours(&error),
        }
    }
}

fn signing_request(source: &RequestError) -> Fault {
    let detail = source.to_string();
    Fault::new(
        "signing-request",
        422,
        "the signing request is refused",
        &detail,
    )
}

impl From<MembershipError> for Fault {
    fn from(error: MembershipError) -> Self {
        match &error {
            MembershipError::Request(RequestError::Authority(_)) | MembershipError::State(_) => {
                Self::ours(&error)
            }
            MembershipError::Request(source) => signing_request(source),
            _ => Self::new("membership", 403, "not for this member", &error.to_string()),
        }
    }
}

impl From<PublishError> for Fault {
    fn from(error: PublishError) -> Self {
        Self::ours(&error)
    }
}

impl From<LogError> for Fault {
    fn from(error: LogError) -> Self {
        let detail = error.to_string();
        match &error {
            LogError::Refused(refusal) => Self::new(
                "checkpoint",
                refusal.status(),
                "the checkpoint is not cosigned",
                &detail,
            ),
            LogError::NoSuchLog => Self::new("no-such-log", 404, "no such log", &detail),
            LogError::Note(_) | LogError::Checkpoint(_) => {
                Self::new("note", 422, "the note is refused", &detail)
            }
            LogError::State(_)
            | LogError::Damaged { .. }
            | LogError::Tree(_)
            | LogError::File { .. } => Self::ours(&error),
        }
    }
}

impl From<AskError> for Fault {
    fn from(error: AskError) -> Self {
        match &error {
            AskError::NoRound(_) => Self::new("no-such-round", 404, "no such round", ""),
            _ => Self::ours(&error),
        }
    }
}

impl From<ReplyError> for Fault {
    fn from(error: ReplyError) -> Self {
        let detail = error.to_string();
        match &error {
            ReplyError::NotAsked => Self::new("not-asked", 403, "not asked", &detail),
            ReplyError::Seal(source) => Self::new(
                "reply-seal",
                422,
                "the reply is refused",
                &source.to_string(),
            ),
            ReplyError::Elsewhere | ReplyError::Answer => {
                Self::new("reply", 422, "the reply is refused", &detail)
            }
            ReplyError::Conflict => {
                Self::new("reply-conflict", 409, "another reply is stored", &detail)
            }
            ReplyError::Ended => Self::new("round-ended", 410, "the round has ended", &detail),
            ReplyError::State(_) => Self::ours(&error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_comes_at_a_busy_time_is_told_to_come_again() {
        let busy = || StateError::Database(sqlx::Error::PoolTimedOut);
        let pooled = crate::pooled::PooledError::State(busy());
        let asked = AskError::State(busy());
        for fault in [
            Fault::ours(&busy()),
            Fault::ours(&pooled),
            Fault::ours(&asked),
        ] {
            let response = fault.into_response();
            assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
            assert_eq!(response.headers()[header::RETRY_AFTER], RETRY_AFTER);
        }
        let broken = StateError::Database(sqlx::Error::PoolClosed);
        let response = Fault::ours(&broken).into_response();
        assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
        assert!(!response.headers().contains_key(header::RETRY_AFTER));
    }
}
