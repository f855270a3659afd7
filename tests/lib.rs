//! Fixtures for the whole-alliance tests: a small dictionary, made stays, scripted noise.

#![expect(
    clippy::expect_used,
    reason = "a fixture that does not hold ends the test"
)]

pub mod fixture;
pub mod noise;
