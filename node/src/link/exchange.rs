//! Witnessing, at every turn of the loop: hear what the coordinator keeps of the own log, send a
//! new checkpoint when the log has grown, cosign what others have.

use proofs::checkpoint::Checkpoint;
use proofs::note::Note;
use proofs::tree::Log;
use proofs::witness::{COORDINATOR, Refusal, Request};
use schemas::witness::Exchange;

use super::client::{Link, LinkError};
use super::poll::Desk;
use crate::log::{self, Keeper, Leaves, LogError, Standing};

/// Why this turn's exchange failed.
#[derive(Debug, thiserror::Error)]
pub enum ExchangeError {
    /// The coordinator was not reached or refuses.
    #[error(transparent)]
    Link(#[from] LinkError),
    /// The log or what came about it.
    #[error(transparent)]
    Log(#[from] LogError),
    /// A note that the coordinator sent is none.
    #[error("what the coordinator sent is not a checkpoint")]
    Note(#[from] proofs::note::NoteError),
}

/// What became of a checkpoint that was sent.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Sent {
    /// The coordinator cosigned: its signature lines.
    Cosigned(String),
    /// It stands at another size.
    Stale(u64),
    /// It refuses.
    Refused(u16),
}

/// One exchange; whether the coordinator has then seen the whole of this log. Where the coordinator keeps a checkpoint that this log does not continue, the
/// rollback is remembered; where it cannot be asked, the turn fails and nothing is answered.
pub(super) async fn exchange(desk: &Desk<'_>, leaves: &mut Leaves) -> Result<bool, ExchangeError> {
    let keeper = Keeper::open(desk.state, desk.signer, desk.hospital).await?;
    let Some(keeper) = keeper else {
        return Ok(true);
    };
    let origin = keeper.origin().await?;
    let known = log::known(desk.state).await?;
    let ask = Exchange {
        origin: origin.clone(),
        known,
    };
    let mut told = desk.link.exchange(&ask).await?;
    let now = desk.clock.now();
    // The coordinator's key is the one that the node joined with, whatever it says.
    told.keys
        .retain(|name, key| name.as_str() != COORDINATOR || key == desk.link.alliance_key());
    keeper.learn(&told.keys, now).await?;
    let tree = leaves.follow(desk.state).await?;
    let mut newest = 0;
    if let Some(own) = &told.own {
        let note = Note::parse(own.as_bytes())?;
        if keeper.compare(tree, &note, now).await? == Standing::Continues {
            keeper.keep(&note).await?;
        }
        newest = Checkpoint::parse(note.text()).map_or(0, |seen| seen.size);
    }
    let seen = if let Some(lost) = log::lost(desk.state).await? {
        let size = lost.checkpoint.size;
        tracing::error!(
            size,
            "LEDGER_ROLLED_BACK: nothing is answered; see `consilium-node log burn --help`"
        );
        false
    } else {
        tree.size() <= newest || submit(desk.link, &keeper, &origin, tree, newest).await?
    };
    for step in &told.steps {
        match log::cosign(&keeper, step, now).await? {
            Ok(()) => {}
            Err(refusal) if refusal.is_fork() => {
                tracing::error!(log = %step.origin, %refusal, "a fork was refused and kept");
            }
            // It grew meanwhile, or was cosigned already: the next exchange goes on from there.
            Err(refusal @ Refusal::Stale { .. }) => {
                tracing::debug!(log = %step.origin, %refusal, "not cosigned");
            }
            Err(refusal) => tracing::warn!(log = %step.origin, %refusal, "not cosigned"),
        }
    }
    for note in log::unsent(desk.state).await? {
        desk.link.cosigned(&note).await?;
        log::sent(desk.state, &note).await?;
    }
    Ok(seen)
}

/// The same outside the loop, for an officer who asks at the node: so that an old backup is noticed
/// before anything is answered from it.
pub async fn compare(desk: &Desk<'_>) -> Result<(), ExchangeError> {
    exchange(desk, &mut Leaves::default()).await.map(drop)
}

/// Sends a checkpoint of the log as it is; once more where the coordinator stands elsewhere. Whether it cosigned.
async fn submit(
    link: &Link,
    keeper: &Keeper<'_>,
    origin: &str,
    tree: &Log,
    newest: u64,
) -> Result<bool, ExchangeError> {
    let mut note = keeper.sign(origin, tree)?;
    let mut old = newest;
    for _ in 0..2 {
        let request = Request {
            old,
            proof: tree.consistency(old, tree.size()).map_err(LogError::from)?,
            note: note.clone(),
        };
        match link.add_checkpoint(&request).await? {
            Sent::Cosigned(lines) => {
                let cosigned = Note::parse(format!("{}\n{lines}", note.text()).as_bytes())?;
                note.merge(&cosigned)?;
                keeper.keep(&note).await?;
                return Ok(true);
            }
            Sent::Stale(known) if known <= tree.size() => old = known,
            Sent::Stale(known) => {
                tracing::warn!(known, "the coordinator has seen a longer log");
                return Ok(false);
            }
            Sent::Refused(status) => {
                tracing::warn!(status, "the coordinator does not cosign this log");
                return Ok(false);
            }
        }
    }
    Ok(false)
}
