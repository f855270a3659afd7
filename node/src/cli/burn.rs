//! `log burn`: what a rollback lost counts as spent. Shown first, done with `--yes` alone.

use std::io::Write;
use std::path::Path;

use super::log::read;
use super::officer::As;
use super::{Node, next};
use crate::answer;
use crate::ledger::{self, Outlook, Preview, WORST};
use crate::steward::Acting;

/// Who burns what.
pub(super) struct Order<'a> {
    pub(super) by: &'a As,
    pub(super) entries: Option<&'a Path>,
    pub(super) yes: bool,
}

pub(super) async fn run(node: &Node, order: &Order<'_>, out: &mut dyn Write) -> anyhow::Result<()> {
    let now = node.clock.now();
    let standing = answer::standing(&node.config, &node.state, now).await?;
    let key = order.by.signer(&node.config.data)?;
    let acting = Acting {
        officers: &standing.officers,
        access: &standing.access,
        policy: standing.approved.policy,
        hospital: &node.config.hospital,
        name: &order.by.name,
        key: &key,
        at: now,
    };
    acting.check()?;
    let entries = order.entries.map(read).transpose()?;
    let (entries, limits) = (entries.as_deref(), answer::floors()?);
    let preview = ledger::preview(&node.state, entries, &limits).await?;
    show(&preview, entries.is_some(), out)?;
    if !order.yes {
        writeln!(
            out,
            "nothing was burned: only --yes does it, and it is never taken back"
        )?;
        let burn = format!("log burn --as {}", order.by.name);
        if let Some(path) = order.entries {
            let rest = format!("{burn} --entries {} --yes", next::path(path));
            next::step(out, &node.given, &rest)?;
        } else {
            next::step(out, &node.given, &format!("{burn} --entries FILE"))?;
            writeln!(
                out,
                "only where nobody has the file: the same with --yes in its place, at the whole cost above"
            )?;
        }
        return Ok(());
    }
    let steward = &order.by.name;
    ledger::burn(&node.state, entries, &limits, steward, now).await?;
    writeln!(out, "burned; the log goes on under a new name")?;
    Ok(())
}

/// How much is lost, what it costs, what becomes impossible, and what another way would cost.
fn show(preview: &Preview, exact: bool, out: &mut dyn Write) -> anyhow::Result<()> {
    let (signed, held) = (preview.signed, preview.held);
    writeln!(
        out,
        "this node signed a log of {signed} entries; this state file holds {held} and does not \
         continue it"
    )?;
    if !exact {
        writeln!(
            out,
            "cheaper: with --entries FILE (`entries.jsonl` of a `log export` up to entry {signed}; whoever \
             keeps this node's published log has it) only what the lost entries charged counts"
        )?;
    }
    let way = if exact {
        "with the entries: what the lost ones charged counts as spent again"
    } else {
        "without --entries: all that is left of every loaded data year counts as spent"
    };
    writeln!(out, "{way}")?;
    for ((year, purpose), line) in &preview.lines {
        let Outlook {
            burned,
            left,
            limit,
        } = line;
        writeln!(
            out,
            "  {year} {purpose:<12} ρ {burned} more, at most ρ {left} of {limit} left"
        )?;
    }
    if preview.lines.is_empty() {
        writeln!(out, "  nothing was charged since: no line changes")?;
    }
    writeln!(out, "impossible from then on, for good:")?;
    for ((year, purpose), line) in &preview.lines {
        if line.left.nano() == 0 {
            writeln!(out, "  {}", gone(*year, purpose))?;
        }
    }
    let emptied = preview.lines.values().any(|line| line.left.nano() == 0);
    match preview.rounds {
        0 => {}
        1 => writeln!(
            out,
            "  a word to the one pooled round known from before: no upload, vote or credit"
        )?,
        rounds => writeln!(
            out,
            "  a word to the {rounds} pooled rounds known from before: no upload, vote or credit"
        )?,
    }
    match preview.audits {
        0 => {}
        1 => writeln!(
            out,
            "  answers to payers about the one closed month: what they asked since is not known"
        )?,
        months => writeln!(
            out,
            "  answers to payers about {months} closed months: what they asked since is not known"
        )?,
    }
    if !emptied && preview.rounds == 0 && preview.audits == 0 {
        writeln!(out, "  nothing")?;
    }
    Ok(())
}

/// What an empty line of the ledger rules out.
fn gone(year: u16, purpose: &str) -> String {
    match purpose {
        "all" => format!("any new answer about data of {year}"),
        WORST => format!("pooled rounds about data of {year}"),
        other => format!("new answers about data of {year} that the quota `{other}` pays"),
    }
}
