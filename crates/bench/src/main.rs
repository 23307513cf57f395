//! `cargo xtask bench`: times kernels and training steps, and writes the record.
//!
//! A [`Case`](rounds::Case) is something to be timed. Cases run in turn, round after round, so that what else the
//! machine does meets all of them alike.

mod cli;

mod plan;

mod models;
mod rounds;

mod convolutions;
mod machine;
mod memory_bound;
mod products;
mod steps;

mod peer;

mod provenance;
mod tables;

use std::process::ExitCode;

fn main() -> ExitCode {
    system::finish(cli::run().map(|()| ExitCode::SUCCESS))
}
