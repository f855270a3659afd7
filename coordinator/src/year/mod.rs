//! Budget years: what was said in them, kept in the order in which it was taken. What may be said,
//! and what follows, is `policies::year`'s.

mod earlier;
mod facts;
mod history;
mod inputs;
mod parts;
mod letter;
mod by_member;
mod sheet;
mod store;
mod table;
mod tables;
mod watch;

pub use earlier::{apart, owed, spent_before, undone};
pub use facts::pilots;
pub use history::{expected, volumes};
pub use inputs::{Volumes, demand, inputs, kept_deductions, revision};
pub use letter::letter;
pub use store::{Listed, all, open, propose, published, read, take};
pub use table::{control_figures, execution, members, workbook};
pub use tables::{Before, Surplus, appraisal, settlement, surplus};
pub use watch::warnings;

use std::collections::BTreeMap;
use std::path::Path;

use policies::year::{Broken, Fault, OutcomeError, Refused, Rules};
use schemas::canonical;

use crate::administrators::AdministratorsError;
use crate::store::state::StateError;

/// Why nothing was kept.
#[derive(Debug, thiserror::Error)]
pub enum YearError {
    /// No such year.
    #[error("the year {0} was not opened; see `consilium-coordinator year open --help`")]
    Unknown(u16),
    /// It is there.
    #[error("the year {0} is open already")]
    Known(u16),
    /// What was said may not be said.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// What is kept does not hold.
    #[error("the year as it is kept does not hold: {0}")]
    Fault(#[from] Fault),
    /// A result could not be computed.
    #[error(transparent)]
    Outcome(#[from] OutcomeError),
    /// Rules of the alliance's own.
    #[error(transparent)]
    Rules(#[from] Broken),
    /// A table of facts.
    #[error("line {line} of the facts: {what} is missing or refused")]
    Facts {
        /// The line.
        line: usize,
        /// What.
        what: String,
    },
    /// A series that nothing is forecast from.
    #[error(
        "the history of `{0}` does not tell of the year: it begins in or before January, ends at most 36 \
         months before December and not after it, and has 9 months or more to forecast from"
    )]
    History(schemas::id::Slug),
    /// A line of a history.
    #[error("line {line} of the history: {what} is missing or refused")]
    Months {
        /// The line.
        line: usize,
        /// What.
        what: String,
    },
    /// Rules of the alliance's own that cannot be read.
    #[error("the rules `{0}` could not be read")]
    Unread(String, #[source] std::io::Error),
    /// A proposal of nothing that is kept.
    #[error("no such result is kept here; a result is proposed by `year propose`, with its inputs")]
    NoResult,
    /// Nothing to settle against.
    #[error("no plan is in force yet")]
    NoPlan,
    /// A stage that the rules do not have.
    #[error("the rules of appraisal have no stage `{0}`")]
    Stage(schemas::id::Slug),
    /// The result rests on something else than the year holds.
    #[error(transparent)]
    Unfounded(#[from] policies::year::Unfounded),
    /// Administrators.
    #[error(transparent)]
    Administrators(#[from] AdministratorsError),
    /// A key.
    #[error("the key `{0}` could not be read; name the speaker's with --key")]
    Key(String, #[source] std::io::Error),
    /// Something has no canonical form.
    #[error("a statement has no canonical form")]
    Canonical(#[from] canonical::Error),
    /// A statement could not be sealed.
    #[error(transparent)]
    Seal(#[from] schemas::seal::SealError),
    /// A table.
    #[error("the table could not be written")]
    Table(#[from] csv::Error),
    /// A workbook.
    #[error("the workbook could not be written")]
    Workbook(#[from] rust_xlsxwriter::XlsxError),
    /// The state file.
    #[error(transparent)]
    State(#[from] StateError),
}

impl From<sqlx::Error> for YearError {
    fn from(error: sqlx::Error) -> Self {
        Self::State(error.into())
    }
}

/// The rules of an alliance: its own files in `rules/` of the data folder, else those shipped.
pub fn rules(data: &Path) -> Result<Rules, YearError> {
    rules_in(&data.join("rules"))
}

/// The rules in a folder, and of those that it does not hold the given ones.
pub fn rules_beside(folder: &Path, rules: &Rules) -> Result<Rules, YearError> {
    let here = |file: &str| folder.join(file).exists();
    if !Rules::FILES.into_iter().any(here) {
        return Ok(rules.clone());
    }
    let read = rules_in(folder)?;
    let [course, split, payout, bearers, grades, warnings] = Rules::FILES.map(here);
    let given = rules.clone();
    Ok(Rules {
        year: if course { read.year } else { given.year },
        budget: if split { read.budget } else { given.budget },
        bonus: if payout { read.bonus } else { given.bonus },
        overspend: if bearers {
            read.overspend
        } else {
            given.overspend
        },
        appraisal: if grades {
            read.appraisal
        } else {
            given.appraisal
        },
        alerts: if warnings { read.alerts } else { given.alerts },
        written: None,
    })
}

/// The rules in a folder, else those shipped. A file that is there and cannot be read is refused:
/// nothing else stands in for it.
fn rules_in(folder: &Path) -> Result<Rules, YearError> {
    let mut own = BTreeMap::new();
    for file in Rules::FILES {
        let path = folder.join(file);
        match std::fs::read_to_string(&path) {
            Ok(text) => drop(own.insert(file, text)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(YearError::Unread(path.display().to_string(), error)),
        }
    }
    Ok(Rules::read(|file| own.get(file).cloned())?)
}
