//! A question's way through the node. Nothing leaves the hospital by another way.

mod open;
mod judge;
mod round;

pub use judge::{Examined, examine};
pub use open::{OpenError, POLICY, floors, policy, standing};
pub use round::{Spoken, answer_round, asked_by};

use std::path::PathBuf;
use std::sync::Arc;

use policies::access::Verdict;
use policies::plan::{Layout, Refusal};
use policies::rules::Privacy;
use schemas::dictionary::Dictionary;
use schemas::digest::Digest;
use schemas::id::Slug;
use schemas::outcome::Reason;
use schemas::question::{Purpose, Question, Release};
use schemas::round::TemplateRef;
use schemas::seal::Signer;

use crate::access::Standing;
use crate::clock::Clock;
use crate::engine::Engine;
use crate::ledger::{self, Charged, Identity, LedgerError, Payer, Watch};
use crate::noise::{self, NoiseError, Source};
use crate::scan::{self, Exact, ScanError};
use crate::snapshot::{Cache, Released, SnapshotError};
use crate::steward::StewardError;
use crate::store::state::State;

/// Everything that answering needs, opened once.
#[derive(Debug)]
pub struct App {
    /// This hospital.
    pub hospital: Slug,
    /// The data folder.
    pub data: PathBuf,
    /// Ledger, answers, releases and log.
    pub state: State,
    /// The accepted dictionary.
    pub dictionary: Dictionary,
    /// The alliance's floors that questions cite.
    pub floors: Privacy,
    /// The hospital's own policy, nowhere looser than the floors.
    pub policy: Privacy,
    /// Who may do what, who decides here, and the policy that two officers signed.
    pub standing: Standing,
    /// The message key.
    pub signer: Signer,
    /// Where noise comes from.
    pub noise: Box<dyn Source>,
    /// Mapped months; a running node keeps them from round to round.
    pub cache: Arc<Cache>,
    /// The hospital's engine, where it scans.
    pub engine: Option<Engine>,
    /// Threads for scan and noise.
    pub threads: usize,
    /// The time.
    pub clock: Clock,
    /// Steps of a charge; does nothing outside tests.
    pub watch: Watch,
}

impl App {
    /// This hospital as the payer of a question, by its own policy, now.
    pub fn payer(&self, purpose: Purpose) -> Payer<'_> {
        Payer {
            hospital: &self.hospital,
            signer: &self.signer,
            purpose,
            policy: &self.policy,
            under: self.standing.under(),
            at: self.clock.now(),
        }
    }
}

/// A question as it reached the node.
#[derive(Clone, Debug)]
pub struct Asked {
    /// What is asked.
    pub question: Question,
    /// The template it claims to come from.
    pub template: Option<TemplateRef>,
    /// Who asks.
    pub by: By,
}

/// Who asks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum By {
    /// This hospital's own officer, at the node.
    Officer,
    /// The alliance, or through it the insurer, in a round: answered only with the steward's
    /// approval.
    Alliance {
        /// Digest of the round as signed.
        round: Digest,
        /// What the round says it is for; it decides who is judged, never which quota pays.
        purpose: Purpose,
    },
}

/// Why a question is not answered.
#[derive(Debug, thiserror::Error)]
pub enum Unanswered {
    /// A rule that everyone can check refuses it.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// It cites other rules than the alliance's floors that this node holds.
    #[error("the question cites another rule version than this node's floors")]
    OtherRules,
    /// The steward approved it neither once nor standing.
    #[error("the steward has not approved it: {0}")]
    NotApproved(&'static str),
    /// The access policies forbid it, or none permits it.
    #[error("{}", .0.reason)]
    Forbidden(Verdict),
    /// The steward's register could not be read.
    #[error(transparent)]
    Steward(#[from] StewardError),
    /// It says it comes from a template, but is not what that template asks.
    #[error("the question is not what its template asks")]
    NotItsTemplate,
    /// Its answer leaves in a sum or not at all.
    #[error("a pooled question is answered in pooled rounds only")]
    Pooled,
    /// No month of the period is released.
    #[error("no month of the period is released")]
    NoData,
    /// The data were coded by another dictionary.
    #[error("the released months were coded by another dictionary version; load them again")]
    NotMapped,
    /// Ledger: out of allowance, or the state file failed.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The released data could not be opened.
    #[error(transparent)]
    Snapshot(#[from] SnapshotError),
    /// The scan did not run.
    #[error(transparent)]
    Scan(#[from] ScanError),
    /// The noise could not be drawn.
    #[error(transparent)]
    Noise(#[from] NoiseError),
    /// Canonical form or signature failed.
    #[error("the answer could not be sealed")]
    Seal,
}

impl Unanswered {
    /// What the asker is told; `None` where the node itself failed and should try again.
    pub fn reason(&self) -> Option<Reason> {
        match self {
            Self::Refused(Refusal::OtherDictionary)
            | Self::NotMapped
            | Self::Noise(NoiseError::NoField) => Some(Reason::NotMapped),
            Self::Refused(_) | Self::OtherRules | Self::NotItsTemplate => Some(Reason::Refused),
            Self::NotApproved(_)
            | Self::Forbidden(_)
            | Self::Pooled
            | Self::Ledger(LedgerError::RolledBack | LedgerError::OtherWay(_)) => {
                Some(Reason::Declined)
            }
            Self::NoData => Some(Reason::NoData),
            Self::Ledger(LedgerError::OutOfAllowance { .. }) => Some(Reason::OutOfAllowance),
            Self::Ledger(_)
            | Self::Steward(_)
            | Self::Snapshot(_)
            | Self::Scan(_)
            | Self::Noise(_)
            | Self::Seal => None,
        }
    }
}

/// A question that policy and plan allow, bound to released data.
#[derive(Debug)]
pub struct Bound {
    /// The quota that pays.
    pub purpose: Purpose,
    /// The data.
    pub released: Released,
    identity: Identity,
}

impl Bound {
    /// The compiled question.
    pub fn layout(&self) -> &Layout {
        self.identity.layout()
    }

    /// Digest of the question.
    pub fn question(&self) -> Digest {
        self.identity.question()
    }

    /// Numbers of the releases, joined by commas.
    pub fn releases(&self) -> String {
        self.identity.releases()
    }

    /// The stored answer, if there is one; nothing is charged.
    pub async fn kept(&self, app: &App) -> Result<Option<Charged>, Unanswered> {
        Ok(ledger::stored(&app.state, &self.identity).await?)
    }

    /// Whether the answer is stored already.
    pub async fn stored(&self, app: &App) -> Result<bool, Unanswered> {
        Ok(self.kept(app).await?.is_some())
    }
}

/// Judges and compiles a question and binds it to the newest releases. Spends nothing and reads
/// no patient's row.
pub async fn bind(app: &App, asked: &Asked) -> Result<Bound, Unanswered> {
    let examined = examine(app, asked).await?;
    if let Some(why) = examined.waits {
        return Err(Unanswered::NotApproved(why));
    }
    Ok(examined.bound)
}

/// Answers a question, or says why not. The answer is charged and stored before it is returned.
pub async fn reply(app: &Arc<App>, asked: &Asked) -> Result<Charged, Unanswered> {
    if asked.question.release != Release::Attributed {
        return Err(Unanswered::Pooled);
    }
    let bound = bind(app, asked).await?;
    if let Some(stored) = ledger::stored(&app.state, &bound.identity).await? {
        return Ok(stored);
    }
    let payer = app.payer(bound.purpose);
    ledger::affordable(&app.state, bound.layout(), payer).await?;
    let worker = Arc::clone(app);
    let (layout, released) = (bound.layout().clone(), bound.released.clone());
    let drawn = tokio::task::spawn_blocking(move || draw(&worker, &layout, &released)).await;
    let drawn = drawn.map_err(|_| Unanswered::Scan(ScanError::Worker))??;
    Ok(ledger::charge(&app.state, &bound.identity, drawn, payer, app.watch).await?)
}

fn draw(app: &App, layout: &Layout, released: &Released) -> Result<noise::Noisy, Unanswered> {
    let exact = exact(app, layout, released)?;
    Ok(noise::add(layout, exact, app.noise.as_ref(), app.threads)?)
}

/// The exact cells, for the hospital's own pages. They cannot be serialized; whoever shows them
/// shows them to this hospital only.
pub fn exact(app: &App, layout: &Layout, released: &Released) -> Result<Exact, Unanswered> {
    if let Some(engine) = &app.engine {
        let parts = released.parts();
        return Ok(scan::pushed::run(layout, &app.dictionary, &parts, engine)?);
    }
    let rows = app.cache.rows(released, &app.dictionary)?;
    Ok(scan::run(layout, &app.dictionary, &rows, app.threads)?)
}

/// Digest of the alliance's floors as this node holds them.
pub fn floors_digest(app: &App) -> Result<Digest, Unanswered> {
    app.floors.digest().map_err(|_| Unanswered::Seal)
}
