//! What members are in pooled rounds.

use std::io::Write;

use pooled::key_list::Kind;
use serde::Serialize;

use crate::cli::{Office, write_json};
use crate::pooled as rounds;

/// A member as it is listed.
#[derive(Serialize)]
struct Row {
    member: String,
    kind: &'static str,
    entity: String,
    standing: &'static str,
    /// Epoch of the newest committee, where it sits in it.
    committee: Option<u32>,
    /// Version of the followed key list, where it stands in it.
    key_list: Option<u32>,
}

pub(super) async fn run(office: &Office, json: bool, out: &mut dyn Write) -> anyhow::Result<()> {
    let (state, key) = (&office.state, office.authority.signer().public());
    let committee = rounds::newest_committee(state).await?;
    let list = match rounds::published(state).await? {
        Some(signed) => Some(signed.list.open(&key)?),
        None => None,
    };
    let mut rows = Vec::new();
    for body in rounds::all_bodies(state).await? {
        let name = &body.member.hospital;
        let sits = committee
            .as_ref()
            .filter(|(_, seats, _)| seats.contains(name));
        rows.push(Row {
            member: name.to_string(),
            kind: match body.kind {
                Kind::Hospital => "hospital",
                Kind::Insurer => "insurer",
                Kind::Authority => "authority",
            },
            entity: body.entity.to_string(),
            standing: body.member.standing.as_str(),
            committee: sits.map(|(epoch, ..)| *epoch),
            key_list: list
                .as_ref()
                .filter(|list| list.member(name).is_some())
                .map(|list| list.version),
        });
    }
    if json {
        return write_json(out, &rows);
    }
    if rows.is_empty() {
        writeln!(out, "no members yet: `invite NAME` makes a join code")?;
    }
    for row in rows {
        let seat = row.committee.map_or_else(
            || "no seat".to_owned(),
            |epoch| format!("seat of committee {epoch}"),
        );
        let listed = row.key_list.map_or_else(
            || "in no key list yet: pooled list".to_owned(),
            |version| format!("in key list {version}"),
        );
        writeln!(
            out,
            "{:<24} {:<9} {:<8} of {:<24} {seat}, {listed}",
            row.member, row.kind, row.standing, row.entity
        )?;
    }
    Ok(())
}
