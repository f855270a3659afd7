//! Who speaks, and what can be said on the command line.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Subcommand;
use schemas::digest::Digest;
use schemas::id::Slug;
use schemas::seal::{PublicKey, Sealed, Signer};
use schemas::time::{Month, Timestamp};
use schemas::year::{Matter, Says, Statement};

use super::{Money, matter};
use crate::clock::Clock;
use crate::config::Config;
use crate::store::private;
use crate::year::YearError;

/// By whom, with which key.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Speaker {
    /// Who says it.
    #[arg(long = "as", value_name = "NAME")]
    pub(super) name: Slug,
    /// The speaker's key; an administrator's in the data folder where it is left out.
    #[arg(long, value_name = "FILE")]
    pub(super) key: Option<PathBuf>,
}

/// What is said.
#[derive(Debug, Subcommand)]
pub(in crate::cli) enum Word {
    /// Let members apply (administrator).
    Invite,
    /// Apply for money (member).
    Apply {
        /// How much.
        amount: Money,
        /// What for.
        #[arg(long)]
        purpose: String,
        /// What it is expected to achieve.
        #[arg(long)]
        expected: String,
    },
    /// End the applications (administrator).
    Review,
    /// Have nothing against a result (member).
    Accept {
        /// About what.
        #[arg(value_parser = matter)]
        matter: Matter,
        /// Digest of the result.
        result: Digest,
    },
    /// Object or appeal (member).
    Object {
        /// About what.
        #[arg(value_parser = matter)]
        matter: Matter,
        /// Digest of the result.
        result: Digest,
        /// Why.
        #[arg(long)]
        why: String,
    },
    /// Answer an objection (those who decide).
    ///
    /// Example: … say 2026 --as chen-jie answer plan DIGEST h01 --why "the count is this year's"
    Answer {
        /// About what.
        #[arg(value_parser = matter)]
        matter: Matter,
        /// Digest of the result.
        result: Digest,
        /// Whose objection.
        member: Slug,
        /// It is right: another result has to be proposed.
        #[arg(long)]
        upheld: bool,
        /// Why.
        #[arg(long)]
        why: String,
    },
    /// Sign a result (party).
    ///
    /// Example: … say 2026 --as patients --key ./patients.pk8 sign plan DIGEST
    Sign {
        /// About what.
        #[arg(value_parser = matter)]
        matter: Matter,
        /// Digest of the result.
        result: Digest,
    },
    /// What was paid to a member for a month, in all (insurer).
    ///
    /// Example: … say 2026 --as insurer --key ./insurer.pk8 paid h01 2026-01 120000.00
    Paid {
        /// Whom.
        member: Slug,
        /// The month.
        month: Month,
        /// How much.
        amount: Money,
        /// Replace what was said of this month before.
        #[arg(long)]
        restates: bool,
    },
    /// Pay out a bonus in force (insurer).
    PayOut {
        /// Digest of the bonus.
        result: Digest,
    },
    /// Set another target (administrator), while no plan is in force; a proposed plan is void then.
    Target {
        /// All there is to spend.
        amount: Money,
        /// Why.
        #[arg(long)]
        why: String,
    },
    /// Take the year back (two administrators, one after the other), while no plan is in force.
    Withdraw {
        /// Why.
        #[arg(long)]
        why: String,
    },
    /// Take back one's word to withdraw the year (administrator).
    Keep {
        /// Why.
        #[arg(long, default_value = "")]
        why: String,
    },
    /// Let an approved hospital join from a month on (administrator), once a plan is in force. The plan is
    /// made again then: `year inputs`, `year propose`, accepted and signed like the first.
    ///
    /// Example: … say 2026 --as wang-fang join h07 --from 2026-07 --why "merged into the alliance"
    Join {
        /// The hospital.
        member: Slug,
        /// The first month in which it takes part, February to December.
        #[arg(long)]
        from: Month,
        /// Why.
        #[arg(long)]
        why: String,
    },
    /// Let a member leave from a month on (administrator), once a plan is in force. It keeps what it got for
    /// the months before; the plan is made again.
    ///
    /// Example: … say 2026 --as wang-fang leave h06 --from 2026-09 --why "moves to another alliance"
    Leave {
        /// The member.
        member: Slug,
        /// The first month in which it takes no part any more, February to December.
        #[arg(long)]
        from: Month,
        /// Why.
        #[arg(long)]
        why: String,
    },
    /// Take back that a member joins or leaves (administrator), before a plan about it is in force.
    Stay {
        /// The member.
        member: Slug,
        /// Why.
        #[arg(long)]
        why: String,
    },
    /// Have the plan in force made again from a month on (administrator): a mistake in it, or another target.
    /// What it gave for the months before stays; the new one is accepted and signed like the first.
    ///
    /// Example: … say 2026 --as wang-fang replan --from 2026-07 --target 24000000.00 --why "new target"
    Replan {
        /// The first month that is planned anew, February to December, later than the last that was paid.
        #[arg(long)]
        from: Month,
        /// Another target of the whole year; the same where it is left out.
        #[arg(long)]
        target: Option<Money>,
        /// Why.
        #[arg(long)]
        why: String,
    },
    /// Take back that the plan is made again (administrator), before another is in force.
    Stand {
        /// Why.
        #[arg(long)]
        why: String,
    },
    /// Give a member something to improve (administrator).
    ///
    /// Example: … say 2026 --as wang-fang task h02-waiting h02 --goal "waits under 3 days"
    /// --measures "a bed office" --owner "head of nursing" --days 60
    Task {
        /// Its name, once a year.
        task: Slug,
        /// Whose it is.
        member: Slug,
        /// What is to be reached.
        #[arg(long)]
        goal: String,
        /// By which measures.
        #[arg(long)]
        measures: String,
        /// Who answers for it at the member.
        #[arg(long)]
        owner: String,
        /// Days until it is due.
        #[arg(long)]
        days: u16,
    },
    /// Say what was done (the task's member).
    Report {
        /// The task.
        task: Slug,
        /// What was done.
        #[arg(long)]
        done: String,
    },
    /// Say whether a reported task is done (administrator).
    Judge {
        /// The task.
        task: Slug,
        /// It is not: it stays open.
        #[arg(long)]
        open: bool,
        /// Why.
        #[arg(long)]
        why: String,
    },
    /// Close the year for good (administrator).
    Close {
        /// Also while something is left to do, or the year is not over.
        #[arg(long)]
        anyway: bool,
    },
}

impl Word {
    /// What it says; the key of a hospital that joins is the register's, given by `keys`.
    pub(super) fn says(
        self,
        keys: impl FnOnce(&Slug) -> anyhow::Result<PublicKey>,
    ) -> anyhow::Result<Says> {
        Ok(match self {
            Self::Invite => Says::Invite,
            Self::Apply {
                amount,
                purpose,
                expected,
            } => Says::Apply {
                amount: amount.0,
                purpose,
                expected,
            },
            Self::Review => Says::Review,
            Self::Accept { matter, result } => Says::Accept { matter, result },
            Self::Object {
                matter,
                result,
                why,
            } => Says::Object {
                matter,
                result,
                why,
            },
            Self::Answer {
                matter,
                result,
                member,
                upheld,
                why,
            } => Says::Answer {
                matter,
                result,
                member,
                upheld,
                why,
            },
            Self::Sign { matter, result } => Says::Sign { matter, result },
            Self::Paid {
                member,
                month,
                amount,
                restates,
            } => Says::Paid {
                member,
                month,
                amount: amount.0,
                restates,
            },
            Self::PayOut { result } => Says::PayOut { result },
            Self::Target { amount, why } => Says::Target {
                target: amount.0,
                why,
            },
            Self::Withdraw { why } => Says::Withdraw { why },
            Self::Keep { why } => Says::Keep { why },
            Self::Task {
                task,
                member,
                goal,
                measures,
                owner,
                days,
            } => Says::Task {
                task,
                member,
                goal,
                measures,
                owner,
                days,
            },
            Self::Report { task, done } => Says::Report { task, done },
            Self::Judge { task, open, why } => Says::Judge {
                task,
                done: !open,
                why,
            },
            Self::Join { member, from, why } => Says::Join {
                key: keys(&member)?,
                member,
                from,
                why,
            },
            Self::Leave { member, from, why } => Says::Leave { member, from, why },
            Self::Stay { member, why } => Says::Stay { member, why },
            Self::Replan { from, target, why } => replan(from, target, why),
            Self::Stand { why } => Says::Stand { why },
            Self::Close { .. } => Says::Close,
        })
    }
}

fn replan(from: Month, target: Option<Money>, why: String) -> Says {
    let target = target.map(|target| target.0);
    Says::Replan { from, target, why }
}

/// A statement, signed now.
pub(super) fn sealed(
    data: &Path,
    year: u16,
    by: &Speaker,
    says: Says,
) -> anyhow::Result<Sealed<Statement>> {
    let alliance = Config::read(data)?.alliance;
    let now = Clock::System.now();
    let sealed = sealed_at(data, &alliance, year, by, (says, now));
    sealed.with_context(|| format!("the key of `{}`", by.name))
}

/// A statement, signed at a moment.
pub(super) fn sealed_at(
    data: &Path,
    alliance: &Slug,
    year: u16,
    by: &Speaker,
    (says, at): (Says, Timestamp),
) -> Result<Sealed<Statement>, YearError> {
    let own = || data.join(format!("administrator-{}.pk8", by.name));
    let path = by.key.clone().unwrap_or_else(own);
    let unread = |error| YearError::Key(path.display().to_string(), error);
    let bytes = private::read(&path).map_err(unread)?;
    let statement = Statement {
        alliance: alliance.clone(),
        year,
        by: by.name.clone(),
        at,
        says,
    };
    Ok(Sealed::seal(&Signer::from_pkcs8(&bytes)?, &statement)?)
}
