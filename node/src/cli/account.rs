//! What asking cost and by which limits: `ledger`.

use std::io::Write;
use std::path::Path;

use clap::Subcommand;
use policies::rules::Privacy;
use schemas::loss::Rho;

use super::Node;
use crate::access::Standing;
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
}

pub(super) async fn run(command: Command, data: &Path, out: &mut dyn Write) -> anyhow::Result<()> {
    match command {
        Command::Ledger { json } => show_ledger(json, data, out).await,
    }
}

/// ε of a loss at [`DELTA`], for people.
pub(super) fn epsilon(rho: Rho) -> String {
    noise::epsilon(rho, DELTA).map_or_else(|| "–".to_owned(), |e| format!("{e:.3}"))
}

async fn show_ledger(json: bool, data: &Path, out: &mut dyn Write) -> anyhow::Result<()> {
    let node = Node::open(data).await?;
    let lies_there = answer::policy(&node.config)?;
    let (config, now) = (&node.config, node.clock.now());
    let (data, hospital) = (&config.data, &config.hospital);
    let standing = Standing::open(&node.state, data, hospital, &lies_there, now).await;
    // A raised limit that still waits is not shown as if it counted.
    let policy = standing.map_or(lies_there, |standing| standing.policy);
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
        ledger::WORST => policy.pooled.worst,
        "one free question" => policy.allowance.free_question,
        _ => policy.allowance.total,
    }
}

/// The allowance with its units, then the other limits as `policy.toml` has them.
pub(super) fn write_policy(policy: &Privacy, out: &mut dyn Write) -> anyhow::Result<()> {
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
    fn a_policy_shows_losses_in_all_units_and_every_other_limit() {
        let policy = Privacy::parse(DEFAULT).unwrap();
        let mut out = Vec::new();
        write_policy(&policy, &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        let total = text.lines().find(|line| line.starts_with("total")).unwrap();
        let values: Vec<&str> = total.split_whitespace().collect();
        assert_eq!(values, ["total", "1", "7.766", "1000000000"]);
        for limit in ["threshold = 11", "series_months = 3", "yearly-benchmark@2"] {
            assert!(text.contains(limit), "{limit} in {text}");
        }
    }
}
