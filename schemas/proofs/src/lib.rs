//! What is proven to third parties: logs that are signed and witnessed by others, and for the
//! insurer's audit one of sealed settlements, that an insurer can search with the claims it holds and
//! in no other way.
//!
//! Pure functions: no clock, no files, no network. Secret random numbers come from the operating
//! system through ring. What is proven and what is not is in ADR 3.

pub mod tree;
pub mod note;
pub mod checkpoint;
pub mod witness;
pub mod history;
pub mod stored;
pub mod oprf;
pub mod commit;
pub mod leaf;
pub mod sample;
pub mod parcel;
pub mod book;
pub mod exchange;
