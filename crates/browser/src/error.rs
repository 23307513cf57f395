//! What can go wrong with a browser.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

/// An error of this crate.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BrowserError {
    /// No browser is installed, or none where it was said to be.
    #[error(
        "{what}: install Chromium (the package `chromium` of Debian, Fedora and Homebrew) or Google \
         Chrome, or name the program with `--chromium PATH` or the variable {}",
        crate::VARIABLE
    )]
    NotFound {
        /// Where it was looked for.
        what: String,
    },
    /// The program was started and does not answer.
    #[error("{} does not start: {reason}{}", program.display(), lines(stderr))]
    NotStarted {
        /// The program.
        program: PathBuf,
        /// What was expected of it.
        reason: String,
        /// The last lines that it wrote.
        stderr: String,
    },
    /// Something took longer than was allowed.
    #[error("{operation}: no answer within {:.0} s", limit.as_secs_f64())]
    Timeout {
        /// What was waited for.
        operation: String,
        /// How long.
        limit: Duration,
    },
    /// The connection to the browser broke.
    #[error("{operation}: the connection to the browser is gone: {reason}")]
    Disconnected {
        /// What was tried.
        operation: String,
        /// Why it failed.
        reason: String,
    },
    /// The browser refused a command.
    #[error("{method}: the browser answers: {message}")]
    Refused {
        /// The command of the DevTools protocol.
        method: String,
        /// Its answer.
        message: String,
    },
    /// The browser's answer lacks something.
    #[error("{method}: expected {expected} in the answer, but got {got}")]
    Answer {
        /// The command of the DevTools protocol.
        method: String,
        /// What should be there.
        expected: &'static str,
        /// What is, shortened.
        got: String,
    },
    /// A page cannot be opened.
    #[error("cannot open {url}: {reason}")]
    Open {
        /// Its address.
        url: String,
        /// Why not.
        reason: String,
    },
    /// A script threw an exception.
    #[error("`{script}` fails: {message}")]
    Script {
        /// The script, shortened.
        script: String,
        /// The exception.
        message: String,
    },
    /// There is no such element, or it cannot be seen.
    #[error("the page has no visible element `{selector}`")]
    NoElement {
        /// The selector.
        selector: String,
    },
    /// No keyboard has such a key.
    #[error(
        "unknown key `{key}`: expected one character or a name such as Enter, Tab, Escape, ArrowLeft, \
         with modifiers before it: Shift+Tab"
    )]
    NoKey {
        /// The key.
        key: String,
    },
    /// A file or folder cannot be used.
    #[error("cannot {operation} {}: {cause}", path.display())]
    File {
        /// What was tried.
        operation: &'static str,
        /// With what.
        path: PathBuf,
        /// Why it failed.
        cause: io::Error,
    },
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
