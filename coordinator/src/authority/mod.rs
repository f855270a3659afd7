//! The alliance's own authority: an offline root, an issuing CA that names members, its revocation
//! lists, and the key that signs dictionaries, rounds and receipts.

mod identity;
mod issue;
mod keys;
mod revoked;
mod root;

pub use identity::{Role, certificate_digest, holder_of, hospital_of};
pub use issue::{Issued, RequestError, possesses};
pub use keys::{Authority, AuthorityError};
pub use revoked::Revoked;
pub use root::Root;
