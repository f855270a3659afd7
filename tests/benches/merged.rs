//! The stages of a benchmark in a process of its own: `bench merged HUB ROUND` prints how long each takes and
//! the most memory until then.

use std::path::Path;
use std::time::Instant;

use anyhow::Context as _;
use coordinator::authority::Authority;
use coordinator::store::state::State;
use coordinator::{merge, report};
use policies::rules::{DEFAULT, Privacy};
use policies::{figures, plan};

use super::millis;
use super::nodes::most;

pub(super) fn run(words: &[String]) -> anyhow::Result<()> {
    let [_, hub, round] = words else {
        anyhow::bail!("bench merged HUB ROUND");
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let hub = Path::new(hub);
    let told = |what: &str, begun: Instant| -> anyhow::Result<Instant> {
        let most = most(std::process::id())?;
        println!("  {what:<24} {:>9.0} ms {most:>6} MiB", millis(begun));
        Ok(Instant::now())
    };
    let begun = Instant::now();
    let state = runtime.block_on(State::open(hub))?;
    let authority = Authority::open(hub, &"bench".parse()?)?;
    let round = round.parse().context("a round")?;
    let collected = runtime.block_on(merge::merge(&state, &authority, &round))?;
    let begun = told("verified and merged", begun)?;
    let rules = Privacy::parse(DEFAULT)?;
    let layout = plan::compile(&collected.round.question, &collected.dictionary, &rules)?;
    let benchmark =
        figures::benchmark(&layout, &collected.dictionary, &rules, &collected.hospitals)?;
    let begun = told("figures", begun)?;
    report::write(&hub.join("merged"), &benchmark)?;
    told("report", begun)?;
    Ok(())
}
