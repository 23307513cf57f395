//! The results of the harness, as blocks of a chapter.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use crate::code::fenced;
use crate::evidence::{Check, Control, Evidence};
use crate::markdown::{Table, cells};
use html::escape;

/// The kinds of check, from the most general to the most particular.
const KINDS: [&str; 8] =
    ["course", "oracle", "gradient", "formula", "adjoint", "proof", "property", "control"];

impl Evidence {
    /// The questions that have checks.
    fn questions(&self) -> BTreeSet<&str> {
        self.checks.iter().map(|check| check.question.as_str()).collect()
    }

    /// The lines that the harness prints for a question, after the command.
    pub(crate) fn tests(&self, question: &str) -> Result<String, String> {
        let lines: Vec<&Check> = self.checks.iter().filter(|c| c.question == question).collect();
        if lines.is_empty() {
            let known = self.questions().into_iter().collect::<Vec<_>>().join(", ");
            return Err(format!(
                "the harness has no check of question `{question}`; it has: {known}"
            ));
        }
        let mut text = format!("$ {} {question}\n", self.command);
        for check in &lines {
            let _ = writeln!(text, "{}", check.line);
        }
        let (rule, count) = ("-".repeat(70), lines.len());
        let passed = lines.iter().filter(|check| check.status == "ok").count();
        let checks = if count == 1 { "check" } else { "checks" };
        let failed = count - passed;
        let _ = write!(text, "\n{rule}\nRan {count} {checks}\n\n{passed} passed, {failed} failed");
        Ok(fenced("text", &text))
    }

    /// A table: how many checks of which kind each question has.
    pub(crate) fn summary(&self) -> String {
        let ranked =
            |check: &Check| (KINDS.iter().position(|k| *k == check.kind), check.kind.clone());
        let kinds: BTreeSet<_> = self.checks.iter().map(ranked).collect();
        let kinds: Vec<String> = kinds.into_iter().map(|(_, kind)| kind).collect();
        let mut table = Table::new(&format!("question | >{} | >total", kinds.join(" | >")));
        for question in self.questions().into_iter().map(Some).chain([None]) {
            let count = |kind: Option<&String>| {
                let wanted = |check: &&Check| {
                    question.is_none_or(|question| question == check.question)
                        && kind.is_none_or(|kind| *kind == check.kind)
                };
                match self.checks.iter().filter(wanted).count() {
                    0 => String::new(),
                    number => number.to_string(),
                }
            };
            let counts = kinds.iter().map(Some).chain([None]).map(count);
            let question = question.unwrap_or("**total**").to_owned();
            table.row([question].into_iter().chain(counts));
        }
        table.0
    }

    /// The table of the deliberate bugs, of all questions or of one.
    pub(crate) fn negative_controls(&self, of: Option<&str>) -> Result<String, String> {
        let is_of = |control: &Control, of| control.question == of || control.subject == of;
        let wanted = |control: &&Control| of.is_none_or(|of| is_of(control, of));
        let controls: Vec<&Control> = self.controls.iter().filter(wanted).collect();
        if controls.is_empty() {
            return Err(match of {
                Some(of) => {
                    format!("no deliberate bug belongs to `{of}`, a question or what is under test")
                }
                None => "there is no deliberate bug".to_owned(),
            });
        }
        let mut table = Table::new("bug | where | what is wrong | caught by");
        for Control { id, question, subject, bug, caught_by } in controls {
            let mut subject = cell(subject);
            // In a table of one question or subject every row would name it.
            if of.is_none() {
                let _ = write!(subject, "\u{a0}({question})");
            }
            table.row(cells![format!("`{id}`"), subject, cell(bug), caught_by.join(", ")]);
        }
        Ok(table.0)
    }
}

/// Text that stays text. The table takes care of `|`.
fn cell(text: &str) -> String {
    let mut out = String::new();
    for character in escape(text).chars() {
        if "\\`*_{}[]~$#".contains(character) {
            out.push('\\');
        }
        out.push(character);
    }
    out
}

#[cfg(test)]
mod tests {
    use crate::evidence::tests::evidence;

    #[test]
    fn checks_and_bugs_are_listed_and_counted() {
        let evidence = evidence("ok");
        let tests = evidence.tests("4.1").unwrap();
        let controls = evidence.negative_controls(None).unwrap();
        for (text, expected) in [
            (
                &tests,
                "```text\n$ cargo xtask test 4.1\n\
                 test_forward (tests.test_activations.TestReLU) ... ok\n\
                 relu-backward (formulas) ... ok\n\n---",
            ),
            (&tests, "---\nRan 2 checks\n\n2 passed, 0 failed\n```\n"),
            (&evidence.summary(), "| question | course | formula | total |"),
            (&evidence.summary(), "| 4.1 | 1 | 1 | 2 |"),
            (&evidence.summary(), "| **total** | 2 | 1 | 3 |"),
            (&controls, "| `relu-sign` | ReLU\u{a0}(4.1) | a \\| b\\_c | course, gradient |"),
        ] {
            assert!(text.contains(expected), "{expected} in {text}");
        }
        let of_question = evidence.negative_controls(Some("4.1")).unwrap();
        assert_eq!(of_question, controls.replace("\u{a0}(4.1)", ""));
        assert_eq!(evidence.negative_controls(Some("ReLU")).unwrap(), of_question);
        assert!(evidence.tests("9").unwrap_err().contains("it has: 4.1, 4.2"));
        let error = evidence.negative_controls(Some("4.2")).unwrap_err();
        assert!(error.contains("no deliberate bug belongs to `4.2`"), "{error}");
    }
}
