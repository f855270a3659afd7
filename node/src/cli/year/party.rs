//! `year party`: what a party of a budget year says over the wire, signed by this organisation's message
//! key. Whether it may say it decides the year.

use std::path::PathBuf;

use clap::Subcommand;
use schemas::digest::Digest;
use schemas::id::Slug;
use schemas::money::Fen;
use schemas::time::Month;
use schemas::year::{Matter, Says};

use super::matter;

/// `year party`.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// The year.
    pub(super) year: u16,
    /// The party's name in the year.
    #[arg(long = "as", value_name = "PARTY")]
    pub(super) party: Slug,
    /// A file for the signed statement; sent to the coordinator where it is left out.
    #[arg(long)]
    pub(super) out: Option<PathBuf>,
    #[command(subcommand)]
    pub(super) word: Word,
}

/// What is said.
#[derive(Debug, Subcommand)]
pub(in crate::cli) enum Word {
    /// Sign a result.
    ///
    /// Example: consilium-node --data ./insurer year party 2026 --as insurer sign plan DIGEST
    Sign {
        /// About what: plan, settlement, bonus or appraisal.
        #[arg(value_parser = matter)]
        matter: Matter,
        /// Digest of the result, as `year show` prints it.
        result: Digest,
    },
    /// Answer an objection, where the rules let this party decide.
    ///
    /// Example: consilium-node --data ./insurer year party 2026 --as insurer answer settlement DIGEST h03
    /// --why "three orders without need"
    Answer {
        /// About what.
        #[arg(value_parser = matter)]
        matter: Matter,
        /// Digest of the result.
        result: Digest,
        /// Whose objection.
        member: Slug,
        /// It is right: another result has to be proposed.
        #[arg(long)]
        upheld: bool,
        /// Why.
        #[arg(long)]
        why: String,
    },
    /// Say what was paid to a member for a month, in all (insurer).
    ///
    /// Example: consilium-node --data ./insurer year party 2026 --as insurer paid h01 2026-01 120000.00
    Paid {
        /// Whom.
        member: Slug,
        /// The month.
        month: Month,
        /// How much, in yuan.
        amount: Fen,
        /// Replace what was said of this month before.
        #[arg(long)]
        restates: bool,
    },
    /// Pay out a bonus in force (insurer).
    ///
    /// Example: consilium-node --data ./insurer year party 2026 --as insurer pay-out DIGEST
    PayOut {
        /// Digest of the bonus.
        result: Digest,
    },
}

impl Word {
    pub(super) fn says(self) -> Says {
        match self {
            Self::Sign { matter, result } => Says::Sign { matter, result },
            Self::Answer {
                matter,
                result,
                member,
                upheld,
                why,
            } => Says::Answer {
                matter,
                result,
                member,
                upheld,
                why,
            },
            Self::Paid {
                member,
                month,
                amount,
                restates,
            } => Says::Paid {
                member,
                month,
                amount,
                restates,
            },
            Self::PayOut { result } => Says::PayOut { result },
        }
    }
}
