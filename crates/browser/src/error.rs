//! Errors of a browser.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

/// An error of this crate.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BrowserError {
    /// No browser is installed, or none where it was said to be.
    #[error(
        "{0}: install Chromium (the package `chromium` of Debian, Fedora and Homebrew) or Google \
         Chrome, or name the program with `--chromium PATH` or the variable {variable}",
        variable = crate::VARIABLE
    )]
    NotFound(String),
    /// The program was started and does not answer.
    #[error("{} does not start: {reason}{}", program.display(), lines(stderr))]
    NotStarted {
        /// The program.
        program: PathBuf,
        /// The expectation that failed.
        reason: String,
        /// The last lines that it wrote.
        stderr: String,
    },
    /// An operation took longer than was allowed.
    #[error("{0}: no answer within {limit:.0} s", limit = .1.as_secs_f64())]
    Timeout(String, Duration),
    /// The connection to the browser broke during an operation, for a reason.
    #[error("{0}: the connection to the browser is gone: {1}")]
    Disconnected(String, String),
    /// The browser refused a command, a script threw an exception, or a page lacks what is to be used.
    #[error("{0}")]
    Refused(String),
    /// A file or folder cannot be used.
    #[error("cannot {operation} {}: {cause}", path.display())]
    File {
        /// The attempt.
        operation: &'static str,
        /// Its object.
        path: PathBuf,
        /// The reason of the system.
        cause: io::Error,
    },
}

impl BrowserError {
    pub(crate) fn answer(method: &str, expected: &str, got: &str) -> Self {
        let got = shortened(got);
        Self::Refused(format!("{method}: expected {expected} in the answer, but got {got}"))
    }
}

fn lines(stderr: &str) -> String {
    if stderr.is_empty() { String::new() } else { format!("; its last lines are:\n{stderr}") }
}

/// The beginning of a text, for messages.
pub(crate) fn shortened(text: &str) -> String {
    let mut shown: String = text.trim().chars().take(120).collect();
    if shown.len() < text.trim().len() {
        shown.push('…');
    }
    shown
}
