//! What a year's commands print and write.

use std::io::Write;
use std::path::Path;

use anyhow::{Context as _, ensure};
use policies::figures::alerts::Execution;
use policies::figures::forecast::{self, Observed};
use policies::year::{Computed, Course, Published, Year, YearRules};
use schemas::id::Slug;
use schemas::money::Fen;
use schemas::time::{Month, Timestamp};
use schemas::year::Matter;

use super::super::write_json;
use crate::year;

/// How far a result is.
fn state(course: &Course) -> &'static str {
    match (course.in_force, course.void) {
        (true, _) => "in force",
        (false, true) => "void: target or payments changed",
        (false, false) => "proposed",
    }
}

/// Where a year stands, in one line.
pub(super) fn line(of: &Year, out: &mut dyn Write) -> anyhow::Result<()> {
    let matters = of.matters.iter().map(|(matter, course)| {
        let state = state(course);
        format!("{} v{} {state}", matter.as_str(), course.version)
    });
    let matters: Vec<String> = matters.collect();
    let (number, stage) = (of.number, of.stage.as_str());
    let matters = match matters.as_slice() {
        [] => String::new(),
        some => format!(": {}", some.join(", ")),
    };
    writeln!(out, "{number} {stage}{matters}")?;
    Ok(())
}

/// Where a year stands.
pub(super) fn year(
    of: &Year,
    rules: &YearRules,
    now: Timestamp,
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    writeln!(
        out,
        "{} {}, target {}",
        of.number,
        of.stage.as_str(),
        of.target
    )?;
    let names = |names: Vec<&Slug>| {
        names
            .iter()
            .map(|name| name.as_str())
            .collect::<Vec<_>>()
            .join(", ")
    };
    writeln!(out, "members  {}", names(of.members.keys().collect()))?;
    writeln!(out, "parties  {}", names(of.parties.keys().collect()))?;
    for (member, application) in &of.applications {
        let (amount, purpose) = (application.amount, &application.purpose);
        writeln!(out, "applied  {member:<16} {amount:>18}  {purpose}")?;
    }
    for (matter, course) in &of.matters {
        let state = state(course);
        let (version, result) = (course.version, course.result);
        writeln!(
            out,
            "{:<11} version {version}, {state}: {result}",
            matter.as_str()
        )?;
        writeln!(
            out,
            "  signed by    {}",
            names(course.signed.iter().collect())
        )?;
        writeln!(
            out,
            "  accepted by  {}",
            names(course.accepted.iter().collect())
        )?;
        for (member, objection) in &course.objections {
            let decided = match objection.decided {
                None => "open",
                Some(true) => "upheld",
                Some(false) => "rejected",
            };
            writeln!(out, "  objection of {member}: {}", objection.why)?;
            for (by, answer) in &objection.answers {
                let word = if answer.upheld { "right" } else { "not right" };
                writeln!(out, "    {by} finds it {word}: {}", answer.why)?;
            }
            writeln!(out, "    {decided}")?;
        }
    }
    for (name, task) in &of.tasks {
        let (member, due, goal) = (&task.member, task.due, &task.goal);
        let late = if task.is_late(now) { ", late" } else { "" };
        let state = match (&task.done, &task.reported) {
            (Some(at), _) => format!("done {at}"),
            (None, Some((at, _))) => format!("reported {at}"),
            (None, None) => "open".to_owned(),
        };
        writeln!(
            out,
            "task         {name} of {member}, due {due}, {state}{late}: {goal}"
        )?;
    }
    for name in &of.withdrawing {
        writeln!(out, "asked to be withdrawn by {name}; it takes two")?;
    }
    if let Some(bonus) = of.paid_out {
        writeln!(out, "paid out     {bonus}")?;
    }
    waits(of, rules, now, out)
}

/// What the year waits for.
pub(super) fn waits(
    of: &Year,
    rules: &YearRules,
    now: Timestamp,
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    for one in of.waits_for(rules, now) {
        writeln!(out, "next: {one}")?;
    }
    Ok(())
}

/// The newest result about a matter.
pub(super) fn newest(published: &Published, matter: Matter) -> Option<&Computed> {
    let mut results = published.results.iter().rev().map(|one| &one.computed);
    results.find(|computed| computed.matter() == matter)
}

/// A result, beside an earlier one where there is one.
pub(super) fn computed(
    of: &Computed,
    before: Option<&Computed>,
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    match of {
        Computed::Plan(plan) => {
            writeln!(
                out,
                "total {}, reserve {}, distributed {}",
                plan.total, plan.reserve, plan.distributable
            )?;
            for part in &plan.members {
                let earlier = match before {
                    Some(Computed::Plan(before)) => {
                        let own = before.members.iter().find(|one| one.id == part.id);
                        own.map(|own| part.amount.0.saturating_sub(own.amount.0))
                    }
                    _ => None,
                };
                let apart = earlier
                    .map(|fen| format!("  {}{}", if fen < 0 { "" } else { "+" }, Fen(fen)))
                    .unwrap_or_default();
                let (id, amount, share) = (part.id.as_str(), part.amount, &part.share);
                let net = Fen(amount.0.saturating_sub(part.deduction.0));
                let less = match part.deduction {
                    Fen(0) => String::new(),
                    taken => format!("  less {taken} for the year before: {net}"),
                };
                let pinned = format!("{:?}", part.pinned).to_lowercase();
                writeln!(
                    out,
                    "{id:<16} {amount:>18}  share {share}  {pinned:<7}{apart}{less}"
                )?;
            }
            for (one, other) in &plan.not_separable {
                writeln!(
                    out,
                    "the order of {one} and {other} is not settled by the data"
                )?;
            }
        }
        Computed::Settlement(settled) => {
            writeln!(
                out,
                "reasonable {}, unreasonable {}: insurer {}, reserve {}, uncovered {}",
                settled.reasonable,
                settled.unreasonable,
                settled.insurer,
                settled.from_reserve,
                settled.uncovered
            )?;
            for (member, fen) in &settled.responsible {
                writeln!(out, "{:<16} {fen:>18}  bears itself", member.as_str())?;
            }
        }
        Computed::Bonus(bonus) => {
            for score in &bonus.scores {
                let id = &score.id;
                let of = |map: &std::collections::BTreeMap<Slug, Fen>| {
                    map.get(id).copied().unwrap_or_default()
                };
                let (basic, performance) = (of(&bonus.basic), of(&bonus.performance));
                writeln!(
                    out,
                    "{:<16} score {}  basic {basic}  performance {performance}",
                    id.as_str(),
                    score.counts
                )?;
            }
            writeln!(out, "retained {}", bonus.retained)?;
            if let Some(siphon) = &bonus.siphon {
                writeln!(out, "{siphon} patients sent up for each that was sent down")?;
            }
        }
        Computed::Appraisal(all) => {
            for one in all {
                let (id, composite, grade) = (one.id.as_str(), &one.composite, &one.grade);
                let range = match &one.interval {
                    Some((low, high)) => format!("  {low} – {high}"),
                    None => String::new(),
                };
                let open = if one.settled {
                    ""
                } else {
                    "  the noise leaves the grade open"
                };
                writeln!(out, "{id:<16} {composite:>7}  {grade}{range}{open}")?;
            }
        }
    }
    writeln!(out, "result {}", of.digest()?)?;
    Ok(())
}

/// Spending against the plan.
pub(super) fn execution(
    rows: &[(Slug, Fen, Fen, Option<Execution>)],
    (known, asked): (Option<Month>, u8),
    json: bool,
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    ensure!(!rows.is_empty(), "no plan is in force yet");
    if json {
        return write_json(out, &rows);
    }
    let (spent, budget) = ("spent", "budget");
    writeln!(
        out,
        "{:<16} {spent:>18} of {budget:>18}  {:>7} %  {:>11}  level",
        "member", "used", "pp ahead"
    )?;
    for (member, budget, spent, stands) in rows {
        let (rate, ahead, level) = match stands {
            Some(stands) => (
                stands.spent.as_str(),
                stands.ahead.as_str(),
                format!("{:?}", stands.level).to_lowercase(),
            ),
            None => ("-", "-", "-".to_owned()),
        };
        let id = member.as_str();
        writeln!(
            out,
            "{id:<16} {spent:>18} of {budget:>18}  {rate:>7} %  {ahead:>11}  {level}"
        )?;
    }
    match known {
        Some(known) if known.number() < asked => {
            writeln!(out, "payments are known up to {known} alone")?;
        }
        Some(_) => {}
        None => writeln!(out, "no payments are known")?,
    }
    Ok(())
}

/// A forecast of a CSV series of months that follow each other.
pub(super) fn forecast(
    text: &str,
    (season, ahead): (usize, usize),
    json: bool,
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    let mut lines = text.trim_start_matches('\u{feff}').lines();
    let head = lines.next().unwrap_or_default();
    ensure!(
        head == "month,value" || head == "month,value,variance",
        "the first line is `month,value` or `month,value,variance`"
    );
    let mut series = Vec::new();
    let mut last: Option<Month> = None;
    for (place, row) in lines.filter(|row| !row.is_empty()).enumerate() {
        let number = place.saturating_add(2);
        let mut fields = row.split(',').map(str::trim);
        let month: Result<Month, _> = fields.next().unwrap_or_default().parse();
        let month = month.with_context(|| format!("line {number}"))?;
        if let Some(last) = last {
            ensure!(
                last.next() == Some(month),
                "line {number}: {month} does not follow {last}; the months follow each other"
            );
        }
        last = Some(month);
        let mut field = || -> anyhow::Result<Option<f64>> {
            let text = fields.next();
            text.map(|text| {
                text.parse()
                    .with_context(|| format!("line {number}: no number"))
            })
            .transpose()
        };
        let value = field()?.with_context(|| format!("line {number}: no value"))?;
        let variance = field()?.unwrap_or(0.0);
        series.push(Observed { value, variance });
    }
    let found = forecast::forecast(&series, season, ahead, 2)?;
    if json {
        return write_json(out, &found);
    }
    let method = serde_json::to_value(found.method)?;
    let method = method.as_str().unwrap_or_default();
    match &found.error {
        Some(error) => writeln!(out, "{method} (mean absolute error {error})")?,
        None => writeln!(
            out,
            "{method}; too few months to try it, so nothing is claimed of it"
        )?,
    }
    for one in &found.months {
        last = last.and_then(Month::next);
        let month = last.map(|month| month.to_string()).unwrap_or_default();
        let interval = one.interval.as_ref();
        let interval = interval
            .map(|(low, high)| format!("  {low} – {high}"))
            .unwrap_or_default();
        writeln!(out, "{month} {:>16}{interval}", one.value)?;
    }
    Ok(())
}

/// What verification found.
pub(super) fn verified(of: &Published, year: &Year, out: &mut dyn Write) -> anyhow::Result<()> {
    writeln!(
        out,
        "sound: {} statements, {} results, every signature, rule and fen",
        of.statements.len(),
        of.results.len()
    )?;
    line(year, out)
}

/// Writes a year's files and says where.
pub(super) fn export(of: &Published, folder: &Path, out: &mut dyn Write) -> anyhow::Result<()> {
    let stands = of.verify()?;
    std::fs::create_dir_all(folder)?;
    let mut write = |name: &str, text: &[u8]| -> anyhow::Result<()> {
        let path = folder.join(name);
        let passing = folder.join(format!(".{name}"));
        std::fs::write(&passing, text).with_context(|| format!("`{}`", path.display()))?;
        std::fs::rename(&passing, &path)?;
        writeln!(out, "{}", path.display())?;
        Ok(())
    };
    write(
        "year.json",
        format!("{}\n", serde_json::to_string_pretty(of)?).as_bytes(),
    )?;
    // For spreadsheets: the mark says that it is UTF-8.
    write(
        "members.csv",
        format!("\u{feff}{}", year::members(of, &stands)?).as_bytes(),
    )?;
    if let Some(text) = year::control_figures(of, &stands)? {
        write("controls.csv", format!("\u{feff}{text}").as_bytes())?;
    }
    write("year.xlsx", &year::workbook(of, &stands)?)?;
    if let Some(letter) = year::letter(of, &stands) {
        write("letter.html", letter.as_bytes())?;
    }
    Ok(())
}
