//! `year warnings` and `year explain`: what the months show, and where a cost comes from.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use policies::figures::Benchmark;
use policies::figures::decompose::{Compared, Effect, compare};
use policies::figures::watch::{Certainty, Kind, Warning};
use schemas::id::Slug;
use schemas::time::Month;
use sinks::{Lines, Webhook};

use super::super::{Office, write_json};
use super::{bounded, show};
use crate::year::{self, YearError};

/// `year warnings`.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Warnings {
    /// The year.
    year: u16,
    /// Up to which month, 1 to 12.
    #[arg(long, value_parser = clap::value_parser!(u8).range(1..=12))]
    month: u8,
    /// Benchmarks (JSON): of single months for counts of stays, with case groups for their costs.
    #[arg(long)]
    benchmark: Vec<PathBuf>,
    /// A file that each warning is appended to once, one JSON object a line.
    #[arg(long, value_name = "FILE")]
    append: Option<PathBuf>,
    /// An address that is told the warnings (with --append the new ones) as a JSON list; `@FILE` where
    /// the address is a secret.
    #[arg(long, value_name = "URL")]
    webhook: Option<String>,
    /// The CA (PEM) that the address's certificate is from.
    #[arg(long, value_name = "FILE", requires = "webhook")]
    webhook_ca: Option<PathBuf>,
    /// List each that the noise leaves open, too; otherwise they are counted, a line a rule.
    #[arg(long)]
    all: bool,
    /// As JSON; all of them.
    #[arg(long)]
    json: bool,
}

/// `year explain`.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Explain {
    /// The benchmark (JSON).
    benchmark: PathBuf,
    /// The hospital; the alliance itself where it is left out.
    #[arg(long)]
    hospital: Option<Slug>,
    /// An earlier benchmark; the alliance of the same one where it is left out.
    #[arg(long)]
    earlier: Option<PathBuf>,
    /// As JSON.
    #[arg(long)]
    json: bool,
}

fn benchmark(path: &Path) -> anyhow::Result<Benchmark> {
    serde_json::from_str(&bounded(path)?)
        .with_context(|| format!("`{}` is no benchmark", path.display()))
}

pub(super) async fn warnings(
    office: &Office,
    args: Warnings,
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    let alliance = &office.config.alliance;
    let to = match &args.webhook {
        Some(address) => {
            let address = match address.strip_prefix('@') {
                Some(file) => bounded(Path::new(file))?,
                None => address.clone(),
            };
            Some(Webhook::new(&address, args.webhook_ca.as_deref())?)
        }
        None => None,
    };
    let kept = year::published(office.state.pool(), alliance, args.year).await?;
    let stands = kept.replay(|_, _, _| Ok(()))?;
    let before = match args.year.checked_sub(1) {
        Some(number) => match year::read(&office.state, alliance, number).await {
            Err(YearError::Unknown(_)) => None,
            other => Some(other?),
        },
        None => None,
    };
    let benchmarks: anyhow::Result<Vec<Benchmark>> =
        args.benchmark.iter().map(|path| benchmark(path)).collect();
    let benchmarks = benchmarks?;
    if let Some(foreign) = benchmarks.iter().position(|one| one.alliance != *alliance) {
        let path = args.benchmark.get(foreign).cloned().unwrap_or_default();
        anyhow::bail!("`{}` is another alliance's benchmark", path.display());
    }
    let until = Month::new(args.year, args.month)?;
    let found = year::warnings((&kept, &stands), before.as_ref(), &benchmarks, until);
    if args.json {
        write_json(out, &found)?;
    } else {
        let listed = |one: &&Warning| args.all || one.certainty == Certainty::Decided;
        for warning in found.iter().filter(listed) {
            line(warning, out)?;
        }
        if !args.all {
            open(&found, out)?;
        }
        if found.is_empty() {
            let members = kept.plan(&stands).map_or(0, |plan| plan.members.len());
            writeln!(
                out,
                "no warning up to {until}: payments of {members} members against the plan in force, {} benchmarks",
                benchmarks.len()
            )?;
        }
        show::not_paid(&stands.unpaid(office.clock.now()), out)?;
    }
    let told = match &args.append {
        Some(path) => {
            let known = Lines::at(path).read::<Warning>();
            let known = known.with_context(|| format!("`{}`", path.display()))?;
            let news = found.into_iter().filter(|one| !known.contains(one));
            news.collect()
        }
        None => found,
    };
    // What was not told is new again the next time: the file is written last.
    if let Some(to) = to
        && !told.is_empty()
    {
        to.post(&told).await?;
    }
    if let Some(path) = &args.append {
        Lines::at(path)
            .append(&told)
            .with_context(|| format!("`{}`", path.display()))?;
        if !args.json {
            writeln!(out, "{} new: {}", told.len(), path.display())?;
        }
    }
    Ok(())
}

/// What the noise leaves open, a line a rule: how many of how many members, and how many of them some
/// months more of the same would decide.
fn open(found: &[Warning], out: &mut dyn Write) -> anyhow::Result<()> {
    let mut rules: BTreeMap<Kind, (usize, usize, BTreeSet<&Slug>)> = BTreeMap::new();
    for one in found {
        if let Certainty::Open { months } = one.certainty {
            let (all, waiting, members) = rules.entry(one.kind).or_default();
            *all = all.saturating_add(1);
            *waiting = waiting.saturating_add(usize::from(months.is_some()));
            members.insert(&one.member);
        }
    }
    for (kind, (all, waiting, members)) in rules {
        writeln!(
            out,
            "not decidable: {all} × {}, of {} members; {waiting} of them by waiting (--all lists them)",
            words(kind),
            members.len(),
        )?;
    }
    Ok(())
}

/// A rule in words.
fn words(kind: Kind) -> &'static str {
    match kind {
        Kind::Budget => "of the budget",
        Kind::Deviation => "a month away from its mean",
        Kind::Anomaly => "a month far above its mean",
        Kind::OverTarget => "months over target in a row",
        Kind::Splurge => "the last quarter spent more than its share",
        Kind::ServicesFell => "services fell while money is short",
        Kind::CaseGroup => "case group away from the alliance",
    }
}

fn line(of: &Warning, out: &mut dyn Write) -> anyhow::Result<()> {
    let what = words(of.kind);
    let level = match of.level {
        Some(level) if of.kind == Kind::Budget => format!("{level:?} ").to_lowercase(),
        _ => String::new(),
    };
    let group = of.group.as_deref().map(|code| format!(" {code}"));
    let certainty = match of.certainty {
        Certainty::Decided => String::new(),
        Certainty::Open { months: Some(more) } => format!("  not decidable, {more} more months"),
        Certainty::Open { months: None } => "  not decidable by waiting".to_owned(),
    };
    writeln!(
        out,
        "{} {:<16} {level}{what}{}: {} against {}{certainty}",
        of.month,
        of.member.as_str(),
        group.unwrap_or_default(),
        of.found,
        of.against,
    )?;
    Ok(())
}

pub(super) fn volumes(files: &[PathBuf], out: &mut dyn Write) -> anyhow::Result<()> {
    let all: anyhow::Result<Vec<Benchmark>> = files.iter().map(|path| benchmark(path)).collect();
    let all = all?;
    let mut alliances = all.iter().map(|one| &one.alliance);
    let first = alliances.next();
    ensure!(
        alliances.all(|one| Some(one) == first),
        "the benchmarks are of several alliances"
    );
    let text = year::volumes(&all);
    ensure!(
        text.lines().count() > 1,
        "none of these benchmarks is of a single month and shows stays and case mix index; ask a template \
         by case group over single months"
    );
    write!(out, "{text}")?;
    Ok(())
}

pub(super) fn explain(args: &Explain, out: &mut dyn Write) -> anyhow::Result<()> {
    let of = benchmark(&args.benchmark)?;
    let earlier = args.earlier.as_deref().map(benchmark).transpose()?;
    if let Some(earlier) = &earlier {
        ensure!(
            earlier.alliance == of.alliance,
            "the two benchmarks are of two alliances"
        );
    }
    let found = compare(&of, args.hospital.as_ref(), earlier.as_ref())?;
    if args.json {
        return write_json(out, &found);
    }
    told(&found, &of.currency, out)
}

fn told(of: &Compared, currency: &str, out: &mut dyn Write) -> anyhow::Result<()> {
    let parts = &of.parts;
    let (groups, covered) = (of.groups.len(), &of.covered);
    writeln!(
        out,
        "mean cost {} against {} {currency} a stay; {groups} case groups, {covered} of the stays",
        parts.after, parts.before
    )?;
    let mut row = |name: &str, effect: &Effect| {
        let Effect { value, low, high } = effect;
        writeln!(out, "{name:<34} {value:>14}   {low} … {high}")
    };
    row("difference", &parts.change)?;
    row("  case mix", &parts.mix)?;
    row("  the same case groups", &parts.within)?;
    row("    length of stay", &parts.stay)?;
    row("    cost of a day", &parts.daily)?;
    row("    length of stay not shown", &parts.stay_unknown)?;
    for (item, effect) in of.items.iter().zip(&parts.items) {
        row(&format!("    item {item}"), effect)?;
    }
    row("    items not shown", &parts.items_unknown)?;
    let mut most: Vec<_> = of.groups.iter().zip(&parts.groups).collect();
    let size = |effect: &Effect| {
        effect
            .value
            .trim_start_matches('-')
            .parse::<f64>()
            .unwrap_or(0.0)
    };
    most.sort_by(|(_, one), (_, other)| {
        let (one, other) = (
            size(&one.1).max(size(&one.0)),
            size(&other.1).max(size(&other.0)),
        );
        other.total_cmp(&one)
    });
    for (code, (mix, within)) in most.into_iter().take(5) {
        row(&format!("  {code} by its share"), mix)?;
        row(&format!("  {code} by its cost"), within)?;
    }
    writeln!(out, "Where a difference lies is not what caused it.")?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_open_is_counted_by_rule_and_what_is_decided_is_not() {
        let warning = |member: &str, kind, certainty| Warning {
            member: member.parse().unwrap(),
            month: "2026-06".parse().unwrap(),
            kind,
            group: None,
            level: None,
            found: "1".to_owned(),
            against: "2".to_owned(),
            certainty,
        };
        let later = Certainty::Open { months: Some(3) };
        let never = Certainty::Open { months: None };
        let found = [
            warning("h01", Kind::CaseGroup, never),
            warning("h01", Kind::CaseGroup, later),
            warning("h02", Kind::CaseGroup, never),
            warning("h02", Kind::CaseGroup, Certainty::Decided),
            warning("h03", Kind::ServicesFell, later),
        ];
        let mut out = Vec::new();
        open(&found, &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(
            lines,
            [
                "not decidable: 1 × services fell while money is short, of 1 members; 1 of them by \
                 waiting (--all lists them)",
                "not decidable: 3 × case group away from the alliance, of 2 members; 1 of them by \
                 waiting (--all lists them)",
            ]
        );
    }
}
