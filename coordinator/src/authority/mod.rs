//! The alliance's own authority: a private CA that names members, and the key that signs
//! dictionaries and rounds.

mod identity;
mod issue;
mod keys;

pub use identity::{Role, certificate_digest, holder_of, hospital_of};
pub use issue::{Issued, RequestError};
pub use keys::{Authority, AuthorityError};
