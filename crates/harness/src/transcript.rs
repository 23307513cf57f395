//! The printed form of a run: that of Python's `unittest -v`, grouped by question.

use std::time::Duration;

use crate::foreign::Level;
use crate::{Check, Outcome, Status};

/// `test_forward (tests.test_layers.TestConv2D) ... ok`.
pub(crate) fn line(check: &Check, status: Status) -> String {
    format!("{} ... {}", title(check), word(status))
}

fn title(check: &Check) -> String {
    format!("{} ({})", check.name, check.group)
}

fn word(status: Status) -> &'static str {
    match status {
        Status::Ok => "ok",
        Status::Fail => "FAIL",
        Status::Error => "ERROR",
        Status::Skip => "skipped",
    }
}

/// The texts of a run, to be printed while it goes on.
pub(crate) struct Transcript {
    pub(crate) colors: bool,
    /// Whether each line ends with what was measured.
    pub(crate) details: bool,
    /// The question of the last line.
    pub(crate) question: Option<&'static str>,
}

impl Transcript {
    /// The line of one check, under the heading of its question.
    pub(crate) fn check(&mut self, check: &Check, outcome: &Outcome) -> String {
        let mut text = String::new();
        if self.question != Some(check.question) {
            let gap = if self.question.is_some() { "\n" } else { "" };
            text = format!("{gap}{}\n", self.paint("1", &heading(check.question)));
            self.question = Some(check.question);
        }
        let color = if outcome.failed() { "31" } else { "32" };
        text += &format!("{} ... {}", title(check), self.paint(color, word(outcome.status)));
        text += match (outcome.failed(), check.level) {
            (true, Level::Extra) => " (beyond the assignment)",
            (true, Level::Convention) => " (a convention)",
            _ => "",
        };
        if outcome.status == Status::Skip {
            text += &format!(" ({})", outcome.detail);
        }
        if self.details && outcome.passed() {
            let width = title(check).chars().count() + " ... ok".len();
            let gap = " ".repeat(78_usize.saturating_sub(width));
            text += &format!("{gap}  {}", measured(outcome));
        }
        text + "\n"
    }

    /// What went wrong with one check, what is known of it in lines of their own, and the command that runs it
    /// again.
    pub(crate) fn failure(
        &self,
        check: &Check,
        outcome: &Outcome,
        explanation: &str,
        again: &str,
    ) -> String {
        let (double, single) = ("=".repeat(70), "-".repeat(70));
        let heading = self.paint("31", &format!("{}: {}", word(outcome.status), title(check)));
        let detail = &outcome.detail;
        format!(
            "\n{double}\n{heading}\n{single}\n{detail}\n{explanation}the whole check: {again}\n"
        )
    }

    /// How many of a program's checks of one level passed.
    pub(crate) fn level(&self, what: &str, passed: usize, failed: usize, skipped: usize) -> String {
        let color = if failed == 0 { "32" } else { "31" };
        let verdict = self.paint(color, &format!("{passed} passed, {failed} failed"));
        let skipped = if skipped == 0 { String::new() } else { format!(", {skipped} skipped") };
        format!("{what}: {verdict}{skipped}\n")
    }

    /// How many checks ran, in what time, and how many of them passed.
    pub(crate) fn summary(&self, passed: usize, failed: usize, time: Duration) -> String {
        let count = passed + failed;
        let checks = if count == 1 { "check" } else { "checks" };
        let (rule, seconds) = ("-".repeat(70), time.as_secs_f64());
        let color = if failed == 0 { "32" } else { "31" };
        let verdict = self.paint(color, &format!("{passed} passed, {failed} failed"));
        format!("\n{rule}\nRan {count} {checks} in {seconds:.3}s\n\n{verdict}\n")
    }

    fn paint(&self, color: &str, text: &str) -> String {
        if self.colors { format!("\u{1b}[{color}m{text}\u{1b}[0m") } else { text.to_owned() }
    }
}

fn measured(outcome: &Outcome) -> String {
    let detail = &outcome.detail;
    let cases =
        if outcome.cases == 1 { "1 case".into() } else { format!("{} cases", outcome.cases) };
    if detail.starts_with(&cases) { detail.clone() } else { format!("{cases}; {detail}") }
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

pub(crate) mod tests {
    use super::*;
    use crate::Kind;

    fn print(colors: bool, details: bool) -> String {
        let [forward, backward] = ["test_forward", "test_backward"].map(|name| {
            Check::new("6.2", Kind::Course, "tests.test_layers.TestConv2D", name, |_| {
                Outcome::ok(1, "")
            })
        });
        let failure = Outcome::fail("0output differs");
        let mut transcript = Transcript { colors, details, question: None };
        [
            transcript.check(&forward, &Outcome::measured(6, 0.0, 1e-10, "")),
            transcript.check(&backward, &failure),
            transcript.failure(&backward, &failure, "", "cargo xtask test X"),
            transcript.summary(1, 1, Duration::from_millis(12)),
        ]
        .concat()
    }

    pub(crate) fn lines_are_those_of_unittest() {
        let expected = "\
Question 6.2: convolution
test_forward (tests.test_layers.TestConv2D) ... ok
test_backward (tests.test_layers.TestConv2D) ... FAIL

======================================================================
FAIL: test_backward (tests.test_layers.TestConv2D)
----------------------------------------------------------------------
0output differs
the whole check: cargo xtask test X

----------------------------------------------------------------------
Ran 2 checks in 0.012s

1 passed, 1 failed
";
        assert_eq!(print(false, false), expected);
        let detailed = print(false, true);
        assert!(detailed.contains("... ok                "), "{detailed}");
        assert!(detailed.contains("6 cases; largest error 0.0e0, bound 1e-10\n"), "{detailed}");
        let colored = print(true, false);
        assert!(colored.contains("... \u{1b}[32mok\u{1b}[0m"), "{colored}");
        let plain = ["\u{1b}[1m", "\u{1b}[31m", "\u{1b}[32m", "\u{1b}[0m"]
            .iter()
            .fold(colored, |text, code| text.replace(code, ""));
        assert_eq!(plain, expected);
    }
}
