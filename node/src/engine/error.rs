//! Why the hospital's engine does not serve. Names tables, months and rules, never a value, an address or a
//! name of somebody who logs in.

use schemas::time::Month;

use crate::ingest::sql::SqlError;

/// What stands for the SQLSTATEs of a missing table.
const NO_TABLE: &str = "no such table";

/// Why the hospital's engine does not serve.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EngineError {
    /// The file of its URL is refused.
    #[error("columns.url_file: {0}")]
    Address(String),
    /// It cannot be reached.
    #[error("the engine of the columns could not be reached at its address")]
    Unreachable,
    /// No secured connection came about.
    #[error(
        "no secured connection to the engine of the columns: it shows no certificate for its name that is \
         trusted"
    )]
    Tls,
    /// It does not know the user or the password.
    #[error("the engine of the columns refused the login")]
    Login,
    /// It has no such database.
    #[error("the engine of the columns has no database of the name in its address")]
    Database,
    /// The login may not do what is needed.
    #[error(
        "the engine's login lacks a right: it selects, inserts and deletes in the tables that \
         `consilium-node columns ddl` prints"
    )]
    Permission,
    /// A table is missing, or lacks a column of the dictionary.
    #[error(
        "the engine has no table `{table}` with the columns of the dictionary and the login may not make it: \
         `consilium-node columns ddl` prints how"
    )]
    Table {
        /// Which table.
        table: String,
    },
    /// A month is not there.
    #[error(
        "the engine does not hold {month}: `consilium-node columns send` sends what is missing"
    )]
    Missing {
        /// Which month.
        month: Month,
    },
    /// Fewer or more rows arrived than were sent.
    #[error("the engine holds another number of rows of {month} than were sent; nothing was kept")]
    Short {
        /// Which month.
        month: Month,
    },
    /// It holds another number of rows than the node.
    #[error(
        "the engine holds another number of rows of {month} than the node; `consilium-node columns send` sends \
         the month again"
    )]
    Rows {
        /// Which month.
        month: Month,
    },
    /// Its tables are another hospital's.
    #[error(
        "the engine's tables belong to another hospital: each hospital has a database of its own, or a schema"
    )]
    Foreign,
    /// It took too long.
    #[error("the engine of the columns did not answer in time")]
    Slow,
    /// Months were sent or deleted while a question was computed.
    #[error("the engine's months changed while the question was computed; ask again")]
    Changed,
    /// The column files of a month cannot be read.
    #[error("the column files of {month} cannot be read; nothing was sent")]
    Files {
        /// Which month.
        month: Month,
    },
    /// It gave what cannot be an answer.
    #[error("the engine of the columns gave an answer that cannot be read")]
    Answer,
    /// The connection broke.
    #[error("the connection to the engine of the columns was lost")]
    Lost,
    /// It refused a statement.
    #[error("the engine of the columns refused a statement (code {code})")]
    Refused {
        /// SQLSTATE, or ClickHouse's number.
        code: String,
    },
}

impl EngineError {
    /// Whether a table is not there yet.
    pub(super) fn is_no_table(&self) -> bool {
        matches!(self, Self::Refused { code } if code == NO_TABLE || code == "60")
    }
}

impl From<SqlError> for EngineError {
    fn from(error: SqlError) -> Self {
        match error {
            SqlError::Unreachable => Self::Unreachable,
            SqlError::Tls => Self::Tls,
            SqlError::Login => Self::Login,
            SqlError::Database => Self::Database,
            SqlError::Permission => Self::Permission,
            SqlError::View => Self::Refused {
                code: NO_TABLE.to_owned(),
            },
            SqlError::Lost => Self::Lost,
            SqlError::Refused { code } => Self::Refused { code },
            SqlError::NoAddress
            | SqlError::File { .. }
            | SqlError::Open { .. }
            | SqlError::Scheme
            | SqlError::Lowered => Self::Address(error.to_string()),
            _ => Self::Answer,
        }
    }
}
