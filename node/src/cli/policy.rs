//! `policy`: the limits that a node works under, and their signatures.

use std::io::Write;
use std::path::Path;

use clap::Subcommand;
use policies::access::Officers;
use schemas::id::Slug;
use schemas::shown::line;

use super::account::write_policy;
use super::officer::As;
use super::{Node, show};
use crate::access::{self, Standing};
use crate::answer;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Show rules and access policies, their digest, and who signed them.
    ///
    /// Example: consilium-node --data ./node1 policy show
    Show {
        /// The rules alone, for machines: losses in whole billionths of ρ.
        #[arg(long)]
        json: bool,
    },
    /// Sign the policy as it lies there; two officers have to. Any later change needs both again.
    ///
    /// A change that protects patients less in any line comes into force 24 hours after the second
    /// signature; until then the policy before it stays in force. Any other does at once.
    ///
    /// Example: consilium-node --data ./node1 policy approve --as li-hua
    Approve {
        #[command(flatten)]
        by: As,
    },
}

pub(super) async fn run(command: &Command, data: &Path, out: &mut dyn Write) -> anyhow::Result<()> {
    let node = Node::open(data).await?;
    let config = &node.config;
    let policy = answer::policy(config)?;
    let set = access::open(&config.data)?;
    let digest = access::digest(&policy, &set)?;
    match command {
        Command::Show { json: true } => show::json_of(&policy, out)?,
        Command::Show { json: false } => {
            writeln!(out, "digest {digest}")?;
            let (data, hospital, now) = (&config.data, &config.hospital, node.clock.now());
            match Standing::open(&node.state, data, hospital, &policy, now).await {
                Ok(standing) => {
                    let register = access::officers(node.state.pool(), hospital).await?;
                    let signed = standing.approved.by.iter();
                    let by: Vec<String> = signed.map(|name| signer(&register, name)).collect();
                    match standing.waits_until {
                        None => writeln!(out, "signed by {}", by.join(", "))?,
                        Some(from) => writeln!(
                            out,
                            "in force from {from}; until then {}, signed by {}",
                            standing.approved.policy,
                            by.join(", ")
                        )?,
                    }
                }
                Err(error) => writeln!(out, "not in force: {error}")?,
            }
            writeln!(out, "access policies: {}", line(&set.ids().join(", ")))?;
            write_policy(&policy, out)?;
        }
        Command::Approve { by } => {
            let signer = by.signer(&config.data)?;
            let whose = (config.data.as_path(), &config.hospital);
            let now = node.clock.now();
            let who = (&by.name, &signer);
            let signed = access::approve(&node.state, whose, (&policy, &set), who, now).await?;
            let have = signed.have;
            writeln!(out, "policy {} signed by {have} of 2", digest.short())?;
            if let Some(from) = signed.waits_until {
                writeln!(
                    out,
                    "it protects less than the one before, or may: in force from {from}"
                )?;
            }
        }
    }
    Ok(())
}

/// Who signed; a signature stays when its officer leaves.
fn signer(register: &Officers, name: &Slug) -> String {
    let mut former = register.former().iter();
    match former.find(|(officer, _)| officer.name == *name) {
        Some((_, at)) => format!("{name} (left {at})"),
        None => name.to_string(),
    }
}
