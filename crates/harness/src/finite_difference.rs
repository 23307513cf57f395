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

use ndarray::ArrayD;
use numerics::Rng;

use crate::Check;
use crate::room::free_formula;

/// The step: near the cube root of the machine epsilon, where both errors are smallest.
pub const STEP: f64 = 1e-5;

/// What the error of an element may be at most.
pub const BOUND: f64 = 1e-7;

/// The central-difference gradient of a scalar function at `x`, all elements.
pub fn numeric_gradient(
    mut f: impl FnMut(&ArrayD<f64>) -> f64,
    x: &ArrayD<f64>,
    step: f64,
) -> ArrayD<f64> {
    let mut x = x.clone();
    let mut gradient = ArrayD::zeros(x.raw_dim());
    for (index, slope) in gradient.indexed_iter_mut() {
        let index = ndarray::Dimension::slice(&index).to_vec();
        let center = x[&*index];
        x[&*index] = center + step;
        let above = f(&x);
        x[&*index] = center - step;
        let below = f(&x);
        x[&*index] = center;
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
#[must_use]
pub fn element_error(analytic: f64, numeric: f64, largest: f64) -> f64 {
    if analytic == 0.0 && numeric == 0.0 {
        return 0.0;
    }
    (analytic - numeric).abs() / analytic.abs().max(numeric.abs()).max(largest)
}

/// A differentiable function of named tensors, together with what an implementation says its gradient
/// is.
pub trait Problem {
    /// The names of the tensors: `"X"`, `"W"`, `"b"`.
    fn variables(&self) -> Vec<String>;

    /// A tensor, to be perturbed in place and put back.
    fn value(&mut self, variable: usize) -> &mut ArrayD<f64>;

    /// The gradient under test with respect to a tensor.
    fn analytic(&self, variable: usize) -> &ArrayD<f64>;

    /// The function's value at the present tensors.
    fn evaluate(&mut self) -> Evaluation;

    /// The size of the numbers that cancel in a term: 1 for the logarithm of a number near 1.
    fn cancelled(&self) -> f64 {
        0.0
    }

    /// The function's value with noise in the tensors and in the terms. A function of several steps
    /// adds it to what lies between them, too.
    fn evaluate_with(&mut self, noise: &mut Noise) -> f64 {
        let variables = 0..self.variables().len();
        let exact: Vec<_> = variables.map(|v| noise.replace(self.value(v))).collect();
        let terms = self.evaluate().terms;
        exact.into_iter().enumerate().for_each(|(v, exact)| *self.value(v) = exact);
        terms.iter().map(|term| term + noise.of(term.abs() + self.cancelled())).sum()
    }
}

/// A function of one tensor.
pub struct OneTensor<F> {
    /// The tensor's name: `"Z"`.
    pub name: &'static str,
    /// The tensor.
    pub value: ArrayD<f64>,
    /// The gradient under test.
    pub analytic: ArrayD<f64>,
    /// See [`Problem::cancelled`].
    pub cancelled: f64,
    /// The function.
    pub evaluate: F,
}

impl<F: Fn(&ArrayD<f64>) -> Evaluation> Problem for OneTensor<F> {
    fn variables(&self) -> Vec<String> {
        vec![self.name.to_owned()]
    }

    fn value(&mut self, _variable: usize) -> &mut ArrayD<f64> {
        &mut self.value
    }

    fn analytic(&self, _variable: usize) -> &ArrayD<f64> {
        &self.analytic
    }

    fn evaluate(&mut self) -> Evaluation {
        (self.evaluate)(&self.value)
    }

    fn cancelled(&self) -> f64 {
        self.cancelled
    }
}

/// Relative errors like those of rounding, but `√ε` instead of ε: each number is off
/// by that in a random direction.
///
/// What they do to a value is what rounding does to it, times `1 / √ε`, whatever cancels or
/// saturates on the way. (Evaluation in `f32` would not show it: where `1 + x` is 1 in `f64`, it is 1
/// in `f32` as well.)
pub struct Noise(Rng);

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
    pub fn of(&mut self, size: f64) -> f64 {
        if self.0.uniform() < 0.5 { -size * Self::SIZE } else { size * Self::SIZE }
    }

    /// Adds the errors of all elements.
    pub fn add_to(&mut self, values: &mut ArrayD<f64>) {
        values.mapv_inplace(|value| value + self.of(value));
    }

    /// Adds the errors of all elements and returns the values without them.
    fn replace(&mut self, values: &mut ArrayD<f64>) -> ArrayD<f64> {
        let exact = values.clone();
        self.add_to(values);
        exact
    }

    /// The rounding error of a value at the present tensors; NaN if the function has no value there.
    fn rounding_error(problem: &mut dyn Problem) -> f64 {
        let mut noise = Self(Rng::new(0));
        let exact: f64 = problem.evaluate().terms.iter().sum();
        let effects = (0..Self::DRAWS).map(|_| (problem.evaluate_with(&mut noise) - exact).abs());
        // `max` would drop NaN.
        let largest = effects.fold(0.0, |a: f64, b| if a.is_nan() || a > b { a } else { b });
        Self::ROUNDINGS * f64::EPSILON / Self::SIZE * largest
    }
}

/// The value of a function, and which of its smooth pieces it was computed on.
#[derive(Clone, Debug)]
pub struct Evaluation {
    /// `R ⊙ Y`: terms whose sum is the value. They are subtracted one by one, before the sum rounds.
    pub terms: Vec<f64>,
    /// Which side of each ReLU's kink and which cell of each window's maximum; the function is smooth
    /// wherever this does not change.
    pub piece: Vec<u32>,
}

/// What a comparison with finite differences says.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    /// Every element that was compared agrees; the largest error.
    Pass(f64),
    /// An element disagrees, or the gradient has not the shape of its tensor.
    Fail(String),
    /// The differences cannot tell, and why.
    Inconclusive(&'static str),
}

/// Compares the gradient of `problem` with central differences at `per_tensor` elements of each
/// tensor (all of them if it has no more), which `pick` draws: it is given a length and returns an
/// index below it.
///
/// An element beyond the bound by no more than truncation and rounding may be off is inconclusive. A
/// wrong element counts whatever is inconclusive beside it.
pub fn compare(
    problem: &mut dyn Problem,
    per_tensor: usize,
    mut pick: impl FnMut(usize) -> usize,
) -> Verdict {
    let piece = problem.evaluate().piece;
    let mut largest_error = 0.0_f64;
    let mut inconclusive = None;
    let mut rounding = None;
    for (variable, name) in problem.variables().into_iter().enumerate() {
        let analytic = problem.analytic(variable).clone();
        let shape = problem.value(variable).shape().to_vec();
        if analytic.shape() != shape {
            let got = analytic.shape();
            return Verdict::Fail(format!(
                "dL/d{name} must have the shape {shape:?}, but has shape {got:?}"
            ));
        }
        let scale = analytic.iter().fold(0.0_f64, |s, a| s.max(a.abs()));
        let total = analytic.len();
        let elements: Vec<usize> = if total <= per_tensor {
            (0..total).collect()
        } else {
            (0..per_tensor).map(|_| pick(total)).collect()
        };
        for element in elements {
            let index = unravel(element, &shape);
            let mut slope = |step| slope(problem, variable, &index, &piece, step);
            let Some(numeric) = slope(STEP) else {
                inconclusive = Some("a kink was crossed");
                continue;
            };
            let a = analytic[&*index];
            let error = element_error(a, numeric, scale);
            if error <= BOUND {
                largest_error = largest_error.max(error);
                continue;
            }
            let Some(of_twice_the_step) = slope(2.0 * STEP) else {
                inconclusive = Some("a kink was crossed");
                continue;
            };
            let rounding = *rounding.get_or_insert_with(|| Noise::rounding_error(problem));
            let explained = (of_twice_the_step - numeric).abs() + rounding / STEP;
            let bound = BOUND * a.abs().max(numeric.abs()).max(scale);
            if (a - numeric).abs() <= bound + explained {
                inconclusive = Some("the error of the difference exceeds the bound");
                continue;
            }
            return Verdict::Fail(format!(
                "dL/d{name}{index:?}: analytic {a:.10e}, numeric {numeric:.10e}, error {error:.1e}, \
                 step {STEP:.0e}"
            ));
        }
    }
    inconclusive.map_or(Verdict::Pass(largest_error), Verdict::Inconclusive)
}

/// The slope along one element, unless a kink lies between the two points.
fn slope(
    problem: &mut dyn Problem,
    variable: usize,
    index: &[usize],
    piece: &[u32],
    step: f64,
) -> Option<f64> {
    let center = problem.value(variable)[index];
    problem.value(variable)[index] = center + step;
    let above = problem.evaluate();
    problem.value(variable)[index] = center - step;
    let below = problem.evaluate();
    problem.value(variable)[index] = center;
    if above.piece != piece || below.piece != piece {
        return None;
    }
    let difference: f64 = above.terms.iter().zip(&below.terms).map(|(a, b)| a - b).sum();
    Some(difference / (2.0 * step))
}

fn unravel(mut element: usize, shape: &[usize]) -> Vec<usize> {
    let mut index = vec![0; shape.len()];
    for (position, &length) in index.iter_mut().zip(shape).rev() {
        *position = element % length;
        element /= length;
    }
    index
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    /// Sums of `f`, whose gradient is claimed to be `analytic`.
    fn verdict_with(
        x: ArrayD<f64>,
        analytic: ArrayD<f64>,
        f: fn(f64) -> f64,
        cancelled: f64,
    ) -> Verdict {
        let evaluate = |x: &ArrayD<f64>| Evaluation {
            terms: x.iter().map(|&x| f(x)).collect(),
            piece: x.iter().map(|&x| u32::from(x >= 0.0)).collect(),
        };
        compare(&mut OneTensor { name: "X", value: x, analytic, cancelled, evaluate }, 100, |_| 0)
    }

    fn verdict(x: ArrayD<f64>, analytic: ArrayD<f64>, f: fn(f64) -> f64) -> Verdict {
        verdict_with(x, analytic, f, 0.0)
    }

    #[test]
    fn a_right_gradient_passes_and_a_wrong_one_fails_where_it_is_wrong() {
        let x = array![1.0, -2.0].into_dyn();
        let right = array![3.0, 12.0].into_dyn();
        assert!(matches!(verdict(x.clone(), right, |x| x * x * x), Verdict::Pass(e) if e < 1e-9));
        let wrong = array![3.0, 12.0 + 1e-5].into_dyn();
        let says = verdict(x, wrong, |x| x * x * x);
        let Verdict::Fail(what) = says else { panic!("{says:?}") };
        assert!(what.starts_with("dL/dX[1]: analytic 1.20000"), "{what}");
    }

    #[test]
    fn a_kink_between_the_points_is_inconclusive() {
        let x = array![1e-6].into_dyn();
        let says = verdict(x, array![1.0].into_dyn(), f64::abs);
        assert_eq!(says, Verdict::Inconclusive("a kink was crossed"));
    }

    fn is_inconclusive(verdict: &Verdict) -> bool {
        *verdict == Verdict::Inconclusive("the error of the difference exceeds the bound")
    }

    #[test]
    fn a_small_slope_on_a_large_value_is_inconclusive_up_to_rounding() {
        let of = |slope: f64| {
            verdict(array![1.0].into_dyn(), array![slope].into_dyn(), |x| 1.0 + 1e-6 * x)
        };
        let (right, wrong) = (of(1.00001e-6), of(1.1e-6));
        assert!(is_inconclusive(&right), "{right:?}");
        assert!(matches!(wrong, Verdict::Fail(_)), "{wrong:?}");
    }

    /// `-ln σ(30)` is 9e-14, from a sum that is 1 + 9e-14: the difference is 0 or a multiple of 1e-11.
    #[test]
    fn a_small_logarithm_is_inconclusive_up_to_the_rounding_of_1() {
        let of = |analytic: f64, cancelled| {
            let f = |x: f64| (1.0 + (-x).exp()).ln();
            let (x, analytic) = (array![30.0].into_dyn(), array![analytic].into_dyn());
            verdict_with(x, analytic, f, cancelled)
        };
        let slope = -1.0 / (1.0 + 30.0_f64.exp());
        assert!(is_inconclusive(&of(slope, 1.0)), "{:?}", of(slope, 1.0));
        for wrong in [of(slope, 0.0), of(-1e-8, 1.0)] {
            assert!(matches!(wrong, Verdict::Fail(_)), "{wrong:?}");
        }
    }

    /// The difference of `x³` is `3 x² + h²`.
    #[test]
    fn a_slope_near_zero_is_inconclusive_up_to_truncation() {
        let of =
            |slope: f64| verdict(array![1e-4].into_dyn(), array![slope].into_dyn(), |x| x * x * x);
        let (right, wrong) = (of(3e-8), of(3.1e-8));
        assert!(is_inconclusive(&right), "{right:?}");
        assert!(matches!(wrong, Verdict::Fail(_)), "{wrong:?}");
    }

    #[test]
    fn a_wrong_element_fails_beside_an_inconclusive_one() {
        let (x, wrong) = (array![1e-6, 1.0].into_dyn(), array![1.0, 2.0].into_dyn());
        let says = verdict(x, wrong, f64::abs);
        assert!(matches!(says, Verdict::Fail(_)), "{says:?}");
    }

    #[test]
    fn a_nan_gradient_fails() {
        let says = verdict(array![1.0].into_dyn(), array![f64::NAN].into_dyn(), |x| x);
        assert!(matches!(says, Verdict::Fail(_)), "{says:?}");
    }

    #[test]
    fn a_gradient_of_another_shape_fails() {
        let says = verdict(array![1.0].into_dyn(), array![1.0, 1.0].into_dyn(), |x| x);
        let Verdict::Fail(failure) = says else { panic!("{says:?}") };
        assert_eq!(failure.to_string(), "dL/dX must have the shape [1], but has shape [2]");
    }

    #[test]
    fn two_zeros_agree_and_an_error_is_relative_to_the_largest_element() {
        assert_eq!(element_error(0.0, 0.0, 0.0), 0.0);
        assert_eq!(element_error(0.0, 1e-9, 10.0), 1e-10);
        assert_eq!(element_error(2.0, 1.0, 1.0), 0.5);
    }

    #[test]
    fn the_numeric_gradient_of_a_cubic_is_off_by_the_square_of_the_step() {
        let gradient = numeric_gradient(|x| x[0] * x[0] * x[0], &array![1.0].into_dyn(), 0.5);
        assert_eq!(gradient, array![3.25].into_dyn());
    }
}
