//! How often and by how much two ways of computing the same number differ, over many draws.

use numerics::Rng;

use crate::{Comparison, EinsumError, Exercise, Inputs, Numbers};

/// The differences found over a number of draws.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Survey {
    /// How many draws were compared.
    pub draws: usize,
    /// How many of them gave a difference that is not zero.
    pub differing: usize,
    /// The largest norm of a difference.
    pub largest: f64,
}

impl Survey {
    /// Compares einsum with the direct way on real-valued inputs.
    ///
    /// # Errors
    /// [`EinsumError`] if the exercise cannot be applied; no draw makes it so.
    pub fn of(exercise: Exercise, draws: usize, rng: &mut Rng) -> Result<Self, EinsumError> {
        let mut survey = Self::default();
        for _ in 0..draws {
            let inputs = Inputs::draw(Numbers::Reals, rng);
            survey.record(Comparison::of(exercise, &inputs)?.norm());
        }
        Ok(survey)
    }

    // ANCHOR: order
    /// Compares the sum of a real-valued diagonal from its first element on with the sum of the
    /// same numbers from the last element on: nothing differs but the order.
    #[must_use]
    pub fn of_summation_order(draws: usize, rng: &mut Rng) -> Self {
        let mut survey = Self::default();
        for _ in 0..draws {
            let diagonal = Inputs::draw(Numbers::Reals, rng).matrix.into_diag();
            let forwards: f64 = diagonal.iter().sum();
            let backwards: f64 = diagonal.iter().rev().sum();
            survey.record((forwards - backwards).abs());
        }
        survey
    }
    // ANCHOR_END: order

    fn record(&mut self, norm: f64) {
        self.draws += 1;
        self.differing += usize::from(norm != 0.0);
        self.largest = self.largest.max(norm);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_of_summation_alone_makes_a_difference_of_rounding_size() {
        let survey = Survey::of_summation_order(1000, &mut Rng::new(1));
        assert_eq!(survey.draws, 1000);
        assert!(survey.differing > 0);
        // A diagonal whose absolute values sum to 40 has not been seen in a thousand draws.
        assert!(survey.largest < 2.0 * 4.0 * (f64::EPSILON / 2.0) * 40.0);
    }

    #[test]
    fn an_outer_product_has_no_sum_and_so_never_differs() {
        let survey = Survey::of(Exercise::OuterProduct, 1000, &mut Rng::new(1)).unwrap();
        assert_eq!(survey, Survey { draws: 1000, differing: 0, largest: 0.0 });
    }
}
