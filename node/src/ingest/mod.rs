//! Reading a hospital's file or view: a mapping (`mapping`) is bound to the dictionary and the file's
//! header (`bound`); rows (`row`) come as bytes (`source`). Nothing here is kept.

pub use columnar::ParquetRule;
pub use fhir::FhirRule;
pub use packed::PackedRule;
pub use quoted::QuoteRule;

pub mod amount;
pub mod encoding;
pub mod date;
pub mod mapping;
pub mod settlements;
pub mod table;
mod settlement_list;
pub mod row;
mod packed;
mod quoted;
mod fhir;
mod columnar;
pub mod sql;
pub mod origin;
pub mod source;
pub mod draft;
pub mod codes;
pub mod bound;
pub mod costed;
pub mod crosswalk;
mod columns;
mod dimensions;
mod fields;
mod free_text;
pub mod identifiers;
mod bind;

use policies::costing::Method;
use schemas::time::Month;

/// Why a file or its mapping is refused as a whole. Names columns and settings, never a value.
#[derive(Debug, thiserror::Error)]
pub enum IngestError {
    /// The file could not be read.
    #[error("`{path}` could not be read")]
    Io {
        /// Which file.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// The mapping file is not TOML of the expected shape.
    #[error("mapping: {0}")]
    Mapping(String),
    /// A part of the mapping breaks a rule.
    #[error("mapping: {place}: {rule}")]
    Rule {
        /// Which part.
        place: String,
        /// What must hold.
        rule: &'static str,
    },
    /// Columns that the mapping names are not in the file's header, or more than once.
    #[error("{}", columns::told(.missing, .twice, .header))]
    Columns {
        /// Names that are not there.
        missing: Vec<String>,
        /// Names that are there more than once.
        twice: Vec<String>,
        /// Number of columns in the header.
        header: usize,
    },
    /// The first line of a file of settlement lists is none.
    #[error(
        "line 1 is no settlement list: one JSON object a line, with `setlinfo`, as interface 4101 \
         uploads them"
    )]
    List,
    /// The header is not of the encoding.
    #[error(
        "the file's header is not of the mapping's encoding: save the file as UTF-8, or say `encoding = \"gb18030\"` \
         in the mapping if it is GBK or GB 18030"
    )]
    Header,
    /// An encoding for what is no CSV.
    #[error(
        "`encoding` is for CSV files: this source is UTF-8 by its standard; remove it from the mapping"
    )]
    Encoding,
    /// A record without an end.
    #[error("row {row}: the record is longer than 1 MiB; is a quotation mark not closed?")]
    TooLong {
        /// Row number; the header is row 1.
        row: u64,
    },
    /// A quotation mark that does not stand as one may: what follows it would be lost.
    #[error("line {line}: {rule}; mend the line, or export the file again")]
    Quotes {
        /// Which line of the file.
        line: u64,
        /// What must hold.
        rule: QuoteRule,
    },
    /// A packed file that is not what it must be.
    #[error("`{file}`, row {row}: {rule}")]
    Packed {
        /// Which file.
        file: String,
        /// The row or line that was being read.
        row: u64,
        /// What must hold.
        rule: PackedRule,
    },
    /// A folder of FHIR resources that is refused as a whole.
    #[error("`{file}`, line {line}: {rule}")]
    Fhir {
        /// Which file of the folder.
        file: String,
        /// Its line.
        line: u64,
        /// What must hold.
        rule: FhirRule,
    },
    /// A Parquet file that is refused as a whole.
    #[error("`{file}`, after row {row}: {rule}")]
    Parquet {
        /// Which file.
        file: String,
        /// Rows read before.
        row: u64,
        /// What must hold.
        rule: ParquetRule,
    },
    /// Columns that the mapping names are of types that are not read.
    #[error(
        "columns {} are of a type that is not read; export them as dates, times without a zone, \
         numbers or texts",
        columns::quoted(.0)
    )]
    Types(Vec<String>),
    /// A mapping with costed fields where no rates are signed for.
    #[error(
        "the mapping has fields that are costed, and no rates are signed for: `consilium-node cost rates use` \
         orders those of a closed month for later ones"
    )]
    NoRates,
    /// Rates of the month that they would cost, or of a later one.
    #[error(
        "rates of {period} cannot cost stays from {from} on: they are of an earlier closed month, always"
    )]
    LateRates {
        /// The month of the rates.
        period: Month,
        /// The first month that they would cost.
        from: Month,
    },
    /// Rates that the mapping does not serve.
    #[error("the signed rates of {period} ({method}) do not fit the mapping: {what}")]
    RatesMapping {
        /// The month of the rates.
        period: Month,
        /// Their method.
        method: Method,
        /// What is missing.
        what: String,
    },
    /// A crosswalk that no officer approved.
    #[error(
        "no approved crosswalk `{0}`: a drafted or changed one counts from `consilium-node crosswalk approve {0}` on"
    )]
    Crosswalk(schemas::id::Slug),
    /// A code that goes to several where a row has one.
    #[error(
        "mapping: {place}: crosswalk `{name}` takes a code to several, and a row has one here: say \
         `split = \"largest\"` for the target with the largest share"
    )]
    Splits {
        /// The part of the mapping.
        place: String,
        /// The crosswalk.
        name: schemas::id::Slug,
    },
    /// A view of a database that is not read.
    #[error(transparent)]
    Sql(#[from] sql::SqlError),
    /// The file changed between two readings.
    #[error("the file changed while it was read; load it again when it is complete")]
    Changed,
}

impl IngestError {
    pub(crate) fn io(path: &std::path::Path) -> impl FnOnce(std::io::Error) -> Self + '_ {
        |source| Self::Io {
            path: path.display().to_string(),
            source,
        }
    }

    pub(crate) fn rule(place: impl Into<String>, rule: &'static str) -> Self {
        Self::Rule {
            place: place.into(),
            rule,
        }
    }
}
