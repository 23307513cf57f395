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
/// and the arguments.
pub fn command_line(program: &str) -> String {
    let arguments = std::env::args_os().skip(1).map(system::quoted);
    std::iter::once(program.to_owned()).chain(arguments).collect::<Vec<_>>().join(" ")
}
