//! From a question to the one vector of whole-number cells that answers it: blocks, cells, bounds,
//! sensitivities, noise and price. Everyone compiles with this code and must get the same
//! [`Layout`]; its digest is the mechanism that an answer cites.

mod layout;
mod axes;
mod sensitivity;
mod compile;
mod price;
pub mod split;
mod spread;
mod explain;
mod manifest;
mod summed;
mod apart;

pub use apart::{Apart, Told, apart, told};
pub use axes::Axis;
pub use compile::compile;
pub use explain::{Explained, ExplainedBlock, Least, explain};
pub use layout::{BlockLayout, Bound, Layout, Sigma, TableLayout};
pub use manifest::{pooled_blocks, pooled_charge, pooled_fits};
pub use price::check_price;
pub use spread::LEAST_NOISES;
pub use summed::{ExplainedSum, Thought, counts_by, explain_sum};

use schemas::id::Slug;
use schemas::loss::Rho;

/// Why a question is refused. Every reason can be checked without any data.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Compiled under another dictionary.
    #[error("the question cites another dictionary version")]
    OtherDictionary,
    /// The dictionary does not define the dataset.
    #[error("dataset `{0}` is not in the dictionary")]
    NoDataset(&'static str),
    /// The period is turned round or too long.
    #[error("period: from the first to the last month, at most 36")]
    Period,
    /// A series asks for more or less than one month.
    #[error("series: exactly one month, at most `contribution.series_months` months a year")]
    Series,
    /// Nothing is asked, or too much.
    #[error("{0}: {1}")]
    Shape(&'static str, &'static str),
    /// A dimension that the dictionary does not know.
    #[error("dimension `{0}` is not in the dictionary")]
    UnknownDimension(Slug),
    /// A dimension that the policy does not allow.
    #[error("dimension `{0}` is not allowed by the policy")]
    ForbiddenDimension(Slug),
    /// A filter key that the dictionary does not list.
    #[error("filter on `{0}`: a key is not in the dictionary's list")]
    UnknownKey(Slug),
    /// A field that the dictionary does not know.
    #[error("field `{0}` is not in the dictionary")]
    UnknownField(Slug),
    /// The purpose or way of release is not allowed.
    #[error("{0} is not allowed by the policy")]
    NotAllowed(&'static str),
    /// K or c beyond the policy.
    #[error("bounds: beyond the policy's contribution bounds")]
    Bounds,
    /// A block without a price, or a price beyond the allowance.
    #[error("rho: every block costs more than 0 and all together no more than the allowance")]
    Price,
    /// A free question beyond the price of one.
    #[error(
        "allowance.free_question: this free question costs ρ {price} and one may cost at most ρ \
         {most}; lower the rho of its blocks, or ask for less"
    )]
    FreePrice {
        /// What it costs each data year.
        price: Rho,
        /// The most by the rules.
        most: Rho,
    },
    /// Centred sums in a free question.
    #[error("centred: free questions ask plain sums; leave `centred` out")]
    FreeCentred,
    /// Too many cells.
    #[error("too many cells: at most {0} in all blocks")]
    Cells(u32),
    /// A cell could leave the range of exact arithmetic.
    #[error("a cell could leave the range of exact arithmetic")]
    Range,
    /// A pooled round's manifest asks for something else than its question.
    #[error("the manifest's {0} is not what follows from its question")]
    Manifest(&'static str),
    /// Not in canonical order, or a doubled entry.
    #[error("the question is not in canonical order")]
    NotCanonical,
}
