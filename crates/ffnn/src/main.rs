//! The Iris program of question 5: `cargo run -p ffnn -- train` and `cargo run -p ffnn -- sweep`.

mod cli;
mod failure;
mod sweep_command;
mod sweep_table;
mod train_command;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::main()
}
