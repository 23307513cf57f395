//! Both results of an exercise, and what their difference may be.

use ndarray::{ArrayD, arr0};

use crate::{EinsumError, Inputs, by_einsum, directly};

/// The exercises of question 6.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exercise {
    /// `tr A`.
    Trace,
    /// `A b`.
    MatrixVector,
    /// `a bᵀ`.
    OuterProduct,
}

impl Exercise {
    /// Every exercise, in the assignment's order.
    pub const ALL: [Self; 3] = [Self::Trace, Self::MatrixVector, Self::OuterProduct];

    /// What is computed, in words.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::Trace => "trace of A",
            Self::MatrixVector => "matrix A times vector b",
            Self::OuterProduct => "outer product of a and b",
        }
    }

    /// The einsum string.
    #[must_use]
    pub fn subscripts(self) -> &'static str {
        match self {
            Self::Trace => by_einsum::TRACE,
            Self::MatrixVector => by_einsum::MATRIX_VECTOR,
            Self::OuterProduct => by_einsum::OUTER_PRODUCT,
        }
    }

    fn by_einsum(self, inputs: &Inputs) -> Result<ArrayD<f64>, EinsumError> {
        let (matrix, a, b) = (inputs.matrix.view(), inputs.a.view(), inputs.b.view());
        Ok(match self {
            Self::Trace => arr0(by_einsum::trace(matrix)?).into_dyn(),
            Self::MatrixVector => by_einsum::matrix_vector(matrix, b)?.into_dyn(),
            Self::OuterProduct => by_einsum::outer_product(a, b)?.into_dyn(),
        })
    }

    fn directly(self, inputs: &Inputs) -> Result<ArrayD<f64>, EinsumError> {
        let (matrix, a, b) = (inputs.matrix.view(), inputs.a.view(), inputs.b.view());
        Ok(match self {
            Self::Trace => arr0(directly::trace(matrix)?).into_dyn(),
            Self::MatrixVector => directly::matrix_vector(matrix, b)?.into_dyn(),
            Self::OuterProduct => directly::outer_product(a, b)?.into_dyn(),
        })
    }

    /// How many roundings an element of the result passes through when nothing is exact.
    fn roundings(self, inputs: &Inputs) -> usize {
        match self {
            // n terms need n - 1 additions.
            Self::Trace => inputs.matrix.nrows() - 1,
            // The first product, then a product and an addition for each further term; a term
            // passes through its own product and at most n - 1 additions.
            Self::MatrixVector => inputs.b.len(),
            // A single product has one correctly rounded value, however it is computed.
            Self::OuterProduct => 0,
        }
    }
}

/// Both results of an exercise.
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
    /// The exercise.
    pub exercise: Exercise,
    /// The result by einsum.
    pub by_einsum: ArrayD<f64>,
    /// The result without einsum.
    pub directly: ArrayD<f64>,
    bound: f64,
}

impl Comparison {
    /// Computes the exercise by both ways.
    ///
    /// # Errors
    /// [`EinsumError`] if the exercise cannot be applied to operands of these shapes.
    pub fn of(exercise: Exercise, inputs: &Inputs) -> Result<Self, EinsumError> {
        // Higham (2002), section 3.1: in whatever order n terms are summed, with fused
        // multiply-adds or without, the error of the sum is at most γₙ Σ|terms| with
        // γₙ = n u / (1 - n u) and u = 2⁻⁵³. Two sums differ by twice that at most.
        let nu = exercise.roundings(inputs) as f64 * (f64::EPSILON / 2.0);
        let bound = 2.0 * nu / (1.0 - nu) * norm(&exercise.directly(&inputs.abs())?);
        Ok(Self {
            exercise,
            by_einsum: exercise.by_einsum(inputs)?,
            directly: exercise.directly(inputs)?,
            bound,
        })
    }

    // ANCHOR: norm
    /// The Euclidean (for a matrix: Frobenius) norm of the difference between the two results.
    #[must_use]
    pub fn norm(&self) -> f64 {
        norm(&(&self.by_einsum - &self.directly))
    }
    // ANCHOR_END: norm

    /// The largest norm that rounding can cause, whatever the order of summation.
    #[must_use]
    pub fn bound(&self) -> f64 {
        self.bound
    }
}

fn norm(array: &ArrayD<f64>) -> f64 {
    array.iter().map(|x| x * x).sum::<f64>().sqrt()
}

#[cfg(test)]
mod tests {
    use numerics::Rng;

    use super::*;
    use crate::Numbers;

    #[test]
    fn on_integers_the_two_results_are_the_same_numbers() {
        let mut rng = Rng::new(2);
        for _ in 0..1000 {
            let inputs = Inputs::draw(Numbers::Integers, &mut rng);
            for exercise in Exercise::ALL {
                let comparison = Comparison::of(exercise, &inputs).unwrap();
                assert_eq!(comparison.norm(), 0.0, "{}", exercise.title());
                assert_eq!(comparison.by_einsum, comparison.directly);
            }
        }
    }

    #[test]
    fn on_reals_the_difference_is_within_what_rounding_can_cause() {
        let mut rng = Rng::new(3);
        for _ in 0..1000 {
            let inputs = Inputs::draw(Numbers::Reals, &mut rng);
            for exercise in Exercise::ALL {
                let comparison = Comparison::of(exercise, &inputs).unwrap();
                let (norm, bound) = (comparison.norm(), comparison.bound());
                assert!(norm <= bound, "{}: {norm:e} > {bound:e}", exercise.title());
            }
        }
    }

    #[test]
    fn the_bound_would_notice_a_wrong_element() {
        let inputs = Inputs::draw(Numbers::Reals, &mut Rng::new(4));
        for exercise in Exercise::ALL {
            let mut comparison = Comparison::of(exercise, &inputs).unwrap();
            let first = comparison.by_einsum.first_mut().unwrap();
            *first *= 1.0 + 1e-12;
            assert!(comparison.norm() > comparison.bound(), "{}", exercise.title());
        }
    }

    #[test]
    fn the_norm_is_the_root_of_the_sum_of_squares() {
        let comparison = Comparison {
            exercise: Exercise::MatrixVector,
            by_einsum: ndarray::array![3.0, 1.0, 0.0].into_dyn(),
            directly: ndarray::array![0.0, 1.0, 4.0].into_dyn(),
            bound: 0.0,
        };
        assert_eq!(comparison.norm(), 5.0);
    }
}
