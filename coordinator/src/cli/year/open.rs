//! `year open`: the year's members and parties with their keys.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;

use ::pooled::key_list::Kind;
use anyhow::Context as _;
use policies::year::spoken;
use schemas::id::Slug;
use schemas::seal::PublicKey;
use schemas::year::Says;

use super::super::Office;
use super::{args, say, show};
use crate::pooled;
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
    let mut parties = BTreeMap::new();
    for (name, key) in party {
        let key = match key {
            args::PartyKey::Given(key) => key,
            args::PartyKey::Of(member) => {
                let found = active(office, std::slice::from_ref(&member)).await?;
                *found.get(&member).context("no such member")?
            }
        };
        let before = parties.insert(name.clone(), key);
        anyhow::ensure!(before.is_none(), "--party `{name}` is given twice");
    }
    let says = Says::Open {
        target: target.0,
        rules: rules.digest()?,
        members,
        parties,
    };
    let sealed = say::sealed_at(data, &alliance, year, &by, (says, now))?;
    let opened = year::open(&office.state, &alliance, &rules, &sealed, now).await?;
    let before = year.saturating_sub(1);
    let last = match year::read(&office.state, &alliance, before).await {
        Err(year::YearError::Unknown(_)) => BTreeMap::new(),
        other => other?.parties,
    };
    for (name, key) in &opened.parties {
        if let Some(was) = last.get(name).filter(|was| *was != key) {
            writeln!(
                out,
                "warning: the party {name} has another key than in {before}: {}, before {}; ask its owner",
                spoken(key),
                spoken(was)
            )?;
        }
    }
    for warning in rules.odd() {
        writeln!(out, "warning: {warning}")?;
    }
    show::year(&opened, &rules.year, now, out)
}

/// Approved hospitals, or those named of them, and the keys of their messages.
pub(super) async fn active(
    office: &Office,
    named: &[Slug],
) -> anyhow::Result<BTreeMap<Slug, PublicKey>> {
    // Insurers and public bodies in a committee are members of the network, not of a budget.
    let bodies = pooled::bodies(&office.state).await?.into_iter();
    let members = bodies.filter(|body| match named {
        [] => body.kind == Kind::Hospital,
        named => named.contains(&body.member.hospital),
    });
    let members: BTreeMap<Slug, PublicKey> = members
        .map(|body| (body.member.hospital, body.member.message_key))
        .collect();
    if let Some(missing) = named.iter().find(|name| !members.contains_key(*name)) {
        anyhow::bail!("`{missing}` is no approved member; see `consilium-coordinator members`");
    }
    Ok(members)
}
