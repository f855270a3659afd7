//! The node's only way out: HTTPS to the coordinator, as a member. The node asks; nobody connects
//! to it.

mod client;
mod dictionary;
mod identity;
mod moment;
mod outbox;
mod poll;
mod signed;

pub use client::{Link, LinkError, Sent};
pub use dictionary::{FetchError, fetch, offered};
pub use outbox::{OutboxError, Word};
pub use poll::{Desk, run};
pub use signed::Signed;
