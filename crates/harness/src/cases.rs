//! Random cases of one check: proptest draws and shrinks them, and a failing one prints the command that
//! runs it again.
//!
//! A case is a list of choices, from which a check takes its sizes one by one, and a seed for the numbers
//! in its arrays. Smaller choices are smaller sizes, so that a shrunk case is a small one.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::str::FromStr;

use ndarray::{ArrayD, ArrayRef, Dimension, IxDyn};
use numerics::Rng;
use proptest::prelude::{Strategy, any};
use proptest::test_runner::{Config, RngSeed, TestCaseError, TestError, TestRunner};

use crate::check::panic_message;
use crate::{Check, Context, Kind, Outcome};

/// Choices of a drawn case; what is drawn after them comes from the case's random numbers.
const CHOICES: usize = 24;

/// How many cases a check runs, and what the error of an element may be at most in any of them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cases {
    /// The number of random cases.
    pub(crate) count: usize,
    /// The bound on `|got - expected|`.
    pub(crate) bound: f64,
    /// How many cases the check itself lists; they are tried before random ones.
    pub(crate) pinned: usize,
}

impl Cases {
    /// So many random cases with this bound.
    pub(crate) const fn new(count: usize, bound: f64) -> Self {
        Self { count, bound, pinned: 0 }
    }

    /// A check of this name, which runs `one` on every case.
    pub(crate) fn check(
        self,
        question: &'static str,
        kind: Kind,
        group: impl Into<String>,
        name: &str,
        one: impl Fn(&mut Case) -> Verdict + Send + Sync + 'static,
    ) -> Check {
        let group = group.into();
        let id = format!("{group}.{name}");
        Check::new(question, kind, group, name, move |context| self.run(&id, context, &one))
    }

    /// Not generic, so that the engine is compiled once and not for each of the hundreds of checks.
    fn run(self, id: &str, context: &Context, one: &dyn Fn(&mut Case) -> Verdict) -> Outcome {
        let largest = Cell::new(None);
        let conclusive = Cell::new(0);
        let inconclusive = Cell::new(0);
        let last_failure = RefCell::new(None);
        let judge = |draws: &Draws| {
            let mut case = Case::new(draws.clone());
            let verdict = without_panic(|| one(&mut case));
            let (error, verdict) = match (verdict, case.worst.take()) {
                (Ok(()), Some((error, what))) if error > self.bound => (Some(error), Err(what)),
                (Ok(()), worst) => {
                    let error = worst.map(|(error, _)| error);
                    largest.set(error.into_iter().chain(largest.get()).reduce(f64::max));
                    conclusive.set(conclusive.get() + 1);
                    return Ok(());
                }
                (Err(Failure::Inconclusive(why)), _) => {
                    inconclusive.set(inconclusive.get() + 1);
                    return Err(TestCaseError::reject(why));
                }
                (Err(Failure::Wrong(what)), _) => (None, Err::<(), _>(what)),
            };
            let what = verdict.expect_err("what passed has returned");
            let (case, description) = (case.draws(), case.description);
            let detail = format!(
                "case {case}{description}: {what}\nreplay with: cargo xtask test {id} --case {case}"
            );
            last_failure.replace(Some((error, detail)));
            Err(TestCaseError::fail(what))
        };
        let failed = || match last_failure.take() {
            Some((Some(error), detail)) => {
                Outcome::measured(conclusive.get() + 1, error, self.bound, &detail)
            }
            Some((None, detail)) => Outcome::fail(detail),
            None => Outcome::error("a case failed and left no trace"),
        };
        let listed = match context.case.as_deref().map(str::parse) {
            None => (0..self.pinned).map(Draws::Pinned).collect(),
            Some(Ok(Draws::Pinned(number))) if number >= self.pinned => {
                return Outcome::error(format!("{id} lists {} cases, from 0 on", self.pinned));
            }
            Some(Ok(draws)) => vec![draws],
            Some(Err(error)) => return Outcome::error(format!("{id} takes no such case: {error}")),
        };
        for draws in listed {
            match judge(&draws) {
                Ok(()) => {}
                Err(TestCaseError::Fail(_)) => return failed(),
                Err(TestCaseError::Reject(why)) => {
                    return Outcome::error(format!("case {draws} is inconclusive: {why}"));
                }
            }
        }
        if context.case.is_none() {
            let mut runner = TestRunner::new(Config {
                cases: self.count as u32,
                // A hundredth of the draws are inconclusive, most of them confident networks; a test
                // that can judge no more than four draws in five is none.
                max_global_rejects: self.count as u32 / 4,
                max_shrink_iters: if context.unshrunk { 0 } else { 4096 },
                // A case is printed as the command that replays it; there is no file of seeds.
                failure_persistence: None,
                // Checks of one seed should not all see the same numbers: FNV-1a of the name.
                rng_seed: RngSeed::Fixed(id.bytes().fold(context.seed, |hash, byte| {
                    (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3)
                })),
                ..Config::default()
            });
            match runner.run(&Draws::strategy(), |draws| judge(&draws)) {
                Ok(()) => {}
                Err(TestError::Fail(_, smallest)) => {
                    let _ = judge(&smallest);
                    return failed();
                }
                Err(TestError::Abort(why)) => {
                    let (got, all) = (conclusive.get(), self.count);
                    return Outcome::error(format!(
                        "too few conclusive cases, {got} of {all}: {why}"
                    ));
                }
            }
        }
        let cases = conclusive.get();
        let mut outcome = match largest.get() {
            Some(error) => Outcome::measured(cases, error, self.bound, ""),
            None => Outcome::ok(cases, format!("{cases} cases")),
        };
        if inconclusive.get() > 0 {
            outcome.detail += &format!(", {} more draws inconclusive", inconclusive.get());
        }
        outcome
    }
}

/// What a case is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Draws {
    /// One that the check lists itself.
    Pinned(usize),
    /// The seed of the numbers, and the choices.
    Random(u32, Vec<u32>),
}

impl Draws {
    fn strategy() -> impl Strategy<Value = Self> {
        // Another seed is no smaller case.
        let seed = any::<u32>().no_shrink();
        let choices = proptest::collection::vec(any::<u32>(), CHOICES);
        (seed, choices).prop_map(|(seed, choices)| Self::Random(seed, choices))
    }
}

/// As `--case` takes it: `pinned-3`, or the seed and the choices, separated by commas.
impl fmt::Display for Draws {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pinned(number) => write!(f, "pinned-{number}"),
            Self::Random(seed, choices) => {
                seed.fmt(f)?;
                choices.iter().try_for_each(|choice| write!(f, ",{choice}"))
            }
        }
    }
}

impl FromStr for Draws {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let numbers: Result<Vec<u32>, _> =
            text.trim_start_matches("pinned-").split(',').map(str::parse).collect();
        match (numbers.as_deref(), text.starts_with("pinned-")) {
            (Ok(&[number]), true) => Ok(Self::Pinned(number as usize)),
            (Ok([seed, choices @ ..]), false) => Ok(Self::Random(*seed, choices.to_vec())),
            _ => Err(format!("expected pinned-0 or numbers such as 7,1,2, but got {text:?}")),
        }
    }
}

/// Whether a case bears out the claim.
pub(crate) type Verdict = Result<(), Failure>;

/// Why a case does not bear out the claim.
#[derive(Debug)]
pub(crate) enum Failure {
    /// It contradicts it.
    Wrong(String),
    /// It cannot tell; another one is drawn.
    Inconclusive(&'static str),
}

impl Failure {
    pub(crate) fn new(what: impl Into<String>) -> Self {
        Self::Wrong(what.into())
    }
}

/// An error that an implementation gives on valid input is a failure of the implementation.
impl<E: std::error::Error> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::Wrong(format!("unexpected error: {error}"))
    }
}

/// Fails with this message unless `holds`.
pub(crate) fn claim(holds: bool, otherwise: impl FnOnce() -> String) -> Verdict {
    if holds { Ok(()) } else { Err(Failure::Wrong(otherwise())) }
}

fn without_panic(run: impl FnOnce() -> Verdict) -> Verdict {
    // What a panic leaves behind is looked at only for the description of the case.
    catch_unwind(AssertUnwindSafe(run))
        .unwrap_or_else(|panic| Err(Failure::Wrong(panic_message(panic.as_ref()))))
}

/// One case: its choices and random numbers, and the largest error found in it.
pub(crate) struct Case {
    /// The random numbers of this case.
    pub(crate) rng: Rng,
    draws: Draws,
    taken: usize,
    description: String,
    worst: Option<(f64, String)>,
}

impl Case {
    fn new(draws: Draws) -> Self {
        let seed = match draws {
            Draws::Pinned(number) => number as u64,
            Draws::Random(seed, _) => u64::from(seed),
        };
        Self { rng: Rng::new(seed), draws, taken: 0, description: String::new(), worst: None }
    }

    /// The draws, without choices that nobody took.
    fn draws(&self) -> Draws {
        match &self.draws {
            Draws::Random(seed, choices) => {
                Draws::Random(*seed, choices.iter().copied().take(self.taken).collect())
            }
            pinned => pinned.clone(),
        }
    }

    /// The number of this case among those that the check lists itself.
    pub(crate) fn pinned(&self) -> Option<usize> {
        match self.draws {
            Draws::Pinned(number) => Some(number),
            Draws::Random(..) => None,
        }
    }

    /// Says what the case is about, for the message of a failure.
    pub(crate) fn describe(&mut self, what: impl fmt::Display) {
        self.description = format!(" ({what})");
    }

    /// An integer from `low..=high`.
    pub(crate) fn between(&mut self, low: usize, high: usize) -> usize {
        let choice = match &self.draws {
            Draws::Random(_, choices) => choices.get(self.taken).copied(),
            Draws::Pinned(_) => None,
        };
        self.taken += 1;
        let choices = high - low + 1;
        // A smaller choice is never a larger number, so that a search for the smallest finds it.
        let scaled = |choice| ((choice as u64 * choices as u64) >> 32) as usize;
        low + choice.map_or_else(|| self.rng.below(choices), scaled)
    }

    /// One of these.
    pub(crate) fn one_of<T: Clone>(&mut self, all: &[T]) -> T {
        all[self.between(0, all.len() - 1)].clone()
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
    ) -> Verdict {
        same_shape(quantity, got, expected)?;
        let (got, expected) = (got.view().into_dyn(), expected.view().into_dyn());
        for ((index, &got), &expected) in got.indexed_iter().zip(expected) {
            let error = if got == expected { 0.0 } else { (got - expected).abs() };
            self.measure(error, || {
                format!("{quantity}{:?}: expected {expected:e}, got {got:e}", index.slice())
            });
        }
        Ok(())
    }

    /// Takes an error into account; NaN is infinite.
    pub(crate) fn measure(&mut self, error: f64, what: impl FnOnce() -> String) {
        let error = if error.is_nan() { f64::INFINITY } else { error };
        if self.worst.as_ref().is_none_or(|(worst, _)| error > *worst) {
            self.worst = Some((error, what()));
        }
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
) -> Verdict {
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
) -> Verdict {
    claim(got.shape() == expected.shape(), || {
        format!("{quantity}: expected shape {:?}, got {:?}", expected.shape(), got.shape())
    })
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;
    use crate::Status;

    fn run(
        case: Option<&str>,
        bound: f64,
        one: impl Fn(&mut Case) -> Verdict + Send + Sync + 'static,
    ) -> Outcome {
        let context = Context { seed: 3, case: case.map(Into::into), ..Context::default() };
        let cases = Cases { pinned: 1, ..Cases::new(20, bound) };
        (cases.check("all", Kind::Property, "group", "name", one).run)(&context)
    }

    /// The case that a failing check printed.
    fn printed(outcome: &Outcome) -> &str {
        outcome.detail.split_once("cargo xtask test group.name --case ").unwrap().1
    }

    #[test]
    fn a_failing_case_shrinks_to_the_smallest_and_its_command_replays_it() {
        let one = |case: &mut Case| {
            let (a, b) = (case.between(0, 9), case.between(1, 1000));
            let wrong = b >= 30 && case.pinned().is_none();
            case.describe(format!("a is {a} and b {b}"));
            case.compare("Y", &array![1.0, if wrong { 3.0 } else { 1.0 }], &array![1.0, 1.0])
        };
        let failed = run(None, 0.25, one);
        assert_eq!((failed.status, failed.bound), (Status::Fail, Some(0.25)));
        let expected = "(a is 0 and b 30): Y[1]: expected 1e0, got 3e0\n";
        assert!(failed.detail.contains(expected), "{}", failed.detail);
        assert_eq!(run(Some(printed(&failed)), 0.25, one).detail, failed.detail);
        assert_eq!(run(Some("7,0,0"), 0.25, one).status, Status::Ok);
        assert_eq!(run(Some("pinned-0"), 0.25, one).cases, 1);
        for refused in ["{}", "", "1,x", "pinned-1", "pinned-0,1"] {
            assert_eq!(run(Some(refused), 0.25, one).status, Status::Error, "{refused}");
        }
    }

    #[test]
    fn inconclusive_cases_are_replaced_and_never_count() {
        let one_in = |n| {
            move |case: &mut Case| match case.pinned().is_none() && case.between(1, n) == 1 {
                true => Err(Failure::Inconclusive("a kink was crossed")),
                false => Ok(()),
            }
        };
        let passed = run(None, 0.0, one_in(10));
        assert_eq!((passed.status, passed.cases), (Status::Ok, 21));
        assert!(passed.detail.ends_with(" more draws inconclusive"), "{}", passed.detail);
        assert_eq!(run(None, 0.0, one_in(2)).status, Status::Error);
        assert_eq!(run(Some("1,0"), 0.0, one_in(10)).status, Status::Error);
        let pinned = run(None, 0.0, |_| Err(Failure::Inconclusive("a kink was crossed")));
        assert_eq!(pinned.detail, "case pinned-0 is inconclusive: a kink was crossed");
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
        let expected = "(no elements): the check panicked: index";
        assert!(panic.detail.contains(expected), "{}", panic.detail);
    }

    #[test]
    fn bits_tell_zeros_apart() {
        assert!(same_bits("Y", &array![0.0], &array![-0.0]).is_err());
        assert!(same_bits("Y", &array![f64::NAN], &array![f64::NAN]).is_ok());
    }
}
