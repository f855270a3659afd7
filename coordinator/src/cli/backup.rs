//! `backup` and `restore`.

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::ValueEnum;

use super::Office;
use crate::backup::{self, KeysToo, PutBack};
use crate::clock::Clock;

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  consilium-coordinator backup --data /srv/consilium --to /backup/monday --keys leave-out\n\nWorks while the coordinator runs. Every file's digest stands in backup.json there."
)]
pub(super) struct BackupArgs {
    /// A new or empty folder.
    #[arg(long, value_name = "DIR")]
    to: PathBuf,
    /// Whether the keys come along: `leave-out` where they are kept apart, which is safer; `include` where
    /// nothing else keeps them.
    #[arg(long)]
    keys: Choice,
    /// For machines: the list of the backup.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  consilium-coordinator restore --data /srv/consilium --from /backup/monday\n\nDigests are checked first. Stop the service before; nodes that have seen more of the log say so."
)]
pub(super) struct RestoreArgs {
    /// The folder of the backup.
    #[arg(long, value_name = "DIR")]
    from: PathBuf,
    /// Move a data folder that is there aside first, beside itself. Nothing is deleted.
    #[arg(long)]
    replace: bool,
}

/// What becomes of the keys.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum Choice {
    /// They are kept apart.
    LeaveOut,
    /// They come along.
    Include,
}

pub(super) async fn back_up(
    office: &Office,
    data: &Path,
    args: &BackupArgs,
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    let keys = match args.keys {
        Choice::LeaveOut => KeysToo::LeftOut,
        Choice::Include => KeysToo::Included,
    };
    let of = (&office.state, &office.authority, &office.config);
    let list = backup::back_up(of, (data, &args.to), keys, office.clock.now()).await?;
    if args.json {
        return super::write_json(out, &list);
    }
    let (files, to) = (list.files.len(), args.to.display());
    writeln!(
        out,
        "{files} files and {} entries of the log in {to}",
        list.entries
    )?;
    match keys {
        KeysToo::LeftOut => writeln!(
            out,
            "without keys: keep alliance.pk8, issuing.pem and other .pem, .pk8 and .key files apart"
        )?,
        KeysToo::Included => writeln!(
            out,
            "with keys: whoever has this folder admits members and speaks as the alliance"
        )?,
    }
    Ok(())
}

pub(super) async fn restore(
    data: &Path,
    args: &RestoreArgs,
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    let hint = if args.replace {
        ""
    } else {
        "; --replace moves what is there aside"
    };
    let now = Clock::System.now();
    let done = backup::restore(&args.from, data, args.replace, now).await;
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
        "what members sent since is not here: open rounds are asked for again when the service runs"
    )?;
    Ok(())
}
