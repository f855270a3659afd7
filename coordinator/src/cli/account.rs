//! `account`: who may sign in to the pages.

use std::io::{BufRead as _, Read as _, Write};
use std::path::Path;

use anyhow::Context as _;
use schemas::id::Slug;

use super::administrator::Acting;
use super::{Office, write_json};
use crate::accounts::{self, Account, Role};

#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Makes an account; its password is printed once, or read from standard input.
    #[command(
        after_help = "Example:\n  consilium-coordinator account add li-na --role auditor --as wang-fang"
    )]
    Add {
        /// Its name.
        #[arg(value_name = "NAME")]
        account: Slug,
        /// What it may see: administrator or auditor.
        #[arg(long)]
        role: Role,
        /// Read the password from standard input, one line.
        #[arg(long)]
        stdin: bool,
        #[command(flatten)]
        by: Acting,
    },
    /// Sets a new password: printed once, or read from standard input. Whoever is signed in is signed out.
    Password {
        /// The account.
        #[arg(value_name = "NAME")]
        account: Slug,
        /// Read the password from standard input, one line.
        #[arg(long)]
        stdin: bool,
        #[command(flatten)]
        by: Acting,
    },
    /// Removes an account; whoever is signed in with it is signed out.
    Remove {
        /// The account.
        #[arg(value_name = "NAME")]
        account: Slug,
        #[command(flatten)]
        by: Acting,
    },
    /// Lists the accounts.
    List {
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
}

pub(super) async fn run(
    office: &Office,
    data: &Path,
    command: &Command,
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    let (state, now) = (&office.state, office.clock.now());
    match command {
        Command::Add {
            account: name,
            role,
            stdin,
            by,
        } => {
            let by = by.proven(office, data).await?;
            let account = Account {
                name: name.clone(),
                role: *role,
                changed: now,
            };
            set(office, &account, (by, true), *stdin, out).await?;
        }
        Command::Password {
            account: name,
            stdin,
            by,
        } => {
            let by = by.proven(office, data).await?;
            let known = accounts::find(state, name).await?;
            let (account, _) = known.with_context(|| format!("there is no account `{name}`"))?;
            set(
                office,
                &Account {
                    changed: now,
                    ..account
                },
                (by, false),
                *stdin,
                out,
            )
            .await?;
        }
        Command::Remove { account: name, by } => {
            let by = by.proven(office, data).await?;
            accounts::remove(state, name, by, now).await?;
            writeln!(out, "{name} is removed")?;
        }
        Command::List { json } => {
            let all = accounts::all(state).await?;
            if *json {
                return write_json(out, &all);
            }
            for one in all {
                writeln!(
                    out,
                    "{:<24} {:<14} since {}",
                    one.name,
                    one.role.as_str(),
                    one.changed
                )?;
            }
        }
    }
    Ok(())
}

async fn set(
    office: &Office,
    account: &Account,
    by: (&Slug, bool),
    stdin: bool,
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    let password = if stdin {
        typed()?
    } else {
        accounts::generate()?
    };
    accounts::set(&office.state, account, &password, by).await?;
    writeln!(out, "account  {} ({})", account.name, account.role.as_str())?;
    if !stdin {
        writeln!(out, "password {password}")?;
        writeln!(out, "         shown this once; it is not kept")?;
    }
    Ok(())
}

/// One line of standard input, of which a bounded part is read.
fn typed() -> anyhow::Result<String> {
    let mut line = String::new();
    let most = u64::try_from(accounts::MOST)?.saturating_add(3);
    std::io::stdin()
        .lock()
        .take(most)
        .read_line(&mut line)
        .context("the password could not be read")?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}
