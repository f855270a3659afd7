//! `year`: the alliance's budget year, from its target to its end.

mod agreed;
mod args;
mod changed;
mod open;
mod plan;
mod result;
mod rules;
mod say;
mod show;
mod watch;
mod work;

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail, ensure};
use clap::Subcommand;
use policies::year::Published;
use schemas::canonical;
use schemas::digest::Digest;
use schemas::id::Slug;
use schemas::money::Fen;
use schemas::seal::{PublicKey, Signer};
use schemas::year::Matter;

use super::{Office, write_json};
use crate::store::private;
use crate::year;

/// Longest file of inputs or statements in bytes.
const LONGEST: u64 = 16 * 1024 * 1024;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Makes the key of a party and prints its public half, for `year open`.
    ///
    /// Example: consilium-coordinator year key ./insurer.pk8
    Key {
        /// Where the key is written; it is its owner's.
        file: PathBuf,
        /// Print the public half of a key that is there, and make none.
        #[arg(long)]
        show: bool,
    },
    /// Opens a year: its target, its rules, who takes part. Members are all approved hospitals.
    ///
    /// Example: consilium-coordinator year open 2026 --target 1000000000.00 --party insurer=HEX
    /// --party lead-hospital=HEX --as wang-fang
    Open(args::Open),
    /// Says something about a year, signed by whoever says it.
    ///
    /// Example: consilium-coordinator year say 2026 --as insurer --key ./insurer.pk8 paid h01 2026-01 120000.00
    Say(args::Say),
    /// Takes statements that others signed elsewhere.
    ///
    /// Example: consilium-coordinator year take 2026 ./h01-objects.json
    Take(args::Take),
    /// Makes a result's inputs from a table of facts, a benchmark, and what the year holds.
    ///
    /// The table (CSV) has `member,tier,before` and a column for each factor; case-weighted volume
    /// may come from a benchmark instead, with its noise, or from what past months let expect. A field
    /// such as `@mean-stay` takes the benchmark's figure with its noise: stays, cmi, mean-cost, mean-stay,
    /// cost-index, time-index, case-weighted-volume. Of a settlement: `member,cause,amount,evidence`;
    /// of a bonus: `member,tier,quality_held`, a column a dimension, `gaming:NAME`, `own`, `referrals`; of
    /// an appraisal: `member`, a column an indicator, `patients`, `social`.
    ///
    /// Example: consilium-coordinator year inputs 2026 --facts ./facts.csv
    /// --benchmark ./benchmark/r1.json --out ./plan.json
    Inputs(args::Inputs),
    /// Writes members' case-weighted volumes of single months as CSV, for `year inputs --history`.
    ///
    /// Example: consilium-coordinator year volumes ./2025-*.json
    Volumes {
        /// Benchmarks of single months (JSON).
        #[arg(required = true)]
        benchmarks: Vec<PathBuf>,
    },
    /// Computes a result from its inputs and proposes it: plan, settlement, bonus or appraisal.
    ///
    /// Example: consilium-coordinator year propose 2026 plan --inputs ./plan.json --as wang-fang
    Propose(args::Propose),
    /// Computes a result without proposing it, under other rules or inputs: what if. Spends nothing.
    ///
    /// Example: consilium-coordinator year what-if 2026 plan --inputs ./plan.json --rules ./other-rules
    WhatIf(args::WhatIf),
    /// Writes the shipped rules as files to edit, or checks the alliance's own.
    ///
    /// A year is opened under what lies in `rules/` of the data folder; a file that is not there keeps
    /// the shipped rules.
    ///
    /// Example: consilium-coordinator year rules --out ./rules
    Rules {
        /// A new folder that the six files are written to.
        #[arg(long, conflicts_with = "check", required_unless_present = "check")]
        out: Option<PathBuf>,
        /// A folder with rules to check; nothing is kept.
        #[arg(long, value_name = "FOLDER")]
        check: Option<PathBuf>,
    },
    /// Lists the years.
    ///
    /// Example: consilium-coordinator year list
    List {
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Shows where a year stands.
    ///
    /// Example: consilium-coordinator year show 2026
    Show {
        /// The year.
        year: u16,
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Shows spending against the plan in force, from what the insurer says it paid.
    ///
    /// Example: consilium-coordinator year execution 2026 --month 6
    Execution {
        /// The year.
        year: u16,
        /// Up to which month, 1 to 12.
        #[arg(long, value_parser = clap::value_parser!(u8).range(1..=12))]
        month: u8,
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Warns of spending and services that need a look, by the year's rules.
    ///
    /// Levels of the budget, months away from their mean, months over target, a splurge at the end, and
    /// from benchmarks services that fall and case groups away from the alliance. What the noise leaves
    /// open is said to be, with the months that would decide it.
    ///
    /// Example: consilium-coordinator year warnings 2026 --month 6 --append ./warnings.jsonl
    Warnings(watch::Warnings),
    /// Splits a mean cost's difference into case mix, length of stay, cost of a day and cost items.
    ///
    /// Against the alliance of the same benchmark, or against an earlier one.
    ///
    /// Example: consilium-coordinator year explain ./benchmark/r1.json --hospital h01
    Explain(watch::Explain),
    /// Forecasts a monthly series: CSV with `month,value` and, where noised, `variance`.
    ///
    /// Example: consilium-coordinator year forecast ./stays.csv --ahead 12
    Forecast {
        /// The series.
        series: PathBuf,
        /// Months ahead, 1 to 36.
        #[arg(long, default_value_t = 6)]
        ahead: usize,
        /// Months in a season.
        #[arg(long, default_value_t = 12)]
        season: usize,
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Shares what coalitions are worth among their members (Shapley values), by a table
    /// `coalition,value` of agreed values in yuan: `h01+h02,120000.00`. Exact for up to 12 members, where every coalition stands in the table; of drawn orders
    /// for up to 60, where a coalition that does not is worth what the best one within it is.
    ///
    /// Example: consilium-coordinator year shapley ./coalitions.csv
    Shapley {
        /// The table.
        table: PathBuf,
        /// Orders drawn beyond 12 members, at most 100,000.
        #[arg(long, default_value_t = 10_000)]
        orders: u32,
        /// What they are drawn from: the same seed, the same values.
        #[arg(long, default_value_t = 1)]
        seed: u64,
    },
    /// Says what the insurer pays of a case by the corridor of the alliance's rules.
    ///
    /// Example: consilium-coordinator year pays --standard 12000.00 --actual 13400.00
    Pays {
        /// The payment standard, in yuan.
        #[arg(long)]
        standard: Money,
        /// What the case cost, in yuan.
        #[arg(long)]
        actual: Money,
    },
    /// Writes a year's files: all that was said and computed, the letter, the members' table.
    ///
    /// Example: consilium-coordinator year export 2026 --out ./year-2026
    Export {
        /// The year.
        year: u16,
        /// Folder that the files are written to.
        #[arg(long)]
        out: PathBuf,
    },
    /// Checks a year's published file: every signature, every rule, every fen.
    ///
    /// That nothing was left out or made up shows the coordinator's log alone.
    ///
    /// Example: consilium-coordinator year verify ./year-2026/year.json --log ./logs/coordinator
    Verify {
        /// The published file.
        file: PathBuf,
        /// The coordinator's published log.
        #[arg(long, value_name = "FOLDER")]
        log: Option<PathBuf>,
    },
}

/// An amount in yuan, as people write it.
#[derive(Clone, Copy, Debug)]
pub(in crate::cli) struct Money(pub(super) Fen);

impl std::str::FromStr for Money {
    type Err = schemas::money::MoneyError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self)
    }
}

fn matter(text: &str) -> Result<Matter, String> {
    let mut all = Matter::ALL.into_iter();
    let found = all.find(|matter| matter.as_str() == text);
    found.ok_or_else(|| "one of plan, settlement, bonus, appraisal".to_owned())
}

fn party(text: &str) -> Result<(Slug, args::PartyKey), String> {
    let (name, key) = text
        .split_once('=')
        .ok_or("a party is NAME=HEX or NAME=@MEMBER")?;
    let name = name.parse().map_err(|_| "the party is no name")?;
    if let Some(member) = key.strip_prefix('@') {
        let member = member.parse().map_err(|_| "the member is no name")?;
        return Ok((name, args::PartyKey::Of(member)));
    }
    let key: Digest = key.parse().map_err(|_| "a key is 64 hexadecimal digits")?;
    let key = PublicKey::from_bytes(*key.as_bytes());
    Ok((name, args::PartyKey::Given(key)))
}

/// Reads a file of bounded size.
fn bounded(path: &Path) -> anyhow::Result<String> {
    let name = path.display();
    let size = std::fs::metadata(path)
        .with_context(|| format!("`{name}`"))?
        .len();
    ensure!(size <= LONGEST, "`{name}` is larger than {LONGEST} bytes");
    std::fs::read_to_string(path).with_context(|| format!("`{name}` is not UTF-8"))
}

pub(super) async fn run(data: &Path, command: Command, out: &mut dyn Write) -> anyhow::Result<()> {
    match command {
        Command::Key { file, show } => {
            let name = file.display();
            let signer = if show {
                let bytes = private::read(&file).with_context(|| format!("`{name}`"))?;
                Signer::from_pkcs8(&bytes)?
            } else {
                ensure!(
                    !file.exists(),
                    "`{name}` is there; nothing is overwritten: `--show` prints its public half"
                );
                let (signer, bytes) = Signer::generate()?;
                private::write_new(&file, &bytes).with_context(|| format!("`{name}`"))?;
                signer
            };
            writeln!(out, "{}", Digest::from_bytes(*signer.public().as_bytes()))?;
            Ok(())
        }
        Command::Forecast {
            series,
            ahead,
            season,
            json,
        } => show::forecast(&bounded(&series)?, (season, ahead), json, out),
        Command::Verify { file, log } => {
            let published = Published::read(&bounded(&file)?)
                .with_context(|| format!("`{}` is no published year", file.display()))?;
            let year = published.verify()?;
            show::verified(&published, &year, out)?;
            if let Some(folder) = log {
                let witnessed = super::log::verify(&folder, &[], out)?;
                let logged = published.logged(&super::log::entries(&folder)?, witnessed)?;
                writeln!(out, "{logged}")?;
            }
            Ok(())
        }
        Command::Rules { out: folder, check } => rules::files((folder, check), out),
        Command::Explain(args) => watch::explain(&args, out),
        Command::Shapley {
            table,
            orders,
            seed,
        } => agreed::shapley(&bounded(&table)?, agreed::Drawn { orders, seed }, out),
        Command::Pays { standard, actual } => {
            agreed::pays(&year::rules(data)?.overspend, (standard.0, actual.0), out)
        }
        Command::Volumes { benchmarks } => watch::volumes(&benchmarks, out),
        other => Box::pin(in_office(data, other, out)).await,
    }
}

async fn in_office(data: &Path, command: Command, out: &mut dyn Write) -> anyhow::Result<()> {
    let command = match command {
        Command::Say(args) => match args.out {
            Some(file) => {
                let says = args.word.says(|_| {
                    bail!("the keys of hospitals are on the alliance's machine: say this there, without --out")
                })?;
                let sealed = say::sealed(data, args.year, &args.by, says)?;
                std::fs::write(&file, canonical::to_bytes(&sealed)?)?;
                writeln!(out, "signed by {}: {}", args.by.name, file.display())?;
                return Ok(());
            }
            None => Command::Say(args),
        },
        other => other,
    };
    let office = &Office::open(data).await?;
    let alliance = &office.config.alliance;
    match command {
        Command::Open(args) => open::open(office, data, args, out).await,
        Command::Say(args) => work::say(office, data, args, out).await,
        Command::Take(args) => work::take(office, args, out).await,
        Command::Inputs(args) => work::inputs(office, args, out).await,
        Command::Propose(args) => work::propose(office, data, args, out).await,
        Command::WhatIf(args) => work::what_if(office, args, out).await,
        Command::List { json } => {
            let all = year::all(&office.state, alliance).await?;
            if json {
                return write_json(out, &all);
            }
            for one in all {
                let (year, stage, target) = (one.year, one.stage.as_str(), one.target);
                writeln!(out, "{year} {stage:<14} target {target:>18}")?;
            }
            Ok(())
        }
        Command::Show { year, json } => {
            let kept = year::published(office.state.pool(), alliance, year).await?;
            let shown = kept.replay(|_, _, _| Ok(()))?;
            if json {
                return write_json(out, &shown);
            }
            show::year(&shown, &kept.rules.year, office.clock.now(), out)
        }
        Command::Execution { year, month, json } => {
            let kept = year::published(office.state.pool(), alliance, year).await?;
            let stands = kept.replay(|_, _, _| Ok(()))?;
            let mut missing = stands.unpaid(office.clock.now());
            for months in missing.values_mut() {
                months.retain(|one| one.number() <= month);
            }
            missing.retain(|_, months| !months.is_empty());
            let rows = year::execution(&kept, &stands, month);
            show::execution(&rows, &missing, json, out)
        }
        Command::Warnings(args) => watch::warnings(office, args, out).await,
        Command::Export { year, out: folder } => {
            let kept = year::published(office.state.pool(), alliance, year).await?;
            show::export(&kept, &folder, out)
        }
        Command::Key { .. }
        | Command::Forecast { .. }
        | Command::Verify { .. }
        | Command::Volumes { .. }
        | Command::Rules { .. }
        | Command::Shapley { .. }
        | Command::Pays { .. }
        | Command::Explain(_) => Ok(()),
    }
}
