//! `invite`, `members`, `members approve` and `revoke`.

use std::io::Write;
use std::path::Path;

use schemas::enrolment::Fingerprint;
use schemas::id::Slug;
use serde_json::json;

use super::administrator::Acting;
use super::{Office, write_json};
use crate::membership::{self, Cause};
use crate::register::{self, Standing};

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  consilium-coordinator --data /srv/consilium invite h1 --as li-hua\n\nHand the code to the hospital by a safe way. It works once, for 24 hours. Another\nadministrator then approves the hospital with `members approve`."
)]
pub(super) struct Args {
    /// The hospital's name from now on.
    hospital: Slug,
    #[command(flatten)]
    by: Acting,
}

#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct ListArgs {
    /// As JSON.
    #[arg(long)]
    json: bool,
    #[command(subcommand)]
    act: Option<Act>,
}

#[derive(Debug, clap::Subcommand)]
enum Act {
    /// Lets a hospital that has joined take part.
    ///
    /// Call the hospital, let it read the fingerprint that its `enrol` printed, and type what you
    /// hear. Who invited it cannot approve it.
    Approve {
        /// The hospital.
        hospital: Slug,
        /// The fingerprint as it was read to you.
        #[arg(long)]
        fingerprint: Fingerprint,
        #[command(flatten)]
        by: Acting,
    },
}

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  consilium-coordinator --data /srv/consilium revoke h1 --why key-compromise --as li-hua\n\nA running coordinator cuts the hospital's connections within seconds. A new invitation\nlets it in again."
)]
pub(super) struct RevokeArgs {
    /// The hospital.
    hospital: Slug,
    /// Why; stands in the log.
    #[arg(long)]
    why: Cause,
    #[command(flatten)]
    by: Acting,
}

pub(super) async fn invite(
    office: &Office,
    data: &Path,
    args: &Args,
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    let code = register::invite(
        &office.state,
        &office.authority,
        &office.config.public_url,
        &args.hospital,
        args.by.proven(office, data).await?,
        office.clock.now(),
    )
    .await?;
    writeln!(out, "{}", code.to_text()?)?;
    Ok(())
}

pub(super) async fn revoke(
    office: &Office,
    data: &Path,
    args: &RevokeArgs,
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    let now = office.clock.now();
    let by = args.by.proven(office, data).await?;
    membership::revoke(&office.state, &args.hospital, args.why, by, now).await?;
    writeln!(out, "{} is revoked", args.hospital)?;
    Ok(())
}

pub(super) async fn members(
    office: &Office,
    data: &Path,
    args: &ListArgs,
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    match &args.act {
        Some(Act::Approve {
            hospital,
            fingerprint,
            by,
        }) => {
            let now = office.clock.now();
            let by = by.proven(office, data).await?;
            membership::approve(&office.state, hospital, *fingerprint, by, now).await?;
            writeln!(out, "{hospital} takes part from now on")?;
            Ok(())
        }
        None => list(office, args.json, out).await,
    }
}

async fn list(office: &Office, json: bool, out: &mut dyn Write) -> anyhow::Result<()> {
    let members = register::members(&office.state).await?;
    let now = office.clock.now();
    let heard = |at: schemas::time::Timestamp| now.0.saturating_sub(at.0).max(0);
    if json {
        let rows: Vec<_> = members
            .iter()
            .map(|member| {
                json!({
                    "hospital": member.hospital,
                    "standing": member.standing.as_str(),
                    "certificate": member.certificate,
                    "message_key": member.message_key.fingerprint(),
                    "fingerprint": member.fingerprint().to_string(),
                    "joined": member.joined,
                    "heard_seconds_ago": member.seen.map(heard),
                })
            })
            .collect();
        return write_json(out, &rows);
    }
    for member in members {
        let seen = match (member.standing, member.seen) {
            (Standing::Active, Some(at)) => format!("heard {} s ago", heard(at)),
            (Standing::Active, None) => "never heard of".to_owned(),
            // What the second administrator compares by phone.
            (Standing::Pending, _) => format!("fingerprint {}", member.fingerprint()),
            (Standing::Revoked, _) => String::new(),
        };
        let key = member.message_key.fingerprint().short();
        let standing = member.standing.as_str();
        writeln!(
            out,
            "{:<24} {standing:<8} key {key}  {seen}",
            member.hospital
        )?;
    }
    Ok(())
}
