//! Why a file is not loaded.

use schemas::time::Month;

use crate::config::ConfigError;
use crate::engine::EngineError;
use crate::ingest::IngestError;
use crate::store::columns::ColumnsError;
use crate::store::state::StateError;

/// Why a file is not loaded. Nothing of it was kept.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The dictionary does not define the dataset.
    #[error("the dictionary has no dataset `{name}`: the alliance publishes one that has it")]
    NoDataset {
        /// Which.
        name: &'static str,
    },
    /// The file or its mapping is refused.
    #[error(transparent)]
    Ingest(#[from] IngestError),
    /// Settings or keys are refused.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// Column files failed.
    #[error(transparent)]
    Columns(#[from] ColumnsError),
    /// The hospital's engine did not take the months.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The state file failed.
    #[error(transparent)]
    State(#[from] StateError),
    /// The data folder failed.
    #[error("the data folder could not be read or written")]
    Io(#[from] std::io::Error),
    /// No dictionary was accepted, or the one that coded stored months is gone.
    #[error("no dictionary is accepted; run `consilium-node dictionary accept FILE` first")]
    NoDictionary,
    /// The file is in the store already.
    #[error("this file was loaded before with this mapping, as load `{load}`; nothing was changed")]
    Same {
        /// The load that brought it.
        load: String,
    },
    /// Nothing of a view is new. No failure: the next load may find something.
    #[error("nothing in the view is new since load `{load}`; nothing was changed")]
    Current {
        /// The last load of the view.
        load: String,
    },
    /// Another load of this month waits for the officer.
    #[error(
        "{month} is staged by load `{load}` and not released; release it, or `discard {load}`, \
         before loading the month again"
    )]
    Staged {
        /// The month.
        month: Month,
        /// The load that waits.
        load: String,
    },
    /// A month that was loaded from a view has no row in it any more.
    #[error(
        "{month} is loaded and the view has no row of it left that is kept: a month is replaced by rows \
         only; nothing was changed"
    )]
    Emptied {
        /// The month.
        month: Month,
    },
    /// The file counts patients otherwise than the months of the year that are stored.
    #[error(
        "the stored months of {year} count by `{stored}` and this file by `{file}`: a patient would \
         weigh more than the bounds allow; use one way for the whole year"
    )]
    Unit {
        /// The data year.
        year: u16,
        /// How the stored months count.
        stored: String,
        /// How the file counts.
        file: &'static str,
    },
    /// Months of the year were retired.
    #[error(
        "months of {year} were retired: the year takes no further loads, because the order of its patients' \
         rows is gone"
    )]
    Retired {
        /// The data year.
        year: u16,
    },
    /// Another command changes the data folder.
    #[error("another load, release or discard is under way in this data folder")]
    Busy,
    /// Every row was refused or passed over.
    #[error(
        "no row passed the checks: {refused} refused, {passed_over} passed over by the row \
         filter{most}; `consilium-node check` shows every rule"
    )]
    Nothing {
        /// Rows refused.
        refused: u64,
        /// Rows that the row filter passed over.
        passed_over: u64,
        /// The rule that most of them broke, in words; empty where none did.
        most: String,
    },
    /// The store changed under the load.
    #[error("the store changed while loading; load the file again")]
    Moved,
    /// More than 2^32 rows in one month.
    #[error("a month has more than 4,294,967,295 rows")]
    TooManyRows,
    /// What was written does not fit the dictionary: a fault of this program.
    #[error("what was written does not fit the dictionary; nothing was kept, please report this")]
    NotClosed,
    /// The random source gave nothing.
    #[error("the system's random source failed")]
    Random,
    /// The writer stopped early.
    #[error("the writer of the column files stopped")]
    Writer,
}
