//! How the program fails.

use std::process::ExitCode;

use stdio::eprintln;

/// What ends the program before it has done what it was asked for.
#[derive(Debug)]
pub(crate) enum Failure {
    /// What was asked for makes no sense: exit code 2, as for an unknown flag.
    Usage(anyhow::Error),
    /// It could not be done: exit code 1.
    Failed(anyhow::Error),
}

impl Failure {
    /// A failure of the command line.
    pub(crate) fn usage(error: impl Into<anyhow::Error>) -> Self {
        Self::Usage(error.into())
    }

    /// Says what went wrong, in one line.
    pub(crate) fn report(&self) -> ExitCode {
        match self {
            Self::Usage(error) => {
                eprintln!("error: {error:#}\n\nFor more information, try '--help'.");
                ExitCode::from(2)
            }
            Self::Failed(error) => {
                eprintln!("error: {error:#}");
                ExitCode::FAILURE
            }
        }
    }
}

impl<E: Into<anyhow::Error>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}
