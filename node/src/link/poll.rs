//! The loop of a running node: wait for rounds, answer or decline, send, and once more after
//! every failure.

use std::path::Path;
use std::time::Duration;

use ring::rand::{SecureRandom as _, SystemRandom};
use schemas::digest::Digest;
use schemas::id::Slug;
use schemas::outcome::Reason;
use schemas::round::{Reply, Round, Said};
use schemas::seal::{Sealed, Signer};
use schemas::time::Timestamp;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::client::{Link, LinkError, Sent};
use super::exchange::{self, ExchangeError};
use super::moment::{self, Behind};
use super::outbox::{self, OutboxError, Word};
use crate::clock::Clock;
use crate::log::Leaves;
use crate::steward::{self, StewardError};
use crate::store::state::{State, StateError};

/// Seconds by which the coordinator's clock may be ahead.
const CLOCKS_APART: i64 = 300;
/// Seconds that the coordinator may hold a poll.
const WAIT: u64 = 20;
/// First pause after a failure; it doubles up to the last.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LAST_PAUSE: Duration = Duration::from_mins(1);
/// Pause while rounds wait for the steward.
const STEWARD_PAUSE: Duration = Duration::from_secs(1);

/// Why a turn of the loop failed. The next turn tries again.
#[derive(Debug, thiserror::Error)]
pub enum TurnError {
    /// The coordinator was not reached or refuses.
    #[error(transparent)]
    Link(#[from] LinkError),
    /// A reply could not be signed or stored.
    #[error(transparent)]
    Outbox(#[from] OutboxError),
    /// The state file failed.
    #[error("the state file could not be read or written")]
    State(#[from] StateError),
    /// Without this comparison nothing is answered.
    #[error("the log could not be compared with what the coordinator has seen of it")]
    Exchange(#[from] ExchangeError),
    /// The steward's register failed.
    #[error(transparent)]
    Steward(#[from] StewardError),
    /// The clock is not believed.
    #[error(transparent)]
    Clock(#[from] Behind),
    /// So many of the rounds were left as they are.
    #[error("{0} rounds could not be answered")]
    Unanswered(usize),
}

/// Who replies.
#[derive(Debug)]
pub struct Desk<'a> {
    /// The way to the coordinator.
    pub link: &'a Link,
    /// The node's state.
    pub state: &'a State,
    /// The node's message key.
    pub signer: &'a Signer,
    /// This hospital.
    pub hospital: &'a Slug,
    /// The data folder.
    pub folder: &'a Path,
    /// The time.
    pub clock: &'a Clock,
    /// Replies leave at whole multiples of this time after their round arrived, so that how long
    /// an answer took does not show below it.
    pub tick: Duration,
}

/// What became of a round in one turn.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Done {
    Settled,
    Failed,
    /// The steward decides; nothing is said yet.
    Waits,
}

/// Runs until `stop`. `answer` turns a round, verified and for this hospital, and its digest into
/// what is said, or `None` while its steward has not decided; where it fails, nothing is said and
/// the round is tried again later.
pub async fn run<F, E>(desk: &Desk<'_>, answer: F, stop: &CancellationToken)
where
    F: AsyncFn(&Round, Digest) -> Result<Option<Word>, E>,
    E: std::error::Error,
{
    if let Err(error) = super::dictionary::fetch(desk.link, desk.folder).await {
        tracing::warn!(%error, "no dictionary was fetched");
    }
    let mut pause = FIRST_PAUSE;
    let mut leaves = Leaves::default();
    while !stop.is_cancelled() {
        let done = tokio::select! {
            done = turn(desk, &mut leaves, &answer) => done,
            () = stop.cancelled() => return,
        };
        match done {
            Ok(waits) => {
                pause = FIRST_PAUSE;
                tokio::select! {
                    () = slowly(waits, desk.tick) => {}
                    () = stop.cancelled() => return,
                }
            }
            Err(error) => {
                let wait = jitter(pause);
                tracing::warn!(error = %chain(&error), wait_ms = wait.as_millis(), "trying again");
                tokio::select! {
                    () = tokio::time::sleep(wait) => {}
                    () = stop.cancelled() => return,
                }
                pause = pause.saturating_mul(2).min(LAST_PAUSE);
            }
        }
    }
}

/// Waits where rounds wait for the steward: the coordinator offers open rounds at once, so the loop
/// has to go slowly by itself.
async fn slowly(waits: Option<Instant>, tick: Duration) {
    if let Some(arrived) = waits {
        tokio::time::sleep(STEWARD_PAUSE).await;
        // A held answer was made meanwhile: the next request tells no more of how long it took
        // than a reply would.
        tokio::time::sleep_until(next_tick(arrived, Instant::now(), tick)).await;
    }
}

/// One poll and everything that it brings; where rounds wait for the steward, when they arrived.
pub async fn turn<F, E>(
    desk: &Desk<'_>,
    leaves: &mut Leaves,
    answer: &F,
) -> Result<Option<Instant>, TurnError>
where
    F: AsyncFn(&Round, Digest) -> Result<Option<Word>, E>,
    E: std::error::Error,
{
    // Nothing is answered by a clock that is not believed, and nothing without a certificate.
    let now = desk.clock.now();
    moment::check(desk.state, now).await?;
    match desk.link.renew_when_due(now).await {
        Ok(true) => tracing::info!("the certificate was renewed"),
        Ok(false) => {}
        Err(error @ (LinkError::Expired | LinkError::Revoked | LinkError::Pending)) => {
            return Err(error.into());
        }
        // A third of its life is left: the rounds come first, the next turn tries again.
        Err(error) => tracing::warn!(error = %chain(&error), "the certificate was not renewed"),
    }
    // Before anything is answered: whether the coordinator has seen a longer log of this node.
    exchange::exchange(desk, leaves).await?;
    // What a crash or a broken connection left open, the same bytes again.
    for (round, sealed) in outbox::unsettled(desk.state).await? {
        send(desk, leaves, &round, &sealed).await?;
    }
    let rounds = desk.link.rounds(WAIT).await?;
    moment::keep(desk.state, desk.clock.now()).await?;
    let arrived = Instant::now();
    let mut unanswered: usize = 0;
    let mut waits = false;
    for sealed in rounds {
        match reply(desk, leaves, &sealed, answer).await? {
            Done::Settled => {}
            Done::Failed => unanswered = unanswered.saturating_add(1),
            Done::Waits => waits = true,
        }
    }
    if unanswered > 0 {
        return Err(TurnError::Unanswered(unanswered));
    }
    Ok(waits.then_some(arrived))
}

/// Replies to one round.
async fn reply<F, E>(
    desk: &Desk<'_>,
    leaves: &mut Leaves,
    sealed: &Sealed<Round>,
    answer: &F,
) -> Result<Done, TurnError>
where
    F: AsyncFn(&Round, Digest) -> Result<Option<Word>, E>,
    E: std::error::Error,
{
    let round = match sealed.open(desk.link.alliance_key()) {
        Ok(round) => round,
        Err(error) => {
            tracing::warn!(%error, "a round is not the alliance's");
            note(desk, sealed, "a round that the alliance did not sign").await?;
            return Ok(Done::Failed);
        }
    };
    let digest = sealed.digest().map_err(OutboxError::from)?;
    if !round.roster.contains(desk.hospital) {
        tracing::warn!(round = %round.id, "a round does not ask this hospital");
        note(desk, sealed, "a round that does not ask this hospital").await?;
        return Ok(Done::Failed);
    }
    let stored = match outbox::find(desk.state, &digest).await? {
        Some(stored) if stored.settled => {
            // Settled here and still open there: the coordinator lost or refused it.
            tracing::warn!(round = %round.id, "a settled round is offered again");
            note(desk, sealed, "a settled round, offered again").await?;
            stored.sealed
        }
        Some(stored) => stored.sealed,
        None => {
            let arrived = Instant::now();
            let now = desk.clock.now();
            if outbox::taken(desk.state, &round.id, &digest).await? {
                tracing::warn!(round = %round.id, "another round bore this name before");
                note(desk, sealed, "a second round under the name of another").await?;
                let asked = (&round, digest);
                let word = Word::Declined(Reason::Refused);
                let (signer, hospital) = (desk.signer, desk.hospital);
                return match outbox::store(desk.state, signer, hospital, asked, word, now).await? {
                    Some(stored) => send(desk, leaves, &digest, &stored).await,
                    None => Ok(Done::Waits),
                };
            }
            let word = match answer_in_time(&round, digest, now, answer).await {
                Ok(Some(word)) => word,
                Ok(None) => return Ok(Done::Waits),
                Err(error) => {
                    tracing::error!(round = %round.id, error = %chain(&error), "no answer");
                    return Ok(Done::Failed);
                }
            };
            let asked = (&round, digest);
            let stored =
                outbox::store(desk.state, desk.signer, desk.hospital, asked, word, now).await?;
            let Some(stored) = stored else {
                return Ok(Done::Waits);
            };
            tokio::time::sleep_until(next_tick(arrived, Instant::now(), desk.tick)).await;
            stored
        }
    };
    send(desk, leaves, &digest, &stored).await
}

/// A round outside its window is not answered: it would cost allowance for nothing.
async fn answer_in_time<F, E>(
    round: &Round,
    digest: Digest,
    now: Timestamp,
    answer: &F,
) -> Result<Option<Word>, E>
where
    F: AsyncFn(&Round, Digest) -> Result<Option<Word>, E>,
{
    let window = round.deadline.0.saturating_sub(round.opened.0);
    let early = round.opened.0.saturating_sub(now.0) > CLOCKS_APART;
    if early || !(0..=Round::LONGEST).contains(&window) {
        return Ok(Some(Word::Declined(Reason::Refused)));
    }
    if now > round.deadline {
        return Ok(Some(Word::Declined(Reason::Late)));
    }
    answer(round, digest).await
}

/// Keeps an attempt in the node's log, once a message.
async fn note(
    desk: &Desk<'_>,
    sealed: &Sealed<Round>,
    what: &'static str,
) -> Result<(), TurnError> {
    let message = sealed.digest().map_err(OutboxError::from)?;
    Ok(steward::alarm(desk.state, message, what, desk.clock.now()).await?)
}

/// Sends a stored reply; it failed where the coordinator will never take it. Before an answer leaves, the
/// coordinator has seen its charge: a backup of before it that is put back after this is found out.
async fn send(
    desk: &Desk<'_>,
    leaves: &mut Leaves,
    round: &Digest,
    sealed: &Sealed<Reply>,
) -> Result<Done, TurnError> {
    let reply = sealed
        .open(&desk.signer.public())
        .map_err(OutboxError::from)?;
    if matches!(reply.said, Said::Answered(_)) && !exchange::exchange(desk, leaves).await? {
        tracing::warn!(round = %round.short(), "the answer waits until its charge is cosigned");
        return Ok(Done::Failed);
    }
    match desk.link.reply(round, sealed).await? {
        Sent::Acknowledged => {
            let now = desk.clock.now();
            outbox::reached(desk.state, desk.signer, round, sealed, now).await?;
            tracing::info!(round = %round.short(), "replied");
            Ok(Done::Settled)
        }
        Sent::Refused(status) => {
            outbox::settle(desk.state, round).await?;
            tracing::warn!(round = %round.short(), status, "the coordinator refused the reply");
            Ok(Done::Failed)
        }
    }
}

/// The first whole multiple of `tick` after `arrived` that is not before `now`; at least one.
pub(super) fn next_tick(arrived: Instant, now: Instant, tick: Duration) -> Instant {
    let tick = tick.max(Duration::from_millis(1));
    let passed = now.saturating_duration_since(arrived).as_nanos();
    let ticks = passed.div_ceil(tick.as_nanos()).max(1);
    let ticks = u32::try_from(ticks).unwrap_or(u32::MAX);
    arrived
        .checked_add(tick.saturating_mul(ticks))
        .unwrap_or(now)
}

/// From a half to the whole of a pause, so that nodes do not come back all at once.
pub(super) fn jitter(pause: Duration) -> Duration {
    let mut byte = [0; 1];
    // Without randomness the whole pause is as good.
    if SystemRandom::new().fill(&mut byte).is_err() {
        return pause;
    }
    let half = pause.checked_div(2).unwrap_or(pause);
    let part = half.saturating_mul(u32::from(byte[0])).checked_div(255);
    half.saturating_add(part.unwrap_or_default())
}

/// An error with its causes.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn replies_leave_on_the_tick() {
        let arrived = Instant::now();
        let tick = Duration::from_secs(1);
        for (passed, leaves) in [
            (0, 1000),
            (1, 1000),
            (999, 1000),
            (1000, 1000),
            (1001, 2000),
        ] {
            let now = arrived + Duration::from_millis(passed);
            assert_eq!(
                next_tick(arrived, now, tick),
                arrived + Duration::from_millis(leaves)
            );
        }
    }

    #[test]
    fn pauses_lie_between_half_and_whole() {
        for _ in 0..100 {
            let wait = jitter(LAST_PAUSE);
            assert!(wait >= LAST_PAUSE / 2 && wait <= LAST_PAUSE);
        }
    }
}
