//! Fixtures for the whole-alliance tests: a small dictionary, made stays, scripted noise.

pub mod fixture;
pub mod noise;
pub mod officers;
pub mod simulation;
