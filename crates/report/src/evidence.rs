//! The results of the harness: `harness/results.json` in cargo's target folder.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;

use crate::numbers::short;
use crate::programs::{Program, Programs};
use crate::tensor::Tensors;

/// The version of the results that this crate reads.
const SCHEMA: u32 = 2;

/// The chapter that explains the checks.
pub(crate) const CHAPTER: &str = "verification.md";

/// The results of a run of the harness. Fields that are not known are left alone.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub(crate) struct Evidence {
    schema: u32,
    /// The hash of everything that the results depend on.
    inputs_sha256: String,
    /// The command that a user types for the same.
    pub(crate) command: String,
    pub(crate) passed: usize,
    pub(crate) failed: usize,
    /// The checks in the order in which they are printed.
    pub(crate) checks: Vec<Check>,
    pub(crate) controls: Vec<Control>,
    /// The tensors of the worked examples.
    pub(crate) worked: Tensors,
    pub(crate) step_curves: Vec<StepCurve>,
}

/// The error of the finite differences of one layer by their step.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub(crate) struct StepCurve {
    pub(crate) layer: String,
    /// The step and the largest error, from the largest step to the smallest.
    pub(crate) points: Vec<(f64, f64)>,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
pub(crate) struct Check {
    /// The question of the assignment.
    pub(crate) question: String,
    /// The kind of evidence: `gradient`, `oracle`, ...
    pub(crate) kind: String,
    /// The name within the group.
    name: String,
    /// The one implementation that is checked, if it is one.
    #[serde(default)]
    subject: Option<String>,
    group: String,
    /// `ok`, `FAIL` or `ERROR`.
    pub(crate) status: String,
    /// The line that the harness prints.
    pub(crate) line: String,
    #[serde(flatten)]
    measured: Comparisons,
}

/// A deliberate bug, and what caught it.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub(crate) struct Control {
    pub(crate) id: String,
    /// The question of the assignment.
    pub(crate) question: String,
    /// The implementation that was made wrong.
    pub(crate) subject: String,
    /// The mistake.
    pub(crate) bug: String,
    /// The kinds of check that failed, as they had to.
    pub(crate) caught_by: Vec<String>,
}

impl Check {
    /// The formula that the check transcribes, by the name that its equation has in the book.
    pub(crate) fn formula(&self) -> Option<&str> {
        match self.group == "formulas" {
            true => Some(&self.name),
            false => self.name.strip_prefix("formulas."),
        }
    }
}

impl Evidence {
    /// Reads the results, after a new run of the harness if there are none or they are out of date.
    pub(crate) fn load(file: &Path, programs: &dyn Programs) -> Result<Self> {
        let inputs = programs.run(Program::InputsHash)?;
        let inputs = inputs.trim();
        let current = |evidence: &Self| evidence.inputs_sha256 == inputs;
        if let Ok(evidence) = Self::read(file)
            && current(&evidence)
        {
            return Ok(evidence);
        }
        // A failed check makes the harness fail, after it has written which one it was.
        let run = programs.run(Program::Harness);
        match (Self::read(file), run) {
            (Ok(evidence), _) if current(&evidence) => Ok(evidence),
            (_, Err(error)) | (Err(error), Ok(_)) => Err(error),
            (Ok(_), Ok(_)) => bail!(
                "{} is out of date although the harness has just run: the sources changed meanwhile; run this again",
                file.display()
            ),
        }
    }

    fn read(file: &Path) -> Result<Self> {
        let text = fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
        let not_as_expected = || format!("{} is not what the harness writes", file.display());
        let evidence: Self = serde_json::from_slice(&text).with_context(not_as_expected)?;
        ensure!(
            evidence.schema == SCHEMA,
            "{}: expected schema {SCHEMA}, but got {}: update the harness and the report together",
            file.display(),
            evidence.schema
        );
        let passed = evidence.checks.iter().filter(|check| check.status == "ok").count();
        let failed = evidence.checks.len() - passed;
        ensure!(
            (passed, failed) == (evidence.passed, evidence.failed),
            "{}: it counts {} passed and {} failed checks, but lists {passed} and {failed}",
            file.display(),
            evidence.passed,
            evidence.failed
        );
        Ok(evidence)
    }

    /// The checks that did not pass, and the deliberate bugs that nothing caught.
    pub(crate) fn failures(&self) -> impl Iterator<Item = String> {
        let checks = self.checks.iter().filter(|check| check.status != "ok").map(|check| {
            format!("a check fails, and the book shows only what holds: {}", check.line)
        });
        let controls = self
            .controls
            .iter()
            .filter(|control| control.caught_by.is_empty())
            .map(|control| format!("nothing catches the deliberate bug {}", control.id));
        checks.chain(controls)
    }

    /// The names of the transcribed formulas.
    pub(crate) fn formulas(&self) -> BTreeSet<&str> {
        self.checks.iter().filter_map(Check::formula).collect()
    }

    /// The results of the transcriptions of one formula, if there are any, and of the checks of its
    /// implementation.
    pub(crate) fn formula(&self, id: &str) -> Option<FormulaEvidence> {
        let checks: Vec<_> = self.checks.iter().filter(|c| c.formula() == Some(id)).collect();
        let subject = checks.iter().rev().find_map(|check| check.subject.as_deref());
        let of_kinds = |kinds: &'static [&str]| {
            self.checks.iter().filter(move |check| {
                subject.is_some()
                    && check.subject.as_deref() == subject
                    && kinds.contains(&check.kind.as_str())
                    // In single precision an error is as large as its rounding.
                    && !check.group.contains("_f4")
            })
        };
        checks.first()?;
        Some(FormulaEvidence {
            transcription: Comparisons::of(checks.iter().copied()),
            oracle: Comparisons::of(of_kinds(&["course", "oracle"])),
            differences: Comparisons::of(of_kinds(&["gradient"])),
        })
    }
}

/// The comparisons of a formula and of its implementation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct FormulaEvidence {
    /// The formula against the implementation.
    transcription: Comparisons,
    /// The oracle against the implementation, all of its quantities.
    oracle: Comparisons,
    /// Finite differences against all gradients of the implementation.
    differences: Comparisons,
}

/// The number of cases that were compared, the largest error, and its bound.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize)]
struct Comparisons {
    cases: usize,
    max_error: Option<f64>,
    bound: Option<f64>,
}

impl FormulaEvidence {
    /// The text for beneath the equation: an item for each kind of comparison.
    pub(crate) fn items(&self) -> Vec<String> {
        let mut formula = format!("checked against the code: {}", self.transcription.text());
        if let Some(bound) = self.transcription.bound {
            let _ = write!(formula, ", bound {}", short(bound));
        }
        let mut items = vec![formula];
        for (what, comparisons) in
            [("the oracle", self.oracle), ("finite differences", self.differences)]
        {
            if comparisons.cases > 0 {
                items.push(format!("the code against {what}: {}", comparisons.text()));
            }
        }
        items
    }
}

impl Comparisons {
    fn of<'a>(checks: impl Iterator<Item = &'a Check>) -> Self {
        let larger = |a: Option<f64>, b: Option<f64>| a.into_iter().chain(b).reduce(f64::max);
        checks.map(|check| check.measured).fold(Self::default(), |a, b| Self {
            cases: a.cases + b.cases,
            max_error: larger(a.max_error, b.max_error),
            bound: larger(a.bound, b.bound),
        })
    }

    fn text(&self) -> String {
        let cases = if self.cases == 1 { "case" } else { "cases" };
        let mut text = format!("{} {cases}", self.cases);
        if let Some(error) = self.max_error {
            let _ = write!(text, ", largest error {}", short(error));
        }
        text
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::cell::RefCell;

    use super::*;

    /// Results with two questions, a formula and a control.
    pub(crate) fn sample(status: &str) -> String {
        let failed = usize::from(status != "ok");
        let check = |question: &str, kind: &str, group: &str, name: &str, status: &str| {
            serde_json::json!({
                "question": question, "kind": kind, "group": group, "name": name, "status": status,
                "subject": if question == "4.1" { Some("ReLU") } else { None },
                "line": format!("{name} ({group}) ... {status}"), "detail": "", "cases": 50,
                "max_error": 2.2e-16, "bound": 1e-10, "seconds": 0.1,
            })
        };
        serde_json::json!({
            "worked": {"relu.y": {"shape": [2], "values": [0.0, 3.0]}},
            "step_curves": [{"layer": "Conv2D", "points": [[0.1, 1e-3], [0.01, 1e-5]]}],
            "schema": 2, "inputs_sha256": "now", "command": "cargo xtask test", "seconds": 1.5,
            "passed": 3 - failed, "failed": failed,
            "checks": [
                check("4.1", "course", "tests.test_activations.TestReLU", "test_forward", status),
                check("4.1", "formula", "formulas", "relu-backward", "ok"),
                check("4.2", "course", "tests.test_layers.TestFullyConnected", "test_forward", "ok"),
            ],
            "controls": [{
                "id": "relu-sign", "question": "4.1", "subject": "ReLU", "bug": "a | b_c",
                "caught_by": ["course", "gradient"],
            }],
        })
        .to_string()
    }

    /// A harness that writes the given results.
    struct Fake<'a> {
        file: &'a Path,
        results: Result<String, String>,
        ran: RefCell<Vec<Program>>,
    }

    impl Programs for Fake<'_> {
        fn run(&self, program: Program) -> Result<String> {
            self.ran.borrow_mut().push(program.clone());
            if program == Program::InputsHash {
                return Ok("now\n".to_owned());
            }
            match &self.results {
                Ok(results) => Ok(fs::write(self.file, results).map(|()| String::new())?),
                Err(error) => bail!("{error}"),
            }
        }
    }

    fn load(stored: Option<&str>, results: Result<&str, &str>) -> (Result<Evidence, String>, bool) {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("results.json");
        if let Some(stored) = stored {
            fs::write(&file, stored).unwrap();
        }
        let results = results.map(str::to_owned).map_err(str::to_owned);
        let fake = Fake { file: &file, results, ran: RefCell::default() };
        let evidence = Evidence::load(&file, &fake).map_err(|error| format!("{error:#}"));
        let ran = fake.ran.borrow().contains(&Program::Harness);
        (evidence, ran)
    }

    fn evidence() -> Evidence {
        load(Some(&sample("ok")), Err("not needed")).0.unwrap()
    }

    #[test]
    fn current_results_are_read_without_running_anything() {
        let (evidence, ran) = load(Some(&sample("ok")), Err("not needed"));
        assert_eq!((evidence.unwrap().passed, ran), (3, false));
    }

    #[test]
    fn missing_damaged_and_stale_results_are_made_again() {
        let stale = sample("ok").replace("\"now\"", "\"then\"");
        for stored in [None, Some("{"), Some(stale.as_str())] {
            let (evidence, ran) = load(stored, Ok(&sample("ok")));
            assert_eq!((evidence.unwrap().passed, ran), (3, true));
        }
    }

    #[test]
    fn results_that_stay_wrong_are_an_error() {
        let stale = sample("ok").replace("\"now\"", "\"then\"");
        for (results, expected) in [
            (Err("it crashed"), "it crashed"),
            (Ok(stale.as_str()), "out of date"),
            (Ok("{}"), "missing field `schema`"),
            (
                Ok(&sample("ok").replace("\"schema\":2", "\"schema\":1")),
                "expected schema 2, but got 1",
            ),
            (Ok(&sample("ok").replace("\"passed\":3", "\"passed\":4")), "lists 3 and 0"),
            (Ok(&sample("ok").replace("\"bug\"", "\"gub\"")), "missing field `bug`"),
        ] {
            let error = load(None, results).0.unwrap_err();
            assert!(error.contains(expected), "{error}");
        }
    }

    #[test]
    fn failed_checks_and_uncaught_bugs_are_failures() {
        assert_eq!(evidence().failures().count(), 0);
        let failed = load(Some(&sample("FAIL")), Err("")).0.unwrap();
        let failures: Vec<String> = failed.failures().collect();
        assert!(failures[0].contains("test_forward (tests.test_activations.TestReLU) ... FAIL"));
        let uncaught = sample("ok").replace("[\"course\",\"gradient\"]", "[]");
        let uncaught = load(Some(&uncaught), Err("")).0.unwrap();
        assert_eq!(
            uncaught.failures().collect::<Vec<_>>(),
            ["nothing catches the deliberate bug relu-sign"]
        );
    }

    #[test]
    fn a_formula_has_its_evidence() {
        let evidence = evidence();
        assert_eq!(evidence.formulas(), BTreeSet::from(["relu-backward"]));
        let items = evidence.formula("relu-backward").unwrap().items();
        assert_eq!(
            items,
            [
                "checked against the code: 50 cases, largest error 2.2e-16, bound 1e-10",
                "the code against the oracle: 50 cases, largest error 2.2e-16",
            ]
        );
        assert!(evidence.formula("relu-forward").is_none());
    }
}
