//! What the harness found, as blocks of a chapter.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use crate::code::fenced;
use crate::evidence::{Check, Control, Evidence};
use crate::markup::escape;

/// The kinds of check, from the most general to the most particular.
const KINDS: [&str; 7] =
    ["course", "oracle", "gradient", "formula", "adjoint", "property", "control"];

impl Evidence {
    /// The lines that the harness prints for a question, after the command.
    ///
    /// # Errors
    /// If the question has no checks.
    pub fn tests(&self, question: &str) -> Result<String, String> {
        let lines: Vec<&Check> = self.checks.iter().filter(|c| c.question == question).collect();
        if lines.is_empty() {
            let known: BTreeSet<&str> = self.checks.iter().map(|c| c.question.as_str()).collect();
            let known = known.into_iter().collect::<Vec<_>>().join(", ");
            return Err(format!(
                "the harness has no check of question `{question}`; it has: {known}"
            ));
        }
        let mut text = format!("$ {} {question}\n", self.command);
        for check in &lines {
            let _ = writeln!(text, "{}", check.line);
        }
        let (count, passed) =
            (lines.len(), lines.iter().filter(|check| check.status == "ok").count());
        let checks = if count == 1 { "check" } else { "checks" };
        let rule = "-".repeat(70);
        let _ = write!(text, "\n{rule}\nRan {count} {checks}\n\n");
        let _ = write!(text, "{passed} passed, {} failed", count - passed);
        Ok(fenced("text", &text))
    }

    /// A table: how many checks of which kind each question has.
    #[must_use]
    pub fn summary(&self) -> String {
        let mut kinds: Vec<&str> = Vec::new();
        let mut counts: BTreeMap<(&str, &str), usize> = BTreeMap::new();
        for check in &self.checks {
            if !kinds.contains(&check.kind.as_str()) {
                kinds.push(&check.kind);
            }
            *counts.entry((&check.question, &check.kind)).or_default() += 1;
        }
        // In the order in which the harness lists them; not every question has all.
        kinds.sort_by_key(|kind| KINDS.iter().position(|known| known == kind));
        let questions: BTreeSet<&str> = self.checks.iter().map(|c| c.question.as_str()).collect();
        let count = |question: Option<&str>, kind: Option<&str>| -> usize {
            let wanted = |(q, k): &(&str, &str)| {
                question.is_none_or(|question| question == *q) && kind.is_none_or(|kind| kind == *k)
            };
            counts.iter().filter(|(key, _)| wanted(key)).map(|(_, count)| count).sum()
        };
        let mut table = String::from("| question |");
        kinds.iter().for_each(|kind| {
            let _ = write!(table, " {kind} |");
        });
        table.push_str(" total |\n|---|");
        table.push_str(&"--:|".repeat(kinds.len() + 1));
        for question in questions.into_iter().map(Some).chain([None]) {
            let _ = write!(table, "\n| {} |", question.unwrap_or("**total**"));
            for kind in kinds.iter().copied().map(Some).chain([None]) {
                match count(question, kind) {
                    0 => table.push_str(" |"),
                    number => {
                        let _ = write!(table, " {number} |");
                    }
                }
            }
        }
        table.push('\n');
        table
    }

    /// The table of the deliberate bugs, of all questions or of one.
    ///
    /// # Errors
    /// If the question has none.
    pub fn negative_controls(&self, of: Option<&str>) -> Result<String, String> {
        let mut table =
            String::from("| bug | where | what is wrong | caught by |\n|---|---|---|---|\n");
        let wanted = |control: &&Control| of.is_none_or(|of| control.question == of);
        if self.controls.iter().filter(wanted).count() == 0 {
            return Err(match of {
                Some(of) => format!("no deliberate bug belongs to question `{of}`"),
                None => "there is no deliberate bug".to_owned(),
            });
        }
        for Control { id, question, subject, bug, caught_by } in self.controls.iter().filter(wanted)
        {
            let bug = cell(bug);
            let caught_by = caught_by.join(", ");
            // In a table of one question every row would name it.
            let of_question =
                if of.is_none() { format!("\u{a0}({question})") } else { String::new() };
            let subject = cell(subject);
            let _ = writeln!(table, "| `{id}` | {subject}{of_question} | {bug} | {caught_by} |");
        }
        Ok(table)
    }
}

/// Text that stays one cell of a table, and text.
fn cell(text: &str) -> String {
    let mut out = String::new();
    for character in escape(text).chars() {
        if "\\`*_{}[]|~$#".contains(character) {
            out.push('\\');
        }
        out.push(character);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn evidence() -> Evidence {
        serde_json::from_str(&crate::evidence::tests::sample("ok")).unwrap()
    }

    #[test]
    fn the_tests_of_a_question_start_with_their_command() {
        let expected = "```text\n$ cargo xtask test 4.1\n\
            test_forward (tests.test_activations.TestReLU) ... ok\n\
            relu-backward (formulas) ... ok\n\n";
        let tests = evidence().tests("4.1").unwrap();
        assert!(tests.starts_with(expected), "{tests}");
        assert!(tests.ends_with("---\nRan 2 checks\n\n2 passed, 0 failed\n```\n"), "{tests}");
        assert!(evidence().tests("9").unwrap_err().contains("it has: 4.1, 4.2"));
    }

    #[test]
    fn the_tables_count_and_list() {
        let evidence = evidence();
        let summary = evidence.summary();
        assert!(summary.contains("| question | course | formula | total |"), "{summary}");
        assert!(
            summary.contains("| 4.1 | 1 | 1 | 2 |")
                && summary.contains("| **total** | 2 | 1 | 3 |")
        );
        let controls = evidence.negative_controls(None).unwrap();
        assert!(
            controls.contains("| `relu-sign` | ReLU\u{a0}(4.1) | a \\| b\\_c | course, gradient |"),
            "{controls}"
        );
        let of_question = evidence.negative_controls(Some("4.1")).unwrap();
        assert_eq!(of_question, controls.replace("\u{a0}(4.1)", ""));
        let error = evidence.negative_controls(Some("4.2")).unwrap_err();
        assert!(error.contains("no deliberate bug belongs to question `4.2`"), "{error}");
    }
}
