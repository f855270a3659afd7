//! `cost`: the monthly close of this hospital's costs, and what cases cost by three methods.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use clap::Subcommand;
use policies::costing::{
    CostRules, DEFAULT, GroupCost, Origin, Unit, bottom_up, by_group, cost_to_charge, explain,
    top_down,
};
use schemas::id::Slug;
use schemas::money::Fen;
use schemas::time::Month;

use super::{Node, cost_rates, next};
use crate::access;
use crate::costing::{self, Kept};
use crate::crosswalks;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Close a month: hand the costs of all departments on to the clinical ones (三级四类分摊).
    ///
    /// The folder holds `departments.csv` (department,class,headcount,area), `direct.csv`
    /// (department,item,amount), and where there are any `uses.csv` (source,target,driver,weight) and
    /// `shared.csv` (name,item,amount,driver). Amounts are yuan; classes are administrative, auxiliary,
    /// technical, clinical. Every fen that goes in comes out at a clinical department, or nothing does.
    ///
    /// With `volumes.csv` (department,days,charges, and own:ITEM for each cost item that cases bear themselves)
    /// the close keeps rates too; see `cost rates`.
    ///
    /// Example: consilium-node --data ./node1 cost close 2026-01 ./ledgers/2026-01
    Close {
        /// The month.
        month: Month,
        /// The folder with its ledgers.
        folder: PathBuf,
        /// The hospital's own rules (TOML) instead of the shipped ones.
        #[arg(long)]
        rules: Option<PathBuf>,
        /// Approved crosswalk that the departments of all files but `departments.csv` go through; money and
        /// weights of one that goes to several are split to the last fen.
        #[arg(long, value_name = "NAME")]
        crosswalk: Option<Slug>,
        /// Close a closed month once more, from other ledgers.
        #[arg(long)]
        again: bool,
    },
    /// Rates of closed months, by which later stays are costed.
    #[command(subcommand)]
    Rates(cost_rates::Command),
    /// List the closed months.
    ///
    /// Example: consilium-node --data ./node1 cost list
    List,
    /// Show the full cost of each clinical department by cost item, as CSV in yuan.
    ///
    /// Example: consilium-node --data ./node1 cost show 2026-01 > costs.csv
    Show {
        /// The month.
        month: Month,
    },
    /// Explain a department's cost of an item back to the ledgers it came from.
    ///
    /// Example: consilium-node --data ./node1 cost explain 2026-01 surgery personnel
    Explain {
        /// The month.
        month: Month,
        /// The clinical department.
        department: Slug,
        /// The cost item; all of them where it is left out.
        item: Option<Slug>,
    },
    /// Cost of cases by case group, by three methods side by side, as CSV in yuan.
    ///
    /// Cases (CSV), all of the month: `department,case_group,days,direct` (drugs and consumables), `charge:UNIT` (yuan) and
    /// `item:CODE` (times done) where known. Top-down shares a department's full cost of the month by
    /// days; cost-to-charge shares each unit's cost by what it charged; bottom-up adds up items.
    ///
    /// Example: consilium-node --data ./node1 cost cases 2026-01 ./cases.csv --items ./items.csv
    Cases {
        /// The month whose full costs are used.
        month: Month,
        /// The cases.
        cases: PathBuf,
        /// Cost of service items (CSV: `item,cost`), for bottom-up.
        #[arg(long)]
        items: Option<PathBuf>,
        /// Cost of charging units (CSV: `unit,cost`), for cost-to-charge.
        #[arg(long)]
        units: Option<PathBuf>,
    },
}

pub(super) async fn run(command: Command, data: &Path, out: &mut dyn Write) -> anyhow::Result<()> {
    let node = Node::open(data).await?;
    match command {
        Command::Close {
            month,
            folder,
            rules,
            crosswalk,
            again,
        } => {
            let rules = match rules {
                Some(file) => {
                    let text = std::fs::read_to_string(&file);
                    let text = text.with_context(|| format!("`{}`", file.display()))?;
                    CostRules::parse(&text).with_context(|| format!("`{}`", file.display()))?
                }
                None => CostRules::parse(DEFAULT)?,
            };
            let mut ledgers = costing::month(month, &folder)?;
            let now = node.clock.now();
            let mut volumes = costing::volumes(&folder)?;
            if let Some(name) = crosswalk {
                let register = access::officers(node.state.pool(), &node.config.hospital).await?;
                let approved = crosswalks::approved(&node.state, &register).await?;
                (ledgers, volumes) = costing::crossed(ledgers, &volumes, approved.get(&name)?)?;
            }
            let from = (&ledgers, volumes.as_slice());
            let kept = costing::keep(&node.state, &rules, from, (again, now)).await?;
            told(&kept, out)?;
            if !volumes.is_empty() {
                writeln!(out, "rates are kept; `cost rates list` shows them")?;
            }
            next::step(out, &node.given, &format!("cost show {month}"))?;
            Ok(())
        }
        Command::Rates(command) => cost_rates::run(command, &node, out).await,
        Command::List => {
            let all = costing::list(&node.state).await?;
            ensure!(
                !all.is_empty(),
                "no month is closed; see `cost close --help`"
            );
            for (month, version, at) in all {
                writeln!(out, "{month}  version {version}  {at}")?;
            }
            Ok(())
        }
        Command::Show { month } => show(&costing::closed(&node.state, month).await?, out),
        Command::Explain {
            month,
            department,
            item,
        } => {
            let kept = costing::closed(&node.state, month).await?;
            let known = kept.closed.full.contains_key(&department);
            ensure!(known, "`{department}` is no clinical department of {month}");
            let items = match item {
                Some(item) => {
                    let known = kept.rules.items.contains(&item);
                    ensure!(known, "the rules have no cost item `{item}`");
                    vec![item]
                }
                None => kept.rules.items.clone(),
            };
            for item in items {
                let origin = explain(&kept.ledgers, &kept.closed, &department, &item);
                if origin.held != Fen(0) || !origin.received.is_empty() {
                    writeln!(out, "{item}")?;
                    tree(&origin, 1, out)?;
                }
            }
            Ok(())
        }
        Command::Cases {
            month,
            cases,
            items,
            units,
        } => {
            let kept = costing::closed(&node.state, month).await?;
            side_by_side(&kept, &cases, (items.as_deref(), units.as_deref()), out)
        }
    }
}

fn told(kept: &Kept, out: &mut dyn Write) -> anyhow::Result<()> {
    let closed = &kept.closed;
    writeln!(
        out,
        "{} closed (version {}): {} yuan of {} departments, all of it at {} clinical ones",
        closed.month,
        kept.version,
        closed.total,
        kept.ledgers.departments.len(),
        closed.full.len()
    )?;
    Ok(())
}

fn show(kept: &Kept, out: &mut dyn Write) -> anyhow::Result<()> {
    let items = &kept.rules.items;
    let names: Vec<&str> = items.iter().map(Slug::as_str).collect();
    writeln!(out, "department,{},all", names.join(","))?;
    for (department, full) in &kept.closed.full {
        let of = |item: &Slug| full.get(item).copied().unwrap_or_default().to_string();
        let costs: Vec<String> = items.iter().map(of).collect();
        let all = kept.closed.of(department).unwrap_or_default();
        writeln!(out, "{department},{},{all}", costs.join(","))?;
    }
    Ok(())
}

fn tree(origin: &Origin, deep: usize, out: &mut dyn Write) -> anyhow::Result<()> {
    let indent = "  ".repeat(deep);
    let (from, amount) = (&origin.from, origin.amount);
    if origin.received.is_empty() {
        writeln!(
            out,
            "{indent}{from}: {amount}, own ledger {}",
            origin.direct
        )?;
    } else {
        let (held, direct) = (origin.held, origin.direct);
        writeln!(
            out,
            "{indent}{from}: {amount} of {held}, own ledger {direct}, received:"
        )?;
    }
    for one in &origin.received {
        tree(one, deep.saturating_add(1), out)?;
    }
    Ok(())
}

/// Groups of all departments by each method that there is data for.
fn side_by_side(
    kept: &Kept,
    file: &Path,
    (items, units): (Option<&Path>, Option<&Path>),
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    let cases = costing::cases(file)?;
    let mut groups: BTreeMap<String, [Option<GroupCost>; 3]> = BTreeMap::new();
    let mut note = |method: usize, of: BTreeMap<String, GroupCost>| -> anyhow::Result<()> {
        for (group, cost) in of {
            let row = groups.entry(group).or_default();
            if let Some(known) = row.get_mut(method) {
                *known = Some(match known.take() {
                    None => cost,
                    Some(before) => together(&before, &cost)?,
                });
            }
        }
        Ok(())
    };
    for (department, own) in &cases {
        let full = kept.closed.of(department);
        let full = full.with_context(|| {
            let month = kept.closed.month;
            format!("`{department}` is no clinical department of {month}")
        })?;
        let costs = top_down(full, own).with_context(|| format!("`{department}`"))?;
        note(0, by_group(own, &costs)?)?;
    }
    let all: Vec<_> = cases.into_values().flatten().collect();
    if let Some(items) = items {
        let items = costing::amounts(items, "item")?;
        note(1, by_group(&all, &bottom_up(&items, &all)?)?)?;
    }
    if let Some(units) = units {
        let units = costing::amounts(units, "unit")?.into_iter();
        let units: Vec<Unit> = units.map(|(id, cost)| Unit { id, cost }).collect();
        let (ratios, costs) = cost_to_charge(&units, &all)?;
        for one in ratios {
            writeln!(
                out,
                "# {}: cost of a yuan charged {}",
                one.unit, one.of_charges
            )?;
        }
        note(2, by_group(&all, &costs)?)?;
    }
    writeln!(out, "case_group,cases,top_down,bottom_up,cost_to_charge")?;
    for (group, costs) in &groups {
        let count = costs
            .iter()
            .flatten()
            .map(|one| one.cases)
            .next()
            .unwrap_or(0);
        let unit = |one: &Option<GroupCost>| {
            one.as_ref()
                .map_or_else(String::new, |one| one.unit.to_string())
        };
        let shown: Vec<String> = costs.iter().map(unit).collect();
        writeln!(
            out,
            "{},{count},{}",
            schemas::shown::line(group),
            shown.join(",")
        )?;
    }
    Ok(())
}

fn together(one: &GroupCost, other: &GroupCost) -> anyhow::Result<GroupCost> {
    let cases = one.cases.saturating_add(other.cases);
    let total = one.total.checked_add(other.total)?;
    let unit = schemas::money::half_up(i128::from(total.0), i128::from(cases));
    Ok(GroupCost {
        cases,
        total,
        unit: Fen(i64::try_from(unit.context("out of range")?)?),
    })
}
