//! `officer`: the persons who decide at this hospital.

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::{Args, Subcommand};
use policies::access::Officers;
use schemas::id::Slug;
use schemas::officer::{Departure, Officer, Role};
use schemas::seal::Signer;
use schemas::time::Timestamp;

use super::Node;
use crate::access;
use crate::config::keys::Keys;
use crate::lifecycle::Deciding;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Register a person with a key of the person's own.
    ///
    /// The first two register themselves; every later one is signed for by two who are registered.
    /// The key file belongs on a medium that its owner keeps.
    ///
    /// Example: consilium-node --data ./node1 officer add li-hua --role steward
    Add {
        /// The person's name, unique for ever.
        name: Slug,
        /// `steward` (decides on questions) or `security_officer` (second signature).
        #[arg(long)]
        role: Role,
        /// Where the key is written; below the data folder where it is left out.
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
        /// Registered persons who sign for this one; two of them.
        #[arg(long, value_name = "NAME=FILE", value_parser = pair)]
        by: Vec<(Slug, PathBuf)>,
    },
    /// Let a person leave: the key decides nothing from then on. It takes two who are registered,
    /// and two have to remain; name and key stay taken.
    ///
    /// Example: consilium-node --data ./node1 officer remove li-hua --by zhao-min=/media/zhao-min.pk8
    /// --by sun-lei=/media/sun-lei.pk8
    Remove {
        /// Who leaves.
        name: Slug,
        /// Registered persons who sign for it; two of them.
        #[arg(long, value_name = "NAME=FILE", value_parser = pair, required = true)]
        by: Vec<(Slug, PathBuf)>,
    },
    /// Who is registered.
    ///
    /// Example: consilium-node --data ./node1 officer list
    List {
        /// For machines.
        #[arg(long)]
        json: bool,
    },
}

/// By whom and with which key.
#[derive(Debug, Args)]
pub(super) struct As {
    /// The officer who decides.
    #[arg(long = "as", value_name = "NAME")]
    pub(super) name: Slug,
    /// The officer's key; below the data folder where it is left out.
    #[arg(long, value_name = "FILE")]
    pub(super) key: Option<PathBuf>,
}

impl As {
    /// The person as one who decides now.
    pub(super) fn deciding<'a>(
        &'a self,
        officers: &'a Officers,
        key: &'a Signer,
        at: Timestamp,
    ) -> Deciding<'a> {
        Deciding {
            officers,
            name: &self.name,
            key,
            at,
        }
    }

    pub(super) fn signer(&self, data: &Path) -> anyhow::Result<Signer> {
        let keys = Keys::open(data)?;
        let path = self
            .key
            .clone()
            .unwrap_or_else(|| keys.officer_path(&self.name));
        if !path.exists() {
            anyhow::bail!(
                "--as {}: there is no key at `{}`; `officer list` names the officers of this node, and --key \
                 FILE names a key that lies elsewhere",
                self.name,
                path.display()
            );
        }
        Ok(keys.officer_key(&std::path::absolute(path)?)?)
    }
}

pub(super) fn pair(text: &str) -> Result<(Slug, PathBuf), String> {
    let (name, file) = text.split_once('=').ok_or("a signature is NAME=FILE")?;
    let name = name
        .parse()
        .map_err(|error: schemas::id::NotASlug| error.to_string())?;
    Ok((name, PathBuf::from(file)))
}

pub(super) async fn run(command: Command, data: &Path, out: &mut dyn Write) -> anyhow::Result<()> {
    let node = Node::open(data).await?;
    match command {
        Command::Add {
            name,
            role,
            out: to,
            by,
        } => {
            let keys = Keys::open(&node.config.data)?;
            let register = access::officers(node.state.pool(), &node.config.hospital).await?;
            if register.former().iter().any(|(left, _)| left.name == name) {
                anyhow::bail!("`{name}` left: a name is given once, choose another one");
            }
            let signers = signers(&node, &keys, by).await?;
            let path = std::path::absolute(to.unwrap_or_else(|| keys.officer_path(&name)))?;
            let signer = keys
                .make_officer_key(&path)
                .context("is there such a key already?")?;
            let officer = Officer {
                organisation: node.config.hospital.clone(),
                name,
                role,
                key: signer.public(),
            };
            let added = access::add(&node.state, &officer, &signers, node.clock.now()).await;
            if added.is_err() {
                // A key of nobody is of no use.
                std::fs::remove_file(&path)?;
            }
            added?;
            let fingerprint = officer.key.fingerprint();
            writeln!(
                out,
                "registered {} as {}",
                officer.name,
                officer.role.as_str()
            )?;
            writeln!(out, "key {} in {}", fingerprint.short(), path.display())?;
            Ok(())
        }
        Command::Remove { name, by } => {
            let keys = Keys::open(&node.config.data)?;
            let signers = signers(&node, &keys, by).await?;
            let departure = Departure {
                organisation: node.config.hospital.clone(),
                name,
                at: node.clock.now(),
            };
            access::remove(&node.state, &departure, &signers).await?;
            writeln!(out, "{} decides nothing here any more", departure.name)?;
            writeln!(
                out,
                "the policy in force stays; what only {} approved is void, standing approvals too: \
                 look at `steward standing list` and `steward inbox`",
                departure.name
            )?;
            Ok(())
        }
        Command::List { json } => {
            let register = access::officers(node.state.pool(), &node.config.hospital).await?;
            if json {
                serde_json::to_writer_pretty(&mut *out, register.all())?;
                writeln!(out)?;
                return Ok(());
            }
            for officer in register.all() {
                let (name, role) = (officer.name.as_str(), officer.role.as_str());
                writeln!(
                    out,
                    "{name:<20} {role:<18} {}",
                    officer.key.fingerprint().short()
                )?;
            }
            for (officer, at) in register.former() {
                let (name, role) = (officer.name.as_str(), officer.role.as_str());
                writeln!(out, "{name:<20} {role:<18} left {at}")?;
            }
            Ok(())
        }
    }
}

/// The keys of registered persons who sign for a step of the register.
pub(super) async fn signers(
    node: &Node,
    keys: &Keys,
    by: Vec<(Slug, PathBuf)>,
) -> anyhow::Result<Vec<Signer>> {
    let register = access::officers(node.state.pool(), &node.config.hospital).await?;
    let mut signers = Vec::new();
    for (who, file) in by {
        let signer = keys.officer_key(&std::path::absolute(file)?)?;
        register.acting(&who, &signer)?;
        signers.push(signer);
    }
    Ok(signers)
}
