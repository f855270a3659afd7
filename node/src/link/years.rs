//! The alliance's budget years: fetched whole, and what this hospital says of them.

use schemas::canonical;
use schemas::problem::Problem;
use schemas::seal::{SealError, Sealed};
use schemas::year::Statement;

use super::client::{Link, LinkError};

/// What became of a statement.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Heard {
    /// It was taken.
    Taken,
    /// It was refused, and why; nothing has changed.
    Refused(String),
}

impl Link {
    /// The list of years, as JSON.
    pub async fn years(&self) -> Result<Vec<u8>, LinkError> {
        Ok(self.get("/v1/years", 0).await?.0)
    }

    /// A published year, as JSON; nothing of it is believed yet.
    pub async fn year(&self, year: u16) -> Result<Vec<u8>, LinkError> {
        Ok(self.get(&format!("/v1/years/{year}"), 0).await?.0)
    }

    /// Says something about a year.
    pub async fn speak(
        &self,
        statement: &Sealed<Statement>,
        year: u16,
    ) -> Result<Heard, LinkError> {
        let body = canonical::to_bytes(statement).map_err(|_| SealError::Signature)?;
        let path = format!("/v1/years/{year}/statements");
        let (status, body) = self.post(&path, body).await?;
        if status.is_success() {
            return Ok(Heard::Taken);
        }
        let problem: Option<Problem> = canonical::read(&body).ok();
        match problem.filter(|_| status.is_client_error()) {
            Some(problem) => Ok(Heard::Refused(problem.detail)),
            None => Err(LinkError::Status(status.as_u16())),
        }
    }
}
