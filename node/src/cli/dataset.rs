//! `dataset`: the steps of a month from loaded to retired, and retention.

use std::io::Write;
use std::path::Path;

use anyhow::{Context as _, bail};
use clap::Subcommand;
use schemas::shown::line;
use schemas::time::Month;

use super::officer::As;
use super::{Node, data, next, show};
use crate::access;
use crate::lifecycle::{self, Step};
use crate::load;
use crate::release::{self, SignOff};
use crate::retention::{self, Plan, Which};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// The steps that months took: who, when, why.
    ///
    /// Example: consilium-node --data ./node1 dataset list
    List {
        /// For machines.
        #[arg(long)]
        json: bool,
    },
    /// Let a loaded month's quality stand: loaded → validated.
    ///
    /// Example: consilium-node --data ./node1 dataset validate 2026-01 --as li-hua
    Validate {
        /// The month.
        month: Month,
        #[command(flatten)]
        by: As,
        /// In spite of grade D.
        #[arg(long)]
        accept_grade_d: bool,
    },
    /// Let its de-identification report stand: validated → deidentified.
    ///
    /// Example: consilium-node --data ./node1 dataset deidentify 2026-01 --as li-hua
    Deidentify {
        /// The month.
        month: Month,
        #[command(flatten)]
        by: As,
    },
    /// List what is past the retention of the settings (or a month), with all that rests on it. Nothing is
    /// deleted.
    ///
    /// Example: consilium-node --data ./node1 dataset retention
    Retention {
        /// This month instead.
        #[arg(long)]
        month: Option<Month>,
        /// For machines.
        #[arg(long)]
        json: bool,
    },
    /// Delete what `dataset retention` lists: rows, columns, quarantine, reports, findings, warnings, cost
    /// closes. Answers, charges and the log stay. It cannot be undone.
    ///
    /// Example: consilium-node --data ./node1 dataset retire --confirm 0a1b2c3d4e5f --as li-hua
    Retire {
        /// This month instead of what is past retention.
        #[arg(long)]
        month: Option<Month>,
        /// The word that `dataset retention` printed with the list.
        #[arg(long)]
        confirm: String,
        #[command(flatten)]
        by: As,
    },
}

pub(super) async fn run(command: Command, at: &Path, out: &mut dyn Write) -> anyhow::Result<()> {
    let node = Node::open(at).await?;
    match command {
        Command::List { json } => list(&node, json, out).await,
        Command::Validate {
            month,
            by,
            accept_grade_d,
        } => step(&node, (month, Step::Validated), &by, accept_grade_d, out).await,
        Command::Deidentify { month, by } => {
            step(&node, (month, Step::Deidentified), &by, false, out).await
        }
        Command::Retention { month, json } => {
            let which = which(&node, month)?;
            let now = node.clock.now();
            let plan = retention::plan(&node.state, &node.config.data, which, now).await?;
            if json {
                return show::json_of(&plan, out);
            }
            if plan.months.is_empty() {
                return Ok(writeln!(out, "nothing is past its retention")?);
            }
            listed(&plan, out)?;
            let of = month.map_or_else(String::new, |month| format!("--month {month} "));
            let step = format!("dataset retire {of}--confirm {} --as NAME", plan.word());
            next::step(out, &node.given, &step)?;
            Ok(())
        }
        Command::Retire { month, confirm, by } => {
            let which = which(&node, month)?;
            let officers = access::officers(node.state.pool(), &node.config.hospital).await?;
            let key = by.signer(&node.config.data)?;
            let deciding = by.deciding(&officers, &key, node.clock.now());
            let data = &node.config.data;
            let gone = retention::retire(&node.state, data, which, &confirm, &deciding).await?;
            let everywhere = load::forget(&node.state, &node.config).await?;
            listed(&gone, out)?;
            writeln!(
                out,
                "{}",
                if everywhere {
                    "retired"
                } else {
                    "retired here"
                }
            )?;
            Ok(data::left(everywhere, out)?)
        }
    }
}

fn which(node: &Node, month: Option<Month>) -> anyhow::Result<Which> {
    match (month, node.config.stewardship.retention_months) {
        (Some(month), _) => Ok(Which::Month(month)),
        (None, Some(months)) => Ok(Which::Past(months)),
        (None, None) => bail!(
            "this node keeps months for ever: `retention_months` in node.toml, part [stewardship], or --month"
        ),
    }
}

async fn list(node: &Node, json: bool, out: &mut dyn Write) -> anyhow::Result<()> {
    let steps = lifecycle::of(&node.state).await?;
    if json {
        return show::json_of(&steps, out);
    }
    for held in release::months(&node.state).await? {
        let taken = steps
            .iter()
            .filter(|one| one.load == held.load && one.month == held.month);
        if taken.count() == 0 {
            writeln!(out, "{}  {}  {}", held.month, held.load, held.state)?;
        }
    }
    for one in &steps {
        writeln!(
            out,
            "{}  {}  {:<12}  {}  {} ({})",
            one.month,
            one.load,
            one.step.as_str(),
            one.at,
            line(&one.officer),
            one.why
        )?;
    }
    Ok(())
}

async fn step(
    node: &Node,
    (month, to): (Month, Step),
    by: &As,
    accept_grade_d: bool,
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    let officers = access::officers(node.state.pool(), &node.config.hospital).await?;
    let key = by.signer(&node.config.data)?;
    let at = node.clock.now();
    let deciding = by.deciding(&officers, &key, at);
    let officer = deciding.steward().context("the step is not taken")?;
    let sign_off = SignOff {
        officer: officer.name.as_str(),
        accept_grade_d,
        gate: data::gate(node).await?,
        at,
    };
    release::step(&node.state, &node.config.data, month, to, &sign_off).await?;
    writeln!(out, "{month}: {}", to.as_str())?;
    let following = match to {
        Step::Validated => format!("dataset deidentify {month} --as {}", by.name),
        _ => format!("release {month} --officer {}", by.name),
    };
    next::step(out, &node.given, &following)?;
    Ok(())
}

fn listed(plan: &Plan, out: &mut dyn Write) -> std::io::Result<()> {
    for month in &plan.months {
        let releases: Vec<String> = month.releases.iter().map(u32::to_string).collect();
        writeln!(
            out,
            "{}: loads {}; releases {}; {} bytes of columns, with quarantine and reports",
            month.month,
            month.loads.join(", "),
            if releases.is_empty() {
                "none".to_owned()
            } else {
                releases.join(", ")
            },
            month.bytes
        )?;
        for (what, rows) in &month.resting {
            writeln!(out, "  {rows:>6}  {what}")?;
        }
    }
    Ok(())
}
