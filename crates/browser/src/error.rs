//! Errors of a browser.

use std::fmt::Display;

/// Why a browser was not found, does not start, does not answer in time or refuses a command, or which
/// exception a script throws.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct BrowserError(pub(crate) String);

impl BrowserError {
    /// What was tried, and why it failed.
    pub(crate) fn of(operation: impl Display, reason: impl Display) -> Self {
        Self(format!("{operation}: {reason}"))
    }
}

/// The beginning of a text, for messages.
pub(crate) fn shortened(text: &str) -> String {
    let mut shown: String = text.trim().chars().take(120).collect();
    if shown.len() < text.trim().len() {
        shown.push('…');
    }
    shown
}
