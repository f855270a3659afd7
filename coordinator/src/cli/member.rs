//! `invite` and `members`.

use std::io::Write;

use schemas::id::Slug;
use serde_json::json;

use super::{Office, write_json};
use crate::register;

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  consilium-coordinator --data /srv/consilium invite h1\n\nHand the code to the hospital by a safe way. It works once, for seven days."
)]
pub(super) struct Args {
    /// The hospital's name from now on.
    hospital: Slug,
}

#[derive(Debug, clap::Args)]
pub(super) struct ListArgs {
    /// As JSON.
    #[arg(long)]
    json: bool,
}

pub(super) async fn invite(
    office: &Office,
    args: &Args,
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    let code = register::invite(
        &office.state,
        &office.authority,
        &office.config.public_url,
        &args.hospital,
        office.clock.now(),
    )
    .await?;
    writeln!(out, "{}", code.to_text()?)?;
    Ok(())
}

pub(super) async fn list(
    office: &Office,
    args: &ListArgs,
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    let members = register::members(&office.state).await?;
    let now = office.clock.now();
    let heard = |at: schemas::time::Timestamp| now.0.saturating_sub(at.0).max(0);
    if args.json {
        let rows: Vec<_> = members
            .iter()
            .map(|member| {
                json!({
                    "hospital": member.hospital,
                    "certificate": member.certificate,
                    "message_key": member.message_key.fingerprint(),
                    "joined": member.joined,
                    "heard_seconds_ago": member.seen.map(heard),
                })
            })
            .collect();
        return write_json(out, &rows);
    }
    for member in members {
        let seen = member.seen.map_or("never heard of".to_owned(), |at| {
            format!("heard {} s ago", heard(at))
        });
        let key = member.message_key.fingerprint().short();
        writeln!(out, "{:<24} key {key}  {seen}", member.hospital)?;
    }
    Ok(())
}
