//! Asking at the node: `ask`.

use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, bail};
use clap::Subcommand;
use policies::plan::{self, Explained, ExplainedBlock};
use policies::template::{self, Template};
use schemas::question::Release;
use schemas::shown::line;
use schemas::time::Period;

use super::account::epsilon;
use super::sum::{self, Foretold};
use super::{Node, next, show, table};
use crate::answer::{self, App, Asked, By};
use crate::ledger::{self, Of};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Ask this node a question, or see what it would cost.
    ///
    /// The file has the form of a question template (policies/rules/templates). The answer is
    /// noised, charged to the ledger and stored; the same question again is free. Exit code 1 where
    /// it is refused, with --dry-run where it would be.
    ///
    /// Example: consilium-node --data ./node1 ask question.toml --period 2025 --dry-run
    Ask {
        /// The question; or the name of a shipped template such as `yearly-benchmark`.
        file: String,
        /// A year, a month, or months: 2025, 2025-03, 2025-01..2025-06.
        #[arg(long)]
        period: Period,
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
            ask(&file, period, dry_run, json, data, out).await
        }
    }
}

async fn ask(
    file: &str,
    period: Period,
    dry_run: bool,
    json: bool,
    data: &Path,
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    let node = Node::open(data).await?;
    if !dry_run && let Err(error) = super::link::compare(&node).await {
        // The coordinator's absence does not stop the hospital's own officer.
        let told = "whether this ledger is the newest could not be checked";
        let error = format!("{error:#}");
        writeln!(
            std::io::stderr(),
            "consilium-node: {told}: {}",
            line(&error)
        )?;
    }
    let app = Arc::new(App::open(&node.config, node.state.clone(), node.clock).await?);
    let shipped = template::shipped()
        .into_iter()
        .find(|t| t.id.as_str() == file);
    let (template, reference) = if let Some(template) = shipped {
        let reference = template.reference();
        (template, Some(reference))
    } else {
        let text = std::fs::read_to_string(file)
            .with_context(|| format!("no template `{file}` and no file of that name"))?;
        (Template::parse(&text)?, None)
    };
    let draft = template.draft(&app.dictionary, answer::floors_digest(&app)?, period)?;
    for note in draft.left_out.iter().filter(|_| !json) {
        writeln!(out, "left out: {}", line(note))?;
    }
    let asked = Asked {
        question: draft.question,
        template: reference,
        by: By::Officer,
    };
    let pooled = asked.question.release == Release::Pooled;
    if !dry_run && pooled {
        bail!("{}", alone(file, period));
    }
    if dry_run {
        dry(&app, &asked, json, out).await?;
        if !json && pooled {
            writeln!(out, "{}", alone(file, period))?;
        } else if !json {
            let file = next::path(Path::new(file));
            let spend = format!("ask {file} --period {} --spend", written(period));
            next::step(out, &node.given, &spend)?;
        }
        return Ok(());
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

/// That a pooled question is answered in a round alone.
fn alone(file: &str, period: Period) -> String {
    format!(
        "a pooled question is answered in a round of many hospitals alone: the alliance opens it \
         (`consilium-coordinator pooled open {} --period {}`), and this node takes part by itself or \
         once its steward approved it",
        line(file),
        written(period)
    )
}

/// A period as a command line takes it.
fn written(period: Period) -> String {
    let (from, to) = (period.from, period.to);
    if from == to {
        from.to_string()
    } else if Period::year(from.year()) == Ok(period) {
        from.year().to_string()
    } else {
        format!("{from}..{to}")
    }
}

/// Explains what asking would do; fails where asking would.
async fn dry(app: &App, asked: &Asked, json: bool, out: &mut dyn Write) -> anyhow::Result<()> {
    let layout = plan::compile(&asked.question, &app.dictionary, &app.policy)?;
    let foretold = match asked.question.release {
        Release::Pooled => Some(sum::foretell(app, &asked.question, &layout).await?),
        Release::Attributed => None,
    };
    let explained = plan::explain(&layout);
    if !json {
        match &foretold {
            Some(foretold) => {
                sum::write(app, foretold, out)?;
                sum::twice(app, &layout, out).await?;
            }
            None => write_plan(&explained, out)?,
        }
    }
    if asked.template.is_none() && !json {
        let most = app.policy.allowance.free_question;
        writeln!(out, "one free question may cost at most: ρ {most}")?;
    }
    let verdict = verdict(app, asked, foretold.as_ref(), json, out).await;
    if json {
        let mut value = match &foretold {
            Some(foretold) => serde_json::to_value(&foretold.plan)?,
            None => serde_json::to_value(&explained)?,
        };
        if let Some(object) = value.as_object_mut() {
            let said = match &verdict {
                Ok(said) => (*said).to_owned(),
                Err(error) => format!("would be refused: {error}"),
            };
            object.insert("verdict".to_owned(), said.into());
        }
        show::json_of(&value, out)?;
    }
    let said = verdict.context("would be refused")?;
    if !json {
        writeln!(out, "{said}")?;
    }
    Ok(())
}

/// Whether it would be answered, and by which data and quota.
async fn verdict(
    app: &App,
    asked: &Asked,
    foretold: Option<&Foretold>,
    json: bool,
    out: &mut dyn Write,
) -> anyhow::Result<&'static str> {
    let examined = answer::examine(app, asked).await?;
    let bound = examined.bound;
    if !json {
        writeln!(out, "{}", line(&examined.verdict.reason))?;
        let months: Vec<String> = bound
            .released
            .months
            .iter()
            .map(|m| format!("{} ({:?})", m.month, m.grade))
            .collect();
        writeln!(out, "data: {}", months.join(", "))?;
        writeln!(out, "paid by: the quota `{}`", ledger::name(bound.purpose))?;
    }
    if bound.stored(app).await? {
        return Ok("already answered: asking again is free");
    }
    let (payer, layout) = (app.payer(bound.purpose), bound.layout());
    if let Some(foretold) = foretold {
        ledger::affordable_upload(&app.state, layout, foretold.charge(), payer).await?;
        let apart = plan::apart(layout, &app.dictionary)?;
        let state = &app.state;
        ledger::way_is_free(state, &apart.subjects, Release::Pooled, layout.period).await?;
        let of = Of::new(layout.period, layout.dictionary, &bound.released.months);
        ledger::wholes_told(&app.state, &apart.wholes, &of).await?;
        return Ok("would be answered in a pooled round (pooled open)");
    }
    ledger::affordable(&app.state, layout, payer).await?;
    let told = plan::told(layout)?;
    let state = &app.state;
    ledger::way_is_free(state, &told.subjects, Release::Attributed, layout.period).await?;
    Ok("would be answered")
}

pub(super) fn write_plan(explained: &Explained, out: &mut dyn Write) -> anyhow::Result<()> {
    writeln!(out, "numbers in the answer: {}", explained.numbers)?;
    writeln!(
        out,
        "cost: ρ {} of each data year touched (ε {} at δ 1e-6)",
        explained.charge,
        epsilon(explained.charge)
    )?;
    write_blocks(&explained.blocks, out)
}

/// Writes what each block costs and its expected errors.
pub(super) fn write_blocks(blocks: &[ExplainedBlock], out: &mut dyn Write) -> anyhow::Result<()> {
    for block in blocks {
        let by = if block.by.is_empty() {
            "hospital".to_owned()
        } else {
            block.by.join(" × ")
        };
        let measure = table::name(&block.measure, block.centre);
        let unit = table::unit(&block.measure);
        writeln!(
            out,
            "  by {by}: {measure}: {} numbers, ρ {}, noise σ {}, 95 % ± {} {unit}",
            block.numbers, block.rho, block.sigma, block.error
        )?;
        write_improved(block, out)?;
    }
    Ok(())
}

/// Expected errors without and with improvement.
fn write_improved(block: &ExplainedBlock, out: &mut dyn Write) -> anyhow::Result<()> {
    let sizes = |of: &[(u32, String)]| -> String {
        let each = of
            .iter()
            .map(|(n, percent)| format!("n {n}: ± {percent} %"));
        each.collect::<Vec<_>>().join(", ")
    };
    let points = |of: &[(u32, String)]| -> String {
        let each = of
            .iter()
            .map(|(n, points)| format!("n {n}: ± {points} points"));
        each.collect::<Vec<_>>().join(", ")
    };
    if let Some(error) = &block.agreed_error {
        let unit = table::unit(&block.measure);
        writeln!(
            out,
            "    improved, agreed with the case groups: 95 % ± {error} {unit}"
        )?;
    }
    if !block.mean_error_percent.is_empty() {
        let raw = sizes(&block.mean_error_percent);
        writeln!(out, "    mean of a cell that costs its reference: {raw}")?;
    }
    if !block.shrunken_error_percent.is_empty() {
        let shrunken = sizes(&block.shrunken_error_percent);
        writeln!(
            out,
            "    improved, where peers tell a cell's mean to within 15 %: {shrunken}"
        )?;
    }
    if !block.rank_error_points.is_empty() {
        let raw = points(&block.rank_error_points);
        writeln!(
            out,
            "    place of the 75th percentile among a cell's stays: {raw}"
        )?;
    }
    if !block.improved_rank_points.is_empty() {
        let improved = points(&block.improved_rank_points);
        writeln!(out, "    improved, held to the number of stays: {improved}")?;
    }
    if !block.share_error_points.is_empty() {
        let share = points(&block.share_error_points);
        writeln!(
            out,
            "    share of an item in a cell that costs its reference: {share}"
        )?;
        writeln!(out, "    improved: the same, nothing improves shares")?;
    }
    if let Some(least) = block.least.as_ref().filter(|least| least.rho != block.rho) {
        write!(
            out,
            "    least error of the means at the same cost: ρ {}",
            least.rho
        )?;
        if !least.mean_error_percent.is_empty() {
            write!(out, ", {}", sizes(&least.mean_error_percent))?;
        }
        writeln!(out)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_period_is_written_as_it_is_read() {
        for text in ["2025", "2025-03", "2025-02..2026-01"] {
            assert_eq!(written(text.parse().unwrap()), text);
        }
    }
}
