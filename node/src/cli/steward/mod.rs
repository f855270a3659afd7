//! `steward`: the inbox of questions, standing approvals, the lock.

mod letter;

use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, bail};
use clap::Subcommand;
use policies::template;
use schemas::question::Purpose;

use super::Node;
use super::officer::As;
use crate::answer::{App, asked_by, examine};
use crate::steward::{self, Acting, Letter};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// The rounds that wait for a decision, and those that were decided; pooled rounds with what
    /// was said to them, why, and what to do.
    ///
    /// Example: consilium-node --data ./node1 steward inbox
    Inbox {
        /// For machines.
        #[arg(long)]
        json: bool,
    },
    /// Everything about one round: who asks what and why, what becomes visible, what it costs.
    ///
    /// Example: consilium-node --data ./node1 steward show r3-readmissions
    Show {
        /// The round's name or digest.
        id: String,
        /// For machines.
        #[arg(long)]
        json: bool,
    },
    /// Let this question be answered, on the data and under the policy as they are now.
    ///
    /// Example: consilium-node --data ./node1 steward approve r3-readmissions --as li-hua
    Approve {
        /// The round's name or digest.
        id: String,
        #[command(flatten)]
        by: As,
        /// Keep the answer here until it was seen and released.
        #[arg(long)]
        hold: bool,
    },
    /// Refuse this question. The asker is told that the hospital declined, not why.
    ///
    /// Example: consilium-node --data ./node1 steward refuse r3-x --reason "not agreed" --as li-hua
    Refuse {
        /// The round's name or digest.
        id: String,
        #[command(flatten)]
        by: As,
        /// For this hospital's log.
        #[arg(long)]
        reason: String,
    },
    /// Templates that are answered unasked.
    #[command(subcommand)]
    Standing(StandingCommand),
    /// Keep the answer of an approved question here until it is released.
    ///
    /// Example: consilium-node --data ./node1 steward hold r3-readmissions --as li-hua
    Hold {
        /// The round's name or digest.
        id: String,
        #[command(flatten)]
        by: As,
    },
    /// Let a held answer leave.
    ///
    /// Example: consilium-node --data ./node1 steward release r3-readmissions --as li-hua
    Release {
        /// The round's name or digest.
        id: String,
        #[command(flatten)]
        by: As,
    },
    /// Decline every round from now on.
    ///
    /// Example: consilium-node --data ./node1 steward lock --as li-hua
    Lock {
        #[command(flatten)]
        by: As,
    },
    /// Take rounds again.
    ///
    /// Example: consilium-node --data ./node1 steward unlock --as li-hua
    Unlock {
        #[command(flatten)]
        by: As,
    },
}

#[derive(Debug, Subcommand)]
pub(super) enum StandingCommand {
    /// Let a template be answered unasked until a day, under the policy as it is now.
    ///
    /// Example: consilium-node steward standing add yearly-benchmark@2 --until 2027-01-31 --as li-hua
    Add {
        /// The template, `name@version`, or its name alone.
        template: String,
        /// Last day, YYYY-MM-DD (UTC).
        #[arg(long)]
        until: String,
        /// For rounds of this purpose only: benchmark, budget, audit or free.
        #[arg(long)]
        purpose: Option<String>,
        #[command(flatten)]
        by: As,
    },
    /// What stands.
    ///
    /// Example: consilium-node --data ./node1 steward standing list
    List {
        /// For machines.
        #[arg(long)]
        json: bool,
    },
    /// End a standing approval.
    ///
    /// Example: consilium-node steward standing remove yearly-benchmark@2 --as li-hua
    Remove {
        /// The template, `name@version`.
        template: String,
        #[command(flatten)]
        by: As,
    },
}

pub(super) async fn run(command: Command, data: &Path, out: &mut dyn Write) -> anyhow::Result<()> {
    let node = Node::open(data).await?;
    let app = Arc::new(App::open(&node.config, node.state, node.clock).await?);
    steward::expire(&app.state, app.clock.now()).await?;
    match command {
        Command::Inbox { json } => letter::inbox(&app, json, out).await,
        Command::Show { id, json } => {
            if let Some(found) = steward::find(&app.state, &id).await? {
                letter::show(&app, &found, json, out).await?;
                if !json {
                    letter::pooled_round(&app, found.round.id.as_str(), json, out).await?;
                }
                return Ok(());
            }
            if letter::pooled_round(&app, &id, json, out).await? {
                return Ok(());
            }
            bail!("no round `{id}` is in the inbox")
        }
        Command::Approve { id, by, hold } => {
            let letter = found(&app, &id).await?;
            let examined = examine(&app, &asked_by(&letter.round, letter.digest)).await;
            let examined = examined.context("it would not be answered even if approved")?;
            let releases = examined.bound.releases();
            let signer = by.signer(&app.data)?;
            steward::approve(
                &app.state,
                acting(&app, &by, &signer),
                &letter,
                releases,
                hold,
            )
            .await?;
            let text = if hold {
                "approved; its answer will be held"
            } else {
                "approved"
            };
            Ok(writeln!(out, "{}: {text}", letter.round.id)?)
        }
        Command::Refuse { id, by, reason } => {
            let letter = found(&app, &id).await?;
            let signer = by.signer(&app.data)?;
            steward::refuse(&app.state, acting(&app, &by, &signer), &letter, &reason).await?;
            Ok(writeln!(out, "{}: refused", letter.round.id)?)
        }
        Command::Hold { id, by } => {
            let letter = found(&app, &id).await?;
            let signer = by.signer(&app.data)?;
            steward::hold(&app.state, acting(&app, &by, &signer), &letter).await?;
            Ok(writeln!(
                out,
                "{}: its answer will be held",
                letter.round.id
            )?)
        }
        Command::Release { id, by } => {
            let letter = found(&app, &id).await?;
            let signer = by.signer(&app.data)?;
            steward::release(&app.state, acting(&app, &by, &signer), &letter).await?;
            Ok(writeln!(out, "{}: may leave", letter.round.id)?)
        }
        Command::Lock { by } => {
            let signer = by.signer(&app.data)?;
            steward::lock(&app.state, acting(&app, &by, &signer)).await?;
            Ok(writeln!(out, "locked: every round is declined")?)
        }
        Command::Unlock { by } => {
            let signer = by.signer(&app.data)?;
            steward::unlock(&app.state, acting(&app, &by, &signer)).await?;
            Ok(writeln!(out, "unlocked")?)
        }
        Command::Standing(command) => standing(&app, command, out).await,
    }
}

async fn standing(app: &App, command: StandingCommand, out: &mut dyn Write) -> anyhow::Result<()> {
    match command {
        StandingCommand::Add {
            template,
            until,
            purpose,
            by,
        } => {
            let mut shipped = template::shipped().into_iter();
            let own = shipped
                .find(|own| own.reference().to_string() == template || own.id.as_str() == template);
            let reference =
                own.context("no such template; a standing approval is of a template")?;
            let reference = reference.reference();
            if !app
                .policy
                .allow
                .templates
                .contains_key(&reference.to_string())
            {
                bail!("the policy does not list {reference} under allow.templates");
            }
            let (until, purpose) = (
                steward::end_of(&until).context("a day is written YYYY-MM-DD")?,
                purpose.as_deref().map(quota).transpose()?,
            );
            let signer = by.signer(&app.data)?;
            let acting = acting(app, &by, &signer);
            steward::stand(&app.state, acting, reference.clone(), purpose, until).await?;
            Ok(writeln!(out, "{reference}: answered unasked")?)
        }
        StandingCommand::List { json } => letter::standing(app, json, out).await,
        StandingCommand::Remove { template, by } => {
            let signer = by.signer(&app.data)?;
            steward::remove_standing(&app.state, acting(app, &by, &signer), &template).await?;
            Ok(writeln!(out, "{template}: asked each time")?)
        }
    }
}

async fn found(app: &App, id: &str) -> anyhow::Result<Letter> {
    let letter = steward::find(&app.state, id).await?;
    letter.with_context(|| format!("no round `{id}` is in the inbox"))
}

fn acting<'a>(app: &'a App, by: &'a As, key: &'a schemas::seal::Signer) -> Acting<'a> {
    Acting {
        officers: &app.standing.officers,
        access: &app.standing.access,
        policy: app.standing.approved.policy,
        hospital: &app.hospital,
        name: &by.name,
        key,
        at: app.clock.now(),
    }
}

fn quota(name: &str) -> anyhow::Result<Purpose> {
    let value = serde_json::Value::String(name.to_owned());
    serde_json::from_value(value)
        .ok()
        .context("a purpose is benchmark, budget, audit or free")
}
