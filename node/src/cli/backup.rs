//! `backup`, `restore`, and what an officer says after it (`log restored`).

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use clap::{Subcommand, ValueEnum};

use super::officer::As;
use super::{Node, next};
use crate::answer;
use crate::backup::{self, KeysToo, PutBack};
use crate::clock::Clock;
use crate::config::Config;
use crate::ledger;
use crate::log;
use crate::steward::Acting;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Copy state, months and settings into a new folder, while the node runs.
    ///
    /// Every file's digest stands in `backup.json` there. It holds de-identified rows: keep it on an
    /// encrypted volume. What is charged later is not in it; see `restore`.
    ///
    /// Example: consilium-node --data ./node1 backup --to /backup/node1-monday --keys leave-out
    Backup {
        /// A new or empty folder.
        #[arg(long, value_name = "DIR")]
        to: PathBuf,
        /// Whether the keys come along: `leave-out` where they are kept apart, which is safer; `include`
        /// where nothing else keeps them. Keys of committee seats never do.
        #[arg(long)]
        keys: Choice,
        /// For machines: the list of the backup.
        #[arg(long)]
        json: bool,
    },
    /// Put a backup back into a data folder, after its digests were checked.
    ///
    /// The node answers nothing until an officer runs `log restored`: what was charged since the backup is
    /// not known to it.
    ///
    /// Example: consilium-node --data ./node1 restore --from /backup/node1-monday
    Restore {
        /// The folder of the backup.
        #[arg(long, value_name = "DIR")]
        from: PathBuf,
        /// Move a data folder that is there aside first, beside itself. Nothing is deleted.
        #[arg(long)]
        replace: bool,
    },
}

/// What becomes of the keys.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum Choice {
    /// They are kept apart.
    LeaveOut,
    /// They come along.
    Include,
}

pub(super) async fn run(command: Command, data: &Path, out: &mut dyn Write) -> anyhow::Result<()> {
    match command {
        Command::Backup { to, keys, json } => {
            let node = Node::open(data).await?;
            apart(&node.config, data)?;
            let keys = match keys {
                Choice::LeaveOut => KeysToo::LeftOut,
                Choice::Include => KeysToo::Included,
            };
            let from = (&node.state, &node.config);
            let list = backup::back_up(from, &to, keys, node.clock.now()).await?;
            if json {
                serde_json::to_writer_pretty(&mut *out, &list)?;
                writeln!(out)?;
                return Ok(());
            }
            let (files, to) = (list.files.len(), to.display());
            writeln!(
                out,
                "{files} files and {} entries of the log in {to}",
                list.entries
            )?;
            if keys == KeysToo::LeftOut {
                let keys = node.config.data.join("keys");
                writeln!(out, "without keys: keep `{}` apart", keys.display())?;
            } else {
                writeln!(
                    out,
                    "with keys: whoever has this folder can speak as the hospital"
                )?;
            }
            Ok(())
        }
        Command::Restore { from, replace } => restore((&from, data, replace), out).await,
    }
}

/// One folder is backed up and put back, settings and all.
fn apart(config: &Config, folder: &Path) -> anyhow::Result<()> {
    if config.data.canonicalize()? != folder.canonicalize()? {
        bail!(
            "`data` in node.toml names another folder: name that one with --data, with a node.toml of its own \
             (`data = \".\"`)"
        );
    }
    Ok(())
}

async fn restore(
    (from, data, replace): (&Path, &Path, bool),
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    let settings = Config::read(from);
    let settings = settings.with_context(|| format!("`{}` holds no node", from.display()))?;
    if settings.data != from.join(".") {
        bail!("`data` in the backup's node.toml names another folder: set it to \".\" there");
    }
    let done = backup::restore(from, data, replace, Clock::System.now()).await;
    let hint = if replace {
        ""
    } else {
        "; --replace moves what is there aside"
    };
    let PutBack {
        list,
        aside,
        missing,
    } = done.with_context(|| format!("nothing was put back{hint}"))?;
    if let Some(aside) = aside {
        writeln!(out, "moved what was there to {}", aside.display())?;
    }
    writeln!(
        out,
        "put back {} files; the log ends with entry {} of the backup",
        list.files.len(),
        list.entries
    )?;
    for key in &missing {
        writeln!(
            out,
            "missing: {key}; put it there (mode 0600) before anything else"
        )?;
    }
    writeln!(
        out,
        "nothing is answered until an officer says what was lost:"
    )?;
    next::step(out, data, "log restored --as NAME")?;
    Ok(())
}

/// `log restored`.
pub(super) async fn restored(
    node: &Node,
    (by, yes): (&As, bool),
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    let Some(waiting) = backup::waiting(&node.state).await? else {
        bail!("nothing was put back that waits for an officer");
    };
    let now = node.clock.now();
    let standing = answer::standing(&node.config, &node.state, now).await?;
    let key = by.signer(&node.config.data)?;
    let acting = Acting {
        officers: &standing.officers,
        access: &standing.access,
        policy: standing.approved.policy,
        hospital: &node.config.hospital,
        name: &by.name,
        key: &key,
        at: now,
    };
    acting.check()?;
    let asked = super::link::compare(node).await;
    asked.context("the coordinator has to be asked first what it has seen of this log")?;
    writeln!(
        out,
        "put back at {} from a backup of {} with {} entries",
        waiting.at, waiting.taken, waiting.entries
    )?;
    if log::lost(&node.state).await?.is_some() {
        writeln!(
            out,
            "the coordinator has seen more of this log: what was charged since is lost here, and has to be burned"
        )?;
        next::step(out, &node.given, &format!("log burn --as {}", by.name))?;
        bail!("LEDGER_ROLLED_BACK: nothing is answered until the gap is burned");
    }
    if !yes {
        writeln!(
            out,
            "nobody has seen more of this log. Whoever was answered since at this node itself (`ask --spend`) \
             was charged nothing that this state knows: with --yes you say that there was no such answer"
        )?;
        let rest = format!("log restored --as {} --yes", by.name);
        next::step(out, &node.given, &rest)?;
        return Ok(());
    }
    backup::acknowledge(&node.state, &by.name, now).await?;
    let open = ledger::rolled_back(node.state.pool()).await?;
    let told = if open { "still waits" } else { "answers again" };
    writeln!(out, "acknowledged by {}; the node {told}", by.name)?;
    Ok(())
}
