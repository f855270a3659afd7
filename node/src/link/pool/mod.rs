//! Pooled rounds on their way: what waits is fetched, done, and sent back. The coordinator decides
//! nothing: each thing is checked by [`crate::pooled`].

mod ends;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use pooled::inspect::Proposal;
use pooled::offer::Offer;
use pooled::receipt::{Asked, Told};
use pooled::survivors::Certificate;
use pooled::work::{SeatTask, Step, Work};
use schemas::canonical;
use schemas::digest::Digest;
use schemas::id::Slug;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::client::{Link, LinkError, Sent, sent};
use super::poll::{Desk, jitter, next_tick};
use super::{exchange, moment};
use crate::answer::App;
use crate::log::Leaves;
use crate::pooled::{self as rounds, PooledError, Said};

/// Pause between two looks; longer while the coordinator is not reached.
const PAUSE: Duration = Duration::from_secs(1);
const LONG_PAUSE: Duration = Duration::from_secs(15);
/// Pauses while the coordinator is busy, doubled from the first to the last.
const FIRST_BACK_OFF: Duration = Duration::from_secs(5);
const LAST_BACK_OFF: Duration = Duration::from_mins(2);
/// Nonces of others that are remembered.
const MOST_ANSWERED: usize = 10_000;

/// Why one thing was not done. The next look tries again.
#[derive(Debug, thiserror::Error)]
enum PoolError {
    #[error(transparent)]
    Link(#[from] LinkError),
    #[error(transparent)]
    Pooled(#[from] PooledError),
    #[error("what the coordinator sent is refused")]
    Shape(#[from] canonical::Error),
    #[error(transparent)]
    Wire(#[from] ::pooled::wire::WireError),
    #[error(transparent)]
    Offer(#[from] ::pooled::offer::OfferError),
    #[error(transparent)]
    Inspect(#[from] ::pooled::inspect::InspectError),
    #[error(transparent)]
    Survivors(#[from] ::pooled::survivors::SurvivorsError),
    #[error(transparent)]
    Clock(#[from] moment::Behind),
    #[error("the log could not be compared with what the coordinator has seen of it")]
    Exchange(#[from] super::ExchangeError),
    #[error("the node is not ready: {0}")]
    NotReady(String),
}

/// Runs until `stop`. `open` gives the node as its officers have set it up now; with `uploads` off
/// only the committee member's part is done.
pub async fn pool<F, E>(desk: &Desk<'_>, open: F, uploads: bool, stop: &CancellationToken)
where
    F: AsyncFn() -> Result<Arc<App>, E>,
    E: std::error::Error,
{
    let mut memory = Memory::default();
    let mut back_off = FIRST_BACK_OFF;
    while !stop.is_cancelled() {
        let looked = tokio::select! {
            looked = look(desk, &open, uploads, &mut memory) => looked,
            () = stop.cancelled() => return,
        };
        let mut pause = PAUSE;
        if let Err(error) = looked {
            memory.tell("pooled rounds", &error);
            pause = LONG_PAUSE;
        }
        // Whatever of it was not done for that: every look more would keep the coordinator busy.
        if std::mem::take(&mut memory.busy) {
            pause = jitter(back_off);
            back_off = back_off.saturating_mul(2).min(LAST_BACK_OFF);
        } else {
            back_off = FIRST_BACK_OFF;
        }
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = stop.cancelled() => return,
        }
    }
}

/// What was done or said since the start, so that it is not done or said at every look.
#[derive(Default)]
struct Memory {
    compared: bool,
    leaves: Leaves,
    /// The nonce whose receipts were fetched, and how many there were.
    fetched: Option<(Digest, u32)>,
    /// Nonces of others that were answered, or will not be.
    answered: BTreeSet<Digest>,
    keys: BTreeSet<Digest>,
    /// Certificates and voids that were refused for what they say.
    refused: BTreeSet<(ends::End, Slug)>,
    unvoided: BTreeSet<Slug>,
    told: BTreeSet<String>,
    /// The coordinator said in this look that it is busy.
    busy: bool,
}

impl Memory {
    fn tell(&mut self, what: &str, error: &PoolError) {
        if matches!(error, PoolError::Link(LinkError::Busy)) {
            self.busy = true;
        }
        let text = format!("{what}: {error}");
        if self.told.len() < 10_000 && self.told.insert(text.clone()) {
            tracing::warn!(what = %text, "not done");
        }
    }
}

async fn look<F, E>(
    desk: &Desk<'_>,
    open: &F,
    uploads: bool,
    memory: &mut Memory,
) -> Result<(), PoolError>
where
    F: AsyncFn() -> Result<Arc<App>, E>,
    E: std::error::Error,
{
    moment::check(desk.state, desk.clock.now()).await?;
    if !memory.compared {
        // Before anything is voted or sent: whether a longer log of this node was seen.
        exchange::compare(desk).await?;
        rounds::begin(desk.state).await.map_err(PooledError::from)?;
        memory.compared = true;
    }
    let link = desk.link;
    let work = link.pooled_work().await?;
    let app = open()
        .await
        .map_err(|error| PoolError::NotReady(error.to_string()))?;
    let party = rounds::Desk {
        app: &app,
        alliance: link.alliance_key(),
    };
    rounds::destroy_old(&party).await?;
    for version in rounds::version(&app.state).await?.saturating_add(1)..=work.list {
        rounds::follow(&party, &link.pooled_get(&format!("lists/{version}")).await?).await?;
        // Who was a stranger may be a member now.
        memory.answered.clear();
    }
    if work.draft.is_some()
        && let Err(error) = countersign(&party, link).await
    {
        memory.tell("a key list was not countersigned", &error);
    }
    if let Err(error) = receipts(&party, link, &work, memory).await {
        memory.tell("receipts against rollback", &error);
    }
    if let Err(error) = seat_keys(&party, link, &work, memory).await {
        memory.tell("seat keys", &error);
    }
    ends::hear_all(&party, link, &work, memory).await?;
    for round in work.rounds.iter().filter(|_| uploads) {
        let arrived = Instant::now();
        if let Err(error) = upload(&party, (desk, &mut memory.leaves), round, arrived).await {
            memory.tell(round.as_str(), &error);
        }
    }
    for task in &work.seats {
        let void = task.step == Step::Void;
        if void && memory.unvoided.contains(&task.round) {
            continue;
        }
        if let Err(error) = sit(&party, link, task).await {
            // It certified, or saw a certificate: it never votes to void that round.
            let never = matches!(
                error,
                PoolError::Pooled(PooledError::Vote(_) | PooledError::OtherSet)
            );
            if void && never {
                memory.unvoided.insert(task.round.clone());
            }
            memory.tell(task.round.as_str(), &error);
        }
    }
    Ok(())
}

async fn countersign(party: &rounds::Desk<'_>, link: &Link) -> Result<(), PoolError> {
    let draft = link.pooled_get("draft").await?;
    let seal = rounds::countersign(party, &draft).await?;
    link.pooled_post("countersign", canonical::to_bytes(&seal)?)
        .await?;
    Ok(())
}

async fn seat_keys(
    party: &rounds::Desk<'_>,
    link: &Link,
    work: &Work,
    memory: &mut Memory,
) -> Result<(), PoolError> {
    for epoch in &work.epochs {
        for key in rounds::seat_keys(party, *epoch).await? {
            let digest = key.digest().map_err(PooledError::from)?;
            if memory.keys.contains(&digest) {
                continue;
            }
            link.pooled_post("seat-key", canonical::to_bytes(&key)?)
                .await?;
            memory.keys.insert(digest);
        }
    }
    Ok(())
}

/// Asks other seats how far they know the own log, hears them, and answers their asks.
async fn receipts(
    party: &rounds::Desk<'_>,
    link: &Link,
    work: &Work,
    memory: &mut Memory,
) -> Result<(), PoolError> {
    let tree = memory.leaves.follow(&party.app.state).await;
    let tree = tree.map_err(PooledError::from)?;
    if let Some(asked) = rounds::ask(party, tree).await? {
        let own = asked.open(&party.app.signer.public());
        let nonce = own.map_err(PooledError::from)?.nonce;
        let held = (nonce, work.receipts);
        if work.asked != Some(nonce) {
            link.pooled_post("ask", canonical::to_bytes(&asked)?)
                .await?;
        } else if work.receipts > 0 && memory.fetched != Some(held) {
            let told: Vec<Told> = canonical::from_bytes(&link.pooled_get("receipts").await?)?;
            rounds::take(party, tree, &told).await?;
            memory.fetched = Some(held);
        }
    }
    for ask in &work.asks {
        if memory.answered.len() > MOST_ANSWERED {
            memory.answered.clear();
        }
        if !memory.answered.insert(ask.nonce) {
            continue;
        }
        if let Err(error) = witness(party, link, &ask.subject).await {
            if matches!(error, PoolError::Link(_)) {
                memory.answered.remove(&ask.nonce);
            }
            memory.tell("a receipt for another", &error);
        }
    }
    Ok(())
}

async fn witness(party: &rounds::Desk<'_>, link: &Link, subject: &Slug) -> Result<(), PoolError> {
    let asked = link.pooled_get(&format!("asks/{subject}")).await?;
    let told = rounds::witness(party, &Asked::parse(&asked)?).await?;
    link.pooled_post("receipt", canonical::to_bytes(&told)?)
        .await?;
    Ok(())
}

async fn offer(link: &Link, round: &Slug) -> Result<Offer, PoolError> {
    Ok(Offer::parse(
        &link.pooled_get(&format!("rounds/{round}")).await?,
    )?)
}

async fn upload(
    party: &rounds::Desk<'_>,
    (desk, leaves): (&Desk<'_>, &mut Leaves),
    round: &Slug,
    arrived: Instant,
) -> Result<(), PoolError> {
    let link = desk.link;
    let offer = offer(link, round).await?;
    let paid = match rounds::answer(party, &offer).await? {
        Said::Upload(paid) => paid,
        Said::Waits | Said::Declined(_) => return Ok(()),
    };
    // How long scan and noise took does not show below the tick.
    tokio::time::sleep_until(next_tick(arrived, Instant::now(), desk.tick)).await;
    // The charge is seen elsewhere before its upload is, as an answer's is.
    if !exchange::exchange(desk, leaves).await? {
        let told = "the coordinator has not cosigned the charge of an upload";
        return Err(PoolError::NotReady(told.to_owned()));
    }
    let path = format!("rounds/{round}/upload");
    let sent = link.pooled_post(&path, paid.bytes().to_vec()).await?;
    match sent {
        Sent::Acknowledged => tracing::info!(%round, "uploaded"),
        Sent::Refused(status) => tracing::warn!(%round, status, "the upload was refused"),
    }
    Ok(rounds::taken(party.app, round).await?)
}

/// Does what waits for this seat, and notes for the steward that it did, or why not.
async fn sit(party: &rounds::Desk<'_>, link: &Link, task: &SeatTask) -> Result<(), PoolError> {
    let offer = offer(link, &task.round).await?;
    let done = say(party, link, task, &offer).await;
    let said = match &done {
        Ok(()) => Ok(match task.step {
            Step::Inspect => "it looked at its boxes",
            Step::Certify => "it voted for the set",
            Step::Sum(_) => "it gave its mask sums",
            Step::Void => "it voted that the round ends without a result",
        }),
        // Not heard by the coordinator, or busy: the next look tries again.
        Err(PoolError::Link(_)) => return done,
        Err(error) => Err(error.to_string()),
    };
    rounds::seated(party, &offer, said).await?;
    done
}

async fn say(
    party: &rounds::Desk<'_>,
    link: &Link,
    task: &SeatTask,
    offer: &Offer,
) -> Result<(), PoolError> {
    let round = &task.round;
    if task.step == Step::Void {
        let word = canonical::to_bytes(&rounds::void(party, offer).await?)?;
        let path = format!("rounds/{round}/word");
        link.pooled_post(&path, word).await?;
        return Ok(());
    }
    let proposal = link.pooled_get(&format!("rounds/{round}/proposal")).await?;
    let proposal = Proposal::parse(&proposal)?;
    let word = match &task.step {
        Step::Inspect => rounds::inspect(party, offer, &proposal).await?,
        Step::Certify => rounds::certify(party, offer, &proposal).await?,
        Step::Sum(vectors) => {
            let bytes = link
                .pooled_get(&format!("rounds/{round}/certificate"))
                .await?;
            let certificate = Certificate::parse(&bytes)?;
            let sums = rounds::sums(party, offer, &proposal, &certificate, vectors).await?;
            for sum in sums {
                link.pooled_post(&format!("rounds/{round}/sum"), sum)
                    .await?;
            }
            return Ok(());
        }
        Step::Void => return Ok(()),
    };
    let body = canonical::to_bytes(&word)?;
    link.pooled_post(&format!("rounds/{round}/word"), body)
        .await?;
    Ok(())
}

impl Link {
    /// What waits for this member.
    pub async fn pooled_work(&self) -> Result<Work, LinkError> {
        let (body, _) = self.get("/v1/pooled/work", 0).await?;
        Ok(canonical::from_bytes(&body)?)
    }

    /// Fetches something of the pooled rounds; nothing in it is believed yet.
    pub async fn pooled_get(&self, path: &str) -> Result<Vec<u8>, LinkError> {
        Ok(self.get(&format!("/v1/pooled/{path}"), 0).await?.0)
    }

    /// Sends something of the pooled rounds as a signed request.
    pub async fn pooled_post(&self, path: &str, body: Vec<u8>) -> Result<Sent, LinkError> {
        sent(self.post(&format!("/v1/pooled/{path}"), body).await?.0)
    }
}
