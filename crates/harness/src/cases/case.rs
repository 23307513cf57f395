//! One case of a check, and what a check can claim of it.

use std::fmt::{self, Debug};
use std::str::FromStr;

use ndarray::{ArrayD, ArrayRef, ArrayViewD, Dimension, IxDyn};
use numerics::Rng;

/// Whether a case bears out the claim.
pub(crate) type Verdict = Result<(), Failure>;

/// Why a case does not bear out the claim.
#[derive(Debug, PartialEq)]
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

/// Fails unless `got` is as expected.
pub(crate) fn equal<T: PartialEq + Debug>(what: &str, got: &T, expected: &T) -> Verdict {
    claim(got == expected, || format!("{what}: expected {expected:?}, got {got:?}"))
}

/// One case: its choices and random numbers, and the largest error found in it.
pub(crate) struct Case {
    /// The random numbers of this case.
    pub(crate) rng: Rng,
    pinned: Option<usize>,
    /// Of the random numbers.
    seed: u32,
    /// Whether arrays have small integers, which a reader can check by hand.
    whole: bool,
    /// What the check takes its sizes from; a pinned case has none.
    choices: Vec<u32>,
    taken: usize,
    pub(super) description: String,
    /// Elements of each tensor that finite differences look at.
    pub(crate) elements: usize,
    /// What results may be off by, beside the bound of the check.
    pub(crate) slack: f64,
    /// The largest error, and where it is.
    pub(super) worst: Option<(f64, String)>,
}

impl Case {
    /// One that the check lists itself.
    pub(super) fn listed(number: usize) -> Self {
        Self { pinned: Some(number), ..Self::drawn(number as u32, vec![]) }
    }

    pub(super) fn drawn(seed: u32, choices: Vec<u32>) -> Self {
        let (rng, description) = (Rng::new(u64::from(seed)), String::new());
        let (elements, slack) = (64, 0.0);
        Self {
            rng,
            pinned: None,
            seed,
            whole: false,
            choices,
            taken: 0,
            description,
            elements,
            slack,
            worst: None,
        }
    }

    /// The case with these choices and small integers in its arrays.
    pub(super) fn whole(seed: u32, choices: Vec<u32>) -> Self {
        Self { whole: true, ..Self::drawn(seed, choices) }
    }

    pub(super) fn is_whole(&self) -> bool {
        self.whole
    }

    /// The number of this case among those that the check lists itself.
    pub(crate) fn pinned(&self) -> Option<usize> {
        self.pinned
    }

    /// Says what the case is about, for the message of a failure.
    pub(crate) fn describe(&mut self, what: impl fmt::Display) {
        self.description = format!(" ({what})");
    }

    /// An integer from `low..=high`.
    pub(crate) fn between(&mut self, low: usize, high: usize) -> usize {
        let choice = self.choices.get(self.taken).copied();
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
        if self.whole {
            return ArrayD::from_shape_simple_fn(IxDyn(shape), || self.rng.below(7) as f64 - 3.0);
        }
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
        let (got, expected) = (got.view().into_dyn(), expected.view().into_dyn());
        for_each_pair(quantity, got, expected, &mut |got, expected, what| {
            let error = if got == expected { 0.0 } else { (got - expected).abs() };
            self.measure(error, what);
            Ok(())
        })
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

/// As `--case` takes it: `pinned-3`, or the seed and the choices that were taken, separated by commas, after `whole-`
/// for one in small integers.
impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(number) = self.pinned {
            return write!(f, "pinned-{number}");
        }
        write!(f, "{}{}", if self.whole { "whole-" } else { "" }, self.seed)?;
        self.choices.iter().take(self.taken).try_for_each(|choice| write!(f, ",{choice}"))
    }
}

impl FromStr for Case {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (form, numbers) = text.split_once('-').unwrap_or(("", text));
        let numbers: Result<Vec<u32>, _> = numbers.split(',').map(str::parse).collect();
        match (form, numbers.as_deref()) {
            ("pinned", Ok(&[number])) => Ok(Self::listed(number as usize)),
            ("whole", Ok([seed, choices @ ..])) => Ok(Self::whole(*seed, choices.to_vec())),
            ("", Ok([seed, choices @ ..])) => Ok(Self::drawn(*seed, choices.to_vec())),
            _ => Err(format!(
                "expected pinned-0, or numbers such as 7,1,2 or whole-7,1,2, but got {text:?}"
            )),
        }
    }
}

/// Claims that two arrays are the same to the last bit.
pub(crate) fn same_bits<D: Dimension>(
    quantity: &str,
    got: &ArrayRef<f64, D>,
    expected: &ArrayRef<f64, D>,
) -> Verdict {
    let (got, expected) = (got.view().into_dyn(), expected.view().into_dyn());
    for_each_pair(quantity, got, expected, &mut |got, expected, what| {
        claim(got.to_bits() == expected.to_bits(), what)
    })
}

/// A number in all its digits, with an exponent where zeros would hide them.
pub(crate) fn number(x: f64) -> String {
    if x == 0.0 || !x.is_finite() || (1e-3..1e6).contains(&x.abs()) {
        format!("{x}")
    } else {
        format!("{x:e}")
    }
}

/// Judges two elements, with what to say of them.
type Judge<'a> = dyn FnMut(f64, f64, &dyn Fn() -> String) -> Verdict + 'a;

/// Judges every two elements at the same place; other shapes fail at once. Not generic, so that it is compiled once.
fn for_each_pair(
    quantity: &str,
    got: ArrayViewD<'_, f64>,
    expected: ArrayViewD<'_, f64>,
    judge: &mut Judge<'_>,
) -> Verdict {
    claim(got.shape() == expected.shape(), || {
        format!("{quantity}: expected shape {:?}, got {:?}", expected.shape(), got.shape())
    })?;
    got.indexed_iter().zip(expected).try_for_each(|((at, &got), &expected)| {
        // A number has no place.
        let place = if at.ndim() == 0 { String::new() } else { format!("{:?}", at.slice()) };
        let what =
            || format!("{quantity}{place}: expected {}, got {}", number(expected), number(got));
        judge(got, expected, &what)
    })
}

pub(crate) mod tests {
    use ndarray::array;

    use super::*;

    pub(crate) fn bits_tell_zeros_apart() {
        assert!(same_bits("Y", &array![0.0], &array![-0.0]).is_err());
        assert!(same_bits("Y", &array![f64::NAN], &array![f64::NAN]).is_ok());
    }
}
