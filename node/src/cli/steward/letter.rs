//! What the steward sees of a question.

use std::io::Write;
use std::sync::Arc;

use policies::plan::{self, Explained};
use schemas::round::Round;
use schemas::shown::line;
use serde::Serialize;

use crate::answer::{App, asked_by, examine};
use crate::cli::ask::write_plan;
use crate::cli::{agreement, table};
use crate::ledger;
use crate::lifecycle;
use crate::pooled::{self, Offered};
use crate::steward::{self, Letter, LetterState, Text};

/// A round of the inbox in one line.
#[derive(Serialize)]
struct Line<'a> {
    round: &'a Round,
    digest: schemas::digest::Digest,
    state: &'static str,
    arrived: i64,
}

pub(super) async fn inbox(app: &App, json: bool, out: &mut dyn Write) -> anyhow::Result<()> {
    let letters = steward::letters(&app.state).await?;
    let offered = pooled::offered(&app.state, app.clock.now()).await?;
    if json {
        let lines: Vec<Line<'_>> = letters
            .iter()
            .map(|letter| Line {
                round: &letter.round,
                digest: letter.digest,
                state: letter.state.as_str(),
                arrived: letter.at.0,
            })
            .collect();
        let waiting = lines.iter().map(serde_json::to_value);
        let mut rows = waiting.collect::<Result<Vec<_>, _>>()?;
        for one in &offered {
            rows.push(serde_json::json!({ "pooled": one }));
        }
        return write_json(&rows, out);
    }
    if steward::locked(&app.state)
        .await?
        .is_some_and(|lock| lock.locked)
    {
        writeln!(
            out,
            "locked: every round is declined; `steward unlock` ends that"
        )?;
    }
    for held in lifecycle::list(&app.state).await? {
        agreement::one(&held, app.clock.now(), out)?;
    }
    for letter in &letters {
        let (round, state) = (&letter.round, letter.state.as_str());
        let purpose = ledger::name(round.purpose);
        let until = round.deadline.0;
        writeln!(
            out,
            "{state:<10} {:<32} {purpose:<10} until {}",
            round.id.as_str(),
            day(until)
        )?;
    }
    if letters.is_empty() {
        writeln!(out, "nothing waits for a decision")?;
    }
    if !offered.is_empty() {
        writeln!(out, "\npooled rounds:")?;
    }
    for one in &offered {
        write_offered(one, out)?;
    }
    Ok(())
}

/// A pooled round: what was said to it, why, and what to do.
fn write_offered(one: &Offered, out: &mut dyn Write) -> anyhow::Result<()> {
    let (state, round, until) = (&one.state, one.round.as_str(), day(one.closes));
    let part = if one.part == "seat" {
        ", as a seat of its committee"
    } else {
        ""
    };
    writeln!(out, "{state:<10} {round:<32} until {until}{part}")?;
    if !one.why.is_empty() {
        let word = if one.state == "said" {
            "said: "
        } else {
            "why:  "
        };
        writeln!(out, "           {word}{}", line(&one.why))?;
    }
    Ok(writeln!(out, "           next: {}", one.next)?)
}

/// A pooled round that waits for nobody's word here: that of its name, if there is one.
pub(super) async fn pooled_round(
    app: &App,
    id: &str,
    json: bool,
    out: &mut dyn Write,
) -> anyhow::Result<bool> {
    let offered = pooled::offered(&app.state, app.clock.now()).await?;
    let offered: Vec<&Offered> = offered
        .iter()
        .filter(|one| one.round.as_str() == id)
        .collect();
    if offered.is_empty() {
        return Ok(false);
    }
    for one in offered {
        if json {
            write_json(&serde_json::json!({ "pooled": one }), out)?;
        } else {
            write_offered(one, out)?;
        }
    }
    Ok(true)
}

/// Everything about one round.
#[derive(Serialize)]
struct Shown<'a> {
    round: &'a str,
    digest: schemas::digest::Digest,
    question: schemas::digest::Digest,
    state: &'static str,
    requester: String,
    purpose: &'static str,
    paid_by: Option<&'static str>,
    agreement: String,
    text: Text,
    plan: Option<Explained>,
    charge_nano: Option<u64>,
    left_nano: Option<u64>,
    releases: Option<String>,
    decided_by: Vec<String>,
    refused: Option<String>,
    similar: Vec<(schemas::digest::Digest, i64)>,
}

pub(super) async fn show(
    app: &Arc<App>,
    letter: &Letter,
    json: bool,
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    let round = &letter.round;
    let similar = steward::similar(&app.state, &round.question).await?;
    let examined = examine(app, &asked_by(round, letter.digest)).await;
    let (plan, facts, refused) = match &examined {
        Ok(examined) => (
            Some(plan::explain(examined.bound.layout())),
            Some(examined),
            None,
        ),
        Err(error) => (None, None, Some(error.to_string())),
    };
    let shown = Shown {
        round: round.id.as_str(),
        digest: letter.digest,
        question: round.question.digest()?,
        state: letter.state.as_str(),
        requester: requester(app, round),
        purpose: ledger::name(round.purpose),
        paid_by: facts.map(|facts| ledger::name(facts.bound.purpose)),
        agreement: agreement(round),
        text: steward::text(&round.question, &app.dictionary),
        plan,
        charge_nano: facts.map(|facts| facts.charge.nano()),
        left_nano: facts.map(|facts| facts.left.nano()),
        releases: facts.map(|facts| facts.bound.releases()),
        decided_by: facts
            .map(|facts| facts.verdict.policies.clone())
            .unwrap_or_default(),
        refused,
        similar: similar.iter().map(|s| (s.question, s.at.0)).collect(),
    };
    if json {
        return write_json(&shown, out);
    }
    writeln!(
        out,
        "round      {} ({}), until {}",
        shown.round,
        shown.state,
        day(round.deadline.0)
    )?;
    writeln!(out, "asked by   {}", shown.requester)?;
    writeln!(out, "purpose    {}", shown.purpose)?;
    writeln!(out, "agreement  {}", shown.agreement)?;
    writeln!(out, "question   {}", shown.question)?;
    writeln!(out, "\n{}\n\n{}\n", shown.text.zh, shown.text.en)?;
    writeln!(out, "reads      {}", shown.text.columns.join(", "))?;
    if let (Some(facts), Some(plan)) = (facts, &shown.plan) {
        writeln!(
            out,
            "paid by    the quota `{}`",
            ledger::name(facts.bound.purpose)
        )?;
        writeln!(
            out,
            "costs now  ρ {} of ρ {} left",
            facts.charge, facts.left
        )?;
        writeln!(out, "policies   {}", line(&facts.verdict.reason))?;
        writeln!(out, "releases   {}", facts.bound.releases())?;
        write_plan(plan, out)?;
    }
    if let Some(refused) = &shown.refused {
        writeln!(out, "would not be answered: {}", line(refused))?;
    }
    if let (LetterState::Held, Some(facts)) = (letter.state, facts) {
        match facts.bound.kept(app).await? {
            Some(charged) => {
                let held = charged.sealed().open(&app.signer.public())?;
                let layout = facts.bound.layout();
                writeln!(out, "\nthe answer, as it would leave:")?;
                table::write(layout, &app.dictionary, &held, &app.policy, out)?;
            }
            None => writeln!(out, "\nthe answer is not made yet: look again in a moment")?,
        }
    }
    if let Some(reason) = &letter.reason {
        writeln!(out, "refused    {}", line(reason))?;
    }
    for similar in &similar {
        writeln!(
            out,
            "similar    {} on {}",
            similar.question,
            day(similar.at.0)
        )?;
    }
    Ok(())
}

/// Who asks: as the alliance's signature and the node's own classes say, not as the asker writes.
fn requester(app: &App, round: &Round) -> String {
    let alliance = &app.dictionary.alliance;
    match round.purpose {
        schemas::question::Purpose::Audit => {
            format!("the insurer, through the alliance {alliance}")
        }
        _ => format!("the administrators of the alliance {alliance}"),
    }
}

fn agreement(round: &Round) -> String {
    let rules = round.question.rules.short();
    match &round.template {
        Some(template) => format!("template {template} under the alliance's rules {rules}"),
        None => format!("none; a free question under the alliance's rules {rules}"),
    }
}

pub(super) async fn standing(app: &App, json: bool, out: &mut dyn Write) -> anyhow::Result<()> {
    let policy = app.standing.approved.policy;
    let whose = (&app.standing.officers, &app.hospital, policy);
    let granted = steward::standing(&app.state, whose, app.clock.now()).await?;
    if json {
        let rows: Vec<_> = granted.iter().map(|g| (&g.approval, g.void)).collect();
        return write_json(&rows, out);
    }
    for granted in &granted {
        let approval = &granted.approval;
        let (by, until) = (&approval.officer, day(approval.until.0));
        let void = granted
            .void
            .map_or_else(String::new, |why| format!("; void: {why}"));
        writeln!(
            out,
            "{} until {until}, signed by {by}{void}",
            approval.template
        )?;
    }
    if granted.is_empty() {
        writeln!(out, "nothing is answered unasked")?;
    }
    Ok(())
}

/// A moment as its day in UTC.
fn day(seconds: i64) -> String {
    let moment = jiff::Timestamp::from_second(seconds);
    moment.map_or_else(
        |_| seconds.to_string(),
        |moment| moment.to_zoned(jiff::tz::TimeZone::UTC).date().to_string(),
    )
}

fn write_json<T: Serialize>(value: &T, out: &mut dyn Write) -> anyhow::Result<()> {
    serde_json::to_writer_pretty(&mut *out, value)?;
    Ok(writeln!(out)?)
}
