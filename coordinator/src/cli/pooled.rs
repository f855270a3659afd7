//! `pooled`: members' kinds, committees, key lists, pooled rounds and their publication.

use std::io::Write;
use std::path::PathBuf;

use anyhow::{Context as _, anyhow, bail};
use clap::{Subcommand, ValueEnum};
use pooled::key_list::Kind;
use pooled::published::{Files, outcome};
use schemas::id::Slug;
use schemas::time::Period;

use super::Office;
use super::round::{rules, seconds};
use crate::ask;
use crate::pooled::{self as rounds, ListOrder, Order};
use crate::report;
use crate::template;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Says what a member is; without this it is a hospital and its own legal entity.
    Body {
        /// The member.
        name: Slug,
        /// What it is.
        #[arg(long)]
        kind: BodyKind,
        /// The legal entity behind it; members of one entity count as one.
        #[arg(long)]
        entity: Slug,
    },
    /// Founds a committee; its seats publish their keys by themselves.
    Committee {
        /// The seats in order, separated by commas: 3, 4 or 7 members.
        #[arg(value_delimiter = ',', required = true)]
        seats: Vec<Slug>,
        /// How many of them may collude.
        #[arg(long, default_value_t = 1)]
        f: u8,
        /// Seats of this coordinator's own operator, counted in f.
        #[arg(long, default_value_t = 0)]
        operator_seats: u8,
    },
    /// Drafts the next key list; hospitals whose stewards accepted everybody in it countersign.
    List {
        /// The legal entity that runs this coordinator.
        #[arg(long)]
        operator: Slug,
        /// Most hospitals that are assumed to collude.
        #[arg(long, default_value_t = 1)]
        t_max: u32,
    },
    /// Opens a pooled round.
    Open(OpenArgs),
    /// Lists pooled rounds: `dead` ended without a result, `void` also by its committee's word, by
    /// which hospitals take back what it cost them.
    Rounds,
    /// Writes a finished or voided round into a new folder, for anyone to verify.
    Publish {
        /// The round.
        round: Slug,
        /// The folder.
        #[arg(long)]
        out: PathBuf,
    },
    /// Writes the figures of a finished round: JSON, CSV and a page.
    ///
    /// Example: consilium-coordinator pooled report p1-yearly-pooled --out ./pooled
    Report {
        /// The round.
        round: Slug,
        /// Folder that the files are written to.
        #[arg(long)]
        out: PathBuf,
    },
    /// Verifies a finished round from its publication: by name, or from a folder. Says of each part
    /// that it holds, or which one does not.
    Verify {
        /// The round, or the folder.
        round: String,
    },
}

/// What a member is.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum BodyKind {
    /// A hospital.
    Hospital,
    /// The insurer.
    Insurer,
    /// A public body.
    Authority,
}

#[derive(Debug, clap::Args)]
pub(super) struct OpenArgs {
    /// The template; its release is `pooled`.
    template: Slug,
    /// The months asked about: `2025`, `2025-03` or `2025-01..2025-06`.
    #[arg(long, value_parser = ask::period)]
    period: Period,
    /// The hospitals asked, separated by commas; all of the key list without it.
    #[arg(long, value_delimiter = ',')]
    roster: Vec<Slug>,
    /// Time until uploads close, for example `12h` or `7d`.
    #[arg(long, default_value = "7d", value_parser = seconds)]
    deadline: i64,
    /// Time that the committee has after that.
    #[arg(long, default_value = "7d", value_parser = seconds)]
    answers: i64,
    /// Hospitals that may collude.
    #[arg(long, default_value_t = 1)]
    t: u32,
    /// Fewer uploads and the round dies; the least that the floors allow without it.
    #[arg(long)]
    min_answers: Option<u32>,
}

pub(super) async fn run(
    office: &Office,
    command: Command,
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    let (state, authority, now) = (&office.state, &office.authority, office.clock.now());
    match command {
        Command::Body { name, kind, entity } => {
            let kind = match kind {
                BodyKind::Hospital => Kind::Hospital,
                BodyKind::Insurer => Kind::Insurer,
                BodyKind::Authority => Kind::Authority,
            };
            rounds::set_body(state, &name, kind, &entity, now).await?;
        }
        Command::Committee {
            seats,
            f,
            operator_seats,
        } => {
            let epoch = rounds::new_committee(state, f, operator_seats, &seats, now).await?;
            writeln!(
                out,
                "committee {epoch}; next, once its seats run: pooled list"
            )?;
        }
        Command::List { operator, t_max } => {
            let order = ListOrder { operator, t_max };
            let list = rounds::draft(state, authority, &order, now).await?;
            writeln!(out, "key list {} waits for countersignatures", list.version)?;
            for member in &list.members {
                writeln!(out, "  {:<24} {}", member.id, member.fingerprint()?)?;
            }
        }
        Command::Open(args) => open(office, args, out).await?,
        Command::Rounds => {
            for held in rounds::rounds(state, authority).await? {
                let why = held.why.unwrap_or_default();
                writeln!(out, "{:<32} {:<10} {why}", held.asked.id, held.state)?;
            }
        }
        Command::Publish { round, out: folder } => {
            let held = rounds::find(state, authority, &round).await?;
            rounds::write_folder(&rounds::files(state, &held).await?, &folder)?;
            writeln!(out, "{round} is published in {}", folder.display())?;
        }
        Command::Report { round, out: folder } => {
            let rules = rules(office)?;
            let figures = rounds::figures(state, authority, &rules, &round, now).await?;
            for path in report::write_pooled(&folder, &figures)? {
                writeln!(out, "{}", path.display())?;
            }
        }
        Command::Verify { round } => check(&files(office, &round).await?, office, out)?,
    }
    Ok(())
}

async fn open(office: &Office, args: OpenArgs, out: &mut dyn Write) -> anyhow::Result<()> {
    let templates = template::load(office.config.templates.as_deref())?;
    let template = templates
        .get(&args.template)
        .with_context(|| format!("there is no template `{}`", args.template))?;
    let order = Order {
        period: args.period,
        roster: args.roster,
        window: args.deadline,
        answers: args.answers,
        t: args.t,
        n_min: args.min_answers,
    };
    let (state, authority) = (&office.state, &office.authority);
    let now = office.clock.now();
    let opened = rounds::open(state, authority, template, &rules(office)?, &order, now).await;
    let (held, left_out) = opened?;
    writeln!(out, "{}", held.asked.id)?;
    for note in left_out {
        tracing::warn!(%note, "left out, the dictionary lacks it");
    }
    Ok(())
}

/// A round's files: of this coordinator, or of a folder.
async fn files(office: &Office, round: &str) -> anyhow::Result<Files> {
    let folder = PathBuf::from(round);
    if folder.is_dir() {
        return Ok(rounds::read_folder(&folder)?);
    }
    let Ok(id) = round.parse::<Slug>() else {
        bail!("`{round}` is neither a round nor a folder");
    };
    let held = rounds::find(&office.state, &office.authority, &id).await?;
    Ok(rounds::files(&office.state, &held).await?)
}

fn check(files: &Files, office: &Office, out: &mut dyn Write) -> anyhow::Result<()> {
    let key = office.authority.signer().public();
    let outcome = outcome(files, &key, office.clock.now())
        .map_err(|error| anyhow!("{} does not hold: {error}", error.part()))?;
    for line in outcome.lines() {
        writeln!(out, "{line}")?;
    }
    writeln!(out, "{}", outcome.conclusion())?;
    Ok(())
}
