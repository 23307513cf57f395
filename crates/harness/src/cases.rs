//! Random cases of one check: each is seeded on its own, so that a failing one can be run alone.

use std::fmt::Display;
use std::panic::{AssertUnwindSafe, catch_unwind};

use ndarray::{ArrayD, ArrayRef, Dimension, IxDyn};
use numerics::Rng;

use crate::check::panic_message;
use crate::{Check, Context, Kind, Outcome};

/// How many cases a check runs, and what the error of an element may be at most in any of them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cases {
    /// The number of random cases.
    pub(crate) count: usize,
    /// The bound on `|got - expected|`.
    pub(crate) bound: f64,
}

impl Cases {
    /// A check of this name, which runs `one` on every case.
    pub(crate) fn check(
        self,
        question: &'static str,
        kind: Kind,
        group: impl Into<String>,
        name: &str,
        one: impl Fn(&mut Case) -> Result<(), Failure> + Send + Sync + 'static,
    ) -> Check {
        let group = group.into();
        let id = format!("{group}.{name}");
        Check::new(question, kind, group, name, move |context| self.run(&id, context, &one))
    }

    fn run(
        self,
        id: &str,
        context: &Context,
        one: impl Fn(&mut Case) -> Result<(), Failure>,
    ) -> Outcome {
        let numbers: Vec<usize> = match context.case.as_deref().map(str::parse::<usize>) {
            None => (0..self.count).collect(),
            Some(Ok(number)) => vec![number],
            Some(Err(_)) => {
                return Outcome::error(format!(
                    "{id}: expected the number of a case, such as 7, but got {:?}",
                    context.case.as_deref().unwrap_or_default()
                ));
            }
        };
        let cases = numbers.len();
        let mut worst: Option<Worst> = None;
        for number in numbers {
            let seed = context.seed;
            let mut case = Case::new(id, seed, number);
            let located = |what: String, case: &Case| {
                format!(
                    "case {number} of seed {seed}{}: {what}\n\
                     replay with: cargo xtask test {id} --seed {seed} --case {number}",
                    case.description
                )
            };
            if let Err(Failure(what)) = without_panic(|| one(&mut case)) {
                return Outcome::fail(located(what, &case));
            }
            if let Some((error, what)) = case.worst.take()
                && worst.as_ref().is_none_or(|worst| error > worst.error)
            {
                worst = Some(Worst { error, detail: located(what, &case) });
            }
        }
        match worst {
            Some(Worst { error, detail }) => Outcome::measured(cases, error, self.bound, &detail),
            None => Outcome::ok(cases, format!("{cases} cases")),
        }
    }
}

struct Worst {
    error: f64,
    detail: String,
}

/// Why a case does not bear out the claim.
#[derive(Debug)]
pub(crate) struct Failure(String);

impl Failure {
    pub(crate) fn new(what: impl Into<String>) -> Self {
        Self(what.into())
    }
}

/// An error that an implementation gives on valid input is a failure of the implementation.
impl<E: std::error::Error> From<E> for Failure {
    fn from(error: E) -> Self {
        Self(format!("unexpected error: {error}"))
    }
}

/// Fails with this message unless `holds`.
pub(crate) fn claim(holds: bool, otherwise: impl FnOnce() -> String) -> Result<(), Failure> {
    if holds { Ok(()) } else { Err(Failure(otherwise())) }
}

fn without_panic(run: impl FnOnce() -> Result<(), Failure>) -> Result<(), Failure> {
    // What a panic leaves behind is looked at only for the description of the case.
    catch_unwind(AssertUnwindSafe(run))
        .unwrap_or_else(|panic| Err(Failure(panic_message(panic.as_ref()))))
}

/// One random case: its random numbers, and the largest error found in it.
pub(crate) struct Case {
    /// The random numbers of this case.
    pub(crate) rng: Rng,
    description: String,
    worst: Option<(f64, String)>,
}

impl Case {
    fn new(id: &str, seed: u64, number: usize) -> Self {
        // Checks of one seed should not all see the same numbers: FNV-1a of the name.
        let name = id.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |h, b| {
            (h ^ u64::from(b)).wrapping_mul(0x100_0000_01b3)
        });
        let rng = Rng::with_stream(seed, name.wrapping_add(number as u64));
        Self { rng, description: String::new(), worst: None }
    }

    /// Says what the case is about, for the message of a failure.
    pub(crate) fn describe(&mut self, what: impl Display) {
        self.description = format!(" ({what})");
    }

    /// An integer from `low..=high`.
    pub(crate) fn between(&mut self, low: usize, high: usize) -> usize {
        low + self.rng.below(high - low + 1)
    }

    /// A shape with so many axes, each of length 1 to `longest`.
    pub(crate) fn shape(&mut self, axes: usize, longest: usize) -> Vec<usize> {
        (0..axes).map(|_| self.between(1, longest)).collect()
    }

    /// Numbers from `[-1, 1)`.
    pub(crate) fn array(&mut self, shape: &[usize]) -> ArrayD<f64> {
        self.rng.uniform_array(IxDyn(shape), -1.0, 1.0)
    }

    /// Numbers from -2, -1, 0, 1, 2, so that ties and zeros occur; sums and products are exact.
    pub(crate) fn few_values(&mut self, shape: &[usize]) -> ArrayD<f64> {
        ArrayD::from_shape_simple_fn(IxDyn(shape), || self.rng.below(5) as f64 - 2.0)
    }

    /// The indices of an axis of this length, in random order.
    pub(crate) fn permutation(&mut self, length: usize) -> Vec<usize> {
        let mut order: Vec<usize> = (0..length).collect();
        self.rng.shuffle(&mut order);
        order
    }

    /// Measures `got` against `expected`, element by element. Other shapes fail at once; a NaN on
    /// either side is an infinite error.
    pub(crate) fn compare<D: Dimension>(
        &mut self,
        quantity: &str,
        got: &ArrayRef<f64, D>,
        expected: &ArrayRef<f64, D>,
    ) -> Result<(), Failure> {
        same_shape(quantity, got, expected)?;
        let (got, expected) = (got.view().into_dyn(), expected.view().into_dyn());
        for ((index, &got), &expected) in got.indexed_iter().zip(expected) {
            let error = if got == expected { 0.0 } else { (got - expected).abs() };
            let error = if error.is_nan() { f64::INFINITY } else { error };
            if self.worst.as_ref().is_none_or(|(worst, _)| error > *worst) {
                let index = index.slice();
                self.worst = Some((
                    error,
                    format!("{quantity}{index:?}: expected {expected:e}, got {got:e}"),
                ));
            }
        }
        Ok(())
    }

    /// Measures two numbers.
    pub(crate) fn compare_numbers(&mut self, quantity: &str, got: f64, expected: f64) {
        let (got, expected) = (ndarray::arr0(got), ndarray::arr0(expected));
        self.compare(quantity, &got, &expected).expect("two numbers have the same shape");
    }
}

/// Claims that two arrays are the same to the last bit.
pub(crate) fn same_bits<D: Dimension>(
    quantity: &str,
    got: &ArrayRef<f64, D>,
    expected: &ArrayRef<f64, D>,
) -> Result<(), Failure> {
    same_shape(quantity, got, expected)?;
    let (got, expected) = (got.view().into_dyn(), expected.view().into_dyn());
    let pairs = got.indexed_iter().zip(&expected);
    for ((index, got), expected) in pairs {
        claim(got.to_bits() == expected.to_bits(), || {
            format!("{quantity}{:?}: expected {expected:e}, got {got:e}", index.slice())
        })?;
    }
    Ok(())
}

fn same_shape<D: Dimension>(
    quantity: &str,
    got: &ArrayRef<f64, D>,
    expected: &ArrayRef<f64, D>,
) -> Result<(), Failure> {
    claim(got.shape() == expected.shape(), || {
        format!("{quantity}: expected shape {:?}, got {:?}", expected.shape(), got.shape())
    })
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    fn run(
        case: Option<&str>,
        bound: f64,
        one: impl Fn(&mut Case) -> Result<(), Failure> + Send + Sync + 'static,
    ) -> Outcome {
        let context =
            Context { fixtures: "".into(), course_data: None, seed: 3, case: case.map(Into::into) };
        let check = Cases { count: 5, bound }.check("all", Kind::Property, "group", "name", one);
        (check.run)(&context)
    }

    #[test]
    fn the_worst_element_of_all_cases_is_reported() {
        let outcome = run(None, 0.25, |case| {
            let off = case.between(0, 9) as f64;
            case.describe("off by one draw");
            case.compare("Y", &array![1.0, 1.0 + off], &array![1.0, 1.0])
        });
        assert!(!outcome.passed());
        assert_eq!((outcome.cases, outcome.bound), (5, Some(0.25)));
        assert!(outcome.detail.contains("(off by one draw): Y[1]: expected 1e0"), "{outcome:?}");
        assert!(outcome.detail.contains("cargo xtask test group.name --seed 3 --case"));
    }

    #[test]
    fn a_case_alone_is_the_case_among_all() {
        let first_case_only = |case: &mut Case| {
            let draw = case.rng.uniform();
            claim(false, || format!("draw {draw}"))
        };
        assert_eq!(run(None, 0.0, first_case_only), run(Some("0"), 0.0, first_case_only));
        assert_ne!(run(Some("1"), 0.0, first_case_only), run(Some("0"), 0.0, first_case_only));
        assert_eq!(run(Some("{}"), 0.0, first_case_only).status, crate::Status::Error);
    }

    #[test]
    fn nan_other_shapes_and_panics_fail() {
        let nan = run(None, 1.0, |case| case.compare("Y", &array![f64::NAN], &array![0.0]));
        assert_eq!((nan.passed(), nan.max_error), (false, Some(f64::INFINITY)));
        let shape = run(None, 1.0, |case| case.compare("Y", &array![0.0], &array![0.0, 0.0]));
        assert!(shape.detail.contains("Y: expected shape [2], got [1]"), "{}", shape.detail);
        let panic = run(None, 1.0, |case| {
            case.describe("no elements");
            let empty: [f64; 0] = [];
            claim(empty[case.between(0, 0)] > 0.0, String::new)
        });
        assert!(
            panic.detail.contains("(no elements): the check panicked: index"),
            "{}",
            panic.detail
        );
    }

    #[test]
    fn bits_tell_zeros_apart() {
        assert!(same_bits("Y", &array![0.0], &array![-0.0]).is_err());
        assert!(same_bits("Y", &array![f64::NAN], &array![f64::NAN]).is_ok());
    }
}
