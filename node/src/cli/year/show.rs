//! `year show` and `verify-score`: where a year stands for this hospital, and what it may say now.

use std::io::Write;
use std::path::Path;

use anyhow::{bail, ensure};
use policies::year::{Published, Turn, Year, by_member};
use schemas::id::Slug;
use schemas::time::Timestamp;

use super::super::Node;
use super::{checked, figures, heard, own, verify};
use crate::config::keys::Keys;

/// Checks a published year, and shows what concerns this hospital.
pub(in crate::cli) async fn score(
    (file, log): (&Path, Option<&Path>),
    data: &Path,
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    let node = Node::open(data).await?;
    let hospital = &node.config.hospital;
    let (published, year) = checked(file, log, out)?;
    let key = Keys::open(&node.config.data)?.message_key()?.public();
    let Some(known) = year.members.get(hospital) else {
        bail!("{hospital} takes no part in the year {}", year.number);
    };
    ensure!(*known == key, "the file names another key for {hospital}");
    figures::of(&published, &year, hospital, out)?;
    // Beside what is proposed, the budget that is in force.
    figures::spent(&published, &year, hospital, out)
}

/// Where a year stands for this hospital.
pub(super) async fn year(
    number: u16,
    file: Option<&Path>,
    data: &Path,
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    let node = Node::open(data).await?;
    let (published, stands) = if let Some(file) = file {
        let (published, stands) = verify(file, out)?;
        ensure!(stands.number == number, "the file is about another year");
        own(&node, &published, &stands).await?;
        (published, stands)
    } else {
        let (_, published, stands) = heard(&node, number).await?;
        (published, stands)
    };
    let now = node.clock.now();
    let key = Keys::open(&node.config.data)?.message_key()?.public();
    if !stands.members.contains_key(&node.config.hospital)
        && let Some((party, _)) = stands.parties.iter().find(|(_, its)| **its == key)
    {
        return as_party(&published, &stands, (party, data), now, out);
    }
    let about = (&node.config.hospital, data);
    told(&published, &stands, about, now, out)
}

/// Where a year stands for a party of it.
fn as_party(
    published: &Published,
    stands: &Year,
    (party, data): (&Slug, &Path),
    now: Timestamp,
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    head(published, stands, out)?;
    let turns = stands.turns_of_party(party, &published.rules.year, now);
    if turns.is_empty() {
        writeln!(out, "no result waits for {party}")?;
    }
    for turn in &turns {
        waits(turn, (stands.number, data, party), out)?;
    }
    foot(published, stands, now, out)
}

fn head(published: &Published, stands: &Year, out: &mut dyn Write) -> anyhow::Result<()> {
    let (number, stage, target) = (stands.number, stands.stage.as_str(), stands.target);
    let said = published.statements.len();
    Ok(writeln!(
        out,
        "{number} {stage}, target {target}; {said} statements, all of them verified"
    )?)
}

/// What everybody waits for, and the keys to compare.
fn foot(
    published: &Published,
    stands: &Year,
    now: Timestamp,
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    for line in by_member(&stands.unpaid(now)) {
        writeln!(out, "not paid in yet  {line}")?;
    }
    for one in stands.waits_for(&published.rules.year, now) {
        writeln!(out, "the year waits: {one}")?;
    }
    writeln!(
        out,
        "keys in this year, to compare with those of its owners:"
    )?;
    for line in stands.keys() {
        writeln!(out, "  {line}")?;
    }
    Ok(())
}

fn told(
    published: &Published,
    stands: &Year,
    (hospital, data): (&Slug, &Path),
    now: Timestamp,
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    head(published, stands, out)?;
    if let Some(own) = stands.applications.get(hospital) {
        writeln!(out, "applied  {} for {}", own.amount, own.purpose)?;
    }
    figures::of(published, stands, hospital, out)?;
    figures::spent(published, stands, hospital, out)?;
    let turns = stands.turns_of(hospital, now);
    if turns.is_empty() {
        writeln!(out, "nothing waits for {hospital}")?;
    }
    for turn in &turns {
        waits(turn, (stands.number, data, hospital), out)?;
    }
    foot(published, stands, now, out)
}

/// What waits for this organisation, until when, and by which command it answers.
fn waits(
    turn: &Turn,
    (number, data, by): (u16, &Path, &Slug),
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    let command = format!("consilium-node --data {} year", data.display());
    let party = format!("{command} party {number} --as {by}");
    match turn {
        Turn::Apply => {
            writeln!(out, "waits for you: an application")?;
            writeln!(
                out,
                "  {command} apply {number} AMOUNT --purpose \"…\" --expected \"…\""
            )?;
        }
        Turn::Answer {
            matter,
            result,
            version,
            until,
        } => {
            let matter = matter.as_str();
            writeln!(
                out,
                "waits for you until {until}: {matter} version {version}, {result}"
            )?;
            writeln!(out, "  {command} accept {number} {matter} {result}")?;
            writeln!(
                out,
                "  {command} object {number} {matter} {result} --why \"…\""
            )?;
        }
        Turn::Sign {
            matter,
            result,
            version,
        } => {
            let matter = matter.as_str();
            writeln!(
                out,
                "waits for your signature: {matter} version {version}, {result}"
            )?;
            writeln!(out, "  {party} sign {matter} {result}")?;
        }
        Turn::Decide {
            matter,
            result,
            member,
            why,
            until,
        } => {
            let matter = matter.as_str();
            writeln!(
                out,
                "waits for your answer until {until}: {member} objects to {matter}: {why}"
            )?;
            writeln!(
                out,
                "  {party} answer {matter} {result} {member} --why \"…\"     (--upheld where it is right)"
            )?;
        }
        Turn::Report { task, due, late } => {
            let late = if *late { ", LATE" } else { "" };
            writeln!(out, "waits for you until {due}{late}: a report on {task}")?;
            writeln!(out, "  {command} report {number} {task} --done \"…\"")?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use schemas::digest::Digest;
    use schemas::year::Matter;

    use super::*;

    /// What is shown is what is typed: the whole digest, in whole commands.
    #[test]
    fn what_waits_comes_with_its_digest_its_deadline_and_its_command() {
        let told = |turn: &Turn| {
            let mut out = Vec::new();
            let insurer = "insurer".parse().unwrap();
            waits(turn, (2026, Path::new("./node1"), &insurer), &mut out).unwrap();
            String::from_utf8(out).unwrap()
        };
        let result = Digest::of("result", &[]);
        let text = told(&Turn::Answer {
            matter: Matter::Plan,
            result,
            version: 2,
            until: Timestamp(1_768_435_200),
        });
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(
            lines,
            [
                format!("waits for you until 2026-01-15T00:00:00Z: plan version 2, {result}"),
                format!("  consilium-node --data ./node1 year accept 2026 plan {result}"),
                format!(
                    "  consilium-node --data ./node1 year object 2026 plan {result} --why \"…\""
                ),
            ]
        );
        let report = |late| {
            told(&Turn::Report {
                task: "beds".parse().unwrap(),
                due: Timestamp(1_768_435_200),
                late,
            })
        };
        assert!(report(true).contains("LATE") && !report(false).contains("LATE"));
        assert!(report(true).contains("year report 2026 beds --done"));
        assert!(told(&Turn::Apply).contains("year apply 2026 AMOUNT --purpose"));
    }
}
