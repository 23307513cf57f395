//! The chapter on the verification.

use ndarray::{Array1, array};

use super::Example;
use crate::finite_difference::{element_error, numeric_gradient};

/// The slope of a cubic at 1, with a step that leaves a visible error.
pub(super) fn cubic(example: &mut Example<'_>) {
    const STEP: f64 = 0.1;
    let cubic = |at: f64| at.powi(3);
    let slope = numeric_gradient(|at| cubic(at[0]), &array![1.0].into_dyn(), STEP);
    example.number("step", STEP);
    example.number("above", cubic(1.0 + STEP));
    example.number("below", cubic(1.0 - STEP));
    example.number("slope", slope[0]);
    example.number("error", slope[0] - 3.0);
}

/// The same difference beside a large gradient, beside a small one, and where all is zero.
pub(super) fn element_errors(example: &mut Example<'_>) {
    let analytic = array![2.0, 0.0, 0.0];
    let numeric = array![2.0, 1e-9, 0.0];
    let largest = 2.0;
    let errors: Array1<f64> =
        analytic.iter().zip(&numeric).map(|(&a, &n)| element_error(a, n, largest)).collect();
    example.number("difference", numeric[1]);
    example.number("largest", largest);
    example.array("errors", &errors);
}
