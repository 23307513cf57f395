//! Trainings of a tiny network on synthetic images.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod checkpoints;
mod configuration;
mod evaluation;
mod kept_memory;
mod learning;
mod resume;
mod sizes;
mod tiny;
