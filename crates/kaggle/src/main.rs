//! The program of question 7: `cargo run -p kaggle`.

mod cli;
mod evaluate_command;
mod export_command;
mod options;
mod predict_command;
mod train_command;

use std::process::ExitCode;

use unified as _;

fn main() -> ExitCode {
    cli::main()
}
