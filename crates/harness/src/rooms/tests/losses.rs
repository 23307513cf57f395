//! Wrong losses.

use std::sync::Arc;

use losses::{Loss, LossError};
use ndarray::Array2;

use super::{LITTLE, Target, calls};
use crate::Check;
use crate::loss::LossSubject;
use crate::rooms::losses;

/// Makes something else of the loss of a target and an output.
type Value = fn(Result<f64, LossError>, &Array2<f64>, &Array2<f64>) -> Result<f64, LossError>;

/// Makes something else of a gradient.
type Gradient = fn(Array2<f64>) -> Array2<f64>;

struct Wrong(Loss, Value, Gradient);

impl LossSubject<f64> for Wrong {
    fn forward(&self, target: &Array2<f64>, output: &Array2<f64>) -> Result<f64, LossError> {
        (self.1)(self.0.forward(target.view(), output.view()), target, output)
    }

    fn backward(
        &self,
        target: &Array2<f64>,
        output: &Array2<f64>,
    ) -> Result<Array2<f64>, LossError> {
        Ok((self.2)(self.0.backward(target.view(), output.view())?))
    }
}

/// The elements times a factor that grows along an axis.
fn weighed(gradient: &Array2<f64>, by: fn((usize, usize)) -> usize) -> Array2<f64> {
    Array2::from_shape_fn(gradient.dim(), |at| gradient[at] * (1.0 + by(at) as f64))
}

/// The loss with one result off by a little.
struct Off(Loss, Target);

impl LossSubject<f64> for Off {
    fn forward(&self, target: &Array2<f64>, output: &Array2<f64>) -> Result<f64, LossError> {
        let off = if self.1 == Target::Forward { LITTLE } else { 0.0 };
        Ok(self.0.forward(target.view(), output.view())? + off)
    }

    fn backward(
        &self,
        target: &Array2<f64>,
        output: &Array2<f64>,
    ) -> Result<Array2<f64>, LossError> {
        let gradient = self.0.backward(target.view(), output.view())?.into_dyn();
        let gradient = self.1.tamper(Target::Backward, gradient);
        Ok(gradient.into_dimensionality().expect("a matrix stays a matrix"))
    }
}

/// The checks of this loss made of a wrong one.
fn checks_of(loss: Loss, wrong: Arc<dyn LossSubject<f64>>) -> Vec<Check> {
    let room = losses().into_iter().find(|room| room.loss == loss);
    room.expect("every loss has a room").checks_of(wrong)
}

/// The checks of all losses with one result off by a little.
pub(super) fn off(target: Target) -> Vec<Vec<Check>> {
    Loss::ALL.map(|loss| checks_of(loss, Arc::new(Off(loss, target)))).into()
}

/// The checks of losses that break what losses promise.
pub(super) fn all() -> Vec<Vec<Check>> {
    let wrong = |loss, value, gradient| checks_of(loss, Arc::new(Wrong(loss, value, gradient)));
    const VALUE: Value = |whole, _, _| whole;
    const GRADIENT: Gradient = |gradient| gradient;
    let (composed, fused) = (Loss::CrossEntropy, Loss::SoftmaxCrossEntropy);
    vec![
        wrong(composed, |whole, _, _| Ok(whole? + calls()), GRADIENT),
        wrong(composed, |whole, _, _| whole.map(|l| if l.is_nan() { 0.0 } else { l }), GRADIENT),
        // Accepts other shapes, no examples and any target.
        wrong(composed, |whole, _, _| whole.or(Ok(0.0)), GRADIENT),
        wrong(composed, |whole, _, p| Ok(whole? * (1.0 + p[[0, 0]])), |g| weighed(&g, |at| at.0)),
        wrong(composed, VALUE, |g| weighed(&g, |at| at.1)),
        // Wants distributions.
        wrong(Loss::L2, |_, y, p| Loss::CrossEntropy.forward(y.view(), p.view()), GRADIENT),
        wrong(Loss::L2, |whole, _, p| Ok(whole? + p.mapv(f64::abs).sum()), GRADIENT),
        wrong(Loss::L2, |whole, y, _| Ok(whole? + y[[0, 0]]), GRADIENT),
        wrong(fused, |whole, _, z| Ok(whole? + z[[0, 0]] * 1e-9), GRADIENT),
        wrong(fused, VALUE, |g| g + 1e-9),
    ]
}
