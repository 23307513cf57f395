//! A named check and what comes of running it.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Arc;

use clap::ValueEnum;
use serde::Serialize;
use subject::SubjectError;

use crate::foreign::{Level, is_unsupported};
use crate::npz::Npz;
use crate::once::Once;
use crate::oracle::listed::Manifest;
use crate::room::Bug;

/// What kind of evidence a check gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Kind {
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
    /// Linear maps on every basis vector, for every shape up to a bound.
    Proof,
    /// Other claims: stability, purity, contracts, errors.
    Property,
    /// A deliberate bug, which another kind of check has to catch.
    Control,
}

impl Kind {
    /// Whether checks of this kind draw random cases, of which one can be run again.
    pub(crate) fn draws_cases(self) -> bool {
        !matches!(self, Self::Course | Self::Oracle | Self::Control)
    }
}

/// What the checks run against.
#[derive(Clone, Debug, Default)]
pub(crate) struct Context {
    /// The folder of the oracle's fixtures.
    pub(crate) fixtures: PathBuf,
    /// The course's own files, to be used instead of the fixtures.
    pub(crate) course_data: Option<CourseData>,
    /// The seed of random checks.
    pub(crate) seed: u64,
    /// A case to run instead of random ones, as a failing check printed it.
    pub(crate) case: Option<String>,
    /// Whether failing cases stay as they were drawn, which takes less time.
    pub(crate) unshrunk: bool,
    /// Whether proofs take one shape in [`SPARSE`](crate::cases::SPARSE) only.
    pub(crate) sparse: bool,
    /// The program under test, as the options of the command name it with a space before each, if it is not our
    /// implementation.
    pub(crate) program: Option<String>,
    /// What every result of the program may be off by.
    pub(crate) slack: f64,
    /// The archives and the manifest that checks of the run have read.
    pub(crate) archives: Arc<Once<Npz>>,
    pub(crate) manifests: Arc<Once<Manifest>>,
}

/// A user's own copy of the course's test data.
#[derive(Clone, Debug)]
pub(crate) struct CourseData {
    /// The folder with `TestReLU.npz` and the others.
    pub(crate) folder: PathBuf,
    /// Whether results must agree as closely as with the fixtures, and not only to the course's
    /// four decimals.
    pub(crate) strict: bool,
}

/// One check of one subject.
pub(crate) struct Check {
    /// The question of the assignment, such as `"4.1"`; `"all"` for what belongs to none.
    pub(crate) question: &'static str,
    pub(crate) kind: Kind,
    /// How much it matters to a program under test.
    pub(crate) level: Level,
    /// The name of what is checked, if it has a room of its own.
    pub(crate) subject: Option<&'static str>,
    /// The deliberate bug that is to be caught, and the room that it belongs to.
    pub(crate) bug: Option<(&'static str, &'static Bug)>,
    /// The group, as in `tests.test_activations.TestReLU`.
    pub(crate) group: String,
    /// The name within the group, as in `test_forward`.
    pub(crate) name: String,
    pub(crate) run: Box<dyn Fn(&Context) -> Outcome + Send + Sync>,
}

impl Check {
    /// A check that `run` performs.
    pub(crate) fn new(
        question: &'static str,
        kind: Kind,
        group: impl Into<String>,
        name: impl Into<String>,
        run: impl Fn(&Context) -> Outcome + Send + Sync + 'static,
    ) -> Self {
        let (group, name, run) = (group.into(), name.into(), Box::new(run));
        let level = Level::Must;
        Self { question, kind, level, subject: None, bug: None, group, name, run }
    }

    /// The same as a check of this subject.
    pub(crate) fn of(self, subject: &'static str) -> Self {
        Self { subject: Some(subject), ..self }
    }

    /// The full name: group and name joined by a dot.
    pub(crate) fn id(&self) -> String {
        format!("{}.{}", self.group, self.name)
    }

    /// What comes of the check; a panic in it is an error of the check, not of the program.
    pub(crate) fn outcome(&self, context: &Context) -> Outcome {
        caught(|| (self.run)(context))
    }
}

/// The outcome of what may panic.
pub(crate) fn caught(run: impl FnOnce() -> Outcome) -> Outcome {
    // Nothing that a check shares is changed by it, so a panic leaves nothing half-done behind.
    catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|panic| match is_unsupported(&*panic) {
        true => Outcome::skip(panic_message(&*panic)),
        false => Outcome::error(panic_message(&*panic)),
    })
}

/// How a check ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(crate) enum Status {
    /// The claim held.
    #[serde(rename = "ok")]
    Ok,
    /// The claim did not hold.
    #[serde(rename = "FAIL")]
    Fail,
    /// The check could not be performed: a missing file, an unexpected error.
    #[serde(rename = "ERROR")]
    Error,
    /// The program under test does not claim to have what is checked.
    #[serde(rename = "skipped")]
    Skip,
}

/// What came of a check.
#[derive(Clone, Debug)]
pub(crate) struct Outcome {
    pub(crate) status: Status,
    /// One line for a check that passed; what went wrong, where, and how to see it again, for one
    /// that did not.
    pub(crate) detail: String,
    /// How many cases were tried; inconclusive ones do not count.
    pub(crate) cases: usize,
    /// The largest error, in the measure of the check, if it has one.
    pub(crate) max_error: Option<f64>,
    /// What the error may be at most.
    pub(crate) bound: Option<f64>,
    /// For a deliberate bug: the kinds of check that failed on it.
    pub(crate) caught_by: Vec<Kind>,
    /// The time that it took.
    pub(crate) seconds: f64,
}

impl Outcome {
    /// The claim held in `cases` cases, with no error to measure.
    pub(crate) fn ok(cases: usize, detail: impl Into<String>) -> Self {
        let (status, detail) = (Status::Ok, detail.into());
        Self {
            status,
            detail,
            cases,
            max_error: None,
            bound: None,
            caught_by: vec![],
            seconds: 0.0,
        }
    }

    /// The claim did not hold.
    pub(crate) fn fail(detail: impl Into<String>) -> Self {
        Self { status: Status::Fail, ..Self::ok(0, detail) }
    }

    /// The check could not be performed.
    pub(crate) fn error(detail: impl Into<String>) -> Self {
        Self { status: Status::Error, ..Self::ok(0, detail) }
    }

    /// There is nothing to check.
    pub(crate) fn skip(detail: impl Into<String>) -> Self {
        Self { status: Status::Skip, ..Self::ok(0, detail) }
    }

    /// Passes if `max_error` is at most `bound` (and is a number) and at least one case was tried.
    pub(crate) fn measured(
        cases: usize,
        max_error: f64,
        bound: f64,
        detail_of_failure: &str,
    ) -> Self {
        let summary = format!("largest error {max_error:.1e}, bound {bound:.0e}");
        let outcome = if cases > 0 && max_error <= bound {
            Self::ok(cases, summary)
        } else {
            Self::fail(format!("{summary}; {detail_of_failure}"))
        };
        Self { cases, max_error: Some(max_error), bound: Some(bound), ..outcome }
    }

    /// Whether the claim did not hold, or the check could not be performed.
    pub(crate) fn failed(&self) -> bool {
        matches!(self.status, Status::Fail | Status::Error)
    }

    /// Whether the claim held.
    pub(crate) fn passed(&self) -> bool {
        self.status == Status::Ok
    }
}

pub(crate) fn panic_message(panic: &(dyn Any + Send)) -> String {
    // What a program answers ends a check in the same way.
    if let Some(error) = panic.downcast_ref::<SubjectError>() {
        return error.to_string();
    }
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let message = text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no message");
    format!("the check panicked: {message}")
}

pub(crate) mod tests {
    use super::*;

    pub(crate) fn a_panic_is_an_error_of_the_check() {
        let run = |context: &Context| Outcome::ok([1, 2][context.seed as usize], "");
        let context = Context { seed: 3, ..Context::default() };
        let panicked = Check::new("all", Kind::Property, "group", "name", run).outcome(&context);
        assert_eq!(panicked.status, Status::Error);
        assert!(panicked.detail.contains("index out of bounds"), "{}", panicked.detail);
    }

    pub(crate) fn an_error_above_the_bound_or_without_a_case_does_not_pass() {
        assert!(Outcome::measured(1, 1e-10, 1e-10, "").passed());
        for (cases, error) in [(1, 1.1e-10), (1, f64::NAN), (1, f64::INFINITY), (0, 0.0)] {
            assert!(!Outcome::measured(cases, error, 1e-10, "").passed(), "{cases} {error}");
        }
    }
}
