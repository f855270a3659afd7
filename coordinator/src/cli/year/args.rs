//! What the larger of the year's commands take.

use std::path::PathBuf;

use schemas::id::Slug;
use schemas::seal::PublicKey;
use schemas::year::Matter;

use super::say::{Speaker, Word};
use super::{Money, matter, party};

/// Where a party's key comes from.
#[derive(Clone, Debug)]
pub(in crate::cli) enum PartyKey {
    /// The key itself.
    Given(PublicKey),
    /// A member of the network: it says what it has to say over the wire.
    Of(Slug),
}

/// `year open`.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Open {
    /// The year.
    pub(super) year: u16,
    /// All there is to spend.
    #[arg(long)]
    pub(super) target: Money,
    /// Member hospitals, separated by commas; all that are approved where it is left out.
    #[arg(long, value_delimiter = ',')]
    pub(super) member: Vec<Slug>,
    /// A party that signs, and its public key, or the approved organisation of the network whose message key
    /// it is; one for each that the rules name.
    #[arg(long, value_name = "NAME=HEX|NAME=@MEMBER", value_parser = party)]
    pub(super) party: Vec<(Slug, PartyKey)>,
    #[command(flatten)]
    pub(super) by: Speaker,
}

/// `year say`.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Say {
    /// The year.
    pub(super) year: u16,
    #[command(flatten)]
    pub(super) by: Speaker,
    /// Write the signed statement into a file for `year take`, instead of taking it here.
    #[arg(long, value_name = "FILE")]
    pub(super) out: Option<PathBuf>,
    #[command(subcommand)]
    pub(super) word: Word,
}

/// `year take`.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Take {
    /// The year.
    pub(super) year: u16,
    /// The signed statements.
    #[arg(required = true)]
    pub(super) files: Vec<PathBuf>,
}

/// `year inputs`.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Inputs {
    /// The year.
    pub(super) year: u16,
    /// Of which result.
    #[arg(value_parser = matter, default_value = "plan")]
    pub(super) matter: Matter,
    /// The table of facts (CSV).
    #[arg(long)]
    pub(super) facts: PathBuf,
    /// A benchmark's JSON file: case-weighted volumes, and what fields such as `@mean-stay` name.
    #[arg(long)]
    pub(super) benchmark: Option<PathBuf>,
    /// The stage whose weights an appraisal uses.
    #[arg(long, required_if_eq("matter", "appraisal"))]
    pub(super) stage: Option<Slug>,
    /// Surplus by pure saving, of a bonus.
    #[arg(long, required_if_eq("matter", "bonus"))]
    pub(super) basic: Option<Money>,
    /// Surplus by quality and efficiency, of a bonus.
    #[arg(long, required_if_eq("matter", "bonus"))]
    pub(super) performance: Option<Money>,
    /// Surplus for research and talent, of a bonus.
    #[arg(long, required_if_eq("matter", "bonus"))]
    pub(super) strategic: Option<Money>,
    /// The lead hospital, of a bonus.
    #[arg(long, required_if_eq("matter", "bonus"))]
    pub(super) lead: Option<Slug>,
    /// Volumes of past months (CSV, see `year volumes`): what they let expect of the year.
    #[arg(long)]
    pub(super) history: Option<PathBuf>,
    /// Demand by service line (CSV: `line,value`, where forecast `variance`), of a plan: shared among
    /// those who are there for a line (columns `serves:LINE`) as the factor `service-demand`.
    #[arg(long)]
    pub(super) demand: Option<PathBuf>,
    /// A benchmark's JSON file whose case groups get control figures (standard fee, fee of a day, days),
    /// of a plan.
    #[arg(long)]
    pub(super) controls: Option<PathBuf>,
    /// Where the inputs are written.
    #[arg(long)]
    pub(super) out: PathBuf,
}

/// `year propose`.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Propose {
    /// The year.
    pub(super) year: u16,
    /// About what.
    #[arg(value_parser = matter)]
    pub(super) matter: Matter,
    /// Its inputs (JSON).
    #[arg(long)]
    pub(super) inputs: PathBuf,
    /// The reason of a later version.
    #[arg(long, default_value = "")]
    pub(super) why: String,
    #[command(flatten)]
    pub(super) by: Speaker,
}

/// `year what-if`.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct WhatIf {
    /// The year.
    pub(super) year: u16,
    /// About what.
    #[arg(value_parser = matter)]
    pub(super) matter: Matter,
    /// Inputs (JSON).
    #[arg(long)]
    pub(super) inputs: PathBuf,
    /// A folder with other rules; a file that is not there keeps the year's.
    #[arg(long)]
    pub(super) rules: Option<PathBuf>,
    /// The whole result as JSON.
    #[arg(long)]
    pub(super) json: bool,
}
