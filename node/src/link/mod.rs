//! The node's only way out: HTTPS to the coordinator, as a member. The node asks; nobody connects
//! to it.

mod carrier;
mod carry;
mod client;
mod dictionary;
mod exchange;
mod identity;
mod logs;
mod moment;
mod outbox;
mod poll;
mod pool;
mod signed;
mod years;

pub use carrier::{Came, Carried, Carrier};
pub use carry::carry;
pub use client::{Link, LinkError, Sent};
pub use dictionary::{FetchError, fetch, offered};
pub use exchange::{ExchangeError, compare};
pub use outbox::{OutboxError, Word};
pub use poll::{Desk, TurnError, run, turn};
pub use pool::pool;
pub use signed::Signed;
pub use years::Heard;
