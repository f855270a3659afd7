//! `administrator` and `policy`: who decides in the alliance, and what they signed.

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Subcommand;
use policies::access::Officers;
use schemas::id::Slug;
use schemas::officer::{Departure, Officer, Role};
use schemas::seal::Signer;

use super::Office;
use crate::administrators;
use crate::store::private;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Registers a person with a key of the person's own.
    ///
    /// The first two register themselves; every later one is signed for by two who are registered.
    ///
    /// Example: consilium-coordinator --data /srv/consilium administrator add wang-fang
    Add {
        /// The person's name, unique for ever.
        name: Slug,
        /// Where the key is written; into the data folder where it is left out.
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
        /// Registered persons who sign for this one, NAME=FILE; two of them.
        #[arg(long, value_name = "NAME=FILE", value_parser = pair)]
        by: Vec<(Slug, PathBuf)>,
    },
    /// Lets a person leave: the key decides nothing from then on. It takes two who are registered,
    /// and two have to remain; name and key stay taken.
    ///
    /// Example: consilium-coordinator --data /srv/consilium administrator remove wang-fang
    /// --by liu-yang=/media/liu-yang.pk8 --by chen-mo=/media/chen-mo.pk8
    Remove {
        /// Who leaves.
        name: Slug,
        /// Registered persons who sign for it, NAME=FILE; two of them.
        #[arg(long, value_name = "NAME=FILE", value_parser = pair, required = true)]
        by: Vec<(Slug, PathBuf)>,
    },
    /// Lists who is registered.
    ///
    /// Example: consilium-coordinator --data /srv/consilium administrator list
    List,
}

#[derive(Debug, Subcommand)]
pub(super) enum PolicyCommand {
    /// Shows the digest of rules and access policies, and who signed it.
    ///
    /// Example: consilium-coordinator --data /srv/consilium policy show
    Show,
    /// Signs the policy as it lies there; two administrators have to.
    ///
    /// A change that protects less in any line comes into force 24 hours after the second
    /// signature, any other at once.
    ///
    /// Example: consilium-coordinator --data /srv/consilium policy approve --as wang-fang
    Approve {
        /// The administrator who signs.
        #[arg(long = "as", value_name = "NAME")]
        name: Slug,
        /// The administrator's key; in the data folder where it is left out.
        #[arg(long, value_name = "FILE")]
        key: Option<PathBuf>,
    },
}

fn pair(text: &str) -> Result<(Slug, PathBuf), String> {
    let (name, file) = text.split_once('=').ok_or("a signature is NAME=FILE")?;
    let name = name
        .parse()
        .map_err(|error: schemas::id::NotASlug| error.to_string())?;
    Ok((name, PathBuf::from(file)))
}

/// Who gives a command: a registered administrator, who proves it with the key.
#[derive(Debug, clap::Args)]
pub(super) struct Acting {
    /// The administrator who decides.
    #[arg(long = "as", value_name = "NAME")]
    name: Slug,
    /// The administrator's key; in the data folder where it is left out.
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
}

impl Acting {
    /// The name, once the key is found to be that person's.
    pub(super) async fn proven(&self, office: &Office, data: &Path) -> anyhow::Result<&Slug> {
        let alliance = &office.config.alliance;
        let register = administrators::administrators(office.state.pool(), alliance).await?;
        let path = self
            .key
            .clone()
            .unwrap_or_else(|| key_file(data, &self.name));
        register.acting(&self.name, &signer(&path)?)?;
        Ok(&self.name)
    }
}

fn key_file(data: &Path, name: &Slug) -> PathBuf {
    data.join(format!("administrator-{name}.pk8"))
}

fn signer(path: &Path) -> anyhow::Result<Signer> {
    let bytes = private::read(path).with_context(|| format!("`{}`", path.display()))?;
    Ok(Signer::from_pkcs8(&bytes)?)
}

pub(super) async fn run(
    office: &Office,
    data: &Path,
    command: Command,
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    let alliance = &office.config.alliance;
    let register = administrators::administrators(office.state.pool(), alliance).await?;
    match command {
        Command::List => {
            for officer in register.all() {
                let key = officer.key.fingerprint().short();
                writeln!(out, "{:<20} {key}", officer.name.as_str())?;
            }
            for (officer, at) in register.former() {
                writeln!(out, "{:<20} left {at}", officer.name.as_str())?;
            }
            Ok(())
        }
        Command::Remove { name, by } => {
            let departure = Departure {
                organisation: alliance.clone(),
                name,
                at: office.clock.now(),
            };
            let signers = signers(&register, by)?;
            administrators::remove(&office.state, &departure, &signers).await?;
            writeln!(out, "{} decides nothing here any more", departure.name)?;
            Ok(())
        }
        Command::Add { name, out: to, by } => {
            let signers = signers(&register, by)?;
            add(office, data, (name, to), &signers, out).await
        }
    }
}

/// The keys of registered persons who sign for a step of the register.
fn signers(register: &Officers, by: Vec<(Slug, PathBuf)>) -> anyhow::Result<Vec<Signer>> {
    let mut signers = Vec::new();
    for (who, file) in by {
        let signer = signer(&file)?;
        register.acting(&who, &signer)?;
        signers.push(signer);
    }
    Ok(signers)
}

async fn add(
    office: &Office,
    data: &Path,
    (name, to): (Slug, Option<PathBuf>),
    signers: &[Signer],
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    let (key, bytes) = Signer::generate()?;
    let officer = Officer {
        organisation: office.config.alliance.clone(),
        name,
        role: Role::Administrator,
        key: key.public(),
    };
    let path = to.unwrap_or_else(|| key_file(data, &officer.name));
    private::write_new(&path, &bytes).with_context(|| format!("`{}`", path.display()))?;
    let added = administrators::add(&office.state, &officer, signers, office.clock.now()).await;
    if added.is_err() {
        // A key of nobody is of no use.
        std::fs::remove_file(&path)?;
    }
    added?;
    writeln!(
        out,
        "registered {}; key in {}",
        officer.name,
        path.display()
    )?;
    Ok(())
}

pub(super) async fn policy(
    office: &Office,
    data: &Path,
    command: &PolicyCommand,
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    let alliance = &office.config.alliance;
    let rules = super::round::rules(office)?;
    let (access, digest) = administrators::policy(data, &rules)?;
    let now = office.clock.now();
    match command {
        PolicyCommand::Show => {
            writeln!(out, "digest {digest}")?;
            match administrators::approved(&office.state, alliance, digest, now).await {
                Ok(approved) => {
                    let by: Vec<&str> = approved.by.iter().map(Slug::as_str).collect();
                    writeln!(out, "signed by {}", by.join(", "))?;
                }
                Err(error) => writeln!(out, "not in force: {error}")?,
            }
        }
        PolicyCommand::Approve { name, key } => {
            let path = key.clone().unwrap_or_else(|| key_file(data, name));
            let signer = signer(&path)?;
            let (whose, who) = ((alliance, &rules, &access), (name, &signer));
            let signed = administrators::approve(&office.state, whose, who, now).await?;
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

/// Refuses to serve without a valid policy that two administrators signed.
pub(super) async fn check(office: &Office, data: &Path) -> anyhow::Result<()> {
    let (_, digest) = administrators::policy(data, &super::round::rules(office)?)?;
    let (alliance, now) = (&office.config.alliance, office.clock.now());
    administrators::approved(&office.state, alliance, digest, now)
        .await
        .context(
            "the alliance's policy is not in force; see `consilium-coordinator policy approve --help`",
        )?;
    Ok(())
}
