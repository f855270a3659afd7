//! What is proven in the insurer's audit: an append-only log of sealed settlements, signed and
//! witnessed, that an insurer can search with the claims it holds and in no other way.
//!
//! Pure functions: no clock, no files, no network. Secret random numbers come from the operating
//! system through ring. What is proven and what is not is in ADR 3.

pub mod tree;
pub mod note;
pub mod checkpoint;
pub mod oprf;
pub mod commit;
pub mod leaf;
pub mod sample;
pub mod parcel;
pub mod book;
pub mod exchange;
