//! Asking, and looking at what asking cost: `ask`, `ledger`, `log`.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, bail};
use clap::Subcommand;
use policies::plan::{self, Explained};
use policies::rules::Privacy;
use policies::template::{self, Template};
use schemas::digest::Digest;
use schemas::entry::verify_chain;
use schemas::loss::Rho;
use schemas::time::{DataYear, Month, Period};

use super::Node;
use super::table;
use crate::answer::{self, App, Asked, By};
use crate::ledger;
use crate::noise;

/// δ at which ε is shown.
const DELTA: f64 = 1e-6;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Ask this node a question, or see what it would cost.
    ///
    /// The file has the form of a question template (policies/rules/templates). The answer is
    /// noised, charged to the ledger and stored; the same question again is free.
    ///
    /// Example: consilium-node --data ./node1 ask question.toml --period 2025 --dry-run
    Ask {
        /// The question; or the name of a shipped template such as `yearly-benchmark`.
        file: String,
        /// A year, a month, or months: 2025, 2025-03, 2025-01..2025-06.
        #[arg(long)]
        period: String,
        /// Explain plan, cost and expected error; spend nothing.
        #[arg(long)]
        dry_run: bool,
        /// Answer, and pay for it from the data year's allowance. What is spent never comes back.
        #[arg(long, conflicts_with = "dry_run")]
        spend: bool,
        /// For machines.
        #[arg(long)]
        json: bool,
    },
    /// What was spent of each data year's allowance.
    ///
    /// Example: consilium-node --data ./node1 ledger
    Ledger {
        /// For machines.
        #[arg(long)]
        json: bool,
    },
    /// The append-only log; `--verify` checks its chain.
    ///
    /// Example: consilium-node --data ./node1 log --verify
    Log {
        /// Check that the entries form one unbroken chain, and print its head.
        #[arg(long)]
        verify: bool,
    },
}

pub(super) async fn run(command: Command, data: &Path, out: &mut dyn Write) -> anyhow::Result<()> {
    match command {
        Command::Ask {
            file,
            period,
            dry_run,
            spend,
            json,
        } => {
            if !dry_run && !spend {
                bail!("an answer costs allowance for good: look with --dry-run, then use --spend");
            }
            ask(&file, &period, dry_run, json, data, out).await
        }
        Command::Ledger { json } => show_ledger(json, data, out).await,
        Command::Log { verify } => show_log(verify, data, out).await,
    }
}

async fn ask(
    file: &str,
    period: &str,
    dry_run: bool,
    json: bool,
    data: &Path,
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    let node = Node::open(data).await?;
    let app = Arc::new(App::open(&node.config, node.state, node.clock).await?);
    let shipped = template::shipped()
        .into_iter()
        .find(|t| t.id.as_str() == file);
    let (template, reference) = if let Some(template) = shipped {
        let reference = template.reference();
        (template, Some(reference))
    } else {
        let text = std::fs::read_to_string(PathBuf::from(file))
            .with_context(|| format!("no template `{file}` and no file of that name"))?;
        (Template::parse(&text)?, None)
    };
    let draft = template.draft(
        &app.dictionary,
        answer::floors_digest(&app)?,
        parse_period(period)?,
    )?;
    for note in &draft.left_out {
        writeln!(out, "left out: {note}")?;
    }
    let asked = Asked {
        question: draft.question,
        template: reference,
        by: By::Officer,
    };
    if dry_run {
        return dry(&app, &asked, json, out).await;
    }
    let charged = answer::reply(&app, &asked).await?;
    if json {
        serde_json::to_writer_pretty(&mut *out, charged.sealed())?;
        writeln!(out)?;
        return Ok(());
    }
    let answer = charged.sealed().open(&app.signer.public())?;
    let layout = plan::compile(&asked.question, &app.dictionary, &app.policy)?;
    writeln!(out, "charged now: ρ {} a data year", charged.paid_now())?;
    table::write(&layout, &app.dictionary, &answer, &app.policy, out)
}

/// Explains what asking would do, and every refusal.
async fn dry(app: &App, asked: &Asked, json: bool, out: &mut dyn Write) -> anyhow::Result<()> {
    let layout = plan::compile(&asked.question, &app.dictionary, &app.policy)?;
    let explained = plan::explain(&layout);
    if json {
        serde_json::to_writer_pretty(&mut *out, &explained)?;
        writeln!(out)?;
        return Ok(());
    }
    write_plan(&explained, out)?;
    if asked.template.is_none() {
        let most = app.policy.allowance.free_question;
        writeln!(out, "one free question may cost at most: ρ {most}")?;
    }
    match answer::examine(app, asked).await {
        Ok(examined) => {
            writeln!(out, "{}", examined.verdict.reason)?;
            let bound = examined.bound;
            let months: Vec<String> = bound
                .released
                .months
                .iter()
                .map(|m| format!("{} ({:?})", m.month, m.grade))
                .collect();
            writeln!(out, "data: {}", months.join(", "))?;
            writeln!(out, "paid by: the quota `{}`", ledger::name(bound.purpose))?;
            let payer = app.payer(bound.purpose);
            let affordable = ledger::affordable(&app.state, bound.layout(), payer).await;
            if bound.stored(app).await? {
                writeln!(out, "already answered: asking again is free")?;
            } else if let Err(error) = affordable {
                writeln!(out, "would be refused: {error}")?;
            } else {
                writeln!(out, "would be answered")?;
            }
        }
        Err(error) => writeln!(out, "would be refused: {error}")?,
    }
    Ok(())
}

pub(super) fn write_plan(explained: &Explained, out: &mut dyn Write) -> anyhow::Result<()> {
    let epsilon =
        |rho: Rho| noise::epsilon(rho, DELTA).map_or_else(|| "–".to_owned(), |e| format!("{e:.3}"));
    writeln!(out, "numbers in the answer: {}", explained.numbers)?;
    writeln!(
        out,
        "cost: ρ {} of each data year touched (ε {} at δ 1e-6)",
        explained.charge,
        epsilon(explained.charge)
    )?;
    for block in &explained.blocks {
        let by = if block.by.is_empty() {
            "hospital".to_owned()
        } else {
            block.by.join(" × ")
        };
        let measure = serde_json::to_string(&block.measure)?;
        writeln!(
            out,
            "  by {by}: {measure}: {} numbers, ρ {}, noise σ {}, 95 % ± {}",
            block.numbers, block.rho, block.sigma, block.error
        )?;
        if !block.mean_error_percent.is_empty() {
            let sizes: Vec<String> = block
                .mean_error_percent
                .iter()
                .map(|(n, percent)| format!("n {n}: ± {percent} %"))
                .collect();
            writeln!(
                out,
                "    mean of a cell that costs its reference: {}",
                sizes.join(", ")
            )?;
        }
    }
    Ok(())
}

async fn show_ledger(json: bool, data: &Path, out: &mut dyn Write) -> anyhow::Result<()> {
    let node = Node::open(data).await?;
    let policy = answer::policy(&node.config)?;
    let lines = ledger::lines(&node.state).await?;
    if json {
        let rows: Vec<_> = lines
            .iter()
            .map(|line| {
                serde_json::json!({
                    "year": line.year, "purpose": line.purpose, "spent_nano": line.spent,
                    "limit_nano": limit(&policy, &line.purpose),
                })
            })
            .collect();
        serde_json::to_writer_pretty(&mut *out, &rows)?;
        writeln!(out)?;
        return Ok(());
    }
    writeln!(
        out,
        "{:<6}{:<12}{:>12}{:>12}{:>12}",
        "year", "purpose", "spent ρ", "limit ρ", "spent ε"
    )?;
    for line in &lines {
        let epsilon = noise::epsilon(line.spent, DELTA).unwrap_or(f64::NAN);
        let limit = limit(&policy, &line.purpose).to_string();
        writeln!(
            out,
            "{:<6}{:<12}{:>12}{limit:>12}{epsilon:>12.3}",
            line.year.to_string(),
            line.purpose,
            line.spent.to_string()
        )?;
    }
    if lines.is_empty() {
        writeln!(out, "nothing was spent yet")?;
    }
    Ok(())
}

fn limit(policy: &Privacy, purpose: &str) -> Rho {
    match purpose {
        "benchmark" => policy.allowance.benchmark,
        "budget" => policy.allowance.budget,
        "audit" => policy.allowance.audit,
        "free" => policy.allowance.free,
        _ => policy.allowance.total,
    }
}

async fn show_log(verify: bool, data: &Path, out: &mut dyn Write) -> anyhow::Result<()> {
    let node = Node::open(data).await?;
    let entries = node.state.log().await?;
    if verify {
        let head: Digest = verify_chain(&entries)?;
        writeln!(
            out,
            "{} entries, one unbroken chain, head {head}",
            entries.len()
        )?;
        return Ok(());
    }
    for entry in &entries {
        let detail: Vec<String> = entry
            .detail
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        writeln!(
            out,
            "{:>6} {} {:<12} {} {}",
            entry.sequence,
            entry.at.0,
            entry.kind,
            entry.subject.short(),
            detail.join(" ")
        )?;
    }
    Ok(())
}

/// Reads `2025`, `2025-03` or `2025-01..2025-06`.
pub(super) fn parse_period(text: &str) -> anyhow::Result<Period> {
    let period = match text.split_once("..") {
        Some((from, to)) => Period {
            from: from.parse()?,
            to: to.parse()?,
        },
        None if text.len() == 4 => Period::year(DataYear(text.parse().context("a year")?))?,
        None => {
            let month: Month = text.parse()?;
            Period {
                from: month,
                to: month,
            }
        }
    };
    if !period.is_sound() {
        bail!("a period runs from its first to its last month, at most 36 months");
    }
    Ok(period)
}
