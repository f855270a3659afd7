//! The alliance's dictionary: built from public tables and a plan, published under the alliance's
//! key.

mod bins;
mod decimal;
mod discharges;
mod groups;
mod listed;
mod plan;
mod publish;
mod weights;

pub use decimal::{NotADecimal, decimal};
pub use discharges::Discharges;
pub use listed::read_listed;
pub use plan::{BuildError, Plan};
pub use publish::{PublishError, Published, at_version, by_digest, latest, publish};
pub use weights::Weights;

/// The plans shipped with the software.
pub const CHS: &str = concat!(
    include_str!("../../../policies/dictionaries/chs.toml"),
    "\n",
    include_str!("../../../policies/dictionaries/chs-visits.toml"),
    "\n",
    include_str!("../../../policies/dictionaries/chs-referrals.toml"),
    "\n",
    include_str!("../../../policies/dictionaries/chs-followups.toml"),
    "\n",
    include_str!("../../../policies/dictionaries/chs-surveys.toml")
);
/// For SPARCS-shaped discharge files.
pub const SPARCS: &str = include_str!("../../../policies/dictionaries/sparcs.toml");
