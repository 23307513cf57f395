//! Both results of an exercise, and the difference that rounding allows between them.

use ndarray::{Array1, Array2, ArrayD, arr0};
use numerics::Rng;

use crate::{EinsumError, by_einsum, directly};

/// The order of the matrix and the length of the vectors in question 6.1.
const N: usize = 5;

/// The operands of all three exercises.
#[derive(Clone, Debug, PartialEq)]
pub struct Inputs {
    /// `A`, of shape `(5, 5)`.
    pub matrix: Array2<f64>,
    /// `a`, of shape `(5)`.
    pub a: Array1<f64>,
    /// `b`, of shape `(5)`.
    pub b: Array1<f64>,
}

impl Inputs {
    /// Integers from -9 to 9. A product is at most 81 and a sum of five at most 405 in absolute value, far
    /// below 2⁵³: every intermediate result is an integer that `f64` holds exactly.
    #[must_use]
    pub fn integers(rng: &mut Rng) -> Self {
        Self::draw(|| rng.below(19) as f64 - 9.0)
    }

    /// Numbers from the standard normal distribution.
    #[must_use]
    pub fn reals(rng: &mut Rng) -> Self {
        Self::draw(|| rng.normal())
    }

    /// Draws `A`, `a`, `b` in this order, row by row.
    fn draw(mut number: impl FnMut() -> f64) -> Self {
        Self {
            matrix: Array2::from_shape_simple_fn((N, N), &mut number),
            a: Array1::from_shape_simple_fn(N, &mut number),
            b: Array1::from_shape_simple_fn(N, &mut number),
        }
    }
}

/// An exercise of question 6.1.
#[derive(Debug)]
pub struct Exercise {
    /// The result in words.
    pub title: &'static str,
    /// The einsum string.
    pub subscripts: &'static str,
    by_einsum: fn(&Inputs) -> Result<ArrayD<f64>, EinsumError>,
    directly: fn(&Inputs) -> ArrayD<f64>,
    /// The roundings that an element of the result passes through when nothing is exact.
    roundings: usize,
}

/// Every exercise, in the assignment's order.
pub const EXERCISES: [Exercise; 3] = [
    Exercise {
        title: "trace of A",
        subscripts: by_einsum::TRACE,
        by_einsum: |x| Ok(arr0(by_einsum::trace(x.matrix.view())?).into_dyn()),
        directly: |x| arr0(directly::trace(x.matrix.view())).into_dyn(),
        // N terms need N - 1 additions.
        roundings: N - 1,
    },
    Exercise {
        title: "matrix A times vector b",
        subscripts: by_einsum::MATRIX_VECTOR,
        by_einsum: |x| Ok(by_einsum::matrix_vector(x.matrix.view(), x.b.view())?.into_dyn()),
        directly: |x| directly::matrix_vector(x.matrix.view(), x.b.view()).into_dyn(),
        // A term passes through its own product and at most N - 1 additions.
        roundings: N,
    },
    Exercise {
        title: "outer product of a and b",
        subscripts: by_einsum::OUTER_PRODUCT,
        by_einsum: |x| Ok(by_einsum::outer_product(x.a.view(), x.b.view())?.into_dyn()),
        directly: |x| directly::outer_product(x.a.view(), x.b.view()).into_dyn(),
        // A single product has one correctly rounded value, however it is computed.
        roundings: 0,
    },
];

/// Both results of an exercise.
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
    /// The result by einsum.
    pub by_einsum: ArrayD<f64>,
    /// The result without einsum.
    pub directly: ArrayD<f64>,
    /// The largest norm of their difference that rounding can cause, whatever the order of summation.
    pub bound: f64,
}

impl Comparison {
    /// Computes the exercise both ways.
    ///
    /// # Errors
    /// [`EinsumError`] if the exercise cannot be applied to operands of these shapes.
    pub fn of(exercise: &Exercise, inputs: &Inputs) -> Result<Self, EinsumError> {
        let Inputs { matrix, a, b } = inputs;
        let absolute = Inputs { matrix: matrix.abs(), a: a.abs(), b: b.abs() };
        // Higham (2002), section 3.1: in whatever order n terms are summed, with fused
        // multiply-adds or without, the error of the sum is at most γₙ Σ|terms| with
        // γₙ = n u / (1 - n u) and u = 2⁻⁵³. Two sums differ by twice that at most.
        let nu = exercise.roundings as f64 * (f64::EPSILON / 2.0);
        Ok(Self {
            by_einsum: (exercise.by_einsum)(inputs)?,
            directly: (exercise.directly)(inputs),
            bound: 2.0 * nu / (1.0 - nu) * norm(&(exercise.directly)(&absolute)),
        })
    }

    /// The Euclidean (for a matrix: Frobenius) norm of the difference between the two results.
    #[must_use]
    pub fn norm(&self) -> f64 {
        norm(&(&self.by_einsum - &self.directly))
    }
}

fn norm(array: &ArrayD<f64>) -> f64 {
    array.iter().map(|x| x * x).sum::<f64>().sqrt()
}

// ANCHOR: order
/// The difference between the sum of the diagonal from its first element on and the sum of the same
/// numbers from the last element on: nothing differs but the order.
#[must_use]
pub fn order_of_summation(inputs: &Inputs) -> f64 {
    let diagonal = inputs.matrix.diag();
    let forwards: f64 = diagonal.iter().sum();
    let backwards: f64 = diagonal.iter().rev().sum();
    (forwards - backwards).abs()
}
// ANCHOR_END: order

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_results_agree_as_far_as_rounding_allows_and_on_integers_exactly() {
        let mut rng = Rng::new(2);
        let mut reordered = 0;
        for _ in 0..1000 {
            let (integers, reals) = (Inputs::integers(&mut rng), Inputs::reals(&mut rng));
            assert!(integers.matrix.iter().all(|x| x.fract() == 0.0 && x.abs() <= 9.0));
            for exercise in EXERCISES {
                let exact = Comparison::of(&exercise, &integers).unwrap();
                assert_eq!(exact.by_einsum, exact.directly, "{}", exercise.title);
                let rounded = Comparison::of(&exercise, &reals).unwrap();
                assert!(rounded.norm() <= rounded.bound, "{}", exercise.title);
            }
            // A diagonal whose absolute values sum to 40 has not been seen in a thousand draws.
            let difference = order_of_summation(&reals);
            assert!(difference < 2.0 * 4.0 * (f64::EPSILON / 2.0) * 40.0);
            reordered += usize::from(difference > 0.0);
        }
        assert!(reordered > 0);
    }

    #[test]
    fn the_bound_would_notice_a_wrong_element() {
        let inputs = Inputs::reals(&mut Rng::new(4));
        for exercise in EXERCISES {
            let mut comparison = Comparison::of(&exercise, &inputs).unwrap();
            *comparison.by_einsum.first_mut().unwrap() *= 1.0 + 1e-12;
            assert!(comparison.norm() > comparison.bound, "{}", exercise.title);
        }
    }

    #[test]
    fn the_norm_is_the_root_of_the_sum_of_squares() {
        let [by_einsum, directly] =
            [[3.0, 1.0, 0.0], [0.0, 1.0, 4.0]].map(|v| ndarray::arr1(&v).into_dyn());
        assert_eq!(Comparison { by_einsum, directly, bound: 0.0 }.norm(), 5.0);
    }
}
