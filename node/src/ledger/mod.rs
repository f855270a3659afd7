//! The ledger of privacy: charge and stored answer are one transaction (rule DP-2), in which the
//! answer is also made and signed. Nothing is sent before that commit, and an answer that was stored
//! once is served for ever, free of charge.
#![deny(clippy::arithmetic_side_effects, clippy::float_arithmetic)]

mod account;
mod burn;
mod charge;
mod credit;
mod identity;
mod limit;
mod told;
mod upload;

pub use account::{Line, lines};
pub use burn::{BurnError, Burned, Outlook, Preview, burn, preview};
pub use charge::charge;
pub use credit::{burned_at, credit, voided};
pub use identity::Identity;
pub use limit::{affordable, affordable_upload};
pub use told::{Of, left, way_is_free, wholes_told};
pub use upload::{
    Due, PaidUpload, Uploaded, charge_upload, open_uploads, stored_upload, uploaded_for, uploads,
};

use policies::rules::Privacy;
use pooled::survivors::SurvivorsError;
use schemas::answer::Answer;
use schemas::canonical;
use schemas::digest::Digest;
use schemas::id::Slug;
use schemas::loss::{NotALoss, Rho};
use schemas::question::Purpose;
use schemas::seal::{SealError, Sealed, Signer};
use schemas::time::Timestamp;
use sqlx::Row as _;

use crate::store::state::{State, StateError};

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

    /// The stored, signed answer, by value.
    pub fn into_sealed(self) -> Sealed<Answer> {
        self.sealed
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
    /// The state file is older than what this node signed.
    #[error(
        "LEDGER_ROLLED_BACK: this state file was put back from a backup, or is older than what this node \
         signed before; put the newest backup back, or have the steward run `consilium-node log restored`, \
         then `consilium-node log burn` if the first says so (both show first what it means)"
    )]
    RolledBack,
    /// Officers or policy are no longer those under which it was examined.
    #[error("officers or policy changed while it was answered; try again")]
    Changed,
    /// The stored answer is damaged.
    #[error("the stored answer is damaged")]
    Damaged,
    /// The noisy cells are another question's.
    #[error("the noisy cells are not those of the question that is charged")]
    OtherQuestion,
    /// Another manifest bore the round's name.
    #[error(
        "another manifest was uploaded to under the name `{0}`; a name stands for one for ever"
    )]
    SecondManifest(Slug),
    /// Answered the other way before.
    #[error(
        "{0}: of these months this was answered the other way before; a measure is attributed or \
         pooled, never both, so that only other months or measures can be asked this way"
    )]
    OtherWay(String),
    /// The round's committee ended it without a result.
    #[error("`{0}` was voided by its committee: nothing of it leaves any more")]
    Voided(Slug),
    /// A certificate of the round was seen.
    #[error("a certificate of `{0}` was seen before: it is never credited")]
    Certified(Slug),
    /// A void certificate.
    #[error("the void certificate is refused: {0}")]
    Void(#[from] SurvivorsError),
    /// A pooled question about parts of what this hospital has not told as a whole.
    #[error(
        "the pooled question asks about parts of the {0}, and this hospital has given no attributed \
         answer on the {0} by the same dimensions, filters and bounds over these months; answer the \
         attributed question first, such as `yearly-hospitals` (its round, or `ask … --spend`)"
    )]
    NoWhole(String),
    /// The whole was told under another dictionary.
    #[error(
        "the pooled question asks about parts of the {0}, which this hospital told under another \
         dictionary version only; the alliance asks the attributed round again under the dictionary \
         of the pooled one, then opens a new pooled round"
    )]
    OtherDictionary(String),
    /// The whole was told of other releases of the months.
    #[error(
        "the pooled question asks about parts of the {what}, which this hospital told of other \
         releases: told {told}; now {now}; the alliance asks the attributed round again, this \
         hospital answers it, then the alliance opens a new pooled round"
    )]
    Restated {
        /// Which whole.
        what: String,
        /// Months and releases of what was told last.
        told: String,
        /// Those of the pooled round.
        now: String,
    },
    /// The whole is charged, but its answer has not left.
    #[error(
        "the pooled question asks about parts of the {0}, and the coordinator does not have this \
         hospital's attributed answer on the {0} yet; the steward lets it leave \
         (`consilium-node steward release`), or the alliance asks the attributed round again; until then \
         the pooled round waits"
    )]
    NotLeft(String),
    /// The policy has no canonical form.
    #[error("the policy has no digest")]
    Policy(#[from] canonical::Error),
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

/// Officers and policy as they stood when something was examined.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Under {
    /// Digest of rules and access policies, as two officers signed it.
    pub policy: Digest,
    /// Steps of the register of officers.
    pub steps: usize,
    /// Policies that were signed so far.
    pub policies: usize,
}

impl Under {
    /// Whether no officer came or left and no policy was signed since.
    pub async fn holds<'e>(
        &self,
        source: impl sqlx::Executor<'e, Database = sqlx::Sqlite>,
    ) -> Result<bool, StateError> {
        let row =
            sqlx::query("select (select count(*) from officers), (select count(*) from policies)")
                .fetch_one(source)
                .await?;
        let count = |at: usize| -> Result<usize, StateError> {
            usize::try_from(row.try_get::<i64, _>(at)?).map_err(|_| StateError::Range)
        };
        Ok((count(0)?, count(1)?) == (self.steps, self.policies))
    }
}

/// Who answers and pays, by which rules, when.
#[derive(Clone, Copy, Debug)]
pub struct Payer<'a> {
    /// The hospital.
    pub hospital: &'a Slug,
    /// Its message key.
    pub signer: &'a Signer,
    /// The purpose as the node's own policy classes it.
    pub purpose: Purpose,
    /// The node's policy.
    pub policy: &'a Privacy,
    /// Under what it is answered.
    pub under: Under,
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

/// The stored answer, if the question was answered before on the same data. A ledger that is rolled
/// back answers nothing, not even this.
pub async fn stored(state: &State, identity: &Identity) -> Result<Option<Charged>, LedgerError> {
    if rolled_back(state.pool()).await? {
        return Err(LedgerError::RolledBack);
    }
    let row = sqlx::query(FIND)
        .bind(identity.question().to_string())
        .bind(identity.releases())
        .bind(identity.mechanism().to_string())
        .fetch_optional(state.pool())
        .await?;
    row.map(|row| charged(&row.try_get::<String, _>(0)?))
        .transpose()
}

/// The ledger's line of what a failing committee would cost.
pub const WORST: &str = "pooled-worst";

const FIND: &str =
    "select sealed from answers where question = $1 and releases = $2 and mechanism = $3";

/// Whether a rollback was found that no steward has burned, or a backup put back that no officer has
/// acknowledged.
pub async fn rolled_back<'e>(database: impl sqlx::SqliteExecutor<'e>) -> Result<bool, LedgerError> {
    let waits = sqlx::query(
        "select 1 from rollbacks where burned is null union all \
         select 1 from restores where acknowledged is null limit 1",
    );
    Ok(waits.fetch_optional(database).await?.is_some())
}

/// What an answer would cost each data year now, and what the tightest of its quotas has left: zero
/// for one that is stored or belongs to a series that is paid.
pub async fn due(
    state: &State,
    identity: &Identity,
    payer: Payer<'_>,
) -> Result<(Rho, Rho), LedgerError> {
    let layout = identity.layout();
    let stored = stored(state, identity).await?.is_some();
    let paid_series = match layout.series {
        Some(series) => sqlx::query("select 1 from series where series = $1 limit 1")
            .bind(series.to_string())
            .fetch_optional(state.pool())
            .await?
            .is_some(),
        None => false,
    };
    let spent = lines(state).await?;
    let mut left = payer.policy.allowance.total;
    for year in layout.period.years() {
        for (purpose, limit) in [
            ("all", payer.policy.allowance.total),
            (name(payer.purpose), payer.policy.quota(payer.purpose)),
        ] {
            let line = spent
                .iter()
                .find(|line| line.year == year && line.purpose == purpose);
            let before = line.map_or(Rho::ZERO, |line| line.spent);
            let rest = limit.nano().saturating_sub(before.nano());
            left = left.min(Rho::from_nano(rest)?);
        }
    }
    let charge = if stored || paid_series {
        Rho::ZERO
    } else {
        layout.charge
    };
    Ok((charge, left))
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
