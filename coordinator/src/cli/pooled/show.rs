//! Where pooled rounds stand.

use std::io::Write;

use schemas::id::Slug;
use schemas::time::Timestamp;

use crate::cli::{Office, write_json};
use crate::pooled::{self as rounds, Progress};

pub(super) async fn rounds(office: &Office, json: bool, out: &mut dyn Write) -> anyhow::Result<()> {
    let (state, authority, now) = (&office.state, &office.authority, office.clock.now());
    let mut rows: Vec<Progress> = Vec::new();
    for held in rounds::rounds(state, authority).await? {
        rows.push(rounds::progress(state, &held, now).await?);
    }
    if json {
        return write_json(out, &rows);
    }
    for row in rows {
        let (id, came, asked) = (row.round.as_str(), row.uploads(), row.hospitals.len());
        let until = match row.state.as_str() {
            "open" => format!(", closes {}", Timestamp(row.closes)),
            "proposed" | "certified" => format!(", committee until {}", Timestamp(row.answer_by)),
            _ => row
                .ended
                .map_or_else(String::new, |at| format!(", ended {}", Timestamp(at))),
        };
        let why = row
            .why
            .map_or_else(String::new, |why| format!("; died: {why}"));
        writeln!(
            out,
            "{id:<32} {:<10} {came} of {asked} uploads{until}{why}",
            row.state
        )?;
    }
    Ok(())
}

pub(super) async fn show(
    office: &Office,
    round: &Slug,
    json: bool,
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    let (state, authority, now) = (&office.state, &office.authority, office.clock.now());
    let held = rounds::find(state, authority, round).await?;
    let round = rounds::progress(state, &held, now).await?;
    if json {
        return write_json(out, &round);
    }
    writeln!(out, "round      {} {}", round.round, round.state)?;
    if let Some(template) = &round.template {
        let (from, to) = (round.period.from, round.period.to);
        writeln!(out, "question   {template}, {from}..{to}")?;
    }
    writeln!(
        out,
        "moments    opened {}, uploads close {}, committee until {}",
        Timestamp(round.opened),
        Timestamp(round.closes),
        Timestamp(round.answer_by)
    )?;
    if let Some(ended) = round.ended {
        writeln!(out, "ended      {}", Timestamp(ended))?;
    }
    if let Some(why) = &round.why {
        writeln!(out, "died       {why}")?;
    }
    writeln!(
        out,
        "hospitals  {} of {} uploaded, at least {} in the sum, {} may collude",
        round.uploads(),
        round.hospitals.len(),
        round.n_min,
        round.t
    )?;
    for place in &round.hospitals {
        let came = place.uploaded.map_or_else(
            || "no upload".to_owned(),
            |at| format!("uploaded {}", Timestamp(at)),
        );
        let set = match (place.in_sum, place.uploaded) {
            (Some(true), _) => ", in the sum",
            (Some(false), Some(_)) => ", left out of the sum: a seat complained about its boxes",
            _ => "",
        };
        writeln!(out, "  {:<24} {came}{set}", place.hospital)?;
    }
    writeln!(out, "committee  {} votes are needed", round.quorum)?;
    for seat in &round.committee {
        let said = if seat.said.is_empty() {
            "nothing yet".to_owned()
        } else {
            seat.said.join(", ")
        };
        writeln!(out, "  {:<24} {said}", seat.member)?;
    }
    writeln!(out, "next       {}", round.next)?;
    Ok(())
}
