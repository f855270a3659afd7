//! `pooled`: the key list's organisations, uploads, and verifying a published round.

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow, bail};
use clap::Subcommand;
use policies::plan::pooled_fits;
use pooled::published::{Outcome, PublishedError, Verified};
use schemas::digest::{Digest, NotADigest};
use schemas::id::Slug;

use super::officer::As;
use super::{Node, link};
use crate::access::Standing;
use crate::answer;
use crate::clock::Clock;
use crate::ledger;
use crate::pooled::{self as rounds, VerifyError};
use crate::steward::{self, Acting};
use crate::store::dictionaries;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// The organisations of the key list with their fingerprints, and whether the steward accepted
    /// them. With a list that waits for countersignatures: those of that list.
    ///
    /// Example: consilium-node --data ./node1 pooled members
    Members,
    /// Accept an organisation whose fingerprint was compared with what it said itself.
    ///
    /// Example: consilium-node --data ./node1 pooled accept h02 4f… --as li-hua
    Accept {
        /// The organisation.
        member: Slug,
        /// Its fingerprint as it read it out, in digits of either case.
        #[arg(value_parser = spoken)]
        fingerprint: Digest,
        #[command(flatten)]
        by: As,
    },
    /// What this hospital uploaded, and what it cost.
    ///
    /// Example: consilium-node --data ./node1 pooled uploads
    Uploads,
    /// Verify a published round from its folder, by the alliance's key that this node joined with.
    /// With --key no node is needed: so an insurer or auditor verifies.
    ///
    /// Example: consilium-node pooled verify ./p1-yearly-pooled --key 3f2a…
    Verify {
        /// The folder.
        folder: PathBuf,
        /// The alliance's key: a file that holds it, or its fingerprint as the alliance says it. A file
        /// inside the folder proves nothing and is refused.
        #[arg(long, value_name = "FILE|FINGERPRINT")]
        key: Option<String>,
    },
}

/// A fingerprint as people write what they hear.
fn spoken(text: &str) -> Result<Digest, NotADigest> {
    text.to_ascii_lowercase().parse()
}

/// Why a publication does not hold, and what that means.
fn failed(error: &VerifyError) -> anyhow::Error {
    let part = error.part();
    anyhow!("{part} does not hold: {error}; {}", part.advice())
}

/// Where a key comes from that proves something.
const KEY_FROM: &str = "Take the fingerprint from the alliance by another way than the folder; a \
                        node that joined it verifies without --key, by the key that it joined with";

/// Whether a file is inside a folder, by whatever name.
fn lies_in(file: &Path, folder: &Path) -> bool {
    match (file.canonicalize(), folder.canonicalize()) {
        (Ok(file), Ok(folder)) => file.starts_with(folder),
        _ => false,
    }
}

/// Verifies by the alliance's key alone: nothing of a node is opened.
fn by_key(folder: &Path, key: &str, out: &mut dyn Write) -> anyhow::Result<()> {
    let file = Path::new(key);
    if file.exists() && lies_in(file, folder) {
        bail!(
            "`{key}` lies in the folder that it is to prove: whoever made the folder made this key too. \
             {KEY_FROM}"
        );
    }
    let key = if file.is_file() {
        std::fs::read_to_string(file).with_context(|| format!("`{key}` could not be read"))?
    } else {
        key.to_owned()
    };
    let verified = rounds::verify_named(folder, &key, Clock::System.now());
    let (key, outcome) = verified.map_err(|error| match error {
        VerifyError::Published(error @ (PublishedError::Key | PublishedError::OtherKey(_))) => {
            anyhow!("--key: {error}. Nothing was verified. {KEY_FROM}")
        }
        error => failed(&error),
    })?;
    for line in outcome.lines() {
        writeln!(out, "{line}")?;
    }
    writeln!(out, "by the key with the fingerprint {}", key.fingerprint())?;
    Ok(writeln!(out, "{}", outcome.conclusion())?)
}

pub(super) async fn run(command: Command, data: &Path, out: &mut dyn Write) -> anyhow::Result<()> {
    if let Command::Verify {
        folder,
        key: Some(key),
    } = &command
    {
        return by_key(folder, key, out);
    }
    let node = Node::open(data).await?;
    match command {
        Command::Members => members(&node, out).await,
        Command::Accept {
            member,
            fingerprint,
            by,
        } => {
            accept(&node, &member, fingerprint, &by).await?;
            writeln!(
                out,
                "{member} is accepted; `pooled members` says who is not yet: when all are, this node \
                 countersigns the key list by itself while it runs"
            )?;
            Ok(())
        }
        Command::Uploads => {
            let uploads = ledger::uploads(&node.state).await?;
            if uploads.is_empty() {
                writeln!(
                    out,
                    "nothing was uploaded to a pooled round yet; `steward inbox` says what was offered, \
                     and what each round waits for"
                )?;
            }
            for one in uploads {
                let note = if one.voided {
                    "  voided, wiped; `ledger` says what is spent"
                } else {
                    ""
                };
                writeln!(
                    out,
                    "{:<32} ρ {}, {} if the committee fails  {}{note}",
                    one.round, one.charge, one.worst, one.digest
                )?;
            }
            Ok(())
        }
        Command::Verify { folder, .. } => {
            let link = link::open(&node).context(
                "this folder has joined no alliance; `--key` with the alliance's key or its \
                 fingerprint verifies without",
            )?;
            let outcome = rounds::verify(&folder, link.alliance_key(), node.clock.now())
                .map_err(|error| failed(&error))?;
            for line in outcome.lines() {
                writeln!(out, "{line}")?;
            }
            match &outcome {
                Outcome::Sum(verified) => {
                    for note in own_view(&node, verified).await? {
                        writeln!(out, "{note}")?;
                    }
                }
                Outcome::Void(voided) => {
                    let known = rounds::voided(&node.state, &voided.asked.id).await?;
                    let word = if known { "is" } else { "is not" };
                    writeln!(out, "that it was voided {word} known to this node")?;
                }
            }
            writeln!(out, "{}", outcome.conclusion())?;
            Ok(())
        }
    }
}

/// What this node can say beyond the files: whether it follows the same list, and whether the
/// manifest follows from the question by its own dictionary and the alliance's floors.
async fn own_view(node: &Node, verified: &Verified) -> anyhow::Result<Vec<String>> {
    let mut notes = Vec::new();
    let pinned = rounds::pinned(&node.state).await?;
    let manifest = verified.round.manifest();
    if pinned.is_none_or(|pinned| pinned.hash() != manifest.key_list) {
        notes.push("it cites another key list than the one followed here now".to_owned());
    }
    let question = &verified.asked.question;
    match dictionaries::by_digest(&node.state, &question.dictionary).await? {
        Some(dictionary) => {
            pooled_fits(manifest, question, &dictionary, &answer::floors()?)
                .context("the manifest does not follow from the question")?;
            notes.push(
                "question     holds: compiled here it gives the manifest's blocks and noise"
                    .to_owned(),
            );
        }
        None => notes.push("the question's dictionary is not held here: not compiled".to_owned()),
    }
    Ok(notes)
}

/// The members of the draft that waits, else of the pinned list.
async fn listed(node: &Node) -> anyhow::Result<Vec<pooled::key_list::Member>> {
    let link = link::open(node)?;
    if link.pooled_work().await?.draft.is_some() {
        let draft = link.pooled_get("draft").await?;
        let draft: schemas::seal::Sealed<pooled::key_list::KeyList> =
            schemas::canonical::read(&draft)?;
        return Ok(draft.open(link.alliance_key())?.members);
    }
    let pinned = rounds::pinned(&node.state).await?;
    let pinned = pinned.context("no key list is followed or waits for countersignatures yet")?;
    Ok(pinned.list().members.clone())
}

async fn standing(node: &Node) -> anyhow::Result<Standing> {
    Ok(answer::standing(&node.config, &node.state, node.clock.now()).await?)
}

async fn members(node: &Node, out: &mut dyn Write) -> anyhow::Result<()> {
    let standing = standing(node).await?;
    let (officers, hospital) = (&standing.officers, &node.config.hospital);
    let accepted = steward::accepted_members(&node.state, officers, hospital).await?;
    for member in listed(node).await? {
        let fingerprint = member.fingerprint()?;
        let word = if accepted.contains(&fingerprint) {
            "accepted"
        } else {
            "not accepted"
        };
        writeln!(out, "{:<24} {:<13} {fingerprint}", member.id, word)?;
    }
    Ok(())
}

async fn accept(node: &Node, name: &Slug, fingerprint: Digest, by: &As) -> anyhow::Result<()> {
    let members = listed(node).await?;
    let Some(member) = members.iter().find(|member| member.id == *name) else {
        bail!("`{name}` is not in the key list: `pooled members` says who is");
    };
    if member.fingerprint()? != fingerprint {
        bail!(
            "this is not the fingerprint of `{name}` in the key list: do not accept it; read it out \
             once more, and if it differs again tell the other hospitals"
        );
    }
    let standing = standing(node).await?;
    let key = by.signer(&node.config.data)?;
    let acting = Acting {
        officers: &standing.officers,
        access: &standing.access,
        policy: standing.approved.policy,
        hospital: &node.config.hospital,
        name: &by.name,
        key: &key,
        at: node.clock.now(),
    };
    Ok(steward::accept_member(&node.state, acting, member).await?)
}
