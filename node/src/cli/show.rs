//! What loads, checks, trials and releases came to, on the screen.

use std::io::Write;
use std::path::Path;

use schemas::question::Dataset;
use schemas::shown::line;
use serde::Serialize;

use super::next;
use crate::check::quarantine;
use crate::check::rules::Rule;
use crate::load::trial::Trial;
use crate::load::{MonthReport, Summary};
use crate::release::MonthState;

/// A value as JSON for machines, one line at the end.
pub(super) fn json_of<T: Serialize>(value: &T, out: &mut dyn Write) -> anyhow::Result<()> {
    serde_json::to_writer_pretty(&mut *out, value)?;
    writeln!(out)?;
    Ok(())
}

pub(super) fn summary(summary: &Summary, json: bool, out: &mut dyn Write) -> anyhow::Result<()> {
    if json {
        return json_of(summary, out);
    }
    match &summary.load {
        Some(load) => writeln!(out, "load {load}: its months wait for release")?,
        None => writeln!(out, "checked; nothing was kept")?,
    }
    let (kept, refused) = (summary.kept, summary.refused);
    writeln!(
        out,
        "rows: {kept} kept, {refused} in quarantine, {} passed over",
        summary.passed_over
    )?;
    for (rule, rows) in &summary.rules {
        writeln!(out, "  {rows:>9}  {rule}: {}", what(rule))?;
    }
    if summary.unknown_groups > 0 {
        writeln!(
            out,
            "case groups not in the dictionary: {} rows",
            summary.unknown_groups
        )?;
    }
    for (dimension, (unlisted, missing)) in &summary.unlisted {
        writeln!(
            out,
            "{dimension}: {unlisted} rows with an unlisted value, {missing} without one"
        )?;
    }
    for of in &summary.patients {
        writeln!(
            out,
            "{}: {} patients, {} stays, most of one patient: {}",
            of.year, of.patients, of.stays, of.most
        )?;
    }
    for note in &summary.notes {
        writeln!(out, "note: {}", line(note))?;
    }
    writeln!(
        out,
        "month    rows      accuracy  complete  consistent  timely  grade"
    )?;
    for q in &summary.quality {
        writeln!(
            out,
            "{}  {:>8}  {:>8}  {:>8}  {:>10}  {:>6}  {:>5?}",
            q.month, q.kept, q.accuracy, q.completeness, q.consistency, q.timeliness, q.grade
        )?;
    }
    for q in summary.quality.iter().filter(|q| !q.why.is_empty()) {
        writeln!(out, "{}: grade {:?} for {}", q.month, q.grade, q.why)?;
    }
    for m in &summary.exposure {
        writeln!(
            out,
            "{}: k {} (smallest class), l {} (fewest case groups of a class)",
            m.month, m.risk.smallest_class, m.risk.fewest_groups
        )?;
    }
    if summary.load.is_some() {
        writeln!(
            out,
            "identifiers found in what was written: {}",
            summary.findings
        )?;
    }
    Ok(())
}

pub(super) fn trial(trial: &Trial, json: bool, out: &mut dyn Write) -> anyhow::Result<()> {
    if json {
        return json_of(trial, out);
    }
    writeln!(out, "{} rows read", trial.read)?;
    for (rule, rows) in &trial.rules {
        writeln!(out, "  {rows:>9}  {rule}: {}", what(rule))?;
    }
    for (dimension, share) in &trial.coverage_permille {
        writeln!(
            out,
            "{dimension:<12} {:>3}.{} % listed",
            share / 10,
            share % 10
        )?;
    }
    for (dimension, codes) in &trial.unlisted {
        for (code, rows) in codes {
            writeln!(
                out,
                "not in the dictionary: {dimension} `{}` ({rows} rows)",
                line(code)
            )?;
        }
    }
    for (dimension, codes) in &trial.rare {
        writeln!(
            out,
            "not in the dictionary: {dimension}, {codes} more codes of fewer than 5 rows each, which are not named"
        )?;
    }
    for (place, share) in &trial.crossed_permille {
        writeln!(out, "{place}: {}.{} % mapped", share / 10, share % 10)?;
    }
    for (place, codes) in &trial.unmapped {
        for (code, rows) in codes {
            writeln!(out, "not in {place}: `{}` ({rows} rows)", line(code))?;
        }
    }
    for note in &trial.notes {
        writeln!(out, "note: {}", line(note))?;
    }
    for row in &trial.rows {
        let values: Vec<String> = row
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        writeln!(out, "{}", line(&values.join(" ")))?;
    }
    Ok(())
}

pub(super) fn months(months: &[MonthState], json: bool, out: &mut dyn Write) -> anyhow::Result<()> {
    if json {
        return json_of(&months, out);
    }
    writeln!(
        out,
        "month    state     release  grade  rows      load          costs"
    )?;
    for m in months {
        let release = m
            .release
            .map_or_else(|| "-".to_owned(), |release| release.to_string());
        let dataset = match m.dataset {
            Dataset::Stays => String::new(),
            other => format!("  {}", other.as_str()),
        };
        let costs = m.rates.as_ref().map_or_else(
            || "as loaded".to_owned(),
            |of| format!("{} of {} ({})", of.method, of.period, of.digest.short()),
        );
        writeln!(
            out,
            "{}  {:<8}  {:>7}  {:>5?}  {:>8}  {}  {}{}",
            m.month, m.state, release, m.grade, m.rows, m.load, costs, dataset
        )?;
    }
    Ok(())
}

/// k, l and the grade's reason of a month that was released.
pub(super) fn report(of: &MonthReport, out: &mut dyn Write) -> std::io::Result<()> {
    let why = if of.why.is_empty() {
        String::new()
    } else {
        format!("; grade for {}", of.why)
    };
    writeln!(
        out,
        "{}: k {} (smallest class), l {} (fewest case groups of a class){why}",
        of.month, of.k, of.l
    )?;
    if of.short.is_empty() {
        return Ok(());
    }
    writeln!(
        out,
        "{}: no row of it may leave as a row: {}",
        of.month,
        of.short.join("; ")
    )
}

/// Where the reports of a load lie.
pub(super) fn paths(load: &Path, out: &mut dyn Write) -> std::io::Result<()> {
    for (what, file) in [
        ("quarantine       ", quarantine::FILE),
        ("quality          ", "quality.txt"),
        ("de-identification", "deidentification.txt"),
    ] {
        let path = next::tidy(&load.join(file)).display().to_string();
        writeln!(out, "{what}  {}", line(&path))?;
    }
    Ok(())
}

/// What a rule of the check asks for.
fn what(id: &str) -> &'static str {
    let rule = Rule::ALL.into_iter().find(|rule| rule.id() == id);
    rule.map_or("", |rule| rule.entry().2)
}
