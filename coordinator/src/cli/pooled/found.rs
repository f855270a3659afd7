//! Committees and key lists.

use std::collections::BTreeSet;
use std::io::Write;

use anyhow::bail;
use clap::ValueEnum;
use pooled::key_list::Kind;
use schemas::id::Slug;

use crate::cli::Office;
use crate::pooled::{self as rounds, ListOrder, Strength};

/// What a member is.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(in crate::cli) enum BodyKind {
    /// A hospital.
    Hospital,
    /// The insurer.
    Insurer,
    /// A public body.
    Authority,
}

impl From<BodyKind> for Kind {
    fn from(kind: BodyKind) -> Self {
        match kind {
            BodyKind::Hospital => Self::Hospital,
            BodyKind::Insurer => Self::Insurer,
            BodyKind::Authority => Self::Authority,
        }
    }
}

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct CommitteeArgs {
    /// The seats in order, separated by commas: 3, 4 or 7 members.
    #[arg(value_delimiter = ',', required = true)]
    seats: Vec<Slug>,
    /// How many of them may collude: 1 of 3 or 4 seats, 2 of 3 or 7.
    #[arg(long, default_value_t = 1)]
    f: u8,
    /// Seats of this coordinator's own operator, counted in f.
    #[arg(long, default_value_t = 0)]
    operator_seats: u8,
    /// Found it although it is weaker than the committee before.
    #[arg(long)]
    weaker: bool,
}

pub(super) async fn committee(
    office: &Office,
    args: &CommitteeArgs,
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    let (state, now) = (&office.state, office.clock.now());
    rounds::may_sit(state, &args.seats).await?;
    let strength = Strength::new(args.seats.len(), args.f, args.operator_seats)?;
    let before = rounds::newest_committee(state).await?;
    if let Some((epoch, seats, before)) = &before {
        if seats.iter().collect::<BTreeSet<_>>() == args.seats.iter().collect()
            && strength == *before
        {
            writeln!(
                out,
                "committee {epoch} has these seats already: nothing was changed; next, once its seats \
                 run: pooled list"
            )?;
            return Ok(());
        }
        let weaker = strength.weaker_than(*before);
        if !weaker.is_empty() {
            let weaker = weaker.join("; ");
            if !args.weaker {
                bail!(
                    "committee {epoch} is {before}. The new one is {strength}; it is weaker: \
                     {weaker}. Name other seats or another --f, or say --weaker"
                );
            }
            writeln!(out, "weaker than committee {epoch}: {weaker}")?;
        }
    }
    let seats = &args.seats;
    let epoch = rounds::new_committee(state, args.f, args.operator_seats, seats, now).await?;
    writeln!(out, "committee {epoch} is {strength}")?;
    writeln!(out, "next, once its seats run: pooled list")?;
    Ok(())
}

pub(super) async fn list(
    office: &Office,
    operator: Slug,
    t_max: u32,
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    let order = ListOrder { operator, t_max };
    let (state, authority) = (&office.state, &office.authority);
    let list = rounds::draft(state, authority, &order, office.clock.now()).await?;
    writeln!(out, "key list {} waits for countersignatures", list.version)?;
    for member in &list.members {
        writeln!(out, "  {:<24} {}", member.id, member.fingerprint()?)?;
    }
    Ok(())
}
