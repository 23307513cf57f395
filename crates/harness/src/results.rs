//! The machine-readable result of a run, which the book embeds.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::step_curve::StepCurve;
use crate::worked::Tensor;
use crate::{Check, HarnessError, Kind, Outcome, Status, transcript};

/// A run of all checks on the fixtures.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Results {
    /// The version of this form.
    pub schema: u32,
    /// [`inputs_sha256`](crate::workspace::inputs_sha256) of what was run.
    pub inputs_sha256: String,
    /// The command that repeats the run.
    pub command: String,
    /// The seed of random checks.
    pub seed: u64,
    /// How many checks passed.
    pub passed: usize,
    /// How many did not.
    pub failed: usize,
    /// How long they took.
    pub seconds: f64,
    /// All checks, in the order in which they were printed.
    pub checks: Vec<CheckRecord>,
    /// The deliberate bugs, and what caught them.
    pub controls: Vec<ControlRecord>,
    /// The worked examples of the book, see [`worked`](crate::worked).
    pub worked: BTreeMap<String, Tensor>,
    /// How the finite differences of each layer depend on their step, see
    /// [`step_curve`](crate::step_curve).
    pub step_curves: Vec<StepCurve>,
}

/// One check and its outcome.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CheckRecord {
    /// The question of the assignment.
    pub question: String,
    /// The kind of evidence.
    pub kind: Kind,
    /// What was checked, if it is one implementation: `"Conv2D"`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// The group.
    pub group: String,
    /// The name within the group.
    pub name: String,
    /// How the check ended.
    pub status: Status,
    /// The line that was printed, without colours.
    pub line: String,
    /// See [`Outcome::detail`].
    pub detail: String,
    /// See [`Outcome::cases`].
    pub cases: usize,
    /// See [`Outcome::max_error`]; none too if it was not finite.
    pub max_error: Option<f64>,
    /// See [`Outcome::bound`].
    pub bound: Option<f64>,
}

/// One deliberate bug.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ControlRecord {
    /// The name of the control.
    pub id: String,
    /// The question of the assignment that the bug belongs to.
    pub question: String,
    /// What is wrong: `"Conv2D"`.
    pub subject: String,
    /// The bug in words.
    pub bug: String,
    /// The kinds of check that caught it.
    pub caught_by: Vec<Kind>,
}

/// The present version of [`Results`].
pub const SCHEMA: u32 = 2;

impl CheckRecord {
    /// The record of a check.
    #[must_use]
    pub fn new(check: &Check, outcome: &Outcome) -> Self {
        Self {
            question: check.question.to_owned(),
            kind: check.kind,
            subject: check.subject.map(str::to_owned),
            group: check.group.clone(),
            name: check.name.clone(),
            status: outcome.status,
            line: transcript::line(check, outcome.status),
            detail: outcome.detail.clone(),
            cases: outcome.cases,
            // JSON has no other numbers.
            max_error: outcome.max_error.filter(|error| error.is_finite()),
            bound: outcome.bound,
        }
    }
}

impl Results {
    /// Where the results are, below cargo's target folder.
    #[must_use]
    pub fn path(target: &Path) -> PathBuf {
        target.join("harness").join("results.json")
    }

    /// Writes the results, whole or not at all.
    ///
    /// # Errors
    /// [`HarnessError::File`].
    pub fn write(&self, file: &Path) -> Result<(), HarnessError> {
        let failed =
            |reason: String| HarnessError::file(file, format!("cannot be written: {reason}"));
        let folder = file.parent().unwrap_or(Path::new("."));
        let json = serde_json::to_string_pretty(self).map_err(|error| failed(error.to_string()))?;
        fs::create_dir_all(folder)
            .and_then(|()| system::replace(file, format!("{json}\n").as_bytes()))
            .map_err(|error| failed(error.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn results() -> Results {
        let check = Check::new(
            "4.1",
            Kind::Course,
            "tests.test_activations.TestReLU",
            "test_forward",
            |_| Outcome::ok(1, ""),
        );
        let control = ControlRecord {
            id: "relu-sign".to_owned(),
            question: "4.1".to_owned(),
            subject: "ReLU".to_owned(),
            bug: "the sign of the gradient".to_owned(),
            caught_by: vec![Kind::Course, Kind::Gradient],
        };
        Results {
            schema: SCHEMA,
            inputs_sha256: "00".to_owned(),
            command: "cargo xtask test".to_owned(),
            seed: 1,
            passed: 1,
            failed: 0,
            seconds: 0.5,
            checks: vec![CheckRecord::new(&check, &Outcome::measured(6, 0.0, 1e-10, ""))],
            controls: vec![control],
            worked: crate::worked::all(),
            step_curves: vec![StepCurve {
                layer: "Conv2D".to_owned(),
                points: vec![(1e-5, 1e-11)],
            }],
        }
    }

    #[test]
    fn results_are_read_back() {
        let folder = tempfile::tempdir().unwrap();
        let file = Results::path(folder.path());
        results().write(&file).unwrap();
        let text = fs::read_to_string(&file).unwrap();
        assert_eq!(serde_json::from_str::<Results>(&text).unwrap(), results());
        for expected in [
            r#""kind": "course""#,
            r#""status": "ok""#,
            r#""line": "test_forward (tests.test_activations.TestReLU) ... ok""#,
            r#""detail": "largest error 0.0e0, bound 1e-10""#,
        ] {
            assert!(text.contains(expected), "{text}");
        }
        let left: Vec<_> = fs::read_dir(file.parent().unwrap()).unwrap().collect();
        assert_eq!(left.len(), 1, "nothing temporary stays");
    }

    #[test]
    fn a_place_that_cannot_be_written_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("harness"), "a file").unwrap();
        let error = results().write(&Results::path(folder.path())).unwrap_err().to_string();
        assert!(error.contains("results.json: cannot be written"), "{error}");
    }
}
