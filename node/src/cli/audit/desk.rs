//! What the hospital's people do with an audit's requests: answer files, list, approve and refuse
//! openings.

use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, bail};
use policies::access::Channel;
use schemas::digest::Digest;

use super::{Node, bar};
use crate::access::Standing;
use crate::answer;
use crate::audit::{self, Opening, Served, Stands};
use crate::cli::officer::As;
use crate::steward::Acting;

/// Lists the openings that were asked for.
pub(super) async fn list(node: &Node, json: bool, out: &mut dyn Write) -> anyhow::Result<()> {
    let standing = answer::standing(&node.config, &node.state, node.clock.now()).await?;
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
    let standing = answer::standing(&node.config, &node.state, node.clock.now()).await?;
    let key = by.signer(&node.config.data)?;
    let acting = acting(node, &standing, by, &key);
    let signed = audit::approve(&node.state, acting, request).await?;
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
    let standing = answer::standing(&node.config, &node.state, node.clock.now()).await?;
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
    // An old backup is noticed before anything is answered from it.
    if let Err(error) = crate::cli::link::compare(node).await {
        tracing::warn!(%error, "the log could not be compared with the coordinator's copy");
    }
    let standing = Arc::new(answer::standing(&node.config, &node.state, node.clock.now()).await?);
    let names = unanswered(requests, replies)?;
    let bar = bar()?;
    bar.set_length(u64::try_from(names.len()).unwrap_or(0));
    let (mut answered, mut waiting) = (0, 0);
    for names in names.chunks(audit::at_once()) {
        let read = names.iter().map(|name| std::fs::read(requests.join(name)));
        let read = read.collect::<Result<Vec<_>, _>>()?;
        let (state, config, now) = (&node.state, &node.config, node.clock.now());
        let by = (&standing, Channel::Carried);
        let served = audit::serve_together(state, config, now, by, read).await;
        for (name, served) in names.iter().zip(served) {
            match served.with_context(|| format!("`{name}`"))? {
                Served::Reply(bytes) => {
                    let passing = replies.join(format!(".{name}"));
                    std::fs::write(&passing, bytes)?;
                    std::fs::rename(&passing, replies.join(name))?;
                    answered += 1;
                }
                Served::Waits(_) | Served::Later => waiting += 1,
            }
            bar.inc(1);
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

/// Names of the requests in a folder that have no reply in the other, in order.
fn unanswered(requests: &Path, replies: &Path) -> anyhow::Result<Vec<String>> {
    std::fs::create_dir_all(replies)?;
    let mut names = Vec::new();
    let entries = std::fs::read_dir(requests)
        .with_context(|| format!("`{}` could not be read", requests.display()))?;
    for entry in entries {
        let name = entry?.file_name();
        let json = Path::new(&name)
            .extension()
            .is_some_and(|kind| kind == "json");
        if json && !replies.join(&name).exists() {
            names.push(name.to_string_lossy().into_owned());
        }
    }
    names.sort();
    Ok(names)
}
