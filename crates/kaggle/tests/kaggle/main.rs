//! The program as a user types it.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod bad_input;
mod evaluate;
mod machine;
mod predict;
mod shipped;
mod train;
