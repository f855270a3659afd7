//! The only place that asks for the time.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::UNIX_EPOCH;

use schemas::time::Timestamp;

/// Where the time comes from.
#[derive(Clone, Copy, Debug)]
pub enum Clock {
    /// The system's clock.
    System,
    /// Always the same moment, for tests and repeatable runs.
    Fixed(Timestamp),
    /// A clock that stands until it is set, for tests; whole seconds since 1970.
    Set(&'static AtomicI64),
}

impl Clock {
    /// The time now. A system clock before 1970 reads as 1970.
    pub fn now(&self) -> Timestamp {
        match self {
            #[expect(
                clippy::disallowed_methods,
                reason = "the one place that asks for the time"
            )]
            Self::System => {
                let since = std::time::SystemTime::now().duration_since(UNIX_EPOCH);
                let seconds = since.map_or(0, |elapsed| elapsed.as_secs());
                Timestamp(i64::try_from(seconds).unwrap_or(i64::MAX))
            }
            Self::Fixed(moment) => *moment,
            Self::Set(now) => Timestamp(now.load(Ordering::SeqCst)),
        }
    }
}
