//! Pooled answers: what hospitals, committee and coordinator say to each other so that the
//! coordinator learns the alliance's noised sums and nothing of one hospital (CAMS,
//! committee-aggregated mask sums).
//!
//! Each hospital adds its share of the noise and a mask to its vector and uploads once. The masks
//! follow from seeds that it seals to a committee; any `f` of its seats together lack one of them.
//! When enough hospitals have uploaded, a quorum of the committee certifies one set of survivors,
//! and hands out the sum of the survivors' masks, never a single one. Bytes and choices: ADR 5.
//!
//! Pure functions: no clock, no files, no network, nothing kept. What must be kept before something
//! is signed or sent is said where it matters. Secret random numbers come from the operating system
//! through ring.

pub mod wire;
pub mod shape;
pub mod threshold;
pub mod boxes;
pub mod key_list;
pub mod range;
pub mod manifest;
pub mod mask;
pub mod upload;
pub mod vote;
pub mod survivors;
pub mod inspect;
pub mod sums;
pub mod total;
pub mod family;
pub mod receipt;
pub mod offer;
pub mod work;
pub mod published;
