//! The results of the harness, as blocks of a chapter.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use crate::code::fenced;
use crate::evidence::{Check, Control, Evidence};
use crate::markdown::{Table, cells};
use html::escape;

/// The kinds of check, from the most general to the most particular.
pub(crate) const KINDS: [&str; 8] =
    ["course", "oracle", "gradient", "formula", "adjoint", "proof", "property", "control"];

impl Evidence {
    /// The questions that have checks.
    fn questions(&self) -> BTreeSet<&str> {
        self.checks.iter().map(|check| check.question.as_str()).collect()
    }

    /// The checks of a question, or those of a class, as `TestReLU`.
    pub(crate) fn selected(&self, name: &str) -> Result<Vec<&Check>, String> {
        let is_selected =
            |check: &&Check| check.question == name || check.group.rsplit('.').next() == Some(name);
        let checks: Vec<&Check> = self.checks.iter().filter(is_selected).collect();
        if checks.is_empty() {
            let known = self.questions().into_iter().collect::<Vec<_>>().join(", ");
            return Err(format!("the harness has no check of question `{name}`; it has: {known}"));
        }
        Ok(checks)
    }

    /// The lines that the harness prints for a question or a class, after the command: those of the course's tests, and
    /// of what fails; the rest is folded.
    pub(crate) fn tests(&self, name: &str) -> Result<String, String> {
        let lines = self.selected(name)?;
        let mut text = format!("$ {} {name}\n", self.command);
        let (shown, folded): (Vec<&Check>, Vec<&Check>) =
            lines.iter().partition(|check| check.kind == "course" || check.status != "ok");
        for check in &shown {
            let _ = writeln!(text, "{}", check.line);
        }
        if !folded.is_empty() {
            let of = |kind| (folded.iter().filter(|check| check.kind == kind).count(), kind);
            let counts = KINDS.map(of).into_iter().filter(|(count, _)| *count > 0);
            let counts: Vec<_> = counts.map(|(count, kind)| format!("{count} {kind}")).collect();
            let _ = writeln!(text, "[{} more: {}]", folded.len(), counts.join(", "));
        }
        let (rule, count) = ("-".repeat(70), lines.len());
        let passed = lines.iter().filter(|check| check.status == "ok").count();
        let checks = if count == 1 { "check" } else { "checks" };
        let failed = count - passed;
        let _ = write!(text, "\n{rule}\nRan {count} {checks}\n\n{passed} passed, {failed} failed");
        let mut block = fenced("text", &text);
        if !folded.is_empty() {
            let lines: Vec<&str> = folded.iter().map(|check| check.line.as_str()).collect();
            let summary = match lines.len() {
                1 => "The other check".to_owned(),
                count => format!("The other {count} checks"),
            };
            block += &folded_block("fold lines", &summary, &fenced("text", &lines.join("\n")));
        }
        Ok(block)
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
        let summary = match controls.len() {
            1 => "1 deliberate bug, which is caught".to_owned(),
            count => format!("{count} deliberate bugs, each of which is caught"),
        };
        let mut table = Table::new("bug | where | what is wrong | caught by");
        for Control { id, question, subject, bug, caught_by } in controls {
            let mut subject = cell(subject);
            // In a table of one question or subject every row would name it.
            if of.is_none() {
                let _ = write!(subject, "\u{a0}({question})");
            }
            table.row(cells![format!("`{id}`"), subject, cell(bug), caught_by.join(", ")]);
        }
        Ok(folded_block("fold", &summary, &table.0))
    }
}

/// A block that a reader unfolds. On paper there is its summary, except for `.lines`.
fn folded_block(class: &str, summary: &str, block: &str) -> String {
    format!("\n<details class=\"{class}\">\n<summary>{summary}</summary>\n\n{block}\n</details>\n")
}

/// Text that stays text. The table takes care of `|`.
pub(crate) fn cell(text: &str) -> String {
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
                 [1 more: 1 formula]\n\n---",
            ),
            (&tests, "---\nRan 2 checks\n\n2 passed, 0 failed\n```\n"),
            (
                &tests,
                "<summary>The other check</summary>\n\n```text\nrelu-backward (formulas) ... ok\n```\n",
            ),
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
        let of_class = evidence.tests("TestReLU").unwrap();
        assert!(of_class.contains("xtask test TestReLU\ntest_forward (tests.test"), "{of_class}");
        assert!(of_class.contains("Ran 1 check\n"), "{of_class}");
        assert!(evidence.tests("9").unwrap_err().contains("it has: 4.1, 4.2"));
        let error = evidence.negative_controls(Some("4.2")).unwrap_err();
        assert!(error.contains("no deliberate bug belongs to `4.2`"), "{error}");
    }
}
