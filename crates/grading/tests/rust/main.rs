//! Starters that are filled in: with the solution, with mistakes, and with attempts to cheat.
//!
//! What syntax refuses is tried in `crates/handin`; here are the rest, all of which have to be compiled.

#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod attacks;
mod filled_in;
#[path = "../machine/mod.rs"]
mod machine;
mod mistakes;
