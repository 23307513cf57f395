//! What a run says while it works: a bar on a terminal, plain lines elsewhere.

use std::fmt;
use std::io::IsTerminal;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
use stdio::eprintln;

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
        let (first, advice) = (done, None);
        Transfer { reporter: self, what, bar, total, start, first, done, said: start, advice }
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
    advice: Option<String>,
}

/// How long a transfer is watched before it is judged.
const JUDGED_AFTER: Duration = Duration::from_secs(10);

/// A wait that nobody needs to be warned of, in seconds.
pub(crate) const SHORT: f64 = 180.0;

/// How often a line is said where there is no bar.
const INTERVAL: Duration = Duration::from_secs(5);

impl Transfer<'_> {
    /// With what is said, once, if it turns out to take longer than a few minutes.
    #[must_use]
    pub(crate) fn advise(mut self, advice: Option<String>) -> Self {
        self.advice = advice;
        self
    }

    /// This many bytes are there in all, as far as one sees; fewer than before, or more than the
    /// total, are not counted.
    pub(crate) fn reach(&mut self, bytes: u64) {
        let bytes = self.total.map_or(bytes, |total| bytes.min(total));
        self.advance(bytes.saturating_sub(self.done));
    }

    /// This many more bytes are there.
    pub fn advance(&mut self, bytes: u64) {
        self.done += bytes;
        if let Some(bar) = &self.bar {
            bar.set_position(self.done);
        } else if self.said.elapsed() >= INTERVAL {
            self.said = Instant::now();
            self.reporter.say(&self.line());
        }
        if let Some(left) = self.seconds_left().filter(|left| *left > SHORT)
            && self.start.elapsed() >= JUDGED_AFTER
            && let Some(advice) = self.advice.take()
        {
            let text = format!("{}: this takes another {}. {advice}", self.what, duration(left));
            match &self.bar {
                Some(bar) => bar.suspend(|| self.reporter.say(&text)),
                None => self.reporter.say(&text),
            }
        }
    }

    /// The bytes that arrive in a second, as a mean since the beginning.
    fn speed(&self) -> f64 {
        (self.done - self.first) as f64 / self.start.elapsed().as_secs_f64().max(1e-3)
    }

    /// How long it still takes at this speed, if the total is known; without end if nothing arrives.
    fn seconds_left(&self) -> Option<f64> {
        Some(self.total?.saturating_sub(self.done) as f64 / self.speed())
    }

    fn line(&self) -> String {
        let speed = self.speed();
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
    match seconds {
        ..90.0 => format!("{seconds:.0} s"),
        ..7200.0 => format!("{:.0} min", seconds / 60.0),
        ..360_000.0 => format!("{:.0} hours", seconds / 3600.0),
        _ => "longer than one can say".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::rc::Rc;

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

    /// What is said when `done` of 4 MB have arrived after 20 seconds, piece by piece.
    fn said(done: u64) -> Vec<String> {
        let lines = Rc::new(RefCell::new(Vec::new()));
        let sink = Rc::clone(&lines);
        let reporter = Reporter::lines(move |line| sink.borrow_mut().push(line.to_owned()));
        let transfer = reporter.transfer("x.gz", 0, Some(4_000_000));
        let mut transfer = transfer.advise(Some("Try another.".to_owned()));
        transfer.start = Instant::now().checked_sub(Duration::from_secs(20)).unwrap();
        for part in 1..=4 {
            transfer.reach(done * part / 4);
        }
        drop(transfer);
        lines.take()
    }

    #[test]
    fn a_long_transfer_offers_another_way_once() {
        // The first quarter of 0.4 MB in 20 s: the other 3.9 MB take 780 s.
        assert_eq!(said(400_000), ["x.gz: this takes another 13 min. Try another."]);
        // Half a megabyte in 20 s at the first look: 140 s are left.
        assert_eq!(said(2_000_000), [""; 0]);
        let stalled = said(0);
        assert_eq!(stalled, ["x.gz: this takes another longer than one can say. Try another."]);
    }

    #[test]
    fn durations_are_seconds_and_then_minutes() {
        assert_eq!(duration(89.4), "89 s");
        assert_eq!(duration(170_052_171.0 / 50_000.0), "57 min");
        assert_eq!(duration(36_000.0), "10 hours");
        assert_eq!(duration(f64::INFINITY), "longer than one can say");
    }
}
