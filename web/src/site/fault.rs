//! What goes wrong on a page, as a page. Causes go to the log of the service, never to the browser.

use axum::http::StatusCode;

use super::accounts::AccountError;
use super::session::NoRandom;

/// Why a page is not shown.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// There is no such page, or no such thing.
    #[error("no such page")]
    Missing,
    /// Not by this role.
    #[error("not by this role")]
    Forbidden,
    /// The form is not of this browser's page.
    #[error("the form is not of a page of this session")]
    Forged,
    /// Too many tries.
    #[error("too many tries")]
    Often,
    /// The form lacks something.
    #[error("the form is not whole")]
    Form,
    /// Something that should work does not.
    #[error("{0}")]
    Broken(
        &'static str,
        #[source] Box<dyn std::error::Error + Send + Sync>,
    ),
}

impl Fault {
    /// Its status.
    pub fn status(&self) -> StatusCode {
        match self {
            Self::Missing => StatusCode::NOT_FOUND,
            Self::Forbidden | Self::Forged => StatusCode::FORBIDDEN,
            Self::Often => StatusCode::TOO_MANY_REQUESTS,
            Self::Form => StatusCode::BAD_REQUEST,
            Self::Broken(..) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// The key of its words.
    pub fn key(&self) -> &'static str {
        match self {
            Self::Missing => "fault-missing",
            Self::Forbidden => "fault-forbidden",
            Self::Forged => "fault-forged",
            Self::Often => "fault-often",
            Self::Form => "fault-form",
            Self::Broken(..) => "fault-broken",
        }
    }

    /// Something that should work does not.
    pub fn broken(
        what: &'static str,
        error: impl std::error::Error + Send + Sync + 'static,
    ) -> Self {
        Self::Broken(what, Box::new(error))
    }
}

impl From<NoRandom> for Fault {
    fn from(error: NoRandom) -> Self {
        Self::broken("random numbers", error)
    }
}

impl From<AccountError> for Fault {
    fn from(error: AccountError) -> Self {
        Self::broken("accounts", error)
    }
}

impl From<sqlx::Error> for Fault {
    fn from(error: sqlx::Error) -> Self {
        Self::broken("the state file", error)
    }
}
