//! Derivatives by central differences, and the verdict on an analytic gradient.
//!
//! The derivative of `L(x) = Σ R ⊙ Y(x)` along one element of x is estimated as
//! `Σ R ⊙ (Y(x + h) - Y(x - h)) / 2h`. Its truncation error is `h²/6 L'''`, its rounding error about
//! `ε |L| / h`; the default step balances the two for values around 1.

use ndarray::ArrayD;

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
    /// An element disagrees.
    Fail(Disagreement),
    /// The differences cannot tell, and why.
    Inconclusive(&'static str),
}

/// How an analytic gradient differs from the numeric one.
#[derive(Clone, Debug, PartialEq)]
pub enum Disagreement {
    /// The gradient has not the shape of its tensor.
    Shape {
        /// The tensor.
        variable: String,
        /// Its shape.
        expected: Vec<usize>,
        /// The shape of the gradient.
        got: Vec<usize>,
    },
    /// An element is wrong.
    Element {
        /// The tensor.
        variable: String,
        /// The index of the element.
        index: Vec<usize>,
        /// What the implementation says.
        analytic: f64,
        /// What the difference says.
        numeric: f64,
        /// The error of the element.
        error: f64,
    },
}

impl std::fmt::Display for Disagreement {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Shape { variable, expected, got } => {
                write!(f, "dL/d{variable} must have the shape {expected:?}, but has shape {got:?}")
            }
            Self::Element { variable, index, analytic, numeric, error } => write!(
                f,
                "dL/d{variable}{index:?}: analytic {analytic:.10e}, numeric {numeric:.10e}, \
                 error {error:.1e}, step {STEP:.0e}"
            ),
        }
    }
}

/// Compares the gradient of `problem` with central differences at `per_tensor` elements of each
/// tensor (all of them if it has no more), which `pick` draws: it is given a length and returns an
/// index below it.
pub fn compare(
    problem: &mut dyn Problem,
    per_tensor: usize,
    mut pick: impl FnMut(usize) -> usize,
) -> Verdict {
    let piece = problem.evaluate().piece;
    let mut largest_error = 0.0_f64;
    for (variable, name) in problem.variables().into_iter().enumerate() {
        let analytic = problem.analytic(variable).clone();
        let shape = problem.value(variable).shape().to_vec();
        if analytic.shape() != shape {
            let got = analytic.shape().to_vec();
            return Verdict::Fail(Disagreement::Shape { variable: name, expected: shape, got });
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
            let Some(slope) = slope(problem, variable, &index, &piece) else {
                return Verdict::Inconclusive("a kink was crossed");
            };
            let a = analytic[&*index];
            let error = element_error(a, slope.numeric, scale);
            if error <= BOUND {
                largest_error = largest_error.max(error);
                continue;
            }
            let denominator = a.abs().max(slope.numeric.abs()).max(scale);
            if slope.rounding > BOUND * denominator {
                return Verdict::Inconclusive("the rounding error of the step exceeds the bound");
            }
            return Verdict::Fail(Disagreement::Element {
                variable: name,
                index,
                analytic: a,
                numeric: slope.numeric,
                error,
            });
        }
    }
    Verdict::Pass(largest_error)
}

struct Slope {
    numeric: f64,
    rounding: f64,
}

/// The slope along one element, unless a kink lies between the two points.
fn slope(
    problem: &mut dyn Problem,
    variable: usize,
    index: &[usize],
    piece: &[u32],
) -> Option<Slope> {
    let center = problem.value(variable)[index];
    problem.value(variable)[index] = center + STEP;
    let above = problem.evaluate();
    problem.value(variable)[index] = center - STEP;
    let below = problem.evaluate();
    problem.value(variable)[index] = center;
    if above.piece != piece || below.piece != piece {
        return None;
    }
    let difference: f64 = above.terms.iter().zip(&below.terms).map(|(a, b)| a - b).sum();
    let magnitude: f64 = above.terms.iter().map(|term| term.abs()).sum();
    Some(Slope { numeric: difference / (2.0 * STEP), rounding: f64::EPSILON * magnitude / STEP })
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

    /// `L = Σ |x|ᵖ`-like problems with a gradient that can be made wrong.
    struct Scalar {
        x: ArrayD<f64>,
        analytic: ArrayD<f64>,
        f: fn(f64) -> f64,
    }

    impl Problem for Scalar {
        fn variables(&self) -> Vec<String> {
            vec!["X".to_owned()]
        }

        fn value(&mut self, _variable: usize) -> &mut ArrayD<f64> {
            &mut self.x
        }

        fn analytic(&self, _variable: usize) -> &ArrayD<f64> {
            &self.analytic
        }

        fn evaluate(&mut self) -> Evaluation {
            Evaluation {
                terms: self.x.iter().map(|&x| (self.f)(x)).collect(),
                piece: self.x.iter().map(|&x| u32::from(x >= 0.0)).collect(),
            }
        }
    }

    fn verdict(x: ArrayD<f64>, analytic: ArrayD<f64>, f: fn(f64) -> f64) -> Verdict {
        compare(&mut Scalar { x, analytic, f }, 100, |_| 0)
    }

    #[test]
    fn a_right_gradient_passes_and_a_wrong_one_fails_where_it_is_wrong() {
        let x = array![1.0, -2.0].into_dyn();
        let right = array![3.0, 12.0].into_dyn();
        assert!(matches!(verdict(x.clone(), right, |x| x * x * x), Verdict::Pass(e) if e < 1e-9));
        let wrong = array![3.0, 12.0 + 1e-5].into_dyn();
        let says = verdict(x, wrong, |x| x * x * x);
        let Verdict::Fail(Disagreement::Element { variable, index, .. }) = says else {
            panic!("{says:?}")
        };
        assert_eq!((variable.as_str(), index), ("X", vec![1]));
    }

    #[test]
    fn a_kink_between_the_points_is_inconclusive() {
        let x = array![1e-6].into_dyn();
        let says = verdict(x, array![1.0].into_dyn(), f64::abs);
        assert_eq!(says, Verdict::Inconclusive("a kink was crossed"));
    }

    #[test]
    fn a_small_slope_on_a_large_value_is_inconclusive_not_passed() {
        let says = verdict(array![1.0].into_dyn(), array![1.1e-6].into_dyn(), |x| 1.0 + 1e-6 * x);
        assert!(matches!(says, Verdict::Inconclusive(_)), "{says:?}");
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
