//! What a year's commands print and write.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;

use anyhow::{Context as _, ensure};
use policies::figures::alerts::Execution;
use policies::figures::forecast::{self, Observed};
use policies::year::{Course, Published, Year, YearRules, by_member};
use schemas::id::Slug;
use schemas::money::Fen;
use schemas::time::{Month, Timestamp};
use schemas::year::Matter;

use super::super::write_json;
use crate::year;

/// How far a result is.
pub(super) fn state(course: &Course) -> &'static str {
    match (course.in_force, course.void) {
        (true, _) => "in force",
        (false, true) => "void: target, members or payments changed",
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

/// Members that joined or left in mid-year, and the plan that stands while another is made.
fn members(of: &Year, out: &mut dyn Write) -> anyhow::Result<()> {
    for (member, term) in &of.terms {
        if let Some(from) = term.from {
            writeln!(out, "{member} takes part from {from} on")?;
        }
        if let Some(until) = term.until {
            writeln!(out, "{member} takes no part from {until} on")?;
        }
    }
    let newest = of.matters.get(&Matter::Plan).map(|course| course.result);
    let stands = of.plan.as_ref().map(|course| course.result);
    if let Some(plan) = stands.filter(|plan| Some(*plan) != newest) {
        writeln!(out, "the plan in force until another is: {plan}")?;
    }
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
    for line in of.keys() {
        writeln!(out, "{line}")?;
    }
    members(of, out)?;
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
        if !course.why.is_empty() {
            writeln!(out, "  because      {}", course.why)?;
        }
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
        for (of, member, objection) in course.heard() {
            let to = if of == version {
                String::new()
            } else {
                format!(" to version {of}")
            };
            writeln!(out, "  objection of {member}{to}: {}", objection.why)?;
            for (by, answer) in &objection.answers {
                let word = if answer.upheld { "right" } else { "not right" };
                writeln!(out, "    {by} finds it {word}: {}", answer.why)?;
            }
            writeln!(out, "    {}", objection.outcome())?;
        }
    }
    for (name, task) in &of.tasks {
        let (member, due, goal) = (&task.member, task.due, &task.goal);
        let late = if task.is_late(now) { ", late" } else { "" };
        let state = match (&task.done, &task.reported) {
            (Some(at), None) if task.reports == 0 => format!("dropped {at}, never reported"),
            (Some(at), _) => format!("done {at}"),
            (None, Some((at, _))) => format!("reported {at}"),
            (None, None) => "open".to_owned(),
        };
        writeln!(
            out,
            "task         {name} of {member}, due {due}, {state}{late}: {goal}"
        )?;
    }
    for one in by_member(&of.paid_ahead(now)) {
        writeln!(out, "paid in and not over yet  {one}")?;
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

/// Whose months are over and not paid in.
pub(super) fn not_paid(
    missing: &BTreeMap<Slug, Vec<Month>>,
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    for one in by_member(missing) {
        writeln!(out, "{one} not paid in yet")?;
    }
    Ok(())
}

/// Spending against the plan, and of which months nothing was said so far.
pub(super) fn execution(
    rows: &[(Slug, Fen, Fen, Option<Execution>)],
    missing: &BTreeMap<Slug, Vec<Month>>,
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
    not_paid(missing, out)?;
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
