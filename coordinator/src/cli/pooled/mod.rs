//! `pooled`: members' kinds, committees, key lists, pooled rounds and their publication.

mod bodies;
mod found;
mod open;
mod show;
mod verify;

use std::io::Write;
use std::path::{Path, PathBuf};

use clap::Subcommand;
use schemas::id::Slug;

use super::Office;
use super::round::rules;
use crate::pooled as rounds;
use crate::report;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Says what a member is; without this it is a hospital and its own legal entity.
    ///
    /// Example: consilium-coordinator pooled body insurer --kind insurer --entity city-insurer
    Body {
        /// The member.
        name: Slug,
        /// What it is.
        #[arg(long)]
        kind: found::BodyKind,
        /// The legal entity behind it; members of one entity count as one.
        #[arg(long)]
        entity: Slug,
    },
    /// Lists members with kind, legal entity, standing, and whether they sit in the committee and stand
    /// in the key list that is followed.
    ///
    /// Example: consilium-coordinator pooled bodies
    Bodies {
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Founds a committee; its seats publish their keys by themselves.
    ///
    /// It says how strong the committee is. One that is weaker than the committee before, in
    /// whatever, needs --weaker.
    ///
    /// Example: consilium-coordinator pooled committee h01,h02,insurer,commission --f 1
    Committee(found::CommitteeArgs),
    /// Drafts the next key list; hospitals whose stewards accepted everybody in it countersign.
    ///
    /// Example: consilium-coordinator pooled list --operator alliance-office
    List {
        /// The legal entity that runs this coordinator.
        #[arg(long)]
        operator: Slug,
        /// Most hospitals that are assumed to collude.
        #[arg(long, default_value_t = 1)]
        t_max: u32,
    },
    /// Opens a pooled round, unless hospitals are foreseen to refuse it: then it says by which rule,
    /// and who.
    ///
    /// Example: consilium-coordinator pooled open yearly-alliance --period 2025 --deadline 7d --dry-run
    Open(open::Args),
    /// Lists pooled rounds with uploads, deadline and reason: `dead` ended without a result, `void`
    /// also by its committee's word, by which hospitals take back what it cost them.
    ///
    /// Example: consilium-coordinator pooled rounds
    Rounds {
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Shows where a round stands: moments, hospitals, seats, and what comes next.
    ///
    /// Example: consilium-coordinator pooled show p1-yearly-pooled
    Show {
        /// The round.
        round: Slug,
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Takes a round back before its committee is asked to vote. No more uploads are taken; once the
    /// time for uploads is over the seats void it, and hospitals take back what it cost them.
    ///
    /// Example: consilium-coordinator pooled withdraw p1-yearly-pooled
    Withdraw {
        /// The round.
        round: Slug,
    },
    /// Writes a finished or voided round into a new folder, for anyone to verify.
    ///
    /// Example: consilium-coordinator pooled publish p1-yearly-pooled --out ./p1
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
    /// that it holds, or which one does not. With --key no coordinator is needed.
    ///
    /// Example: consilium-coordinator pooled verify ./p1 --key 3f2a…
    Verify {
        /// The round, or the folder.
        round: String,
        /// The alliance's key: a file that holds it, or its fingerprint as `init` printed it and the
        /// alliance says it. A file inside the folder proves nothing and is refused.
        #[arg(long, value_name = "FILE|FINGERPRINT")]
        key: Option<String>,
    },
}

pub(super) async fn run(data: &Path, command: Command, out: &mut dyn Write) -> anyhow::Result<()> {
    if let Command::Verify {
        round,
        key: Some(key),
    } = &command
    {
        return verify::by_key(Path::new(round), key, out);
    }
    let office = &Office::open(data).await?;
    let (state, authority, now) = (&office.state, &office.authority, office.clock.now());
    match command {
        Command::Body { name, kind, entity } => {
            rounds::set_body(state, &name, kind.into(), &entity, now).await?;
            writeln!(
                out,
                "{name} is noted; it counts from the next key list on: pooled list"
            )?;
        }
        Command::Bodies { json } => bodies::run(office, json, out).await?,
        Command::Committee(args) => found::committee(office, &args, out).await?,
        Command::List { operator, t_max } => found::list(office, operator, t_max, out).await?,
        Command::Open(args) => open::run(office, args, out).await?,
        Command::Rounds { json } => show::rounds(office, json, out).await?,
        Command::Show { round, json } => show::show(office, &round, json, out).await?,
        Command::Withdraw { round } => {
            let held = rounds::find(state, authority, &round).await?;
            rounds::withdraw(state, &held, now).await?;
            let held = rounds::find(state, authority, &round).await?;
            let next = rounds::progress(state, &held, now).await?.next;
            writeln!(out, "{round} is withdrawn; {next}")?;
        }
        Command::Publish { round, out: folder } => {
            let held = rounds::find(state, authority, &round).await?;
            rounds::write_folder(&rounds::files(state, &held).await?, &folder)?;
            let (folder, key) = (folder.display(), authority.signer().public());
            writeln!(out, "{round} is published in {folder}")?;
            let print = key.fingerprint();
            writeln!(out, "anyone: pooled verify {folder} --key {print}")?;
        }
        Command::Report { round, out: folder } => {
            let rules = rules(office)?;
            let (figures, uncounted) =
                rounds::figures(state, authority, &rules, &round, now).await?;
            for path in report::write_pooled(&folder, &figures)? {
                writeln!(out, "{}", path.display())?;
            }
            for table in uncounted {
                writeln!(
                    out,
                    "by {table}: nothing is shown, its sums count no stays: benchmark ROUND --pooled \
                     {round} --out DIR"
                )?;
            }
        }
        Command::Verify { round, .. } => verify::own(office, &round, out).await?,
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_shows_an_example() {
        let mut command = Command::augment_subcommands(clap::Command::new("pooled"));
        command.build();
        let below = command.get_subcommands();
        for one in below.filter(|one| one.get_name() != "help") {
            let help = one.clone().render_long_help().to_string();
            assert!(
                help.contains("Example: consilium-coordinator pooled"),
                "{}",
                one.get_name()
            );
        }
    }
}
