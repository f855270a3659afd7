//! Opening a pooled round.

use std::io::Write;

use anyhow::Context as _;
use schemas::id::Slug;
use schemas::time::Period;

use crate::ask;
use crate::cli::Office;
use crate::cli::round::{rules, seconds};
use crate::pooled::{self as rounds, Order};
use crate::template;

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// The template; its release is `pooled`.
    template: Slug,
    /// The months asked about: `2025`, `2025-03` or `2025-01..2025-06`.
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
}

pub(super) async fn run(office: &Office, args: Args, out: &mut dyn Write) -> anyhow::Result<()> {
    let templates = template::load(office.config.templates.as_deref())?;
    let template = templates
        .get(&args.template)
        .with_context(|| format!("there is no template `{}`", args.template))?;
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
    let now = office.clock.now();
    let opened = rounds::open(state, authority, template, &rules(office)?, &order, now).await;
    let (held, left_out) = opened?;
    writeln!(out, "{}", held.asked.id)?;
    for note in left_out {
        tracing::warn!(%note, "left out, the dictionary lacks it");
    }
    Ok(())
}
