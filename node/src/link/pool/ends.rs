//! Certificates and voids of rounds that ended, on their way to this node.

use pooled::survivors::{Certificate, VoidCertificate};
use pooled::work::Work;
use schemas::id::Slug;

use super::{Memory, PoolError, offer};
use crate::ledger::LedgerError;
use crate::link::client::Link;
use crate::pooled::{self as rounds, PooledError};

/// Certificates fetched in one look.
const MOST_HEARD: usize = 20;
/// Ends of rounds that are remembered as refused.
const MOST_REFUSED: usize = 10_000;

/// How a round ended.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum End {
    Certified,
    Voided,
}

impl PoolError {
    /// Whether what was fetched is refused for what it says: the same would be refused again. All
    /// else, such as a coordinator that is busy or a full disk, may be over at the next look.
    fn of_content(&self) -> bool {
        match self {
            Self::Shape(_)
            | Self::Wire(_)
            | Self::Offer(_)
            | Self::Inspect(_)
            | Self::Survivors(_) => true,
            Self::Pooled(error) => matches!(
                error,
                PooledError::Offer(_)
                    | PooledError::Manifest(_)
                    | PooledError::Survivors(_)
                    | PooledError::SecondManifest(_)
                    | PooledError::OtherSet
                    | PooledError::Ledger(
                        LedgerError::Void(_) | LedgerError::Voided(_) | LedgerError::Certified(_)
                    )
            ),
            Self::Link(_) | Self::Clock(_) | Self::Exchange(_) | Self::NotReady(_) => false,
        }
    }
}

/// Hears certificates and voids that are not known yet. What is refused for what it says is not fetched
/// again; what was not reached, or could not be stored, is tried at the next look.
pub(super) async fn hear_all(
    party: &rounds::Desk<'_>,
    link: &Link,
    work: &Work,
    memory: &mut Memory,
) -> Result<(), PoolError> {
    let state = &party.app.state;
    let certified = work.certified.iter().map(|round| (End::Certified, round));
    let voided = work.voided.iter().map(|round| (End::Voided, round));
    let mut fetched = 0_usize;
    for (end, round) in certified.chain(voided) {
        let known = match end {
            End::Certified => rounds::known(state, round).await?,
            End::Voided => rounds::voided(state, round).await?,
        };
        let key = (end, round.clone());
        if known || fetched >= MOST_HEARD || memory.refused.contains(&key) {
            continue;
        }
        fetched = fetched.saturating_add(1);
        let (heard, what) = match end {
            End::Certified => (hear(party, link, round).await, "a certificate"),
            End::Voided => (hear_void(party, link, round).await, "a void certificate"),
        };
        if let Err(error) = heard {
            memory.tell(what, &error);
            if error.of_content() && memory.refused.len() < MOST_REFUSED {
                memory.refused.insert(key);
            }
        }
    }
    Ok(())
}

async fn hear(party: &rounds::Desk<'_>, link: &Link, round: &Slug) -> Result<(), PoolError> {
    let offer = offer(link, round).await?;
    let bytes = link
        .pooled_get(&format!("rounds/{round}/certificate"))
        .await?;
    rounds::hear(party, &offer, &Certificate::parse(&bytes)?).await?;
    Ok(rounds::ended(party, &offer).await?)
}

async fn hear_void(party: &rounds::Desk<'_>, link: &Link, round: &Slug) -> Result<(), PoolError> {
    let offer = offer(link, round).await?;
    let bytes = link.pooled_get(&format!("rounds/{round}/void")).await?;
    let certificate = VoidCertificate::parse(&bytes)?;
    if let Some(credit) = rounds::hear_void(party, &offer, &certificate).await? {
        tracing::info!(%round, %credit, "voided by its committee: credited");
    }
    Ok(rounds::ended(party, &offer).await?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::link::client::LinkError;

    /// A node does not become deaf to a certificate or void because it was not reached once.
    #[test]
    fn only_refused_content_is_remembered() {
        for passing in [
            PoolError::Link(LinkError::Busy),
            PoolError::Link(LinkError::Status(500)),
            PoolError::Link(LinkError::Clock(400)),
            PoolError::NotReady(String::new()),
            PoolError::Pooled(PooledError::NoList),
            PoolError::Pooled(PooledError::Locked),
        ] {
            assert!(!passing.of_content(), "{passing}");
        }
        for refused in [
            PoolError::Pooled(PooledError::OtherSet),
            PoolError::Pooled(LedgerError::Voided("r1".parse().unwrap()).into()),
        ] {
            assert!(refused.of_content(), "{refused}");
        }
    }
}
