//! The central difference that gradients are verified with.

use ndarray::Array1;

use super::formula;
use crate::Check;
use crate::finite_difference::numeric_gradient;

/// A sum of five such polynomials is at most 95 for numbers of magnitude below 2.25, and rounded at
/// most 16 times; the difference of two of them is divided by at least 1/2:
/// `2 · 16 · 95 u / (1/2) = 6.8e-13`.
const ROUNDING: f64 = 1e-12;

/// `(f(x + h) - f(x - h)) / 2h = f'(x) + h²/6 f'''(x)`, exactly, for a cubic polynomial
/// `a x³ + b x² + c x`, whose third derivative is 6a.
pub(super) fn check() -> Check {
    formula("all", "numeric-gradient", ROUNDING, |case| {
        let n = case.between(1, 5);
        let step = 0.25 + case.rng.uniform();
        case.describe(format!("{n} cubic polynomials, step {step}"));
        let [a, b, c, x] = [(); 4].map(|()| case.array(&[n]));
        let sum_of_cubics = |x: &ndarray::ArrayD<f64>| -> f64 {
            (0..n).map(|i| (a[i] * x[i] + b[i]) * x[i] * x[i] + c[i] * x[i]).sum()
        };
        let expected = Array1::from_shape_fn(n, |i| {
            let slope = 3.0 * a[i] * x[i] * x[i] + 2.0 * b[i] * x[i] + c[i];
            slope + step * step / 6.0 * (6.0 * a[i])
        });
        case.compare("slope", &numeric_gradient(sum_of_cubics, &x, step), &expected.into_dyn())
    })
}
