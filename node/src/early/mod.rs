//! Early warning inside the hospital: postings are read from a file that grows, judged by
//! `policies::early`, and told to the hospital's own file, address and page. The node itself keeps neither the
//! number of a case nor a day, and sends nothing of it to anybody else.

mod desk;
mod feed;
mod page;
mod sinks;
mod store;
#[cfg(test)]
mod test;

pub use self::sinks::Sinks;
pub use desk::{Desk, Turn, standards};
pub use feed::{Batch, Fault, Feed, FeedError};
pub use page::write_page;
pub use store::{Told, list};

use ::sinks::SinkError;

use crate::config::ConfigError;
use crate::ingest::table::TableError;
use crate::store::state::StateError;

/// Why nothing is watched or told. Names files, lines and columns, never a value.
#[derive(Debug, thiserror::Error)]
pub enum EarlyError {
    /// The feed.
    #[error(transparent)]
    Feed(#[from] FeedError),
    /// Where warnings go.
    #[error(transparent)]
    Sink(#[from] SinkError),
    /// A file of warnings below the data folder.
    #[error("the file of warnings names cases: it lies outside the node's data folder")]
    Inside,
    /// The page.
    #[error("the page of warnings could not be written")]
    Page(#[source] std::io::Error),
    /// A table.
    #[error(transparent)]
    Table(#[from] TableError),
    /// The rules.
    #[error(transparent)]
    Rules(#[from] policies::figures::settings::RulesError),
    /// The key.
    #[error(transparent)]
    Key(#[from] ConfigError),
    /// The state file.
    #[error(transparent)]
    State(#[from] StateError),
}

impl From<sqlx::Error> for EarlyError {
    fn from(error: sqlx::Error) -> Self {
        Self::State(error.into())
    }
}
