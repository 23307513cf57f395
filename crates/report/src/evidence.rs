//! The results of the harness: `harness/results.json` in cargo's target folder.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::numbers::short;
use crate::programs::HARNESS;
use crate::tensor::Tensors;

/// The chapter that explains the checks.
pub(crate) const CHAPTER: &str = "background/how-to-read-the-marks.md";

/// The results of a run of the harness. Fields that are not known are left alone.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
pub(crate) struct Evidence {
    /// The hash of everything that the results depend on.
    inputs_sha256: String,
    /// The command that a user types for the same.
    pub(crate) command: String,
    /// The checks in the order in which they are printed.
    pub(crate) checks: Vec<Check>,
    pub(crate) controls: Vec<Control>,
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

/// A check and its outcome.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub(crate) struct Check {
    /// The question of the assignment.
    pub(crate) question: String,
    /// The kind of evidence: `gradient`, `oracle`, ...
    pub(crate) kind: String,
    pub(crate) name: String,
    /// The one implementation that is checked, if it is one.
    #[serde(default)]
    pub(crate) subject: Option<String>,
    pub(crate) group: String,
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
    pub(crate) question: String,
    /// The implementation that was made wrong.
    pub(crate) subject: String,
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
    pub(crate) fn load(file: &Path, cargo: &dyn Fn(&[&str]) -> Result<String>) -> Result<Self> {
        let inputs = cargo(&[&HARNESS[..], &["inputs-hash"]].concat())?;
        let inputs = inputs.trim();
        let current = |evidence: &Self| evidence.inputs_sha256 == inputs;
        if let Ok(evidence) = read(file)
            && current(&evidence)
        {
            return Ok(evidence);
        }
        // A failed check makes the harness fail, after it has written which one it was.
        let ran = cargo(&[&HARNESS[..], &["test"]].concat());
        match (read(file), ran) {
            (Ok(evidence), _) if current(&evidence) => Ok(evidence),
            (_, Err(error)) | (Err(error), Ok(_)) => Err(error),
            (Ok(_), Ok(_)) => bail!(
                "{} is out of date although the harness has just run: the sources changed meanwhile; run this again",
                file.display()
            ),
        }
    }

    /// Reads the results of a program that the harness verified, which may fail checks.
    pub(crate) fn of_program(file: &Path) -> Result<Self> {
        #[derive(Deserialize)]
        struct Results {
            error: Option<String>,
            #[serde(default)]
            checks: Vec<Check>,
        }
        let Results { error, checks } = read(file)?;
        match error {
            Some(error) => bail!("the program was not verified: {error}"),
            None => Ok(Self { command: "cargo xtask test".to_owned(), checks, ..Self::default() }),
        }
    }

    /// A deliberate bug of something under test.
    pub(crate) fn control(&self, subject: &str, id: &str) -> Result<&Control, String> {
        let of_subject = || self.controls.iter().filter(|control| control.subject == subject);
        of_subject().find(|control| control.id == id).ok_or_else(|| {
            let known: Vec<&str> = of_subject().map(|control| control.id.as_str()).collect();
            let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
            format!("`{subject}` has no deliberate bug `{id}`; it has: {known}")
        })
    }

    /// The number of checks that passed.
    pub(crate) fn passed(&self) -> usize {
        self.checks.iter().filter(|check| check.status == "ok").count()
    }

    /// The checks that did not pass; one for each deliberate bug is among them.
    pub(crate) fn failures(&self) -> impl Iterator<Item = String> {
        self.checks.iter().filter(|check| check.status != "ok").map(|check| {
            format!("a check fails, and the book shows only what holds: {}", check.line)
        })
    }

    /// The names of the transcribed formulas.
    pub(crate) fn formulas(&self) -> BTreeSet<&str> {
        self.checks.iter().filter_map(Check::formula).collect()
    }

    /// The evidence of an equation, if its formula was transcribed.
    pub(crate) fn formula(&self, id: &str) -> Option<FormulaEvidence<'_>> {
        let checks: Vec<_> = self.checks.iter().filter(|c| c.formula() == Some(id)).collect();
        checks.first()?;
        let subject = checks.iter().rev().find_map(|check| check.subject.as_deref());
        let transcription = Comparisons::of(checks.iter().copied());
        let mut formula = format!("checked against the code: {}", transcription.text());
        if let Some(bound) = transcription.bound {
            let _ = write!(formula, ", bound {}", short(bound));
        }
        let (mut cases, mut code) = (transcription.cases, Vec::new());
        for (what, kinds) in
            [("the oracle", &["course", "oracle"][..]), ("finite differences", &["gradient"])]
        {
            let comparisons = Comparisons::of(self.checks.iter().filter(|check| {
                subject.is_some()
                    && check.subject.as_deref() == subject
                    && kinds.contains(&check.kind.as_str())
                    // In single precision an error is as large as its rounding.
                    && !check.group.contains("_f4")
            }));
            if comparisons.cases > 0 {
                cases += comparisons.cases;
                code.push(format!("the code against {what}: {}", comparisons.text()));
            }
        }
        Some(FormulaEvidence { cases, formula, subject, code })
    }
}

/// Reads what the harness wrote.
fn read<T: DeserializeOwned>(file: &Path) -> Result<T> {
    let text = fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
    let not_as_expected = || format!("{} is not what the harness writes", file.display());
    serde_json::from_slice(&text).with_context(not_as_expected)
}

/// The evidence of an equation, in words.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct FormulaEvidence<'a> {
    /// The cases of all comparisons.
    pub(crate) cases: usize,
    /// The comparison of the formula with the code.
    pub(crate) formula: String,
    /// The implementation of it.
    pub(crate) subject: Option<&'a str>,
    /// The comparisons of that with something else, which are those of all of its formulas.
    pub(crate) code: Vec<String>,
}

/// The number of cases that were compared, the largest error, and its bound.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize)]
struct Comparisons {
    cases: usize,
    max_error: Option<f64>,
    bound: Option<f64>,
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
    use std::cell::Cell;

    use super::*;

    /// Results with two questions, a formula and a control.
    fn sample(status: &str) -> String {
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

    /// Such results, read.
    pub(crate) fn evidence(status: &str) -> Evidence {
        serde_json::from_str(&sample(status)).unwrap()
    }

    /// The evidence where these results are stored, and the harness writes those; whether it ran.
    fn load(stored: &str, results: Result<&str, &str>) -> (Result<Evidence, String>, bool) {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("results.json");
        if !stored.is_empty() {
            fs::write(&file, stored).unwrap();
        }
        let ran = Cell::new(false);
        let cargo = |arguments: &[&str]| {
            if arguments.ends_with(&["inputs-hash"]) {
                return Ok("now\n".to_owned());
            }
            ran.set(true);
            match results {
                Ok(results) => Ok(fs::write(&file, results).map(|()| String::new())?),
                Err(error) => bail!("{error}"),
            }
        };
        let evidence = Evidence::load(&file, &cargo).map_err(|error| format!("{error:#}"));
        (evidence, ran.get())
    }

    #[test]
    fn results_that_are_not_current_are_made_again() {
        let (current, stale) = (sample("ok"), sample("ok").replace("\"now\"", "\"then\""));
        for (stored, runs) in [(&*current, false), ("", true), ("{", true), (&stale, true)] {
            let (evidence, ran) = load(stored, Ok(&current));
            assert_eq!((evidence.unwrap().passed(), ran), (3, runs), "{stored}");
        }
        for (results, expected) in [
            (Err("it crashed"), "it crashed"),
            (Ok(&*stale), "out of date"),
            (Ok("{}"), "missing field `inputs_sha256`"),
            (Ok(&current.replace("\"bug\"", "\"gub\"")), "missing field `bug`"),
        ] {
            let error = load("", results).0.unwrap_err();
            assert!(error.contains(expected), "{error}");
        }
    }

    #[test]
    fn results_of_a_program_may_have_failures_and_have_to_be_there() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("results.json");
        fs::write(&file, sample("FAIL")).unwrap();
        let evidence = Evidence::of_program(&file).unwrap();
        assert_eq!((evidence.passed(), &*evidence.command), (2, "cargo xtask test"));
        fs::write(&file, "{\"error\": \"it cannot be started\"}").unwrap();
        let error = Evidence::of_program(&file).unwrap_err().to_string();
        assert_eq!(error, "the program was not verified: it cannot be started");
    }

    #[test]
    fn failed_checks_are_failures() {
        for (status, expected) in [("ok", 0), ("FAIL", 1)] {
            assert_eq!(evidence(status).failures().count(), expected);
        }
    }

    #[test]
    fn a_formula_has_its_evidence() {
        let evidence = evidence("ok");
        assert_eq!(evidence.formulas(), BTreeSet::from(["relu-backward"]));
        let expected = FormulaEvidence {
            cases: 100,
            formula: "checked against the code: 50 cases, largest error 2.2e-16, bound 1e-10"
                .to_owned(),
            subject: Some("ReLU"),
            code: vec!["the code against the oracle: 50 cases, largest error 2.2e-16".to_owned()],
        };
        assert_eq!(evidence.formula("relu-backward"), Some(expected));
        assert_eq!(evidence.formula("relu-forward"), None);
    }
}
