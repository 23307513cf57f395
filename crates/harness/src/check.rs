//! A named check and what comes of running it.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// What kind of evidence a check gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// One of the course's 25 tests: against what an independent oracle computed.
    Course,
    /// What the course does not test, against the same oracle: `f32`, more paddings, gradients of
    /// the parameters, the optimiser.
    Oracle,
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

impl Kind {
    /// Whether checks of this kind draw random cases, of which one can be run again.
    #[must_use]
    pub fn draws_cases(self) -> bool {
        !matches!(self, Self::Course | Self::Oracle | Self::Control)
    }
}

/// What the checks run against.
#[derive(Clone, Debug, Default)]
pub struct Context {
    /// The folder of the oracle's fixtures.
    pub fixtures: PathBuf,
    /// A folder with the course's own `.npz` files, to be used instead of the fixtures.
    pub course_data: Option<CourseData>,
    /// The seed of random checks.
    pub seed: u64,
    /// A case to run instead of random ones, as a failing check printed it.
    pub case: Option<String>,
    /// Whether failing cases stay as they were drawn, which takes less time.
    pub unshrunk: bool,
}

/// A user's own copy of the course's test data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CourseData {
    /// The folder with `TestReLU.npz` and the others.
    pub folder: PathBuf,
    /// Whether results must agree as closely as with the fixtures, and not only to the course's
    /// four decimals.
    pub strict: bool,
}

/// One check of one subject.
pub struct Check {
    /// The question of the assignment, such as `"4.1"`; `"all"` for what belongs to none.
    pub question: &'static str,
    /// What kind of evidence it gives.
    pub kind: Kind,
    /// The name of what is checked, if it has a room of its own.
    pub subject: Option<&'static str>,
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
        let (group, name) = (group.into(), name.into());
        Self { question, kind, subject: None, group, name, run: Box::new(run) }
    }

    /// The same as a check of this subject.
    #[must_use]
    pub fn of(self, subject: &'static str) -> Self {
        Self { subject: Some(subject), ..self }
    }

    /// The full name: group and name joined by a dot.
    #[must_use]
    pub fn id(&self) -> String {
        format!("{}.{}", self.group, self.name)
    }

    /// What comes of the check; a panic in it is an error of the check, not of the program.
    #[must_use]
    pub fn outcome(&self, context: &Context) -> Outcome {
        // Nothing that a check shares is changed by it, so a panic leaves nothing half-done behind.
        catch_unwind(AssertUnwindSafe(|| (self.run)(context)))
            .unwrap_or_else(|panic| Outcome::error(panic_message(panic.as_ref())))
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
    /// For a deliberate bug: the kinds of check that failed on it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub caught_by: Vec<Kind>,
}

impl Outcome {
    /// The claim held in `cases` cases, with no error to measure.
    #[must_use]
    pub fn ok(cases: usize, detail: impl Into<String>) -> Self {
        Self {
            status: Status::Ok,
            detail: detail.into(),
            cases,
            max_error: None,
            bound: None,
            caught_by: vec![],
        }
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
            caught_by: vec![],
        }
    }

    /// Whether the claim held.
    #[must_use]
    pub fn passed(&self) -> bool {
        self.status == Status::Ok
    }
}

pub(crate) fn panic_message(panic: &(dyn Any + Send)) -> String {
    let message = panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("no message");
    format!("the check panicked: {message}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(run: impl Fn(&Context) -> Outcome + Send + Sync + 'static) -> Outcome {
        let context = Context {
            fixtures: "".into(),
            course_data: None,
            seed: 0,
            case: None,
            ..Context::default()
        };
        Check::new("all", Kind::Property, "group", "name", run).outcome(&context)
    }

    #[test]
    fn a_panic_is_an_error_of_the_check() {
        let index = 3;
        let panicked = outcome(move |_| Outcome::ok([1, 2][index % 4], ""));
        assert_eq!(panicked.status, Status::Error);
        assert!(panicked.detail.contains("index out of bounds"), "{}", panicked.detail);
    }

    #[test]
    fn an_error_above_the_bound_or_without_a_case_does_not_pass() {
        assert!(Outcome::measured(1, 1e-10, 1e-10, "").passed());
        for (cases, error) in [(1, 1.1e-10), (1, f64::NAN), (1, f64::INFINITY), (0, 0.0)] {
            assert!(!Outcome::measured(cases, error, 1e-10, "").passed(), "{cases} {error}");
        }
    }
}
