//! What asking cost and by which limits: `ledger`, `log`, `policy`.

use std::io::Write;
use std::path::Path;

use clap::Subcommand;
use policies::rules::Privacy;
use schemas::digest::Digest;
use schemas::entry::verify_chain;
use schemas::loss::Rho;
use schemas::time::Timestamp;

use super::{Node, show};
use crate::answer;
use crate::ledger;
use crate::noise;

/// δ at which ε is shown.
const DELTA: f64 = 1e-6;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
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
    /// The limits that this node works under.
    ///
    /// Example: consilium-node --data ./node1 policy
    Policy {
        /// For machines: losses in whole billionths of ρ.
        #[arg(long)]
        json: bool,
    },
}

pub(super) async fn run(command: Command, data: &Path, out: &mut dyn Write) -> anyhow::Result<()> {
    match command {
        Command::Ledger { json } => show_ledger(json, data, out).await,
        Command::Log { verify } => show_log(verify, data, out).await,
        Command::Policy { json } => show_policy(json, data, out).await,
    }
}

/// ε of a loss at [`DELTA`], for people.
pub(super) fn epsilon(rho: Rho) -> String {
    noise::epsilon(rho, DELTA).map_or_else(|| "–".to_owned(), |e| format!("{e:.3}"))
}

/// A moment as RFC 3339 in UTC; as seconds where no calendar has it.
fn readable(at: Timestamp) -> String {
    jiff::Timestamp::from_second(at.0).map_or_else(|_| at.0.to_string(), |at| at.to_string())
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
        let epsilon = epsilon(line.spent);
        let limit = limit(&policy, &line.purpose).to_string();
        writeln!(
            out,
            "{:<6}{:<12}{:>12}{limit:>12}{epsilon:>12}",
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
        "one free question" => policy.allowance.free_question,
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
            readable(entry.at),
            entry.kind,
            entry.subject.short(),
            detail.join(" ")
        )?;
    }
    Ok(())
}

async fn show_policy(json: bool, data: &Path, out: &mut dyn Write) -> anyhow::Result<()> {
    let node = Node::open(data).await?;
    let policy = answer::policy(&node.config)?;
    if json {
        return show::json_of(&policy, out);
    }
    writeln!(out, "digest {}", policy.digest()?)?;
    write_policy(&policy, out)
}

/// The allowance with its units, then the other limits as `policy.toml` has them.
fn write_policy(policy: &Privacy, out: &mut dyn Write) -> anyhow::Result<()> {
    writeln!(out, "loss a patient and data year (ε at δ 1e-6):")?;
    writeln!(
        out,
        "{:<18}{:>8}{:>10}{:>15}",
        "purpose", "ρ", "ε", "nano-ρ"
    )?;
    for purpose in [
        "total",
        "benchmark",
        "budget",
        "audit",
        "free",
        "one free question",
    ] {
        let rho = limit(policy, purpose);
        writeln!(
            out,
            "{purpose:<18}{:>8}{:>10}{:>15}",
            rho.to_string(),
            epsilon(rho),
            rho.nano()
        )?;
    }
    let mut rest = toml::Table::try_from(policy)?;
    rest.remove("allowance");
    writeln!(out, "\n{}", toml::to_string(&rest)?.trim_end())?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use policies::rules::DEFAULT;

    use super::*;

    #[test]
    fn moments_are_readable() {
        assert_eq!(readable(Timestamp(1_751_328_000)), "2025-07-01T00:00:00Z");
        assert_eq!(readable(Timestamp(i64::MAX)), i64::MAX.to_string());
    }

    #[test]
    fn a_policy_shows_losses_in_all_units_and_every_other_limit() {
        let policy = Privacy::parse(DEFAULT).unwrap();
        let mut out = Vec::new();
        write_policy(&policy, &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        let total = text.lines().find(|line| line.starts_with("total")).unwrap();
        let values: Vec<&str> = total.split_whitespace().collect();
        assert_eq!(values, ["total", "1", "7.766", "1000000000"]);
        for limit in ["threshold = 11", "series_months = 3", "yearly-benchmark@1"] {
            assert!(text.contains(limit), "{limit} in {text}");
        }
    }
}
