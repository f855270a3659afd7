//! `year` and `verify-score`: what this hospital says in the alliance's budget year, and the year's
//! published file checked here.

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail, ensure};
use clap::Subcommand;
use policies::year::{Computed, Published, Year};
use schemas::canonical;
use schemas::digest::Digest;
use schemas::money::Fen;
use schemas::seal::Sealed;
use schemas::year::{Matter, Says, Statement};

use super::Node;
use crate::config::keys::Keys;
use crate::store::dictionaries;

/// Longest published file in bytes.
const LONGEST: u64 = 64 * 1024 * 1024;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Apply for money (预算申报书).
    ///
    /// Example: consilium-node --data ./node1 year apply 2026 120000000.00 --purpose "stroke unit"
    /// --expected "fewer transfers" --out ./apply.json
    Apply {
        /// The year.
        year: u16,
        /// How much, in yuan.
        amount: Fen,
        /// What for.
        #[arg(long)]
        purpose: String,
        /// What it is expected to achieve.
        #[arg(long)]
        expected: String,
        /// Where the signed statement is written; the alliance takes it by `year take`.
        #[arg(long)]
        out: PathBuf,
    },
    /// Have nothing against a result.
    ///
    /// Example: consilium-node --data ./node1 year accept 2026 plan DIGEST --out ./accept.json
    Accept {
        /// The year.
        year: u16,
        /// About what: plan, settlement, bonus or appraisal.
        #[arg(value_parser = matter)]
        matter: Matter,
        /// Digest of the result.
        result: Digest,
        /// Where the signed statement is written.
        #[arg(long)]
        out: PathBuf,
    },
    /// Object to a result, or appeal.
    ///
    /// Example: consilium-node --data ./node1 year object 2026 plan DIGEST --why "wrong population"
    /// --out ./object.json
    Object {
        /// The year.
        year: u16,
        /// About what: plan, settlement, bonus or appraisal.
        #[arg(value_parser = matter)]
        matter: Matter,
        /// Digest of the result.
        result: Digest,
        /// Why.
        #[arg(long)]
        why: String,
        /// Where the signed statement is written.
        #[arg(long)]
        out: PathBuf,
    },
    /// Check a year's published file: every signature, every rule, every fen.
    ///
    /// Example: consilium-node --data ./node1 year verify ./year.json
    Verify {
        /// The published file.
        file: PathBuf,
    },
}

fn matter(text: &str) -> Result<Matter, String> {
    let mut all = Matter::ALL.into_iter();
    let found = all.find(|matter| matter.as_str() == text);
    found.ok_or_else(|| "one of plan, settlement, bonus, appraisal".to_owned())
}

pub(super) async fn run(command: Command, data: &Path, out: &mut dyn Write) -> anyhow::Result<()> {
    let (year, says, path) = match command {
        Command::Apply {
            year,
            amount,
            purpose,
            expected,
            out,
        } => {
            let says = Says::Apply {
                amount,
                purpose,
                expected,
            };
            (year, says, out)
        }
        Command::Accept {
            year,
            matter,
            result,
            out,
        } => (year, Says::Accept { matter, result }, out),
        Command::Object {
            year,
            matter,
            result,
            why,
            out,
        } => {
            let says = Says::Object {
                matter,
                result,
                why,
            };
            (year, says, out)
        }
        Command::Verify { file } => return verify(&file, out).map(drop),
    };
    let node = Node::open(data).await?;
    let dictionary = dictionaries::latest(&node.state).await?;
    let alliance = dictionary.context("no dictionary is accepted")?.alliance;
    let statement = Statement {
        alliance,
        year,
        by: node.config.hospital.clone(),
        at: node.clock.now(),
        says,
    };
    let signer = Keys::open(&node.config.data)?.message_key()?;
    let sealed = Sealed::seal(&signer, &statement)?;
    std::fs::write(&path, canonical::to_bytes(&sealed)?)
        .with_context(|| format!("`{}`", path.display()))?;
    writeln!(out, "signed: {}; hand it to the alliance", path.display())?;
    Ok(())
}

/// Checks a published year from its file alone.
fn verify(file: &Path, out: &mut dyn Write) -> anyhow::Result<(Published, Year)> {
    let name = file.display();
    let size = std::fs::metadata(file)
        .with_context(|| format!("`{name}`"))?
        .len();
    ensure!(size <= LONGEST, "`{name}` is larger than {LONGEST} bytes");
    let text = std::fs::read_to_string(file).with_context(|| format!("`{name}`"))?;
    let published: Published =
        serde_json::from_str(&text).with_context(|| format!("`{name}` is no published year"))?;
    let year = published.verify()?;
    writeln!(
        out,
        "sound: {} statements, {} results, every signature, rule and fen",
        published.statements.len(),
        published.results.len()
    )?;
    Ok((published, year))
}

/// Checks a published year, and shows what concerns this hospital.
pub(super) async fn score(file: &Path, data: &Path, out: &mut dyn Write) -> anyhow::Result<()> {
    let node = Node::open(data).await?;
    let own = &node.config.hospital;
    let (published, year) = verify(file, out)?;
    let key = Keys::open(&node.config.data)?.message_key()?.public();
    let Some(known) = year.members.get(own) else {
        bail!("{own} takes no part in the year {}", year.number);
    };
    ensure!(*known == key, "the file names another key for {own}");
    for course in year.matters.values() {
        let mut results = published.results.iter().map(|one| &one.computed);
        let newest = results.find(|one| one.digest().is_ok_and(|digest| digest == course.result));
        let state = if course.in_force {
            "in force"
        } else {
            "proposed"
        };
        match newest {
            Some(Computed::Plan(plan)) => {
                for part in plan.members.iter().filter(|part| part.id == *own) {
                    writeln!(
                        out,
                        "budget {state}: {} (share {})",
                        part.amount, part.share
                    )?;
                }
            }
            Some(Computed::Bonus(bonus)) => {
                for score in bonus.scores.iter().filter(|score| score.id == *own) {
                    let of = |fen: Option<&Fen>| fen.copied().unwrap_or_default();
                    let (basic, performance) =
                        (of(bonus.basic.get(own)), of(bonus.performance.get(own)));
                    writeln!(
                        out,
                        "bonus {state}: score {}, basic {basic}, performance {performance}",
                        score.counts
                    )?;
                    for (dimension, moved) in &score.moved {
                        writeln!(out, "  {dimension:<24} {moved}")?;
                    }
                }
            }
            Some(Computed::Settlement(settled)) => {
                let borne = settled.responsible.get(own).copied().unwrap_or_default();
                writeln!(out, "overspend {state}: bears {borne}")?;
            }
            Some(Computed::Appraisal(all)) => {
                for one in all.iter().filter(|one| one.id == *own) {
                    writeln!(out, "appraisal {state}: {} ({})", one.composite, one.grade)?;
                }
            }
            None => {}
        }
    }
    Ok(())
}
