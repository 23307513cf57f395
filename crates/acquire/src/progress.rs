//! Messages and progress of a run, on the standard error stream: a bar on a terminal, plain lines elsewhere.

use std::time::{Duration, Instant};

use indicatif::{DecimalBytes, HumanDuration, ProgressBar, ProgressDrawTarget, ProgressStyle};
use system::eprintln;

/// The receiver of messages and progress.
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

    /// Begins to follow a transfer of `total` bytes, of which `done` are there.
    pub(crate) fn transfer(&self, what: &str, done: u64, total: u64) -> Transfer {
        let target =
            if self.quiet { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr() };
        let says_lines = !self.quiet && target.is_hidden();
        // No colours, so NO_COLOR has nothing to switch off.
        let template =
            "{msg} [{bar:30}] {percent:>3} % {bytes}/{total_bytes} {bytes_per_sec} ETA {eta}";
        let style = ProgressStyle::with_template(template)
            .unwrap_or_else(|_| ProgressStyle::default_bar())
            .progress_chars("=> ");
        let bar = ProgressBar::with_draw_target(Some(total), target)
            .with_style(style)
            .with_message(what.to_owned())
            .with_position(done);
        bar.reset_eta();
        Transfer { bar, total, first: done, says_lines, said: Instant::now() }
    }
}

/// A transfer that is under way. Its bar vanishes when it is dropped.
pub(crate) struct Transfer {
    /// Hidden where there is no terminal.
    bar: ProgressBar,
    total: u64,
    /// The bytes that were there before.
    first: u64,
    says_lines: bool,
    said: Instant,
}

/// The pause between lines where there is no bar.
const INTERVAL: Duration = Duration::from_secs(5);

impl Transfer {
    /// So many bytes are there in all; fewer than before are not counted.
    pub(crate) fn reach(&mut self, bytes: u64) {
        self.bar.set_position(bytes.min(self.total).max(self.bar.position()));
        if self.says_lines && self.said.elapsed() >= INTERVAL {
            self.said = Instant::now();
            eprintln!("{}", self.line());
        }
    }

    /// The speed is the mean since the beginning.
    fn line(&self) -> String {
        let (what, done) = (self.bar.message(), self.bar.position());
        let speed = (done - self.first) as f64 / self.bar.elapsed().as_secs_f64().max(1e-3);
        let left = Duration::try_from_secs_f64((self.total - done) as f64 / speed);
        let left = left
            .map_or("no end in sight".to_owned(), |left| format!("{} left", HumanDuration(left)));
        let (done, total) = (DecimalBytes(done), DecimalBytes(self.total));
        format!("{what}: {done} of {total}, {}/s, {left}", DecimalBytes(speed as u64))
    }
}

impl Drop for Transfer {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_how_much_how_fast_and_how_long() {
        let mut transfer = Reporter { quiet: true }.transfer("x.gz", 1_000_000, 4_000_000);
        transfer.bar = transfer.bar.clone().with_elapsed(Duration::from_secs(20));
        assert_eq!(transfer.line(), "x.gz: 1.00 MB of 4.00 MB, 0 B/s, no end in sight");
        transfer.reach(2_000_000);
        // One megabyte took twenty seconds, so the other two take forty.
        assert_eq!(transfer.line(), "x.gz: 2.00 MB of 4.00 MB, 50.00 kB/s, 40 seconds left");
    }
}
