//! `cargo xtask bench`: times kernels and training steps, and writes the record.

mod cli;
mod plan;
mod provenance;
mod tables;

use std::process::ExitCode;

use system::eprintln;

fn main() -> ExitCode {
    system::close(match cli::run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    })
}
