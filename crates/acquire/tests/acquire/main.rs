//! Finding and fetching, with a small data set and a web server on this machine.
//!
//! No test asks a registry or the official home of a data set.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod cache;
mod download;
mod server;
mod sources;
mod tiny;
