//! Opening a pooled round, or seeing what it would be.

use std::io::Write;

use anyhow::Context as _;
use policies::rules::Privacy;
use schemas::id::Slug;
use schemas::time::Period;

use crate::ask;
use crate::cli::Office;
use crate::cli::round::{rules, seconds};
use crate::pooled::{self as rounds, Drawn, Order};
use crate::template;

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// The template; its release is `pooled`.
    template: Slug,
    /// The months asked about, all of them over: `2025`, `2025-03` or `2025-01..2025-06`.
    #[arg(long, value_parser = ask::period)]
    period: Period,
    /// The hospitals asked, separated by commas; all of the key list without it.
    #[arg(long, value_delimiter = ',')]
    roster: Vec<Slug>,
    /// Time until uploads close, for example `12h` or `7d`.
    #[arg(long, default_value = "7d", value_parser = seconds)]
    deadline: i64,
    /// Time that the committee has after that.
    #[arg(long, default_value = "7d", value_parser = seconds)]
    answers: i64,
    /// Hospitals that may collude.
    #[arg(long, default_value_t = 1)]
    t: u32,
    /// Fewer uploads and the round dies; the least that the floors allow without it.
    #[arg(long)]
    min_answers: Option<u32>,
    /// Open it although hospitals are foreseen to refuse: what they are charged for a round that dies
    /// is credited only once its committee voided it.
    #[arg(long)]
    anyway: bool,
    /// See what would be asked, what it costs and whether hospitals would refuse; open nothing.
    #[arg(long)]
    dry_run: bool,
}

pub(super) async fn run(office: &Office, args: Args, out: &mut dyn Write) -> anyhow::Result<()> {
    let templates = template::load(office.config.templates.as_deref())?;
    let template = templates.get(&args.template).with_context(|| {
        format!(
            "there is no template `{}`: `template list` names them",
            args.template
        )
    })?;
    let order = Order {
        period: args.period,
        roster: args.roster,
        window: args.deadline,
        answers: args.answers,
        t: args.t,
        n_min: args.min_answers,
        anyway: args.anyway,
    };
    let (state, authority) = (&office.state, &office.authority);
    let (now, rules) = (office.clock.now(), rules(office)?);
    let drawn = rounds::draw(state, authority, template, &rules, &order, now).await?;
    if args.dry_run {
        card(&drawn, &rules, out)?;
        for note in &drawn.left_out {
            writeln!(out, "left out   {note}: the dictionary lacks it")?;
        }
        rounds::check(state, authority, &rules, &drawn).await?;
        writeln!(
            out,
            "next       nothing was opened; the same without --dry-run opens it"
        )?;
        return Ok(());
    }
    match rounds::check(state, authority, &rules, &drawn).await {
        Err(why) if args.anyway => {
            let why = why.to_string();
            tracing::warn!(%why, "opened all the same");
        }
        checked => checked?,
    }
    let left_out = drawn.left_out.clone();
    let held = rounds::begin(state, authority, drawn.clone()).await?;
    let id = &held.asked.id;
    writeln!(out, "{id}")?;
    card(&drawn, &rules, out)?;
    writeln!(
        out,
        "next       hospitals take part by themselves or once their steward approved it: pooled show {id}"
    )?;
    for note in left_out {
        tracing::warn!(%note, "left out, the dictionary lacks it");
    }
    Ok(())
}

/// What people need to know of a round before it begins.
fn card(drawn: &Drawn, rules: &Privacy, out: &mut dyn Write) -> anyhow::Result<()> {
    let (asked, manifest) = (&drawn.asked, &drawn.manifest);
    let template = asked.template.as_ref().map(ToString::to_string);
    writeln!(
        out,
        "question   {}, {}..{}",
        template.unwrap_or_default(),
        manifest.period.from,
        manifest.period.to
    )?;
    writeln!(
        out,
        "deadline   uploads close {}, the committee answers until {}",
        manifest.closes, manifest.answer_by
    )?;
    writeln!(
        out,
        "hospitals  {} asked, at least {} in the sum, {} may collude: {}",
        manifest.roster.len(),
        manifest.n_min,
        manifest.t,
        names(&manifest.roster)
    )?;
    writeln!(
        out,
        "committee  {}, {} may collude: {}",
        manifest.epoch,
        manifest.f,
        names(&drawn.seats)
    )?;
    writeln!(
        out,
        "cost       each hospital ρ {} of each data year; ρ {} if the whole committee colludes \
         (pooled.worst: ρ {} at most)",
        drawn.charge, drawn.worst, rules.pooled.worst
    )?;
    Ok(())
}

fn names(names: &[Slug]) -> String {
    let names: Vec<&str> = names.iter().map(Slug::as_str).collect();
    names.join(", ")
}
