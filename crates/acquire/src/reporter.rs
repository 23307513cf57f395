//! Messages of a run, on the standard error stream.

use system::eprintln;

/// The receiver of messages.
#[derive(Clone, Copy, Debug)]
pub struct Reporter {
    /// Whether nothing is said.
    pub quiet: bool,
}

impl Reporter {
    /// Says one line.
    pub fn say(&self, line: &str) {
        if !self.quiet {
            eprintln!("{line}");
        }
    }
}
