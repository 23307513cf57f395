//! How far results are from their references, over all entries of a file.

use std::path::{Path, PathBuf};

use ndarray::{ArrayD, Dimension};
use numerics::Scalar;

use crate::Outcome;

/// What counts as agreement.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Rule {
    /// Each error is at most this part of the array's largest reference value.
    Relative(f64),
    /// The course's rule, NumPy's "almost equal to 4 decimals"; a relative bound may come on top.
    FourDecimals {
        /// As [`Rule::Relative`].
        also_relative: Option<f64>,
    },
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
    largest: f64,
    failures: usize,
    first_failure: String,
}

impl Tally {
    pub(crate) fn new(file: &Path, rule: Rule) -> Self {
        let file = file.to_owned();
        Self { file, rule, comparisons: 0, largest: 0.0, failures: 0, first_failure: String::new() }
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
        if result.shape() != reference.shape() {
            self.largest = f64::INFINITY;
            let (expected, got) = (reference.shape(), result.shape());
            self.fail(|| format!("{key} ({case}): expected shape {expected:?}, got {got:?}"));
            return;
        }
        let Some(worst) = Distance::worst(result, reference) else {
            self.largest = f64::INFINITY;
            self.fail(|| format!("{key} ({case}): there is no element to compare"));
            return;
        };
        self.largest = self.largest.max(worst.relative);
        let agrees = match self.rule {
            Rule::Relative(bound) => worst.relative <= bound,
            Rule::FourDecimals { also_relative } => {
                worst.absolute < FOUR_DECIMALS
                    && also_relative.is_none_or(|bound| worst.relative <= bound)
            }
        };
        if !agrees {
            let Distance { at, expected, got, absolute, .. } = worst;
            self.fail(|| {
                format!(
                    "{key} ({case}): at {at:?} expected {expected:e}, got {got:e}, error {absolute:.1e}"
                )
            });
        }
    }

    fn fail(&mut self, message: impl FnOnce() -> String) {
        if self.failures == 0 {
            self.first_failure = message();
        }
        self.failures += 1;
    }

    pub(crate) fn outcome(self) -> Outcome {
        let Self { file, rule, comparisons, largest, failures, first_failure } = self;
        let file = file.display();
        let failure =
            format!("{failures} of {comparisons} arrays of {file}, first {first_failure}");
        let relative = match rule {
            Rule::Relative(bound) | Rule::FourDecimals { also_relative: Some(bound) } => bound,
            Rule::FourDecimals { also_relative: None } => {
                let summary = format!("largest error {largest:.1e} of the largest reference value");
                let passes = failures == 0 && comparisons > 0;
                return Outcome {
                    max_error: Some(largest),
                    cases: comparisons,
                    ..if passes {
                        Outcome::ok(0, summary + "; the course's 4 decimals agree")
                    } else {
                        Outcome::fail(format!("{summary}; 4 decimals differ in {failure}"))
                    }
                };
            }
        };
        let mut outcome = Outcome::measured(comparisons, largest, relative, &failure);
        if failures > 0 && outcome.passed() {
            // Relative agreement, but not to 4 decimals: numbers far above 1.
            outcome = Outcome { max_error: Some(largest), ..Outcome::fail(failure) };
        }
        outcome
    }
}

/// Where a result is farthest from its reference.
struct Distance {
    at: Vec<usize>,
    expected: f64,
    got: f64,
    absolute: f64,
    /// Of the largest absolute value of the reference.
    relative: f64,
}

impl Distance {
    /// The largest distance; infinite where the result is not a number. Nothing if there are no
    /// elements. The shapes are equal.
    fn worst<T: Scalar>(result: &ArrayD<T>, reference: &ArrayD<f64>) -> Option<Self> {
        let scale = reference.iter().fold(0.0_f64, |scale, x| scale.max(x.abs()));
        let mut worst: Option<Self> = None;
        for ((at, &expected), got) in reference.indexed_iter().zip(result) {
            let got = got.as_f64();
            let difference = (got - expected).abs();
            let absolute = if difference.is_nan() { f64::INFINITY } else { difference };
            if worst.as_ref().is_none_or(|worst| absolute > worst.absolute) {
                let relative = if absolute == 0.0 { 0.0 } else { absolute / scale };
                let at = at.slice().to_vec();
                worst = Some(Self { at, expected, got, absolute, relative });
            }
        }
        worst
    }
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    fn outcome(rule: Rule, result: ArrayD<f64>, reference: ArrayD<f64>) -> Outcome {
        let mut tally = Tally::new(Path::new("TestX.npz"), rule);
        tally.add("0output", "input [2]", &result, &reference);
        tally.outcome()
    }

    #[test]
    fn errors_are_relative_to_the_largest_reference_value() {
        let reference = array![1.0, -1000.0].into_dyn();
        let rule = Rule::Relative(1e-10);
        let near = outcome(rule, array![1.0 + 0.9e-7, -1000.0].into_dyn(), reference.clone());
        assert!(near.passed(), "{near:?}");
        let far = outcome(rule, array![1.0 + 1.1e-7, -1000.0].into_dyn(), reference);
        assert!(!far.passed());
        assert!(far.detail.contains("TestX.npz, first 0output (input [2]): at [0]"), "{far:?}");
    }

    #[test]
    fn the_course_compares_four_decimals() {
        let reference = array![1.0, -1000.0].into_dyn();
        let result = |error: f64| array![1.0, -1000.0 + error].into_dyn();
        let rule = Rule::FourDecimals { also_relative: None };
        assert!(outcome(rule, result(1.4e-4), reference.clone()).passed());
        assert!(!outcome(rule, result(1.6e-4), reference.clone()).passed());
        let strict = Rule::FourDecimals { also_relative: Some(1e-10) };
        assert!(!outcome(strict, result(1.4e-4), reference.clone()).passed());
        assert!(outcome(strict, result(1e-8), reference.clone()).passed());
        // Close in relation to the largest value, but not to 4 decimals.
        let large = array![1e9].into_dyn();
        assert!(!outcome(strict, array![1e9 + 1e-2].into_dyn(), large).passed());
    }

    #[test]
    fn what_is_not_a_number_or_has_another_shape_never_agrees() {
        let reference = array![1.0, 2.0].into_dyn();
        for rule in [Rule::Relative(1e-10), Rule::FourDecimals { also_relative: None }] {
            for result in [
                array![1.0, f64::NAN],
                array![f64::INFINITY, 2.0],
                array![1.0, 2.0, 3.0],
                array![1.0],
            ] {
                assert!(!outcome(rule, result.into_dyn(), reference.clone()).passed());
            }
        }
        assert!(!Tally::new(Path::new("x"), Rule::Relative(1.0)).outcome().passed());
    }

    #[test]
    fn a_reference_of_zeros_allows_no_error() {
        let zeros = array![0.0, 0.0].into_dyn();
        let rule = Rule::Relative(1e-10);
        assert!(outcome(rule, zeros.clone(), zeros.clone()).passed());
        assert!(!outcome(rule, array![0.0, 1e-300].into_dyn(), zeros).passed());
    }
}
