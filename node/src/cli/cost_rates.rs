//! `cost rates`: the rates of closed months, and which of them cost stays that questions see.

use std::io::Write;
use std::path::PathBuf;

use anyhow::ensure;
use clap::Subcommand;
use policies::costing::{Method, RateTable};
use schemas::id::Slug;
use schemas::time::Month;

use super::officer::signers;
use super::{Node, next};
use crate::access;
use crate::config::keys::Keys;
use crate::costing;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// List the rates of closed months, and the orders by which they cost stays.
    ///
    /// Example: consilium-node --data ./node1 cost rates list
    List,
    /// Show the rates of a closed month, as CSV in yuan: what each department spreads, and over what.
    ///
    /// Example: consilium-node --data ./node1 cost rates show 2025-12 --method top-down
    Show {
        /// The closed month.
        month: Month,
        /// `top-down` or `cost-to-charge`.
        #[arg(long)]
        method: Method,
    },
    /// Let the rates of a closed month cost the stays of later ones; two registered officers sign.
    ///
    /// Mappings with `costing` fields then fill them by these rates, from the next load on. The first month
    /// that they cost comes after the month that they are of, always.
    ///
    /// Example: consilium-node --data ./node1 cost rates use 2025-12 --method top-down --from 2026-01
    /// --by li-hua=/media/li-hua.pk8 --by zhao-min=/media/zhao-min.pk8
    Use {
        /// The closed month.
        month: Month,
        /// `top-down` or `cost-to-charge`.
        #[arg(long)]
        method: Method,
        /// The first month whose stays they cost.
        #[arg(long)]
        from: Month,
        /// The officers and their keys.
        #[arg(long, value_name = "NAME=FILE", value_parser = super::officer::pair, required = true)]
        by: Vec<(Slug, PathBuf)>,
    },
}

pub(super) async fn run(command: Command, node: &Node, out: &mut dyn Write) -> anyhow::Result<()> {
    let hospital = &node.config.hospital;
    match command {
        Command::List => list(node, out).await,
        Command::Show { month, method } => {
            let kept = costing::kept_rates(&node.state, month, method).await?;
            show(&kept.table, out)
        }
        Command::Use {
            month,
            method,
            from,
            by,
        } => {
            let keys = Keys::open(&node.config.data)?;
            let register = access::officers(node.state.pool(), hospital).await?;
            let by = signers(node, &keys, by).await?;
            let which = (month, method, from);
            let now = node.clock.now();
            let whose = (hospital, &register);
            let ordered = costing::order(&node.state, whose, which, &by, now).await?;
            writeln!(
                out,
                "stays from {from} on are costed by {method} rates of {month} ({})",
                ordered.order.rates.short()
            )?;
            next::step(out, &node.given, "load FILE --mapping MAPPING")?;
            Ok(())
        }
    }
}

async fn list(node: &Node, out: &mut dyn Write) -> anyhow::Result<()> {
    let tables = costing::rate_tables(&node.state).await?;
    let register = access::officers(node.state.pool(), &node.config.hospital).await?;
    let orders = costing::orders(&node.state, &register).await?;
    ensure!(
        !tables.is_empty() || !orders.is_empty(),
        "no closed month has rates: put `volumes.csv` beside its ledgers; see `cost close --help`"
    );
    writeln!(out, "rates of   version  method          departments")?;
    for kept in &tables {
        writeln!(
            out,
            "{}    {:>7}  {:<14}  {:>11}",
            kept.table.period,
            kept.version,
            kept.table.method,
            kept.table.departments.len()
        )?;
    }
    for one in &orders {
        let order = &one.order;
        let names: Vec<&str> = one.officers.iter().map(Slug::as_str).collect();
        writeln!(
            out,
            "order {}: stays from {} on by {} rates of {} ({}), signed by {}",
            one.number,
            order.from,
            order.method,
            order.period,
            order.rates.short(),
            names.join(", ")
        )?;
    }
    Ok(())
}

fn show(table: &RateTable, out: &mut dyn Write) -> anyhow::Result<()> {
    let names: Vec<&str> = table.items.iter().map(Slug::as_str).collect();
    let over = match table.method {
        Method::TopDown => "days",
        Method::CostToCharge => "charged_fen",
    };
    let own: Vec<&str> = table.own.iter().map(Slug::as_str).collect();
    writeln!(
        out,
        "# {} rates of {}, borne by the case itself: {}",
        table.method,
        table.period,
        own.join(" ")
    )?;
    writeln!(out, "department,{over},{}", names.join(","))?;
    for (department, rates) in &table.departments {
        let spread: Vec<String> = rates.spread.iter().map(ToString::to_string).collect();
        writeln!(out, "{department},{},{}", rates.over, spread.join(","))?;
    }
    Ok(())
}
