//! A named check and what comes of running it.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// What kind of evidence a check gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// The course's tests: against what an independent oracle computed.
    Course,
    /// Finite differences on random shapes and values.
    Gradient,
    /// The literal transcription of a formula that the book derives.
    Formula,
    /// `⟨L x, y⟩ = ⟨x, Lᵀ y⟩` for the linear maps.
    Adjoint,
    /// Other claims: stability, purity, contracts, errors.
    Property,
    /// A deliberate bug, which another kind of check has to catch.
    Control,
}

/// What the checks run against.
#[derive(Clone, Debug)]
pub struct Context {
    /// The folder of the oracle's fixtures.
    pub fixtures: PathBuf,
    /// A folder with the course's own `.npz` files, to be used instead of the fixtures.
    pub course_data: Option<PathBuf>,
    /// The seed of random checks.
    pub seed: u64,
    /// A case to run instead of random ones, as a failing check printed it.
    pub case: Option<String>,
}

/// One check of one subject.
pub struct Check {
    /// The question of the assignment, such as `"4.1"`; `"all"` for what belongs to none.
    pub question: &'static str,
    /// What kind of evidence it gives.
    pub kind: Kind,
    /// The group, as in `tests.test_activations.TestReLU`.
    pub group: String,
    /// The name within the group, as in `test_forward`.
    pub name: String,
    /// Runs the check.
    pub run: Box<dyn Fn(&Context) -> Outcome + Send + Sync>,
}

impl Check {
    /// A check that `run` performs.
    pub fn new(
        question: &'static str,
        kind: Kind,
        group: impl Into<String>,
        name: impl Into<String>,
        run: impl Fn(&Context) -> Outcome + Send + Sync + 'static,
    ) -> Self {
        Self { question, kind, group: group.into(), name: name.into(), run: Box::new(run) }
    }

    /// The full name: group and name joined by a dot.
    #[must_use]
    pub fn id(&self) -> String {
        format!("{}.{}", self.group, self.name)
    }
}

/// How a check ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Status {
    /// The claim held.
    #[serde(rename = "ok")]
    Ok,
    /// The claim did not hold.
    #[serde(rename = "FAIL")]
    Fail,
    /// The check could not be performed: a missing file, an unexpected error.
    #[serde(rename = "ERROR")]
    Error,
}

/// What came of a check.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// How it ended.
    pub status: Status,
    /// One line for a check that passed; what went wrong, where, and how to see it again, for one
    /// that did not.
    pub detail: String,
    /// How many cases were tried; inconclusive ones do not count.
    pub cases: usize,
    /// The largest error, in the measure of the check, if it has one.
    pub max_error: Option<f64>,
    /// What the error may be at most.
    pub bound: Option<f64>,
}

impl Outcome {
    /// The claim held in `cases` cases, with no error to measure.
    #[must_use]
    pub fn ok(cases: usize, detail: impl Into<String>) -> Self {
        Self { status: Status::Ok, detail: detail.into(), cases, max_error: None, bound: None }
    }

    /// The claim did not hold.
    #[must_use]
    pub fn fail(detail: impl Into<String>) -> Self {
        Self { status: Status::Fail, ..Self::ok(0, detail) }
    }

    /// The check could not be performed.
    #[must_use]
    pub fn error(detail: impl Into<String>) -> Self {
        Self { status: Status::Error, ..Self::ok(0, detail) }
    }

    /// Passes if `max_error` is at most `bound` (and is a number) and at least one case was tried.
    #[must_use]
    pub fn measured(cases: usize, max_error: f64, bound: f64, detail_of_failure: &str) -> Self {
        let passes = cases > 0 && max_error <= bound;
        let summary = format!("largest error {max_error:.1e}, bound {bound:.0e}");
        let detail = if passes { summary } else { format!("{summary}; {detail_of_failure}") };
        Self {
            status: if passes { Status::Ok } else { Status::Fail },
            detail,
            cases,
            max_error: Some(max_error),
            bound: Some(bound),
        }
    }

    /// Whether the claim held.
    #[must_use]
    pub fn passed(&self) -> bool {
        self.status == Status::Ok
    }
}
