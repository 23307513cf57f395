//! Messages and progress of a run: a bar on a terminal, plain lines elsewhere.

use std::fmt;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use system::eprintln;

/// The receiver of messages and progress.
pub struct Reporter {
    write: Box<dyn Fn(&str)>,
    bars: bool,
}

impl Reporter {
    /// Writes to the standard error stream, with bars if that is a terminal.
    #[must_use]
    pub fn stderr() -> Self {
        let bars = !ProgressDrawTarget::stderr().is_hidden();
        Self { bars, ..Self::lines(|line| eprintln!("{line}")) }
    }

    /// Hands each line to `write`.
    #[must_use]
    pub fn lines(write: impl Fn(&str) + 'static) -> Self {
        Self { write: Box::new(write), bars: false }
    }

    /// Says nothing.
    #[must_use]
    pub fn quiet() -> Self {
        Self::lines(|_| {})
    }

    /// Says one line.
    pub fn say(&self, line: &str) {
        (self.write)(line);
    }

    /// Begins to follow a transfer of `total` bytes, of which `done` are there. If it turns out to take
    /// longer than a few minutes, `advice` is said, once.
    pub(crate) fn transfer(&self, what: &str, done: u64, total: u64, advice: &str) -> Transfer<'_> {
        let target =
            if self.bars { ProgressDrawTarget::stderr } else { ProgressDrawTarget::hidden };
        // No colours, so NO_COLOR has nothing to switch off.
        let template =
            "{msg} [{bar:30}] {percent:>3} % {bytes}/{total_bytes} {bytes_per_sec} ETA {eta}";
        let style = ProgressStyle::with_template(template)
            .unwrap_or_else(|_| ProgressStyle::default_bar())
            .progress_chars("=> ");
        let bar = ProgressBar::with_draw_target(Some(total), target())
            .with_style(style)
            .with_message(what.to_owned())
            .with_position(done);
        bar.reset_eta();
        let advice = Some(advice.to_owned());
        Transfer { reporter: self, bar, total, first: done, said: Instant::now(), advice }
    }
}

impl fmt::Debug for Reporter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Reporter")
    }
}

/// A transfer that is under way. Its bar vanishes when it is dropped.
pub(crate) struct Transfer<'a> {
    reporter: &'a Reporter,
    /// Hidden where there is no terminal.
    bar: ProgressBar,
    total: u64,
    /// The bytes that were there before.
    first: u64,
    said: Instant,
    advice: Option<String>,
}

/// The time for which a transfer is watched before it is judged.
const JUDGED_AFTER: Duration = Duration::from_secs(10);

/// A wait that nobody needs to be warned of, in seconds.
const SHORT: f64 = 180.0;

/// The pause between lines where there is no bar.
const INTERVAL: Duration = Duration::from_secs(5);

impl Transfer<'_> {
    /// So many bytes are there in all; fewer than before are not counted.
    pub(crate) fn reach(&mut self, bytes: u64) {
        self.bar.set_position(bytes.min(self.total).max(self.bar.position()));
        if !self.reporter.bars && self.said.elapsed() >= INTERVAL {
            self.said = Instant::now();
            self.reporter.say(&self.line());
        }
        let left = self.seconds_left();
        if left > SHORT
            && self.bar.elapsed() >= JUDGED_AFTER
            && let Some(advice) = self.advice.take()
        {
            let (what, left) = (self.bar.message(), duration(left));
            let text = format!("{what}: this takes another {left}. {advice}");
            self.bar.suspend(|| self.reporter.say(&text));
        }
    }

    /// The bytes that arrive in a second, as a mean since the beginning.
    fn speed(&self) -> f64 {
        (self.bar.position() - self.first) as f64 / self.bar.elapsed().as_secs_f64().max(1e-3)
    }

    /// The time that it still takes at this speed; without end if nothing arrives.
    fn seconds_left(&self) -> f64 {
        self.total.saturating_sub(self.bar.position()) as f64 / self.speed()
    }

    fn line(&self) -> String {
        format!(
            "{}: {:.1} of {:.1} MB, {:.0} kB/s, {} left",
            self.bar.message(),
            self.bar.position() as f64 / 1e6,
            self.total as f64 / 1e6,
            self.speed() / 1e3,
            duration(self.seconds_left())
        )
    }
}

impl Drop for Transfer<'_> {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

/// Seconds in words, as exact as one needs to decide whether to wait.
fn duration(seconds: f64) -> String {
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

    /// A transfer of 4 MB after 20 seconds.
    fn transfer(reporter: &Reporter, first: u64) -> Transfer<'_> {
        let mut transfer = reporter.transfer("x.gz", first, 4_000_000, "Try another.");
        transfer.bar = transfer.bar.clone().with_elapsed(Duration::from_secs(20));
        transfer
    }

    #[test]
    fn a_line_says_how_much_how_fast_and_how_long() {
        let reporter = Reporter::quiet();
        let mut transfer = transfer(&reporter, 1_000_000);
        transfer.reach(2_000_000);
        // One megabyte took twenty seconds, so the other two take forty.
        assert_eq!(transfer.line(), "x.gz: 2.0 of 4.0 MB, 50 kB/s, 40 s left");
    }

    #[test]
    fn a_long_transfer_offers_another_way_once() {
        let another = |wait: &str| vec![format!("x.gz: this takes another {wait}. Try another.")];
        for (done, expected) in [
            // The first quarter of 0.4 MB in 20 s: the other 3.9 MB take 780 s.
            (400_000, another("13 min")),
            // Half a megabyte in 20 s at the first look: 140 s are left.
            (2_000_000, vec![]),
            (0, another("longer than one can say")),
        ] {
            let lines = Rc::new(RefCell::new(Vec::new()));
            let sink = Rc::clone(&lines);
            let reporter = Reporter::lines(move |line| sink.borrow_mut().push(line.to_owned()));
            let mut transfer = transfer(&reporter, 0);
            (1..=4).for_each(|part| transfer.reach(done * part / 4));
            assert_eq!(lines.take(), expected);
        }
    }

    #[test]
    fn durations_are_seconds_and_then_minutes() {
        assert_eq!(duration(89.4), "89 s");
        assert_eq!(duration(170_052_171.0 / 50_000.0), "57 min");
        assert_eq!(duration(36_000.0), "10 hours");
    }
}
