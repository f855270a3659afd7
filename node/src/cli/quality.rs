//! `quality`: a month examined by rules, its findings and their states, the gate before a release.

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use clap::Subcommand;
use policies::quality::{DEFAULT, Known, QualityRules, State as Stands};
use schemas::id::Slug;
use schemas::officer::{Officer, Role};
use schemas::question::Dataset;
use schemas::shown::line;
use schemas::time::Month;

use super::officer::{As, signers};
use super::quality_tables::{crossed, dataset, walk};
use super::{Node, next};
use crate::access;
use crate::config::keys::Keys;
use crate::quality::{self, Side, Standing, Tables};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Examine a month as it is loaded, staged before released.
    ///
    /// With --match, a folder holds `surgery.csv`, `stock.csv` and `charges.csv`
    /// (case,item,quantity,department): what was used, given out and charged has to agree.
    ///
    /// Where the three systems have codes of their own, approved crosswalks bring them to one list.
    ///
    /// Example: consilium-node --data ./node1 quality run 2026-01 --match ./consumables/2026-01
    /// --items stock=stock-items --items charges=charge-items --departments stock=departments
    Run {
        /// The month.
        month: Month,
        /// What its rows are: stays, visits, referrals, followups or surveys.
        #[arg(long, default_value = "stays", value_parser = dataset)]
        dataset: Dataset,
        /// The folder of the three tables.
        #[arg(long = "match", value_name = "FOLDER")]
        tables: Option<PathBuf>,
        /// Approved crosswalk that the items of a table go through (surgery, stock, charges).
        #[arg(long, value_name = "TABLE=CROSSWALK", value_parser = walk, requires = "tables")]
        items: Vec<(Side, Slug)>,
        /// The same of its departments.
        #[arg(long, value_name = "TABLE=CROSSWALK", value_parser = walk, requires = "tables")]
        departments: Vec<(Side, Slug)>,
        /// The hospital's own rules (TOML) instead of the shipped ones.
        #[arg(long, value_name = "FILE")]
        rules: Option<PathBuf>,
    },
    /// List the findings: id, state, rule, department, case group, field, rows.
    ///
    /// Example: consilium-node --data ./node1 quality list --month 2026-01
    List {
        /// Of this month alone.
        #[arg(long)]
        month: Option<Month>,
        /// Fixed and waived ones too.
        #[arg(long)]
        all: bool,
        /// For machines.
        #[arg(long)]
        json: bool,
    },
    /// Show scores and grades of the months that were examined.
    ///
    /// Example: consilium-node --data ./node1 quality show
    Show {
        /// For machines, with every finding.
        #[arg(long)]
        json: bool,
    },
    /// Answer for a finding that is right as it is, by name and with a reason. More rows open it again.
    ///
    /// Example: consilium-node --data ./node1 quality waive 0a1b2c3d4e5f --by "Li Hua" --reason "charity ward"
    Waive {
        /// The finding.
        id: String,
        /// Who answers for it.
        #[arg(long)]
        by: String,
        /// Why.
        #[arg(long)]
        reason: String,
    },
    /// Register a person of finance, signed for by two registered officers.
    ///
    /// Example: consilium-node --data ./node1 quality finance wu-jun --out /media/wu-jun.pk8
    /// --by li-hua=/media/li-hua.pk8 --by zhao-min=/media/zhao-min.pk8
    Finance {
        /// The person's name.
        name: Slug,
        /// Where the key is written; below the data folder where it is left out.
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
        /// The officers and their keys.
        #[arg(long, value_name = "NAME=FILE", value_parser = super::officer::pair, required = true)]
        by: Vec<(Slug, PathBuf)>,
    },
    /// Sign a month's report as finance, so that it is released below the grade of the settings.
    ///
    /// Example: consilium-node --data ./node1 quality sign 2026-01 --as wu-jun --reason "checked by hand"
    Sign {
        /// The month.
        month: Month,
        /// What its rows are.
        #[arg(long, default_value = "stays", value_parser = dataset)]
        dataset: Dataset,
        #[command(flatten)]
        by: As,
        /// Why.
        #[arg(long)]
        reason: String,
    },
}

pub(super) async fn run(command: Command, data: &Path, out: &mut dyn Write) -> anyhow::Result<()> {
    let node = Node::open(data).await?;
    let now = node.clock.now();
    match command {
        Command::Run {
            month,
            dataset,
            tables,
            items,
            departments,
            rules,
        } => {
            let tables = match tables {
                Some(folder) => Some(crossed(&node, folder, (items, departments)).await?),
                None => None,
            };
            let of = ((dataset, month, tables.as_ref()), rules.as_deref());
            examine(&node, of, out).await
        }
        Command::List { month, all, json } => {
            let found = quality::findings(&node.state, month).await?;
            let shown = found.into_iter();
            let shown: Vec<Known> = shown
                .filter(|one| all || one.state == Stands::Open)
                .collect();
            if json {
                return super::show::json_of(&shown, out);
            }
            shown.iter().try_for_each(|one| finding(one, out))
        }
        Command::Show { json } => {
            let all = quality::list(&node.state).await?;
            if json {
                return super::show::json_of(&all, out);
            }
            ensure!(
                !all.is_empty(),
                "no month was examined; see `quality run --help`"
            );
            table(&all, out)
        }
        Command::Waive { id, by, reason } => {
            let one = quality::waive(&node.state, &id, (&by, &reason), now).await?;
            finding(&one, out)
        }
        Command::Finance { name, out: to, by } => finance(&node, name, to, by, out).await,
        Command::Sign {
            month,
            dataset,
            by,
            reason,
        } => {
            let register = access::officers(node.state.pool(), &node.config.hospital).await?;
            let persons = quality::finance_persons(&node.state, &register).await?;
            let key = by.signer(&node.config.data)?;
            let hospital = &node.config.hospital;
            let who = (&by.name, &key);
            let what = (dataset, month, reason.as_str());
            let signed = quality::sign(&node.state, hospital, &persons, who, what, now).await?;
            let grade = signed.report.grade;
            writeln!(
                out,
                "{month} signed with grade {grade:?}; other findings void it"
            )?;
            next::step(out, &node.given, &format!("release {month} --officer NAME"))?;
            Ok(())
        }
    }
}

async fn examine(
    node: &Node,
    (of, rules): ((Dataset, Month, Option<&Tables>), Option<&Path>),
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    let rules = match rules {
        Some(file) => {
            let named = || format!("`{}`", file.display());
            let text = std::fs::read_to_string(file).with_context(named)?;
            QualityRules::parse(&text).with_context(named)?
        }
        None => QualityRules::parse(DEFAULT)?,
    };
    let ran = quality::run(&node.state, &node.config.data, &rules, of, node.clock.now()).await?;
    if ran.uncrossed > 0 {
        let codes = ran.uncrossed;
        writeln!(
            out,
            "{codes} codes are not in their crosswalk this month and stood for themselves"
        )?;
    }
    let all = [Some(ran.rows), ran.consumables];
    let all: Vec<Standing> = all.into_iter().flatten().collect();
    table(&all, out)?;
    let step = if all.iter().any(|one| one.report.open > 0) {
        format!("quality list --month {}", of.1)
    } else {
        format!("release {} --officer NAME", of.1)
    };
    next::step(out, &node.given, &step)?;
    Ok(())
}

/// Registers a person of finance with a new key.
async fn finance(
    node: &Node,
    name: Slug,
    to: Option<PathBuf>,
    by: Vec<(Slug, PathBuf)>,
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    let keys = Keys::open(&node.config.data)?;
    let register = access::officers(node.state.pool(), &node.config.hospital).await?;
    let by = signers(node, &keys, by).await?;
    let path = std::path::absolute(to.unwrap_or_else(|| keys.officer_path(&name)))?;
    let key = keys
        .make_officer_key(&path)
        .context("is there such a key already?")?;
    let officer = Officer {
        organisation: node.config.hospital.clone(),
        name,
        role: Role::Finance,
        key: key.public(),
    };
    let added = quality::add_finance(&node.state, &register, &officer, &by, node.clock.now()).await;
    if added.is_err() {
        // A key of nobody is of no use.
        std::fs::remove_file(&path)?;
    }
    added?;
    writeln!(
        out,
        "{} signs for finance; key: {}",
        officer.name,
        next::path(&path)
    )?;
    Ok(())
}

fn table(all: &[Standing], out: &mut dyn Write) -> anyhow::Result<()> {
    writeln!(
        out,
        "month    dataset      rows      accuracy  complete  consistent  timely  grade  as found  open  waived"
    )?;
    for one in all {
        let (of, scores) = (&one.report, &one.report.scores);
        let mark = if of.provisional { "  provisional" } else { "" };
        writeln!(
            out,
            "{}  {:<11}  {:>8}  {:>8}  {:>8}  {:>10}  {:>6}  {:>5?}  {:>8?}  {:>4}  {:>6}{mark}",
            of.month,
            of.dataset,
            of.rows,
            scores.accuracy,
            scores.completeness,
            scores.consistency,
            scores.timeliness,
            of.grade,
            of.found_grade,
            of.open,
            of.waived,
        )?;
    }
    Ok(())
}

fn finding(known: &Known, out: &mut dyn Write) -> anyhow::Result<()> {
    let one = &known.finding;
    let or = |text: &str| match text {
        "" => "-".to_owned(),
        text => line(text).into_owned(),
    };
    let state = match &known.state {
        Stands::Open if one.counts => "open".to_owned(),
        Stands::Open => "open (remark)".to_owned(),
        Stands::Fixed => "fixed".to_owned(),
        Stands::Waived { by, reason, .. } => format!("waived by {}: {}", line(by), line(reason)),
    };
    writeln!(
        out,
        "{}  {}  {:<18} department {:<10} group {:<8} {:<16} {} of {} rows  {state}",
        one.id(),
        one.month,
        one.rule.as_str(),
        or(&one.department),
        or(&one.group),
        or(&one.field),
        one.rows,
        one.of,
    )?;
    Ok(())
}
