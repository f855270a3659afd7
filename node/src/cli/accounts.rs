//! `account`: who may sign in to this node's pages.

use std::io::{BufRead as _, Read as _, Write};
use std::path::Path;

use anyhow::Context as _;
use clap::Subcommand;
use schemas::id::Slug;
use schemas::officer::Role;

use super::officer::As;
use super::{Node, next, show};
use crate::access;
use crate::accounts::{self, Account};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Make an account; its password is printed once, or read from standard input.
    ///
    /// Accounts of stewards and security officers bear the name that `officer list` has.
    ///
    /// Example: consilium-node --data ./node1 account add li-hua --role steward --as zhao-min
    Add {
        /// Its name.
        #[arg(value_name = "NAME")]
        account: Slug,
        /// What it may see and do: finance, steward, security_officer or it.
        #[arg(long)]
        role: Role,
        /// Read the password from standard input, one line.
        #[arg(long)]
        stdin: bool,
        #[command(flatten)]
        by: As,
    },
    /// Set a new password: printed once, or read from standard input. Whoever is signed in is signed out.
    ///
    /// Example: consilium-node --data ./node1 account password li-hua --as zhao-min
    Password {
        /// The account.
        #[arg(value_name = "NAME")]
        account: Slug,
        /// Read the password from standard input, one line.
        #[arg(long)]
        stdin: bool,
        #[command(flatten)]
        by: As,
    },
    /// Remove an account; whoever is signed in with it is signed out.
    ///
    /// Example: consilium-node --data ./node1 account remove wu-jun --as zhao-min
    Remove {
        /// The account.
        #[arg(value_name = "NAME")]
        account: Slug,
        #[command(flatten)]
        by: As,
    },
    /// List the accounts.
    ///
    /// Example: consilium-node --data ./node1 account list
    List {
        /// For machines.
        #[arg(long)]
        json: bool,
    },
}

/// Refuses whoever is no registered officer with that officer's key.
async fn proven(node: &Node, by: &As) -> anyhow::Result<()> {
    let register = access::officers(node.state.pool(), &node.config.hospital).await?;
    register.acting(&by.name, &by.signer(&node.config.data)?)?;
    Ok(())
}

pub(super) async fn run(command: Command, data: &Path, out: &mut dyn Write) -> anyhow::Result<()> {
    let node = Node::open(data).await?;
    let now = node.clock.now();
    match command {
        Command::Add {
            account: name,
            role,
            stdin,
            by,
        } => {
            proven(&node, &by).await?;
            let account = Account {
                name,
                role,
                changed: now,
            };
            set(&node, &account, (&by.name, true), stdin, out).await?;
            next::step(out, &node.given, "pages")?;
        }
        Command::Password {
            account: name,
            stdin,
            by,
        } => {
            proven(&node, &by).await?;
            let all = accounts::all(&node.state).await?;
            let known = all.into_iter().find(|one| one.name == name);
            let known = known.with_context(|| format!("there is no account `{name}`"))?;
            let account = Account {
                changed: now,
                ..known
            };
            set(&node, &account, (&by.name, false), stdin, out).await?;
        }
        Command::Remove { account: name, by } => {
            proven(&node, &by).await?;
            accounts::remove(&node.state, &name, &by.name, now).await?;
            writeln!(out, "{name} is removed")?;
        }
        Command::List { json } => {
            let all = accounts::all(&node.state).await?;
            if json {
                return show::json_of(&all, out);
            }
            for one in all {
                let (name, role) = (one.name.as_str(), one.role.as_str());
                writeln!(out, "{name:<24} {role:<18} since {}", one.changed)?;
            }
        }
    }
    Ok(())
}

async fn set(
    node: &Node,
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
    let hospital = &node.config.hospital;
    accounts::set(&node.state, hospital, account, &password, by).await?;
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
