//! Command lines of the programs that train.

use std::error::Error;

/// An error of the command line, as an unknown option is one.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct UsageError(Box<dyn Error + Send + Sync>);

impl UsageError {
    /// For `map_err`: the command line asks for something that makes no sense.
    pub fn new(error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self(error.into())
    }
}

/// The command line of this process as it can be typed again: `program`, such as `cargo run -p ffnn --`,
/// and the arguments without those that choose among tasks: the record of a task is the same, whoever does it.
pub fn command_line(program: &str) -> String {
    let mut words = vec![program.to_owned()];
    let mut arguments = std::env::args_os().skip(1).map(system::quoted);
    while let Some(word) = arguments.next() {
        match word.split_once('=').map_or(&*word, |(option, _)| option) {
            "--status" | "--collect" => {}
            // Its value is a word of its own, or behind the sign.
            "--task" | "--emit" | "--at-a-time" if word.contains('=') => {}
            "--task" | "--emit" | "--at-a-time" => drop(arguments.next()),
            _ => words.push(word),
        }
    }
    words.join(" ")
}
