//! The ledger of privacy: charge and stored answer are one transaction (rule DP-2). Nothing is
//! sent before that commit, and an answer that was stored once is served for ever, free of charge.
#![deny(clippy::arithmetic_side_effects, clippy::float_arithmetic)]

mod account;
mod limit;

pub use account::{Line, lines};
pub use limit::affordable;

use policies::plan::{Bound, Layout};
use policies::rules::Privacy;
use schemas::answer::Answer;
use schemas::digest::Digest;
use schemas::loss::{NotALoss, Rho};
use schemas::question::Purpose;
use schemas::seal::{SealError, Sealed};
use schemas::time::Timestamp;
use sqlx::Row as _;

use self::limit::raise;
use crate::store::state::{Change, State, StateError, append};

/// What an answer is known by: the same three give the same bytes for ever.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Identity {
    /// Digest of the question.
    pub question: Digest,
    /// Release numbers of the data, joined by commas.
    pub releases: String,
    /// Digest of the layout.
    pub mechanism: Digest,
}

/// An answer that was paid for, or had been. Only the ledger makes one, so an unpaid answer cannot
/// be sent.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Charged {
    sealed: Sealed<Answer>,
    paid_now: Rho,
}

impl Charged {
    /// The stored, signed answer.
    pub fn sealed(&self) -> &Sealed<Answer> {
        &self.sealed
    }

    /// What was charged to each data year just now; zero for a stored answer.
    pub fn paid_now(&self) -> Rho {
        self.paid_now
    }
}

/// Why nothing was charged. The change was undone as a whole.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// The allowance of a data year, or the quota of the purpose, is used up.
    #[error(
        "out of allowance: {purpose} of {year} needs ρ {needed} and has ρ {left} left; what is \
         spent of a data year never comes back"
    )]
    OutOfAllowance {
        /// The data year.
        year: u16,
        /// `all` or the purpose.
        purpose: &'static str,
        /// What the answer costs.
        needed: Rho,
        /// What is left of the limit.
        left: Rho,
    },
    /// The state file failed.
    #[error(transparent)]
    State(#[from] StateError),
    /// The stored answer is damaged.
    #[error("the stored answer is damaged")]
    Damaged,
    /// The answer has no canonical form.
    #[error("the answer could not be sealed")]
    Seal(#[from] SealError),
    /// A loss left its range.
    #[error(transparent)]
    Loss(#[from] NotALoss),
}

impl From<sqlx::Error> for LedgerError {
    fn from(error: sqlx::Error) -> Self {
        Self::State(StateError::Database(error))
    }
}

/// Who pays, by which rules, when.
#[derive(Clone, Copy, Debug)]
pub struct Payer<'a> {
    /// The purpose as the node's own policy classes it.
    pub purpose: Purpose,
    /// The node's policy.
    pub policy: &'a Privacy,
    /// Now.
    pub at: Timestamp,
}

/// Steps of a charge at which tests end the process.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Step {
    /// The write lock is held.
    Begun,
    /// The answer is inserted.
    Stored,
    /// The ledger is raised.
    Paid,
    /// The log entry is written.
    Logged,
    /// Committed.
    Committed,
}

/// Called at every step; does nothing outside tests.
pub type Watch = fn(Step);

/// The stored answer, if the question was answered before on the same data.
pub async fn stored(state: &State, identity: &Identity) -> Result<Option<Charged>, LedgerError> {
    let row = sqlx::query(FIND)
        .bind(identity.question.to_string())
        .bind(&identity.releases)
        .bind(identity.mechanism.to_string())
        .fetch_optional(state.pool())
        .await?;
    row.map(|row| charged(&row.try_get::<String, _>(0)?))
        .transpose()
}

const FIND: &str =
    "select sealed from answers where question = $1 and releases = $2 and mechanism = $3";

/// Charges and stores a sealed answer in one transaction. If another asker was faster, the draw is
/// dropped and the stored answer returned, free of charge.
pub async fn charge(
    state: &State,
    layout: &Layout,
    identity: &Identity,
    sealed: Sealed<Answer>,
    payer: Payer<'_>,
    watch: Watch,
) -> Result<Charged, LedgerError> {
    let mut change = state.begin().await?;
    watch(Step::Begun);
    let found = sqlx::query(FIND)
        .bind(identity.question.to_string())
        .bind(&identity.releases)
        .bind(identity.mechanism.to_string())
        .fetch_optional(&mut *change)
        .await?;
    if let Some(row) = found {
        return charged(&row.try_get::<String, _>(0)?);
    }
    let due = due(&mut change, layout, identity).await?;
    let text = serde_json::to_string(&sealed).map_err(|_| LedgerError::Damaged)?;
    sqlx::query(
        "insert into answers (question, releases, mechanism, sealed, charged_nano, at) \
         values ($1, $2, $3, $4, $5, $6)",
    )
    .bind(identity.question.to_string())
    .bind(&identity.releases)
    .bind(identity.mechanism.to_string())
    .bind(text)
    .bind(whole(due)?)
    .bind(payer.at.0)
    .execute(&mut *change)
    .await?;
    watch(Step::Stored);
    for year in layout.period.years() {
        let quota = payer.policy.quota(payer.purpose);
        raise(
            &mut change,
            year.0,
            "all",
            due,
            payer.policy.allowance.total,
        )
        .await?;
        raise(&mut change, year.0, name(payer.purpose), due, quota).await?;
    }
    watch(Step::Paid);
    let years: Vec<String> = layout
        .period
        .years()
        .iter()
        .map(ToString::to_string)
        .collect();
    let detail = [
        ("charge", due.to_string()),
        ("purpose", name(payer.purpose).to_owned()),
        ("years", years.join(" ")),
        ("answer", sealed.digest()?.to_string()),
        ("mechanism", identity.mechanism.to_string()),
    ];
    append(&mut change, payer.at, "charge", identity.question, &detail).await?;
    watch(Step::Logged);
    change.commit().await?;
    watch(Step::Committed);
    Ok(Charged {
        sealed,
        paid_now: due,
    })
}

/// What this answer costs each data year. The first month of a series pays for the whole series;
/// later months are free; a month asked again on other data (restated) pays for one month more.
async fn due(
    change: &mut Change,
    layout: &Layout,
    identity: &Identity,
) -> Result<Rho, LedgerError> {
    let (Bound::Series { months }, Some(series)) = (layout.bound, layout.series) else {
        return Ok(layout.charge);
    };
    let month = layout.period.from.to_string();
    let known = sqlx::query("select month from series where series = $1")
        .bind(series.to_string())
        .fetch_all(&mut **change)
        .await?;
    let mut same_month = false;
    for row in &known {
        same_month |= row.try_get::<String, _>(0)? == month;
    }
    // One month's release number; a series asks for one month.
    let release: i64 = identity
        .releases
        .parse()
        .map_err(|_| LedgerError::Damaged)?;
    sqlx::query("insert into series (series, month, release) values ($1, $2, $3)")
        .bind(series.to_string())
        .bind(&month)
        .bind(release)
        .execute(&mut **change)
        .await?;
    if known.is_empty() {
        return Ok(layout.charge);
    }
    let one_month = Rho::from_nano(layout.charge.nano().div_ceil(u64::from(months.max(1))))?;
    Ok(if same_month { one_month } else { Rho::ZERO })
}

fn charged(text: &str) -> Result<Charged, LedgerError> {
    let sealed = serde_json::from_str(text).map_err(|_| LedgerError::Damaged)?;
    Ok(Charged {
        sealed,
        paid_now: Rho::ZERO,
    })
}

fn whole(loss: Rho) -> Result<i64, LedgerError> {
    i64::try_from(loss.nano()).map_err(|_| LedgerError::Loss(NotALoss))
}

/// The ledger's name of a purpose.
pub fn name(purpose: Purpose) -> &'static str {
    match purpose {
        Purpose::Benchmark => "benchmark",
        Purpose::Budget => "budget",
        Purpose::Audit => "audit",
        Purpose::Free => "free",
    }
}
