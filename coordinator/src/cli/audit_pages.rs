//! `audit serve` and `audit account`: the insurer's own pages, on its own machine.

use std::io::{BufRead as _, Read as _, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use schemas::id::Slug;
use tokio::signal::unix::{SignalKind, signal};
use web::site::local;

use crate::accounts;
use crate::clock::Clock;
use crate::insurer::{self, Desk};

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  consilium-coordinator audit serve ./audits\n\nEach folder below it that `audit begin` made is an audit. `signals.json` beside them is what\n`signals` wrote for the insurer."
)]
pub(super) struct ServeArgs {
    /// The folder that holds the audits' folders.
    folder: PathBuf,
    /// Where the pages listen: a loopback address.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8720")]
    listen: SocketAddr,
}

#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  consilium-coordinator audit account ./audits li-na")]
pub(super) struct AccountArgs {
    /// The folder that holds the audits' folders.
    folder: PathBuf,
    /// The account; made anew or given a new password.
    #[arg(value_name = "NAME")]
    account: Slug,
    /// Remove it instead.
    #[arg(long, conflicts_with = "stdin")]
    remove: bool,
    /// Read the password from standard input, one line; else one is made and printed once.
    #[arg(long)]
    stdin: bool,
}

fn own(folder: &Path) -> anyhow::Result<()> {
    let found = std::fs::metadata(folder);
    let found = found.with_context(|| format!("`{}` is not there", folder.display()))?;
    #[cfg(unix)]
    ensure!(
        std::os::unix::fs::MetadataExt::mode(&found).trailing_zeros() >= 6,
        "others can enter `{0}`; first: chmod 700 {0}",
        folder.display()
    );
    Ok(())
}

pub(super) async fn serve(args: &ServeArgs, out: &mut dyn Write) -> anyhow::Result<()> {
    own(&args.folder)?;
    let listener = local::bind(args.listen).await?;
    writeln!(out, "pages    http://{}", listener.local_addr()?)?;
    if insurer::all(&args.folder)?.is_empty() {
        writeln!(
            out,
            "         nobody can sign in yet; first: audit account {} NAME",
            args.folder.display()
        )?;
    }
    out.flush()?;
    let desk = Desk::new(&args.folder, Clock::System)?;
    let mut terminate = signal(SignalKind::terminate())?;
    let stop = async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = tokio::signal::ctrl_c() => {}
        }
    };
    Ok(local::serve(listener, insurer::router(&desk), &[], stop).await?)
}

pub(super) fn account(args: &AccountArgs, out: &mut dyn Write) -> anyhow::Result<()> {
    own(&args.folder)?;
    let name = &args.account;
    if args.remove {
        insurer::remove(&args.folder, name)?;
        writeln!(out, "{name} is removed")?;
        return Ok(());
    }
    let password = if args.stdin {
        let mut line = String::new();
        let most = u64::try_from(accounts::MOST)?.saturating_add(3);
        let mut input = std::io::stdin().lock().take(most);
        input
            .read_line(&mut line)
            .context("the password could not be read")?;
        line.trim_end_matches(['\r', '\n']).to_owned()
    } else {
        accounts::generate()?
    };
    insurer::set(&args.folder, name, &password, Clock::System.now())?;
    writeln!(out, "account  {name} (insurer_auditor)")?;
    if !args.stdin {
        writeln!(out, "password {password}")?;
        writeln!(out, "         shown this once; it is not kept")?;
    }
    Ok(())
}
