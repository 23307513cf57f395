//! Wrong losses.

use std::sync::Arc;

use losses::{Loss, LossError};
use ndarray::Array2;

use super::{LITTLE, Target, calls};
use crate::Check;
use crate::loss::LossSubject;
use crate::rooms::losses;

type Value = Result<f64, LossError>;

/// The checks of functions that make something else of the value of a loss for a target and an output, and of
/// its gradient.
fn wrong(
    loss: Loss,
    value: impl Fn(Value, &Array2<f64>, &Array2<f64>) -> Value + Send + Sync + 'static,
    gradient: impl Fn(Array2<f64>) -> Array2<f64> + Send + Sync + 'static,
) -> Vec<Check> {
    let room = losses().into_iter().find(|room| room.loss == loss);
    let wrong = LossSubject {
        forward: Box::new(move |y, p| value(loss.forward(y.view(), p.view()), y, p)),
        backward: Box::new(move |y, p| loss.backward(y.view(), p.view()).map(&gradient)),
    };
    room.expect("every loss has a room").checks_of(Arc::new(wrong))
}

/// The elements times a factor that grows along an axis.
fn weighed(gradient: &Array2<f64>, by: fn((usize, usize)) -> usize) -> Array2<f64> {
    Array2::from_shape_fn(gradient.dim(), |at| gradient[at] * (1.0 + by(at) as f64))
}

/// The checks of all losses with one result off by a little.
pub(super) fn off(target: Target) -> Vec<Vec<Check>> {
    let off = if target == Target::Forward { LITTLE } else { 0.0 };
    let gradient = move |gradient: Array2<f64>| {
        let gradient = target.tamper(Target::Backward, gradient.into_dyn());
        gradient.into_dimensionality().expect("a matrix stays a matrix")
    };
    let value = move |value: Value, _: &Array2<f64>, _: &Array2<f64>| value.map(|l| l + off);
    Loss::ALL.map(|loss| wrong(loss, value, gradient)).into()
}

/// The checks of losses that break what losses promise.
pub(super) fn all() -> Vec<Vec<Check>> {
    type OfValue = fn(Value, &Array2<f64>, &Array2<f64>) -> Value;
    type OfGradient = fn(Array2<f64>) -> Array2<f64>;
    const VALUE: OfValue = |value, _, _| value;
    const GRADIENT: OfGradient = |gradient| gradient;
    let wrong = |loss, value: OfValue, gradient: OfGradient| wrong(loss, value, gradient);
    let (composed, fused) = (Loss::CrossEntropy, Loss::SoftmaxCrossEntropy);
    vec![
        wrong(composed, |value, _, _| Ok(value? + calls()), GRADIENT),
        wrong(composed, |value, _, _| value.map(|l| if l.is_nan() { 0.0 } else { l }), GRADIENT),
        // Accepts other shapes, no examples and any target.
        wrong(composed, |value, _, _| value.or(Ok(0.0)), GRADIENT),
        wrong(composed, |value, _, p| Ok(value? * (1.0 + p[[0, 0]])), |g| weighed(&g, |at| at.0)),
        wrong(composed, VALUE, |g| weighed(&g, |at| at.1)),
        // Wants distributions.
        wrong(Loss::L2, |_, y, p| Loss::CrossEntropy.forward(y.view(), p.view()), GRADIENT),
        wrong(Loss::L2, |value, _, p| Ok(value? + p.mapv(f64::abs).sum()), GRADIENT),
        wrong(Loss::L2, |value, y, _| Ok(value? + y[[0, 0]]), GRADIENT),
        wrong(fused, |value, _, z| Ok(value? + z[[0, 0]] * 1e-9), GRADIENT),
        wrong(fused, VALUE, |g| g + 1e-9),
    ]
}
