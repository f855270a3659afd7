//! What the hospital's people do with an audit's requests: answer files, list, approve and refuse
//! openings.

use std::io::Write;
use std::path::Path;

use anyhow::{Context as _, bail};
use policies::access::Channel;
use schemas::digest::Digest;

use super::{Node, bar};
use crate::access::Standing;
use crate::answer;
use crate::audit::{self, Door, Opening, Served, Stands};
use crate::cli::officer::As;
use crate::steward::Acting;

/// Lists the openings that were asked for.
pub(super) async fn list(node: &Node, json: bool, out: &mut dyn Write) -> anyhow::Result<()> {
    let standing = answer::standing(&node.config, &node.state).await?;
    let openings = audit::openings(&node.state, &standing, &node.config.hospital).await?;
    if json {
        serde_json::to_writer_pretty(&mut *out, &openings)?;
        writeln!(out)?;
        return Ok(());
    }
    if openings.is_empty() {
        writeln!(out, "no opening was asked for")?;
    }
    for opening in &openings {
        show(opening, out)?;
    }
    Ok(())
}

fn show(opening: &Opening, out: &mut dyn Write) -> anyhow::Result<()> {
    let stands = match &opening.state {
        Stands::Waits(by) if by.is_empty() => "waits for two officers".to_owned(),
        Stands::Waits(by) => {
            let names: Vec<&str> = by.iter().map(schemas::id::Slug::as_str).collect();
            format!("signed by {}", names.join(", "))
        }
        Stands::Refused(officer) => format!("refused by {officer}"),
        Stands::Answered => "answered".to_owned(),
    };
    let (payer, month, version) = (&opening.payer, opening.month, opening.version);
    let (leaves, checkpoint) = (opening.leaves, opening.checkpoint.short());
    writeln!(
        out,
        "{payer:<12} {month} version {version}: {leaves} leaves under checkpoint {checkpoint}: {stands}"
    )?;
    writeln!(out, "  {}", opening.request)?;
    Ok(())
}

/// Signs for an opening.
pub(super) async fn approve(
    node: &Node,
    request: &Digest,
    by: &As,
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    let standing = answer::standing(&node.config, &node.state).await?;
    let key = by.signer(&node.config.data)?;
    let acting = acting(node, &standing, by, &key);
    let signed = audit::approve(&node.state, &standing, acting, request).await?;
    writeln!(
        out,
        "{} signed for {}; officers who did: {signed}",
        by.name,
        request.short()
    )?;
    Ok(())
}

/// Refuses an opening.
pub(super) async fn refuse(
    node: &Node,
    request: &Digest,
    (by, reason): (&As, &str),
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    let standing = answer::standing(&node.config, &node.state).await?;
    let key = by.signer(&node.config.data)?;
    let acting = acting(node, &standing, by, &key);
    audit::refuse(&node.state, acting, request, reason).await?;
    writeln!(out, "{} refused {}", by.name, request.short())?;
    Ok(())
}

fn acting<'a>(
    node: &'a Node,
    standing: &'a Standing,
    by: &'a As,
    key: &'a schemas::seal::Signer,
) -> Acting<'a> {
    Acting {
        officers: &standing.officers,
        access: &standing.access,
        policy: standing.approved.policy,
        hospital: &node.config.hospital,
        name: &by.name,
        key,
        at: node.clock.now(),
    }
}

/// Answers the requests in a folder.
pub(super) async fn serve(
    node: &Node,
    requests: &Path,
    replies: &Path,
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    let standing = answer::standing(&node.config, &node.state).await?;
    let door = Door {
        standing: &standing,
        channel: Channel::Carried,
    };
    let entries = std::fs::read_dir(requests)
        .with_context(|| format!("`{}` could not be read", requests.display()))?;
    let mut names: Vec<_> = entries
        .map(|entry| entry.map(|entry| entry.file_name()))
        .collect::<Result<_, _>>()?;
    names.sort();
    std::fs::create_dir_all(replies)?;
    let bar = bar()?;
    bar.set_length(u64::try_from(names.len()).unwrap_or(0));
    let (mut answered, mut waiting) = (0, 0);
    for name in names {
        bar.inc(1);
        let reply = replies.join(&name);
        if reply.exists() || !name.to_string_lossy().ends_with(".json") {
            continue;
        }
        let bytes = std::fs::read(requests.join(&name))?;
        let now = node.clock.now();
        let served = audit::serve(&node.state, &node.config, now, door, &bytes).await;
        match served.with_context(|| format!("`{}`", name.to_string_lossy()))? {
            Served::Reply(bytes) => {
                let passing = replies.join(format!(".{}", name.to_string_lossy()));
                std::fs::write(&passing, bytes)?;
                std::fs::rename(&passing, &reply)?;
                answered += 1;
            }
            Served::Waits(_) => waiting += 1,
        }
    }
    bar.finish_and_clear();
    writeln!(out, "{answered} requests answered")?;
    if waiting > 0 {
        bail!(
            "{waiting} requests open leaves and wait for two officers: see `consilium-node audit \
             list`, then `audit approve`"
        );
    }
    Ok(())
}
