//! Where warnings go beside the screen: a file that grows, one JSON object a line, and an address of
//! the organisation's own; and metrics for its own Prometheus. The alliance's warnings and a hospital's go the same ways.

mod lines;
pub mod metrics;
mod webhook;

pub use lines::Lines;
pub use webhook::Webhook;

/// Why warnings did not get where they should.
#[derive(Debug, thiserror::Error)]
pub enum SinkError {
    /// The file.
    #[error("the file of warnings could not be read or written")]
    File(#[from] std::io::Error),
    /// Not a file of warnings.
    #[error("line {0} of the file is no warning: name another file")]
    Line(usize),
    /// Too large.
    #[error("the file of warnings is larger than 64 MiB: begin another one")]
    Long,
    /// The address.
    #[error("a webhook is https:// with --webhook-ca FILE, or http:// on this machine itself")]
    Address,
    /// The CA.
    #[error("the file of the webhook's CA holds no certificate")]
    Authority,
    /// Not reached.
    #[error("the webhook was not reached; the same command tells it again")]
    Unreachable(#[source] reqwest::Error),
    /// It refused.
    #[error("the webhook answered {0}; the same command tells it again")]
    Status(u16),
}
