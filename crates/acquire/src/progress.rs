//! What a run says while it works: a bar on a terminal, plain lines elsewhere.

use std::fmt;
use std::io::IsTerminal;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

/// Where messages and progress go.
pub struct Reporter(Style);

enum Style {
    /// Lines and bars on a terminal.
    Terminal,
    /// Lines for whoever takes them.
    Lines(Box<dyn Fn(&str)>),
}

impl Reporter {
    /// Writes to the standard error stream, with bars if that is a terminal.
    #[must_use]
    pub fn stderr() -> Self {
        let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        if std::io::stderr().is_terminal() && !dumb {
            Self(Style::Terminal)
        } else {
            Self::lines(|line| eprintln!("{line}"))
        }
    }

    /// Hands each line to `write`.
    #[must_use]
    pub fn lines(write: impl Fn(&str) + 'static) -> Self {
        Self(Style::Lines(Box::new(write)))
    }

    /// Says nothing.
    #[must_use]
    pub fn quiet() -> Self {
        Self::lines(|_| {})
    }

    /// Says one line.
    pub fn say(&self, line: &str) {
        match &self.0 {
            Style::Terminal => eprintln!("{line}"),
            Style::Lines(write) => write(line),
        }
    }

    /// Begins to follow a transfer of which `done` bytes are there; `total` if that is known.
    #[must_use]
    pub fn transfer(&self, what: &str, done: u64, total: Option<u64>) -> Transfer<'_> {
        let bar = matches!(self.0, Style::Terminal).then(|| {
            let bar = total.map_or_else(ProgressBar::new_spinner, ProgressBar::new);
            // No colours, so NO_COLOR has nothing to switch off.
            let template = if total.is_some() {
                "{msg} [{bar:30}] {bytes}/{total_bytes} {bytes_per_sec} ETA {eta}"
            } else {
                "{msg} {spinner} {bytes} {bytes_per_sec}"
            };
            if let Ok(style) = ProgressStyle::with_template(template) {
                bar.set_style(style.progress_chars("=> "));
            }
            bar.set_message(what.to_owned());
            bar.set_position(done);
            bar.reset_eta();
            bar
        });
        let start = Instant::now();
        let what = what.to_owned();
        Transfer { reporter: self, what, bar, total, start, first: done, done, said: start }
    }
}

impl fmt::Debug for Reporter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Reporter")
    }
}

/// A transfer that is under way. Its bar vanishes when it is dropped.
#[derive(Debug)]
pub struct Transfer<'a> {
    reporter: &'a Reporter,
    what: String,
    bar: Option<ProgressBar>,
    total: Option<u64>,
    start: Instant,
    first: u64,
    done: u64,
    said: Instant,
}

/// How often a line is said where there is no bar.
const INTERVAL: Duration = Duration::from_secs(5);

impl Transfer<'_> {
    /// This many more bytes are there.
    pub fn advance(&mut self, bytes: u64) {
        self.done += bytes;
        if let Some(bar) = &self.bar {
            bar.set_position(self.done);
        } else if self.said.elapsed() >= INTERVAL {
            self.said = Instant::now();
            self.reporter.say(&self.line());
        }
    }

    fn line(&self) -> String {
        let seconds = self.start.elapsed().as_secs_f64().max(1e-3);
        let speed = (self.done - self.first) as f64 / seconds;
        let done = format!("{}: {:.1}", self.what, self.done as f64 / 1e6);
        match self.total {
            Some(total) if speed > 0.0 => format!(
                "{done} of {:.1} MB, {:.0} kB/s, {} left",
                total as f64 / 1e6,
                speed / 1e3,
                duration(total.saturating_sub(self.done) as f64 / speed)
            ),
            _ => format!("{done} MB, {:.0} kB/s", speed / 1e3),
        }
    }
}

impl Drop for Transfer<'_> {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

/// Seconds in words, as exact as one needs to decide whether to wait.
pub(crate) fn duration(seconds: f64) -> String {
    if seconds < 90.0 { format!("{seconds:.0} s") } else { format!("{:.0} min", seconds / 60.0) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_how_much_how_fast_and_how_long() {
        let reporter = Reporter::quiet();
        let mut transfer = reporter.transfer("x.gz", 1_000_000, Some(4_000_000));
        transfer.start = Instant::now().checked_sub(Duration::from_secs(10)).unwrap();
        transfer.advance(1_000_000);
        let line = transfer.line();
        assert!(line.starts_with("x.gz: 2.0 of 4.0 MB, "), "{line}");
        // One of four megabytes took ten seconds, so the other two take twenty.
        assert!(line.ends_with("00 kB/s, 20 s left") || line.contains(" 20 s left"), "{line}");
        let unknown = reporter.transfer("x", 0, None).line();
        assert_eq!(unknown, "x: 0.0 MB, 0 kB/s");
    }

    #[test]
    fn durations_are_seconds_and_then_minutes() {
        assert_eq!(duration(89.4), "89 s");
        assert_eq!(duration(170_052_171.0 / 50_000.0), "57 min");
    }
}
