//! Random operands for the exercises.

use ndarray::{Array1, Array2};
use numerics::Rng;

/// The order of the matrix and the length of the vectors in question 6.1.
const N: usize = 5;

/// Which numbers are drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Numbers {
    /// Integers from -9 to 9. A product is at most 81 and a sum of five at most 405 in absolute
    /// value, far below 2⁵³: every intermediate result is an integer that `f64` holds exactly.
    Integers,
    /// Numbers from the standard normal distribution.
    Reals,
}

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
    /// Draws `A`, `a`, `b` in this order, row by row.
    #[must_use]
    pub fn draw(numbers: Numbers, rng: &mut Rng) -> Self {
        let mut number = || match numbers {
            Numbers::Integers => rng.below(19) as f64 - 9.0,
            Numbers::Reals => rng.normal(),
        };
        Self {
            matrix: Array2::from_shape_simple_fn((N, N), &mut number),
            a: Array1::from_shape_simple_fn(N, &mut number),
            b: Array1::from_shape_simple_fn(N, &mut number),
        }
    }

    /// The absolute values of all operands.
    pub(crate) fn abs(&self) -> Self {
        Self { matrix: self.matrix.abs(), a: self.a.abs(), b: self.b.abs() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_cover_their_range_and_nothing_else() {
        let mut rng = Rng::new(1);
        let mut seen = std::collections::BTreeSet::new();
        for _ in 0..100 {
            let inputs = Inputs::draw(Numbers::Integers, &mut rng);
            for &x in inputs.matrix.iter().chain(&inputs.a).chain(&inputs.b) {
                assert_eq!(x, x.trunc());
                seen.insert(x as i64);
            }
        }
        assert!(seen.into_iter().eq(-9..=9));
    }
}
