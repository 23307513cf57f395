//! How far results are from their references, over all entries of a file.

use std::path::{Path, PathBuf};

use ndarray::{ArrayD, Dimension};
use numerics::Scalar;

use crate::cases::number;
use crate::{Context, Outcome};

/// What counts as agreement.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rule {
    /// Each error is at most this part of the array's largest reference value.
    pub(crate) relative: Option<f64>,
    /// The course's rule, NumPy's "almost equal to 4 decimals".
    pub(crate) four_decimals: bool,
}

impl Rule {
    /// The rule for our fixtures.
    pub(crate) fn relative<T: Scalar>(context: &Context) -> Self {
        Self { relative: Some(bound::<T>().max(context.slack)), four_decimals: false }
    }
}

/// The bound on the error relative to the largest reference value.
pub(crate) fn bound<T: Scalar>() -> f64 {
    if T::DTYPE == "f8" { 1e-10 } else { 1e-5 }
}

/// NumPy calls numbers equal to 4 decimals if they differ by less than this.
const FOUR_DECIMALS: f64 = 1.5e-4;

/// Collects comparisons and makes an outcome of them.
pub(crate) struct Tally {
    file: PathBuf,
    rule: Rule,
    comparisons: usize,
    /// Why the program under test does not claim to have an entry, in its own words.
    pub(crate) skipped: Option<String>,
    largest: f64,
    failures: usize,
    first_failure: String,
}

impl Tally {
    pub(crate) fn new(file: &Path, rule: Rule) -> Self {
        let file = file.to_owned();
        let (skipped, first_failure) = (None, String::new());
        Self { file, rule, comparisons: 0, skipped, largest: 0.0, failures: 0, first_failure }
    }

    /// Compares a result with its reference, of finite numbers; `case` says what was computed.
    pub(crate) fn add<T: Scalar>(
        &mut self,
        key: &str,
        case: &str,
        result: &ArrayD<T>,
        reference: &ArrayD<f64>,
    ) {
        self.comparisons += 1;
        if let Err(what) = self.compare(&result.mapv(T::as_f64), reference) {
            if self.failures == 0 {
                self.first_failure = format!("{key} ({case}): {what}");
            }
            self.failures += 1;
        }
    }

    /// What is wrong, and where the result is farthest from its reference.
    fn compare(&mut self, result: &ArrayD<f64>, reference: &ArrayD<f64>) -> Result<(), String> {
        let (expected, got) = (reference.shape(), result.shape());
        if got != expected {
            self.largest = f64::INFINITY;
            return Err(format!("expected shape {expected:?}, got {got:?}"));
        }
        let distance = |(_, got, expected): &(_, f64, f64)| {
            let difference = (got - expected).abs();
            if difference.is_nan() { f64::INFINITY } else { difference }
        };
        let pairs = reference.indexed_iter().zip(result).map(|((at, &x), &got)| (at, got, x));
        // The first of those that are equally far.
        let farther = |a, b| if distance(&b) > distance(&a) { b } else { a };
        let Some(worst) = pairs.reduce(farther) else {
            self.largest = f64::INFINITY;
            return Err("there is no element to compare".to_owned());
        };
        let absolute = distance(&worst);
        let scale = reference.iter().fold(0.0_f64, |scale, x| scale.max(x.abs()));
        let relative = if absolute == 0.0 { 0.0 } else { absolute / scale };
        self.largest = self.largest.max(relative);
        let Rule { relative: bound, four_decimals } = self.rule;
        if bound.is_none_or(|bound| relative <= bound)
            && (!four_decimals || absolute < FOUR_DECIMALS)
        {
            return Ok(());
        }
        let (at, got, expected) = (worst.0.slice(), worst.1, worst.2);
        let (expected, got) = (number(expected), number(got));
        Err(format!("at {at:?} expected {expected}, got {got}"))
    }

    pub(crate) fn outcome(self) -> Outcome {
        let Self { file, rule, comparisons, skipped, largest, failures, first_failure } = self;
        if let (Some(why), 0) = (skipped, comparisons) {
            return Outcome::skip(why);
        }
        // As short as a reader can follow it.
        let here = std::env::current_dir().unwrap_or_default();
        let file = file.strip_prefix(here).unwrap_or(&file).display();
        let failure =
            format!("{failures} of {comparisons} arrays of {file}, first {first_failure}");
        let outcome = if let Some(bound) = rule.relative {
            Outcome::measured(comparisons, largest, bound, &failure)
        } else {
            let summary = format!("largest error {largest:.1e} of the largest reference value");
            let outcome = match failures == 0 && comparisons > 0 {
                true => Outcome::ok(comparisons, summary + "; the course's 4 decimals agree"),
                false => Outcome::fail(format!("{summary}; 4 decimals differ in {failure}")),
            };
            Outcome { cases: comparisons, max_error: Some(largest), ..outcome }
        };
        if failures > 0 && outcome.passed() {
            // Relative agreement, but not to 4 decimals: numbers far above 1.
            return Outcome { max_error: Some(largest), ..Outcome::fail(failure) };
        }
        outcome
    }
}

pub(crate) mod tests {
    use ndarray::arr1;

    use super::*;

    const RELATIVE: Rule = Rule { relative: Some(1e-10), four_decimals: false };
    const COURSE: Rule = Rule { relative: None, four_decimals: true };
    const STRICT: Rule = Rule { relative: Some(1e-10), four_decimals: true };

    fn outcome(rule: Rule, result: &[f64], reference: &[f64]) -> Outcome {
        let mut tally = Tally::new(Path::new("TestX.npz"), rule);
        let [result, reference] = [result, reference].map(|array| arr1(array).into_dyn());
        tally.add("0output", "input [2]", &result, &reference);
        tally.outcome()
    }

    pub(crate) fn each_rule_has_its_limit_and_nan_or_another_shape_never_agrees() {
        let reference = [1.0, -1000.0];
        for (rule, result, passes) in [
            // Relative to the largest reference value.
            (RELATIVE, &[1.0 + 0.9e-7, -1000.0][..], true),
            (RELATIVE, &[1.0 + 1.1e-7, -1000.0], false),
            (COURSE, &[1.0, -1000.0 + 1.4e-4], true),
            (COURSE, &[1.0, -1000.0 + 1.6e-4], false),
            (STRICT, &[1.0, -1000.0 + 1.4e-4], false),
            (STRICT, &[1.0, -1000.0 + 1e-8], true),
        ] {
            assert_eq!(outcome(rule, result, &reference).passed(), passes, "{rule:?} {result:?}");
        }
        for rule in [RELATIVE, COURSE] {
            for wrong in
                [&[1.0, f64::NAN][..], &[f64::INFINITY, -1000.0], &[1.0, -1000.0, 3.0], &[1.0]]
            {
                assert!(!outcome(rule, wrong, &reference).passed(), "{rule:?} {wrong:?}");
            }
            assert!(!Tally::new(Path::new("x"), rule).outcome().passed(), "nothing was compared");
        }
        // Close in relation to the largest value, but not to 4 decimals.
        assert!(!outcome(STRICT, &[1e9 + 1e-2], &[1e9]).passed());
        let far = outcome(RELATIVE, &[2.0, -1000.0], &reference).detail;
        assert!(far.contains("TestX.npz, first 0output (input [2]): at [0]"), "{far}");
    }

    pub(crate) fn a_reference_of_zeros_allows_no_error() {
        assert!(outcome(RELATIVE, &[0.0, 0.0], &[0.0, 0.0]).passed());
        assert!(!outcome(RELATIVE, &[0.0, 1e-300], &[0.0, 0.0]).passed());
    }
}
