//! A question's way through the node. Nothing leaves the hospital by another way.

mod open;

pub use open::{OpenError, POLICY, floors, policy};

use std::path::PathBuf;
use std::sync::Arc;

use policies::plan::{self, Layout, Refusal};
use policies::rules::Privacy;
use policies::template;
use schemas::dictionary::Dictionary;
use schemas::digest::Digest;
use schemas::id::Slug;
use schemas::outcome::Reason;
use schemas::question::{Purpose, Question};
use schemas::round::TemplateRef;
use schemas::seal::Signer;

use crate::clock::Clock;
use crate::ledger::{self, Charged, Identity, LedgerError, Payer, Watch};
use crate::noise::{self, NoiseError, Source};
use crate::scan::{self, Exact, ScanError};
use crate::snapshot::{self, Cache, Released, SnapshotError};
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
    /// The message key.
    pub signer: Signer,
    /// Where noise comes from.
    pub noise: Box<dyn Source>,
    /// Mapped months; a running node keeps them from round to round.
    pub cache: Arc<Cache>,
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
    /// Whether this hospital's own officer asks at the node; only then is a free question
    /// answered without a further approval.
    pub by_officer: bool,
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
    /// The hospital's policy does not answer this unasked.
    #[error("not among the policy's templates; the data officer has to approve it")]
    NotApproved,
    /// It says it comes from a template, but is not what that template asks.
    #[error("the question is not what its template asks")]
    NotItsTemplate,
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
            Self::Refused(Refusal::OtherDictionary) | Self::NotMapped => Some(Reason::NotMapped),
            Self::Refused(_) | Self::OtherRules | Self::NotItsTemplate => Some(Reason::Refused),
            Self::NotApproved | Self::Ledger(LedgerError::RolledBack) => Some(Reason::Declined),
            Self::NoData => Some(Reason::NoData),
            Self::Ledger(LedgerError::OutOfAllowance { .. }) => Some(Reason::OutOfAllowance),
            Self::Ledger(_) | Self::Snapshot(_) | Self::Scan(_) | Self::Noise(_) | Self::Seal => {
                None
            }
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

    /// Whether the answer is stored already.
    pub async fn stored(&self, app: &App) -> Result<bool, Unanswered> {
        Ok(ledger::stored(&app.state, &self.identity).await?.is_some())
    }
}

/// Judges and compiles a question and binds it to the newest releases. Spends nothing and reads
/// no patient's row.
pub async fn bind(app: &App, asked: &Asked) -> Result<Bound, Unanswered> {
    let purpose = judge(app, asked)?;
    let layout = plan::compile(&asked.question, &app.dictionary, &app.policy)?;
    plan::check_price(&layout, purpose, &app.policy)?;
    let released = snapshot::released(&app.state, &app.data, &asked.question.period).await?;
    if released.months.is_empty() {
        return Err(Unanswered::NoData);
    }
    if released.dictionaries != [layout.dictionary] {
        return Err(Unanswered::NotMapped);
    }
    let snapshots = released.months.clone();
    let identity = Identity::new(layout, snapshots).map_err(|_| Unanswered::Seal)?;
    Ok(Bound {
        purpose,
        released,
        identity,
    })
}

/// Whether the hospital's policy answers this at all, and which quota pays.
fn judge(app: &App, asked: &Asked) -> Result<Purpose, Unanswered> {
    let floors = app.floors.digest().map_err(|_| Unanswered::Seal)?;
    if asked.question.rules != floors {
        return Err(Unanswered::OtherRules);
    }
    let purpose = match &asked.template {
        Some(template) => {
            let purpose = app.policy.allow.templates.get(&template.to_string());
            let purpose = *purpose.ok_or(Unanswered::NotApproved)?;
            let own = template::shipped()
                .into_iter()
                .find(|own| own.reference() == *template);
            let own = own.ok_or(Unanswered::NotApproved)?;
            let drafted = own.draft(&app.dictionary, floors, asked.question.period);
            if drafted.map_or(true, |draft| draft.question != asked.question) {
                return Err(Unanswered::NotItsTemplate);
            }
            purpose
        }
        None if asked.by_officer => Purpose::Free,
        None => return Err(Unanswered::NotApproved),
    };
    if app.policy.allow.purposes.contains(&purpose) {
        Ok(purpose)
    } else {
        Err(Unanswered::NotApproved)
    }
}

/// Answers a question, or says why not. The answer is charged and stored before it is returned.
pub async fn reply(app: &Arc<App>, asked: &Asked) -> Result<Charged, Unanswered> {
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
    let rows = app.cache.rows(released, &app.dictionary)?;
    Ok(scan::run(layout, &app.dictionary, &rows, app.threads)?)
}

/// Digest of the alliance's floors as this node holds them.
pub fn floors_digest(app: &App) -> Result<Digest, Unanswered> {
    app.floors.digest().map_err(|_| Unanswered::Seal)
}
