//! What the larger of the year's commands do.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;

use anyhow::Context as _;
use policies::figures::Benchmark;
use policies::year::{Computed, Rules, compute};
use schemas::canonical;
use schemas::id::Slug;
use schemas::seal::{PublicKey, Sealed};
use schemas::year::{Says, Statement};

use super::super::{Office, write_json};
use super::{args, bounded, say, show};
use crate::register::{self, Standing};
use crate::year;

pub(super) async fn open(
    office: &Office,
    data: &Path,
    args: args::Open,
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    let args::Open {
        year,
        target,
        member,
        party,
        by,
    } = args;
    let alliance = office.config.alliance.clone();
    let now = office.clock.now();
    let rules = year::rules(data)?;
    let members = active(office, &member).await?;
    let says = Says::Open {
        target: target.0,
        rules: rules.digest()?,
        members,
        parties: party.into_iter().collect::<BTreeMap<_, _>>(),
    };
    let sealed = say::sealed_at(data, &alliance, year, &by, (says, now))?;
    let opened = year::open(&office.state, &alliance, &rules, &sealed, now).await?;
    for warning in rules.appraisal.warnings() {
        writeln!(out, "warning: {warning}")?;
    }
    show::year(&opened, now, out)
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
    Ok(())
}

pub(super) async fn inputs(
    office: &Office,
    args: args::Inputs,
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    let args::Inputs {
        year,
        facts,
        benchmark,
        history,
        out: path,
    } = args;
    let alliance = office.config.alliance.clone();
    let kept = year::published(office.state.pool(), &alliance, year).await?;
    let stands = kept.replay(|_, _, _| Ok(()))?;
    let benchmark: Option<Benchmark> = match benchmark {
        Some(file) => Some(
            serde_json::from_str(&bounded(&file)?)
                .with_context(|| format!("`{}` is no benchmark", file.display()))?,
        ),
        None => None,
    };
    let of = (year, stands.target);
    let facts = bounded(&facts)?;
    let expected = match history {
        Some(file) => Some(year::expected(&bounded(&file)?, year)?),
        None => None,
    };
    let volumes = year::Volumes {
        expected,
        benchmark: benchmark.as_ref(),
    };
    let inputs = year::inputs(&kept.rules.budget, of, &facts, &volumes)?;
    std::fs::write(&path, serde_json::to_string_pretty(&inputs)?)?;
    writeln!(out, "{} members: {}", inputs.members.len(), path.display())?;
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
    let seal = |computed: &Computed, _| {
        let says = Says::Propose {
            matter,
            result: computed.digest()?,
            why,
        };
        say::sealed_at(data, &alliance, year, &by, (says, now))
    };
    let about = (&alliance, year);
    let proposed = year::propose(&office.state, about, (matter, &inputs), seal, now);
    let (taken, computed) = proposed.await?;
    show::computed(&computed, None, out)?;
    show::line(&taken, out)
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
        under = Rules::read(|file| std::fs::read_to_string(folder.join(file)).ok())?;
    }
    let computed = compute(&under, year, matter, &bounded(&inputs)?)?;
    if json {
        return write_json(out, &computed);
    }
    show::computed(&computed, show::newest(&kept, matter), out)
}

/// Approved hospitals, or those named of them, and the keys of their messages.
async fn active(office: &Office, named: &[Slug]) -> anyhow::Result<BTreeMap<Slug, PublicKey>> {
    let members = register::members(&office.state).await?.into_iter();
    let members = members.filter(|member| {
        member.standing == Standing::Active
            && (named.is_empty() || named.contains(&member.hospital))
    });
    let members: BTreeMap<Slug, PublicKey> = members
        .map(|member| (member.hospital, member.message_key))
        .collect();
    if let Some(missing) = named.iter().find(|name| !members.contains_key(*name)) {
        anyhow::bail!("`{missing}` is no approved hospital; see `consilium-coordinator members`");
    }
    Ok(members)
}
