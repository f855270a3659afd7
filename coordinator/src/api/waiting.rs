//! What waits for members in pooled rounds, kept until something changes: they ask each second, and a
//! round that only waits is not opened anew for each of them.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

use schemas::id::Slug;
use schemas::time::Timestamp;
use tokio::sync::Mutex;

/// Seconds after which it is worked out anew although nothing changed: rounds close by the clock.
const SECONDS: i64 = 10;

/// How far everything that it follows from had got.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Mark {
    /// Length of the log: commands of other processes too.
    log: i64,
    /// What members sent to this process, some of which is in no log.
    sent: u64,
    at: Timestamp,
}

impl Mark {
    fn holds(self, now: Self) -> bool {
        let age = now.at.0.saturating_sub(self.at.0);
        (self.log, self.sent) == (now.log, now.sent) && (0..SECONDS).contains(&age)
    }
}

/// The last word to each member.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    sent: AtomicU64,
    kept: Mutex<BTreeMap<Slug, (Mark, Vec<u8>)>>,
}

impl Waiting {
    /// Something was sent: whatever waits may be another.
    pub(super) fn changed(&self) {
        self.sent.fetch_add(1, Ordering::SeqCst);
    }

    /// To be taken before anything is read.
    pub(super) fn mark(&self, log: i64, at: Timestamp) -> Mark {
        Mark {
            log,
            sent: self.sent.load(Ordering::SeqCst),
            at,
        }
    }

    /// What was said to the member, if it still holds.
    pub(super) async fn said(&self, member: &Slug, now: Mark) -> Option<Vec<u8>> {
        let kept = self.kept.lock().await;
        let (mark, said) = kept.get(member)?;
        mark.holds(now).then(|| said.clone())
    }

    /// Keeps what was said. Members are as many as the register holds.
    pub(super) async fn keep(&self, member: &Slug, mark: Mark, said: &[u8]) {
        let mut kept = self.kept.lock().await;
        kept.insert(member.clone(), (mark, said.to_vec()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn it_holds_until_something_changes_or_time_passes() {
        let (waiting, member) = (Waiting::default(), "h01".parse::<Slug>().unwrap());
        let at = |seconds: i64| Timestamp(1_000 + seconds);
        let first = waiting.mark(5, at(0));
        assert_eq!(waiting.said(&member, first).await, None);
        waiting.keep(&member, first, b"work").await;
        let said = async |log, seconds| waiting.said(&member, waiting.mark(log, at(seconds))).await;
        assert_eq!(said(5, 9).await.as_deref(), Some(&b"work"[..]));
        assert_eq!(said(6, 1).await, None, "the log grew");
        assert_eq!(said(5, 10).await, None, "a round may have closed");
        assert_eq!(said(5, -1).await, None, "the clock was put back");
        let other = "h02".parse().unwrap();
        assert_eq!(waiting.said(&other, waiting.mark(5, at(1))).await, None);
        waiting.changed();
        assert_eq!(said(5, 1).await, None, "something came");
    }
}
