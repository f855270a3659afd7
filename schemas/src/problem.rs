//! What went wrong, for machines and people (RFC 9457).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Body of every HTTP error. It names the rule and the next step, never a value of a patient.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Problem {
    /// `about:blank` or a URN of ours, `urn:consilium:…`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Short and fixed for the kind.
    pub title: String,
    /// HTTP status.
    pub status: u16,
    /// What to do next.
    pub detail: String,
}

impl Problem {
    /// A problem of our own kind.
    pub fn new(kind: &str, status: u16, title: &str, detail: &str) -> Self {
        Self {
            kind: format!("urn:consilium:{kind}"),
            title: title.to_owned(),
            status,
            detail: detail.to_owned(),
        }
    }
}
