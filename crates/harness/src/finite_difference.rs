//! Derivatives by central differences, and the verdict on an analytic gradient.
//!
//! The derivative of `L(x) = Σ R ⊙ Y(x)` along one element of x is estimated as
//! `Σ R ⊙ (Y(x + h) - Y(x - h)) / 2h`. Its truncation error is `h²/6 L'''`, its rounding error about
//! `ε |L| / h`; the default step balances the two for values around 1.
//!
//! Other values need an estimate of their own. The truncation error of twice the step is four times as
//! large, so the two slopes differ by three times that of the step. The rounding error cannot be read
//! off L: the loss of a confident network is near 0 as the logarithm of a number near 1, and what was
//! rounded is the 1. So it is measured, as in Monte Carlo arithmetic (Parker 1997): see [`Noise`].

use ndarray::{ArrayD, Dimension, IxDyn};
use numerics::Rng;

use crate::Check;
use crate::cases::{Failure, claim, number};
use crate::room::free_formula;

/// The step: near the cube root of the machine epsilon, where both errors are smallest.
pub(crate) const STEP: f64 = 1e-5;

/// What the error of an element may be at most.
pub(crate) const BOUND: f64 = 1e-7;

/// The central-difference gradient of a scalar function at `x`, all elements.
pub(crate) fn numeric_gradient(
    mut f: impl FnMut(&ArrayD<f64>) -> f64,
    x: &ArrayD<f64>,
    step: f64,
) -> ArrayD<f64> {
    let mut x = x.clone();
    let mut gradient = ArrayD::zeros(x.raw_dim());
    for (index, slope) in gradient.indexed_iter_mut() {
        let center = x[&index];
        x[&index] = center + step;
        let above = f(&x);
        x[&index] = center - step;
        let below = f(&x);
        x[&index] = center;
        *slope = (above - below) / (2.0 * step);
    }
    gradient
}

/// The transcription `(f(x + h) - f(x - h)) / 2h = f'(x) + h²/6 f'''(x)`, which is exact for a cubic polynomial
/// `a x³ + b x² + c x`, whose third derivative is 6a.
///
/// A sum of five such polynomials is at most 95 for numbers of magnitude below 2.25, and rounded at
/// most 16 times; the difference of two of them is divided by at least 1/2:
/// `2 · 16 · 95 u / (1/2) = 6.8e-13`.
pub(crate) fn formula_check() -> Check {
    free_formula("all", "numeric-gradient", 1e-12, |case| {
        let n = case.between(1, 5);
        let step = 0.25 + case.rng.uniform();
        case.describe(format!("{n} cubic polynomials, step {step}"));
        let [a, b, c, x] = [(); 4].map(|()| case.array(&[n]));
        let sum_of_cubics = |x: &ArrayD<f64>| -> f64 {
            (0..n).map(|i| (a[i] * x[i] + b[i]) * x[i] * x[i] + c[i] * x[i]).sum()
        };
        let slope = 3.0 * &a * &x * &x + 2.0 * &b * &x + &c;
        let expected = slope + step * step / 6.0 * (6.0 * &a);
        case.compare("slope", &numeric_gradient(sum_of_cubics, &x, step), &expected)
    })
}

/// The error of one element, `|a - n| / max(|a|, |n|, s)`, where `s` is the largest absolute value of
/// the gradient's tensor; 0 if both are zero.
pub(crate) fn element_error(analytic: f64, numeric: f64, largest: f64) -> f64 {
    if analytic == 0.0 && numeric == 0.0 {
        return 0.0;
    }
    (analytic - numeric).abs() / analytic.abs().max(numeric.abs()).max(largest)
}

/// A differentiable function of named tensors, together with what an implementation says its gradient
/// is.
pub(crate) struct Problem {
    /// `"X"`, `"W"`, `"b"`.
    pub(crate) names: Vec<String>,
    /// The tensors at which the function is differentiated.
    pub(crate) values: Vec<ArrayD<f64>>,
    /// The gradients under test with respect to them.
    pub(crate) gradients: Vec<ArrayD<f64>>,
    /// The size of the numbers that cancel in a term: 1 for the logarithm of a number near 1.
    pub(crate) cancelled: f64,
    pub(crate) evaluate: Box<Function>,
}

/// The function, of the tensors. A function of several steps adds the noise, if there is any, to what lies
/// between them; whoever calls it adds noise to the tensors and to the terms.
type Function = dyn FnMut(&[ArrayD<f64>], Option<&mut Noise>) -> Evaluation;

impl Problem {
    /// A function of one tensor.
    pub(crate) fn of_one(
        name: &str,
        value: ArrayD<f64>,
        gradient: ArrayD<f64>,
        cancelled: f64,
        evaluate: impl Fn(&ArrayD<f64>) -> Evaluation + 'static,
    ) -> Self {
        Self {
            names: vec![name.to_owned()],
            values: vec![value],
            gradients: vec![gradient],
            cancelled,
            evaluate: Box::new(move |values, _| evaluate(&values[0])),
        }
    }

    /// The slope along one element, unless a kink lies between the two points.
    fn slope(&mut self, variable: usize, index: &IxDyn, piece: &[u32], step: f64) -> Option<f64> {
        let center = self.values[variable][index];
        let mut at = |x: f64| {
            self.values[variable][index] = x;
            (self.evaluate)(&self.values, None)
        };
        let (above, below) = (at(center + step), at(center - step));
        self.values[variable][index] = center;
        if above.piece != piece || below.piece != piece {
            return None;
        }
        let difference: f64 = above.terms.iter().zip(&below.terms).map(|(a, b)| a - b).sum();
        Some(difference / (2.0 * step))
    }
}

/// Relative errors like those of rounding, but `√ε` instead of ε: each number is off
/// by that in a random direction.
///
/// What they do to a value is what rounding does to it, times `1 / √ε`, whatever cancels or
/// saturates on the way. (Evaluation in `f32` would not show it: where `1 + x` is 1 in `f64`, it is 1
/// in `f32` as well.)
pub(crate) struct Noise(Rng);

impl Noise {
    /// `√ε`: far above rounding, and its square is below it.
    const SIZE: f64 = 1.0 / (1 << 26) as f64;

    /// How often it is drawn: all effects are below half their standard deviation once in 10⁶ times.
    const DRAWS: usize = 16;

    /// A sum of n products of either sign is off by `√n / 7` times what noise of the size ε in its
    /// factors does. There are at most 108 here: 1.5 times, and 1.1 times for half the difference of two
    /// values. Three standard deviations of that are 6.6 times an effect of half its own; we take 8.
    const ROUNDINGS: f64 = 8.0;

    /// The error of a number of this size.
    fn of(&mut self, size: f64) -> f64 {
        if self.0.uniform() < 0.5 { -size * Self::SIZE } else { size * Self::SIZE }
    }

    /// Adds the errors of all elements.
    pub(crate) fn add_to(&mut self, values: &mut ArrayD<f64>) {
        values.mapv_inplace(|value| value + self.of(value));
    }

    /// The rounding error of a value at the present tensors; NaN if the function has no value there.
    fn rounding_error(Problem { values, cancelled, evaluate, .. }: &mut Problem) -> f64 {
        let mut noise = Self(Rng::new(0));
        let exact: f64 = evaluate(values, None).terms.iter().sum();
        let mut effect = || {
            let mut values = values.clone();
            values.iter_mut().for_each(|value| noise.add_to(value));
            let terms = evaluate(&values, Some(&mut noise)).terms;
            let noisy: f64 = terms.iter().map(|t| t + noise.of(t.abs() + *cancelled)).sum();
            (noisy - exact).abs()
        };
        // `max` would drop NaN.
        let larger = |a: f64, b: f64| if a.is_nan() || a > b { a } else { b };
        let largest = (0..Self::DRAWS).fold(0.0, |largest, _| larger(largest, effect()));
        Self::ROUNDINGS * f64::EPSILON / Self::SIZE * largest
    }
}

/// The value of a function, and which of its smooth pieces it was computed on.
pub(crate) struct Evaluation {
    /// `R ⊙ Y`: terms whose sum is the value. They are subtracted one by one, before the sum rounds.
    pub(crate) terms: Vec<f64>,
    /// Which side of each ReLU's kink and which cell of each window's maximum; the function is smooth
    /// wherever this does not change.
    pub(crate) piece: Vec<u32>,
}

/// Compares the gradient of `problem` with central differences at `per_tensor` elements of each
/// tensor (all of them if it has no more), which `pick` draws: it is given a length and returns an
/// index below it. The largest error.
///
/// An element beyond the bound by no more than truncation and rounding may be off is inconclusive. A
/// wrong element counts whatever is inconclusive beside it.
pub(crate) fn compare(
    problem: &mut Problem,
    per_tensor: usize,
    bound: f64,
    pick: &mut dyn FnMut(usize) -> usize,
) -> Result<f64, Failure> {
    let piece = (problem.evaluate)(&problem.values, None).piece;
    let mut largest_error = 0.0_f64;
    let mut inconclusive = None;
    let mut rounding = None;
    for (variable, name) in problem.names.clone().iter().enumerate() {
        let analytic = problem.gradients[variable].clone();
        let (got, expected) = (analytic.shape(), problem.values[variable].shape());
        claim(got == expected, || {
            format!("dL/d{name} must have the shape {expected:?}, but has shape {got:?}")
        })?;
        let scale = analytic.iter().fold(0.0_f64, |s, a| s.max(a.abs()));
        let mut elements: Vec<IxDyn> = analytic.indexed_iter().map(|(index, _)| index).collect();
        if elements.len() > per_tensor {
            elements = (0..per_tensor).map(|_| elements[pick(elements.len())].clone()).collect();
        }
        for index in elements {
            let Some(numeric) = problem.slope(variable, &index, &piece, STEP) else {
                inconclusive = Some("a kink was crossed");
                continue;
            };
            let a = analytic[&index];
            let error = element_error(a, numeric, scale);
            if error <= bound {
                largest_error = largest_error.max(error);
                continue;
            }
            let Some(of_twice_the_step) = problem.slope(variable, &index, &piece, 2.0 * STEP)
            else {
                inconclusive = Some("a kink was crossed");
                continue;
            };
            let rounding = *rounding.get_or_insert_with(|| Noise::rounding_error(problem));
            let explained = (of_twice_the_step - numeric).abs() + rounding / STEP;
            let allowed = bound * a.abs().max(numeric.abs()).max(scale);
            if (a - numeric).abs() <= allowed + explained {
                inconclusive = Some("the error of the difference exceeds the bound");
                continue;
            }
            return Err(Failure::Wrong(format!(
                "dL/d{name}{:?}: analytic {}, numeric {}, relative error {error:.1e}, step {STEP:.0e}",
                index.slice(),
                number(a),
                number(to_ten_digits(numeric)),
            )));
        }
    }
    inconclusive.map_or(Ok(largest_error), |why| Err(Failure::Inconclusive(why)))
}

/// A difference of numbers around 1 is known to no more.
fn to_ten_digits(x: f64) -> f64 {
    format!("{x:.9e}").parse().unwrap_or(x)
}

pub(crate) mod tests {
    use ndarray::arr1;

    use super::*;

    /// The verdict on a gradient of the sum of `f`.
    fn verdict(
        f: fn(f64) -> f64,
        cancelled: f64,
        x: &[f64],
        gradient: &[f64],
    ) -> Result<f64, Failure> {
        let evaluate = move |x: &ArrayD<f64>| Evaluation {
            terms: x.iter().map(|&x| f(x)).collect(),
            piece: x.iter().map(|&x| u32::from(x >= 0.0)).collect(),
        };
        let [x, gradient] = [x, gradient].map(|numbers| arr1(numbers).into_dyn());
        compare(&mut Problem::of_one("X", x, gradient, cancelled, evaluate), 100, BOUND, &mut |_| 0)
    }

    pub(crate) fn a_right_gradient_passes_a_wrong_one_fails_and_the_rest_is_inconclusive() {
        let cube = |x: f64| x * x * x;
        let steep = |x: f64| 1.0 + 1e-6 * x;
        // -ln σ(30) is 9e-14, from a sum that is 1 + 9e-14: the difference is 0 or a multiple of 1e-11.
        let small = |x: f64| (1.0 + (-x).exp()).ln();
        let of_small = -1.0 / (1.0 + 30.0_f64.exp());
        let (kink, error) = ("a kink was crossed", "the error of the difference exceeds the bound");
        type Case = (fn(f64) -> f64, f64, &'static [f64], [f64; 2], &'static str);
        let cases: [Case; 14] = [
            (cube, 0.0, &[1.0, -2.0], [3.0, 12.0], ""),
            (
                cube,
                0.0,
                &[1.0, -2.0],
                [3.0, 12.0 + 1e-5],
                "dL/dX[1]: analytic 12.00001, numeric 12,",
            ),
            (f64::abs, 0.0, &[1e-6], [1.0, 0.0], kink),
            // A wrong element fails beside an inconclusive one.
            (f64::abs, 0.0, &[1e-6, 1.0], [1.0, 2.0], "dL/dX[1]"),
            // A small slope on a large value is inconclusive up to rounding.
            (steep, 0.0, &[1.0], [1.00001e-6, 0.0], error),
            (steep, 0.0, &[1.0], [1.1e-6, 0.0], "dL/dX[0]"),
            (small, 1.0, &[30.0], [of_small, 0.0], error),
            (small, 0.0, &[30.0], [of_small, 0.0], "dL/dX[0]"),
            (small, 1.0, &[30.0], [-1e-8, 0.0], "dL/dX[0]"),
            // The difference of x³ is 3 x² + h²: inconclusive up to truncation.
            (cube, 0.0, &[1e-4], [3e-8, 0.0], error),
            (cube, 0.0, &[1e-4], [3.1e-8, 0.0], "dL/dX[0]"),
            (cube, 0.0, &[1.0], [f64::NAN, 0.0], "dL/dX[0]"),
            (cube, 0.0, &[1.0, 0.0, 0.0], [3.0, 0.0], "must have the shape [3], but has shape [2]"),
            (|_| 0.0, 0.0, &[1.0], [0.0, 0.0], ""),
        ];
        for (f, cancelled, x, gradient, expected) in cases {
            let gradient = &gradient[..x.len().min(2)];
            match verdict(f, cancelled, x, gradient) {
                Ok(largest) => assert!(expected.is_empty() && largest < 1e-9, "{x:?} {gradient:?}"),
                Err(Failure::Inconclusive(why)) => assert_eq!(why, expected, "{x:?} {gradient:?}"),
                Err(Failure::Wrong(what)) => {
                    let fails = ![kink, error, ""].contains(&expected) && what.contains(expected);
                    assert!(fails, "{x:?} {gradient:?}: {what}");
                }
            }
        }
    }

    pub(crate) fn two_zeros_agree_and_an_error_is_relative_to_the_largest_element() {
        assert_eq!(element_error(0.0, 0.0, 0.0), 0.0);
        assert_eq!(element_error(0.0, 1e-9, 10.0), 1e-10);
        assert_eq!(element_error(2.0, 1.0, 1.0), 0.5);
    }
}
