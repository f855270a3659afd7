//! Making a node and accepting the alliance's dictionary.

use std::io::Write;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use clap::Subcommand;
use policies::rules::DEFAULT;
use schemas::canonical;
use schemas::dictionary::Dictionary;
use schemas::id::Slug;
use schemas::seal::{PublicKey, Sealed};

use super::{Node, next};
use crate::answer::POLICY;
use crate::clock::Clock;
use crate::config::keys::Keys;
use crate::config::{self, Config};
use crate::store::dictionaries;
use crate::store::state::{self, State};

/// Where the alliance's public key is kept.
const ALLIANCE_KEY: &str = "alliance.key";

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Make a node: its folder, settings, keys and state.
    ///
    /// Example: consilium-node init --hospital first-people --data ./node1
    Init {
        /// The hospital, as the alliance names it.
        #[arg(long)]
        hospital: Slug,
    },
    /// The alliance's dictionary.
    #[command(subcommand)]
    Dictionary(DictionaryCommand),
}

#[derive(Debug, Subcommand)]
pub(super) enum DictionaryCommand {
    /// Fetch the dictionary that the alliance offers; nothing changes until it is accepted.
    ///
    /// Example: consilium-node --data ./node1 dictionary fetch
    Fetch,
    /// Accept a dictionary: from now on everything works under it.
    ///
    /// Example: consilium-node --data ./node1 dictionary accept dictionary.json --alliance-key 8f…
    Accept {
        /// The signed dictionary, as the alliance published it.
        file: PathBuf,
        /// The alliance's public key (64 hexadecimal digits); kept for later dictionaries.
        #[arg(long, value_name = "HEX")]
        alliance_key: Option<String>,
        /// Accept a dictionary without a signature. For trials only; the log says so.
        #[arg(long, conflicts_with = "alliance_key")]
        unsigned_for_trial: bool,
    },
}

pub(super) async fn run(command: Command, data: &Path, out: &mut dyn Write) -> anyhow::Result<()> {
    match command {
        Command::Init { hospital } => init(hospital, data, out).await,
        Command::Dictionary(DictionaryCommand::Fetch) => {
            super::link::fetch(&Node::open(data).await?, out).await
        }
        Command::Dictionary(DictionaryCommand::Accept {
            file,
            alliance_key,
            unsigned_for_trial,
        }) => {
            let node = Node::open(data).await?;
            let dictionary = if unsigned_for_trial {
                canonical::read(&read(&file)?).context("the file is not a plain dictionary")?
            } else {
                signed(&node, &file, alliance_key.as_deref())?
            };
            let now = node.clock.now();
            let signed = !unsigned_for_trial;
            let digest = dictionaries::accept(&node.state, &dictionary, signed, now).await?;
            let (name, version) = (&dictionary.alliance, dictionary.version);
            writeln!(
                out,
                "accepted dictionary {version} of {name}, digest {digest}"
            )?;
            next::step(out, data, "map test FILE --mapping MAPPING")?;
            Ok(())
        }
    }
}

async fn init(hospital: Slug, data: &Path, out: &mut dyn Write) -> anyhow::Result<()> {
    let settings = data.join(config::FILE);
    if settings.exists() {
        let name = Config::read(data).map_or_else(|_| "?".to_owned(), |c| c.hospital.to_string());
        bail!(
            "a node of hospital `{name}` exists already (`{}`); go on with it, name another folder \
             with --data, or move this one away to begin anew (its keys and ledger go with it)",
            settings.display()
        );
    }
    std::fs::create_dir_all(data)
        .with_context(|| format!("`{}` could not be made", data.display()))?;
    // De-identified rows and keys are for this account only.
    std::fs::set_permissions(data, std::fs::Permissions::from_mode(0o700))
        .with_context(|| format!("`{}` could not be closed to others", data.display()))?;
    let config = Config::new(hospital);
    config.write_new(data)?;
    // A policy of the hospital's own, to be made stricter where the hospital wants.
    std::fs::write(data.join(POLICY), DEFAULT).context("policy.toml could not be written")?;
    let keys = Keys::open(data)?;
    let signer = keys.make_message_key()?;
    let state = State::open(data).await?;
    let now = Clock::System.now();
    let fingerprint = signer.public().fingerprint();
    let mut change = state.begin().await?;
    let detail = [("hospital", config.hospital.to_string())];
    state::append(&mut change, now, "init", fingerprint, &detail).await?;
    change.commit().await?;
    writeln!(out, "made node {} in {}", config.hospital, data.display())?;
    writeln!(out, "message key fingerprint {fingerprint}")?;
    next::step(
        out,
        data,
        "enrol -    # then paste the join code of the alliance",
    )?;
    Ok(())
}

fn read(file: &Path) -> anyhow::Result<Vec<u8>> {
    std::fs::read(file).with_context(|| format!("`{}` could not be read", file.display()))
}

/// Opens a sealed dictionary by the alliance's key: the kept one, or the one given now.
fn signed(node: &Node, file: &Path, given: Option<&str>) -> anyhow::Result<Dictionary> {
    let path = node.config.data.join(ALLIANCE_KEY);
    let kept = std::fs::read_to_string(&path).ok();
    let text = match (kept.as_deref().map(str::trim), given) {
        (Some(kept), Some(given)) if kept != given => {
            bail!("another alliance key is kept in `{}`", path.display())
        }
        (Some(kept), _) => kept.to_owned(),
        (None, Some(given)) => given.to_owned(),
        (None, None) => bail!("no alliance key is kept yet; give it with --alliance-key"),
    };
    let key: PublicKey = serde_json::from_value(serde_json::Value::String(text.clone()))
        .ok()
        .context("an alliance key is 64 hexadecimal digits")?;
    let sealed: Sealed<Dictionary> =
        canonical::read(&read(file)?).context("the file is not a signed dictionary")?;
    let dictionary = sealed
        .open(&key)
        .context("the dictionary is not the alliance's")?;
    if kept.is_none() {
        std::fs::write(&path, format!("{text}\n"))
            .with_context(|| format!("`{}` could not be written", path.display()))?;
    }
    Ok(dictionary)
}
