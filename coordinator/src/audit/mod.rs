//! An insurer's audit of one hospital and month, in a folder on the insurer's own machine: its
//! list, blinds and matches never leave it. What is proven and what is not: AUDIT.md.
//!
//! begin → prepare → match → totals → sample → report; `verify` needs nothing but the pack. Every
//! step may be killed and run again: files are whole or absent, and nothing is drawn twice.

mod begin;
mod exchange;
mod findings;
mod folder;
mod matching;
mod open;
mod pack;
mod paid;
mod prepare;
mod progress;
mod verify;
mod work;

pub use begin::{Begun, begin, begun};
pub use exchange::{Admission, admitted, exchange, fetch_book, identity};
pub use findings::{Fault, Finding};
pub use folder::{Case, Folder, Witness};
pub use matching::{Matched, find};
pub use open::{Sampled, Total, sample, totals};
pub use pack::{Report, report};
pub use paid::Paid;
pub use prepare::{Prepared, prepare};
pub use progress::{Leaf, Progress, audits, opened, pack_files, progress};
pub use verify::{Known, verify};

use proofs::book::BookError;
use proofs::commit::CommitError;
use proofs::exchange::{OpenedError, Refusal};
use proofs::leaf::LeafError;
use proofs::note::NoteError;
use proofs::oprf::OprfError;
use proofs::parcel::ParcelError;
use schemas::canonical;
use schemas::seal::SealError;

/// Why a step of an audit is not done, or a pack not believed.
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    /// A file.
    #[error("`{path}` could not be read or written")]
    Io {
        /// Below the audit's folder.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// A file of another shape.
    #[error("`{path}` is refused: {source}")]
    Shape {
        /// Below the audit's folder.
        path: String,
        /// Why.
        source: canonical::Error,
    },
    /// The paid list.
    #[error("paid list, row {row}: {rule}")]
    Paid {
        /// The header is row 1.
        row: u64,
        /// What must hold.
        rule: &'static str,
    },
    /// Another list, or another book, than was prepared.
    #[error("this audit was prepared with another {0}; begin a new folder for it")]
    Other(&'static str),
    /// A reply or a step is missing.
    #[error("waiting: {0}")]
    Waiting(String),
    /// The hospital refuses.
    #[error("the hospital refuses: {0}")]
    Refused(Refusal),
    /// The reply answers something else.
    #[error("`{0}` does not answer its request")]
    Reply(String),
    /// The book.
    #[error(transparent)]
    Book(#[from] BookError),
    /// A key's name.
    #[error(transparent)]
    Note(#[from] NoteError),
    /// A claim or leaf.
    #[error(transparent)]
    Leaf(#[from] LeafError),
    /// An opening.
    #[error(transparent)]
    Commit(#[from] CommitError),
    /// The OPRF; under another key than announced, for example.
    #[error(transparent)]
    Oprf(#[from] OprfError),
    /// The insurer's own key.
    #[error(transparent)]
    Parcel(#[from] ParcelError),
    /// What the hospital opened.
    #[error(transparent)]
    Opened(#[from] OpenedError),
    /// A signature.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// The pack says what its proofs do not.
    #[error("the pack is not believed: {0}")]
    Pack(&'static str),
    /// The coordinator was not reached.
    #[error("the coordinator was not reached")]
    Unreachable(#[from] reqwest::Error),
    /// The coordinator refuses to carry it.
    #[error("the coordinator answered {0}")]
    Status(u16),
    /// A thread died, or the random source failed.
    #[error("the work stopped; run the command again")]
    Stopped,
}
