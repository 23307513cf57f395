//! The printed form of a run: that of Python's `unittest -v`, grouped by question.

use std::time::Duration;

use crate::{Check, Outcome, Status};

/// `test_forward (tests.test_layers.TestConv2D) ... ok`.
#[must_use]
pub fn line(check: &Check, status: Status) -> String {
    format!("{} ... {}", title(check), word(status))
}

fn title(check: &Check) -> String {
    format!("{} ({})", check.name, check.group)
}

fn measured(outcome: &Outcome) -> String {
    let cases =
        if outcome.cases == 1 { "1 case".into() } else { format!("{} cases", outcome.cases) };
    if outcome.detail.starts_with(&cases) {
        return outcome.detail.clone();
    }
    format!("{cases}; {}", outcome.detail)
}

fn word(status: Status) -> &'static str {
    match status {
        Status::Ok => "ok",
        Status::Fail => "FAIL",
        Status::Error => "ERROR",
    }
}

/// Hands a run to `print`, text by text, while it goes on.
pub struct Transcript<P> {
    print: P,
    colors: bool,
    details: bool,
    question: Option<&'static str>,
}

impl<P: FnMut(&str)> Transcript<P> {
    /// A transcript that has not begun; with `details`, each line ends with what was measured.
    pub fn new(print: P, colors: bool, details: bool) -> Self {
        Self { print, colors, details, question: None }
    }

    /// The line of one check, under the heading of its question.
    pub fn check(&mut self, check: &Check, outcome: &Outcome) {
        if self.question != Some(check.question) {
            let gap = if self.question.is_some() { "\n" } else { "" };
            let heading = self.paint("1", &heading(check.question));
            self.print(&format!("{gap}{heading}\n"));
            self.question = Some(check.question);
        }
        let color = if outcome.passed() { "32" } else { "31" };
        let word = self.paint(color, word(outcome.status));
        let mut line = format!("{} ... {word}", title(check));
        if self.details && outcome.passed() {
            let width = title(check).chars().count() + " ... ok".len();
            let gap = " ".repeat(78_usize.saturating_sub(width));
            line += &format!("{gap}  {}", measured(outcome));
        }
        self.print(&(line + "\n"));
    }

    /// What went wrong with one check, and the command that runs it again.
    pub fn failure(&mut self, check: &Check, outcome: &Outcome, again: &str) {
        let (double, single) = ("=".repeat(70), "-".repeat(70));
        let heading = self.paint("31", &format!("{}: {}", word(outcome.status), title(check)));
        let detail = &outcome.detail;
        self.print(&format!("\n{double}\n{heading}\n{single}\n{detail}\nrun it again: {again}\n"));
    }

    /// A line on its own.
    pub fn note(&mut self, text: &str) {
        self.print(&format!("\n{text}\n"));
    }

    /// How many checks ran, in what time, and how many of them passed.
    pub fn summary(mut self, passed: usize, failed: usize, time: Duration) {
        let count = passed + failed;
        let checks = if count == 1 { "check" } else { "checks" };
        let (rule, seconds) = ("-".repeat(70), time.as_secs_f64());
        let verdict = self.paint(
            if failed == 0 { "32" } else { "31" },
            &format!("{passed} passed, {failed} failed"),
        );
        self.print(&format!("\n{rule}\nRan {count} {checks} in {seconds:.3}s\n\n{verdict}\n"));
    }

    fn print(&mut self, text: &str) {
        (self.print)(text);
    }

    fn paint(&self, color: &str, text: &str) -> String {
        if self.colors { format!("\u{1b}[{color}m{text}\u{1b}[0m") } else { text.to_owned() }
    }
}

fn heading(question: &str) -> String {
    let topic = match question {
        "4.1" => "activation functions",
        "4.2" => "the fully-connected layer",
        "4.3" => "softmax",
        "4.4" => "loss functions",
        "5" => "a network and its training",
        "6.1" => "einsum",
        "6.2" => "convolution",
        "6.3" => "pooling",
        "7" => "layers for training",
        "all" => return "For all questions".to_owned(),
        _ => return format!("Question {question}"),
    };
    format!("Question {question}: {topic}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Kind;

    fn check(question: &'static str, name: &str) -> Check {
        Check::new(question, Kind::Course, "tests.test_layers.TestConv2D", name, |_| {
            Outcome::ok(1, "")
        })
    }

    fn print(colors: bool, details: bool) -> String {
        let mut out = String::new();
        let mut transcript = Transcript::new(|text: &str| out.push_str(text), colors, details);
        let failure = Outcome::fail("0output differs");
        transcript.check(&check("6.2", "test_forward"), &Outcome::measured(6, 0.0, 1e-10, ""));
        transcript.check(&check("6.2", "test_backward"), &failure);
        transcript.failure(&check("6.2", "test_backward"), &failure, "cargo xtask test X");
        transcript.summary(1, 1, Duration::from_millis(12));
        out
    }

    #[test]
    fn lines_are_those_of_unittest() {
        let expected = "\
Question 6.2: convolution
test_forward (tests.test_layers.TestConv2D) ... ok
test_backward (tests.test_layers.TestConv2D) ... FAIL

======================================================================
FAIL: test_backward (tests.test_layers.TestConv2D)
----------------------------------------------------------------------
0output differs
run it again: cargo xtask test X

----------------------------------------------------------------------
Ran 2 checks in 0.012s

1 passed, 1 failed
";
        assert_eq!(print(false, false), expected);
    }

    #[test]
    fn details_follow_the_line_and_colors_are_only_added() {
        let detailed = print(false, true);
        assert!(detailed.contains("... ok                "), "{detailed}");
        assert!(detailed.contains("6 cases; largest error 0.0e0, bound 1e-10\n"), "{detailed}");
        let colored = print(true, false);
        assert!(colored.contains("... \u{1b}[32mok\u{1b}[0m"), "{colored}");
        let plain = ["\u{1b}[1m", "\u{1b}[31m", "\u{1b}[32m", "\u{1b}[0m"]
            .iter()
            .fold(colored, |text, code| text.replace(code, ""));
        assert_eq!(plain, print(false, false));
    }
}
