//! Both results of an exercise, and the difference that rounding allows between them.

use ndarray::{Array1, Array2, ArrayD, arr0};
use numerics::Rng;

use crate::by_einsum::{MATRIX_VECTOR, OUTER_PRODUCT, TRACE};
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
    pub fn integers(rng: &mut Rng) -> Self {
        Self::draw(|| rng.below(19) as f64 - 9.0)
    }

    /// Numbers from the standard normal distribution.
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

/// Both results of an exercise of question 6.1.
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
    /// The result in words.
    pub title: &'static str,
    /// The einsum string.
    pub subscripts: &'static str,
    /// The result by einsum.
    pub by_einsum: ArrayD<f64>,
    /// The result without einsum.
    pub directly: ArrayD<f64>,
    /// The largest norm of their difference that rounding can cause, whatever the order of summation.
    pub bound: f64,
}

/// The exercises in the assignment's order, each computed both ways.
///
/// # Errors
/// [`EinsumError`] if an exercise cannot be applied to operands of these shapes.
pub fn comparisons(inputs: &Inputs) -> Result<[Comparison; 3], EinsumError> {
    let Inputs { matrix, a, b } = inputs;
    let trace = |matrix: &Array2<f64>| arr0(directly::trace(matrix.view())).into_dyn();
    let product = |matrix: &Array2<f64>, b: &Array1<f64>| {
        directly::matrix_vector(matrix.view(), b.view()).into_dyn()
    };
    Ok([
        Comparison {
            title: "trace of A",
            subscripts: TRACE,
            by_einsum: arr0(by_einsum::trace(matrix.view())?).into_dyn(),
            directly: trace(matrix),
            // N terms need N - 1 additions.
            bound: bound(N - 1, &trace(&matrix.abs())),
        },
        Comparison {
            title: "matrix A times vector b",
            subscripts: MATRIX_VECTOR,
            by_einsum: by_einsum::matrix_vector(matrix.view(), b.view())?.into_dyn(),
            directly: product(matrix, b),
            // A term passes through its own product and at most N - 1 additions.
            bound: bound(N, &product(&matrix.abs(), &b.abs())),
        },
        Comparison {
            title: "outer product of a and b",
            subscripts: OUTER_PRODUCT,
            by_einsum: by_einsum::outer_product(a.view(), b.view())?.into_dyn(),
            directly: directly::outer_product(a.view(), b.view()).into_dyn(),
            // A single product has one correctly rounded value, however it is computed.
            bound: 0.0,
        },
    ])
}

/// The largest norm of the difference between two results that rounding can cause, where an element passes
/// through so many roundings and `absolute` is the result for the absolute values of the operands.
///
/// Higham (2002), section 3.1: in whatever order n terms are summed, with fused multiply-adds or without, the error
/// of the sum is at most γₙ Σ|terms| with γₙ = n u / (1 - n u) and u = 2⁻⁵³. Two sums differ by twice that at most.
fn bound(roundings: usize, absolute: &ArrayD<f64>) -> f64 {
    let nu = roundings as f64 * (f64::EPSILON / 2.0);
    2.0 * nu / (1.0 - nu) * norm(absolute)
}

impl Comparison {
    /// The Euclidean (for a matrix: Frobenius) norm of the difference between the two results.
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
            for exact in comparisons(&integers).unwrap() {
                assert_eq!(exact.by_einsum, exact.directly, "{}", exact.title);
            }
            for rounded in comparisons(&reals).unwrap() {
                assert!(rounded.norm() <= rounded.bound, "{}", rounded.title);
            }
            // A diagonal whose absolute values sum to 40 has not been seen in a thousand draws.
            let difference = order_of_summation(&reals);
            assert!(difference < 2.0 * 4.0 * (f64::EPSILON / 2.0) * 40.0);
            reordered += usize::from(difference > 0.0);
        }
        assert!(reordered > 0);
    }

    #[test]
    fn the_bound_would_notice_a_wrong_element_and_the_norm_is_that_of_euclid() {
        let inputs = Inputs::reals(&mut Rng::new(4));
        for mut comparison in comparisons(&inputs).unwrap() {
            *comparison.by_einsum.first_mut().unwrap() *= 1.0 + 1e-12;
            assert!(comparison.norm() > comparison.bound, "{}", comparison.title);
        }
        assert_eq!(norm(&ndarray::arr1(&[3.0, 0.0, -4.0]).into_dyn()), 5.0);
    }
}
