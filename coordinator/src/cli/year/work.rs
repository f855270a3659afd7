//! What the larger of the year's commands do.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;

use anyhow::{Context as _, bail};
use policies::figures::Benchmark;
use policies::year::{Computed, Rules, Stage, compute, grounded, unusual, unusual_payment};
use schemas::canonical;
use schemas::id::Slug;
use schemas::seal::Sealed;
use schemas::time::Month;
use schemas::year::{Matter, Says, Statement};

use super::super::{Office, write_json};
use super::{Money, args, bounded, changed, open, plan, result, say, show};
use crate::year;

pub(super) async fn say(
    office: &Office,
    data: &Path,
    args: args::Say,
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    let alliance = &office.config.alliance;
    let (about, now) = ((alliance, args.year), office.clock.now());
    if let say::Word::Close { anyway: false } = args.word {
        nothing_is_left(office, args.year).await?;
    }
    let approved = match &args.word {
        say::Word::Join { member, .. } => {
            open::active(office, std::slice::from_ref(member)).await?
        }
        _ => BTreeMap::new(),
    };
    let says = args.word.says(|member| {
        let key = approved.get(member).copied();
        key.with_context(|| format!("`{member}` is no approved hospital"))
    })?;
    let early = match &says {
        Says::Paid { month, .. } if !month.is_over(now) => Some(*month),
        _ => None,
    };
    let paid = match &says {
        Says::Paid {
            member,
            month,
            amount,
            ..
        } => Some((member.clone(), *month, *amount)),
        _ => None,
    };
    let sealed = say::sealed(data, args.year, &args.by, says)?;
    let taken = year::take(&office.state, about, &sealed, now).await?;
    if let Some(month) = early {
        writeln!(
            out,
            "warning: {month} is not over yet; more may come to be paid for it"
        )?;
    }
    let kept = year::published(office.state.pool(), alliance, args.year).await?;
    if let (Some((member, month, amount)), Some(plan)) = (paid, kept.plan(&taken))
        && let Some(odd) = unusual_payment(plan, &member, month, amount)
    {
        writeln!(out, "warning: {odd}")?;
    }
    show::line(&taken, out)?;
    show::waits(&taken, &kept.rules.year, now, out)
}

/// Refuses to close a year that waits for something, or is not over: that cannot be undone.
async fn nothing_is_left(office: &Office, number: u16) -> anyhow::Result<()> {
    let now = office.clock.now();
    let kept = year::published(office.state.pool(), &office.config.alliance, number).await?;
    let stands = kept.replay(|_, _, _| Ok(()))?;
    if stands.stage >= Stage::Closed {
        bail!(
            "the year {number} stands at `{}` already",
            stands.stage.as_str()
        );
    }
    let mut left = kept.left_to_do(&stands, now);
    if !Month::new(number, 12).is_ok_and(|last| last.is_over(now)) {
        left.push(format!("the year {number} is not over"));
    }
    if left.is_empty() {
        return Ok(());
    }
    bail!(
        "the year is not closed, which would be for good: {}; do that first, or say `close --anyway`",
        left.join("; ")
    )
}

pub(super) async fn take(
    office: &Office,
    args: args::Take,
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    let args::Take { year, files } = args;
    let alliance = office.config.alliance.clone();
    let now = office.clock.now();
    for file in files {
        let text = bounded(&file)?;
        let sealed: Sealed<Statement> =
            canonical::read(text.as_bytes()).with_context(|| format!("`{}`", file.display()))?;
        let taken = year::take(&office.state, (&alliance, year), &sealed, now).await;
        let taken = taken.with_context(|| format!("`{}`", file.display()))?;
        show::line(&taken, out)?;
    }
    let kept = year::published(office.state.pool(), &alliance, year).await?;
    show::waits(&kept.replay(|_, _, _| Ok(()))?, &kept.rules.year, now, out)
}

pub(super) async fn inputs(
    office: &Office,
    args: args::Inputs,
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    let alliance = office.config.alliance.clone();
    let number = args.year;
    let kept = year::published(office.state.pool(), &alliance, number).await?;
    let stands = kept.replay(|_, _, _| Ok(()))?;
    let benchmark = args.benchmark.as_deref().map(|file| own(file, &alliance));
    let benchmark = benchmark.transpose()?;
    let (facts, of) = (bounded(&args.facts)?, benchmark.as_ref());
    let text = match args.matter {
        Matter::Plan => {
            let inputs = plan::inputs(office, (&kept, &stands), (&args, &facts), of, out).await?;
            serde_json::to_string_pretty(&inputs)?
        }
        Matter::Settlement => {
            serde_json::to_string_pretty(&year::settlement(&kept, &stands, &facts)?)?
        }
        Matter::Bonus => {
            let money = |given: Option<Money>| given.map(|money| money.0).unwrap_or_default();
            let surplus = year::Surplus {
                basic: money(args.basic),
                performance: money(args.performance),
                strategic: money(args.strategic),
                lead: args.lead.context("--lead names the lead hospital")?,
            };
            let inputs = year::surplus(&kept.rules.bonus, number, &surplus, &facts, of)?;
            serde_json::to_string_pretty(&inputs)?
        }
        Matter::Appraisal => {
            let stage = args.stage.context("--stage names the weights")?;
            let about = (number, &stage);
            let before = undone(office, number, out).await?;
            let inputs = year::appraisal(&kept.rules.appraisal, about, (&facts, &before), of)?;
            serde_json::to_string_pretty(&inputs)?
        }
    };
    // What would be refused later is refused here.
    let computed = compute(&kept.rules, number, args.matter, &text)?;
    grounded(&computed, &text, (&stands, kept.plan(&stands)))?;
    std::fs::write(&args.out, &text).with_context(|| format!("`{}`", args.out.display()))?;
    for one in unusual(&kept.rules, args.matter, &text) {
        writeln!(out, "warning: {one}")?;
    }
    let (matter, path) = (computed.matter().as_str(), args.out.display());
    writeln!(
        out,
        "{path}; next: year propose {number} {matter} --inputs {path}"
    )?;
    Ok(())
}

pub(super) async fn propose(
    office: &Office,
    data: &Path,
    args: args::Propose,
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    let args::Propose {
        year,
        matter,
        inputs,
        why,
        by,
    } = args;
    let alliance = office.config.alliance.clone();
    let now = office.clock.now();
    let inputs = bounded(&inputs)?;
    // A year that was not opened is told as that.
    let before = year::published(office.state.pool(), &alliance, year).await?;
    if matter == Matter::Plan && why.trim().is_empty() {
        as_owed(office, year, &inputs).await?;
    }
    let seal = |computed: &Computed, _| {
        let says = Says::Propose {
            matter,
            result: computed.digest()?,
            why,
        };
        say::sealed_at(data, &alliance, year, &by, (says, now))
    };
    for one in unusual(&before.rules, matter, &inputs) {
        writeln!(out, "warning: {one}")?;
    }
    let about = (&alliance, year);
    let proposed = year::propose(&office.state, about, (matter, &inputs), seal, now);
    let (taken, computed) = proposed.await?;
    result::computed(&computed, result::newest(&before, matter), out)?;
    show::line(&taken, out)?;
    let kept = year::published(office.state.pool(), &alliance, year).await?;
    show::waits(&taken, &kept.rules.year, now, out)
}

pub(super) async fn what_if(
    office: &Office,
    args: args::WhatIf,
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    let args::WhatIf {
        year,
        matter,
        inputs,
        rules,
        json,
    } = args;
    let alliance = office.config.alliance.clone();
    let kept = year::published(office.state.pool(), &alliance, year).await?;
    let mut under = kept.rules.clone();
    if let Some(folder) = rules {
        let none = !Rules::FILES.iter().any(|file| folder.join(file).is_file());
        anyhow::ensure!(
            !none,
            "`{}` holds none of {}",
            folder.display(),
            Rules::FILES.join(", ")
        );
        under = year::rules_beside(&folder, &kept.rules)?;
    }
    let inputs = bounded(&inputs)?;
    let computed = compute(&under, year, matter, &inputs)?;
    if json {
        return write_json(out, &computed);
    }
    let stands = kept.replay(|_, _, _| Ok(()))?;
    changed::head((&kept, &stands, matter), (&under, &inputs), out)?;
    let before = changed::baseline(&kept, &stands, matter);
    result::computed(&computed, before.map(|(_, computed)| computed), out)?;
    changed::foot(matter, out)?;
    if let Err(why) = grounded(&computed, &inputs, (&stands, kept.plan(&stands))) {
        writeln!(out, "as the year stands it would be refused: {why}")?;
    }
    Ok(())
}

/// Refuses a plan that takes less or more for earlier years than their settlements say, without a reason.
async fn as_owed(office: &Office, number: u16, inputs: &str) -> anyhow::Result<()> {
    let about = (&office.config.alliance, number);
    let apart = year::apart(&office.state, about, inputs).await?;
    anyhow::ensure!(
        apart.is_empty(),
        "{}; make the inputs again by `year inputs`, or say why it differs (`--why`)",
        apart.join("; ")
    );
    Ok(())
}

/// What members left undone the year before, and a word about each.
async fn undone(office: &Office, number: u16, out: &mut dyn Write) -> anyhow::Result<year::Before> {
    let about = (&office.config.alliance, number);
    let before = year::undone(&office.state, about, office.clock.now()).await?;
    for (member, of) in &before {
        for (kind, times) in of {
            let words = kind.words();
            writeln!(
                out,
                "{member}: {times} {words} of the year before, unless the table says otherwise"
            )?;
        }
    }
    Ok(before)
}

/// A benchmark of this alliance.
pub(super) fn own(file: &Path, alliance: &Slug) -> anyhow::Result<Benchmark> {
    let found: Benchmark = serde_json::from_str(&bounded(file)?)
        .with_context(|| format!("`{}` is no benchmark", file.display()))?;
    anyhow::ensure!(
        found.alliance == *alliance,
        "`{}` is another alliance's benchmark",
        file.display()
    );
    Ok(found)
}
