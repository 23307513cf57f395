//! Bugs of losses.

use std::sync::Arc;

use losses::{Loss, LossError};
use ndarray::{Array2, Axis};

use super::Control;
use crate::Kind::{Course, Formula, Gradient, Property};
use crate::{Kind, LossSubject, Subject};

type Forward = fn(&Array2<f64>, &Array2<f64>) -> f64;
type Backward = fn(&Array2<f64>, &Array2<f64>) -> Array2<f64>;

/// A loss made of two functions; what the real loss refuses is refused as it does.
struct Pair {
    which: Loss,
    forward: Forward,
    backward: Backward,
}

impl LossSubject<f64> for Pair {
    fn forward(&self, target: &Array2<f64>, output: &Array2<f64>) -> Result<f64, LossError> {
        self.which.forward(target.view(), output.view())?;
        Ok((self.forward)(target, output))
    }

    fn backward(
        &self,
        target: &Array2<f64>,
        output: &Array2<f64>,
    ) -> Result<Array2<f64>, LossError> {
        self.which.backward(target.view(), output.view())?;
        Ok((self.backward)(target, output))
    }
}

fn subject(which: Loss, forward: Forward, backward: Backward) -> Subject<f64> {
    Subject::Loss(which, Arc::new(Pair { which, forward, backward }))
}

fn rows(array: &Array2<f64>) -> f64 {
    array.nrows() as f64
}

fn tiny(p: f64) -> f64 {
    if p < f64::MIN_POSITIVE { f64::MIN_POSITIVE } else { p }
}

fn cross_entropy(y: &Array2<f64>, p: &Array2<f64>) -> f64 {
    -(y * &p.mapv(|p| tiny(p).ln())).sum() / rows(y)
}

fn cross_entropy_backward(y: &Array2<f64>, p: &Array2<f64>) -> Array2<f64> {
    -y / (p.mapv(tiny) * rows(y))
}

fn l2(y: &Array2<f64>, p: &Array2<f64>) -> f64 {
    (p - y).mapv(|d| d * d).sum() / (2.0 * rows(y))
}

fn l2_backward(y: &Array2<f64>, p: &Array2<f64>) -> Array2<f64> {
    (p - y) / rows(y)
}

fn exponentials(z: &Array2<f64>, shift: bool) -> (Array2<f64>, Array2<f64>) {
    let max = z.fold_axis(Axis(1), f64::NEG_INFINITY, |a, &z| a.max(z)).insert_axis(Axis(1));
    let shifted = if shift { z - &max } else { z.clone() };
    let exponentials = shifted.mapv(f64::exp);
    (shifted, exponentials)
}

/// The minus logarithms of the probabilities.
fn surprise(z: &Array2<f64>, shift: bool) -> Array2<f64> {
    let (shifted, exponentials) = exponentials(z, shift);
    let log_sum = exponentials.sum_axis(Axis(1)).mapv(f64::ln).insert_axis(Axis(1));
    log_sum - shifted
}

fn fused_shifted(y: &Array2<f64>, z: &Array2<f64>, shift: bool) -> f64 {
    let mut costs = surprise(z, shift);
    costs.zip_mut_with(y, |cost, &y| *cost = if y == 0.0 { 0.0 } else { y * *cost });
    costs.sum() / rows(y)
}

fn fused(y: &Array2<f64>, z: &Array2<f64>) -> f64 {
    fused_shifted(y, z, true)
}

fn fused_backward(y: &Array2<f64>, z: &Array2<f64>) -> Array2<f64> {
    let (_, exponentials) = exponentials(z, true);
    let sums = exponentials.sum_axis(Axis(1)).insert_axis(Axis(1));
    (exponentials / sums - y) / rows(y)
}

pub(super) fn without_bugs() -> Vec<Subject<f64>> {
    vec![
        subject(Loss::CrossEntropy, cross_entropy, cross_entropy_backward),
        subject(Loss::L2, l2, l2_backward),
        subject(Loss::SoftmaxCrossEntropy, fused, fused_backward),
    ]
}

pub(super) fn controls() -> Vec<Control> {
    let control = |id, which, bug, expected: &'static [Kind], forward, backward| Control {
        id,
        bug,
        expected,
        subject: subject(which, forward, backward),
    };
    vec![
        control(
            "cross-entropy-sum",
            Loss::CrossEntropy,
            "forward and backward both miss 1/m: a sum, whose gradient is consistent with it",
            &[Course, Formula, Property],
            |y, p| cross_entropy(y, p) * rows(y),
            |y, p| cross_entropy_backward(y, p) * rows(y),
        ),
        control(
            "cross-entropy-gradient-sum",
            Loss::CrossEntropy,
            "backward misses 1/m",
            &[Course, Gradient, Formula],
            cross_entropy,
            |y, p| cross_entropy_backward(y, p) * rows(y),
        ),
        control(
            "cross-entropy-sign",
            Loss::CrossEntropy,
            "backward has the wrong sign",
            &[Course, Gradient, Formula],
            cross_entropy,
            |y, p| -cross_entropy_backward(y, p),
        ),
        control(
            "cross-entropy-infinite",
            Loss::CrossEntropy,
            "a probability of 0 is not kept away from the logarithm",
            &[Property],
            |y, p| -(y * &p.mapv(f64::ln)).sum() / rows(y),
            |y, p| -y / (p * rows(y)),
        ),
        control(
            "cross-entropy-of-softmax",
            Loss::CrossEntropy,
            "backward returns (Ŷ - Y)/m, which is the gradient with respect to the logits",
            &[Course, Gradient, Formula],
            cross_entropy,
            |y, p| (p - y) / rows(y),
        ),
        control(
            "l2-factor",
            Loss::L2,
            "backward has a factor 2, as if forward were not halved",
            &[Course, Gradient, Formula],
            l2,
            |y, p| l2_backward(y, p) * 2.0,
        ),
        control(
            "l2-mean",
            Loss::L2,
            "forward is the mean over all elements, not halved; backward is consistent with it",
            &[Course, Formula],
            |y, p| l2(y, p) * 2.0 / y.ncols() as f64,
            |y, p| l2_backward(y, p) * 2.0 / y.ncols() as f64,
        ),
        control(
            "l2-elements",
            Loss::L2,
            "forward and backward divide by all elements, not by the examples",
            &[Formula],
            |y, p| l2(y, p) / y.ncols() as f64,
            |y, p| l2_backward(y, p) / y.ncols() as f64,
        ),
        control(
            "fused-no-shift",
            Loss::SoftmaxCrossEntropy,
            "forward does not subtract the row maximum and overflows",
            &[Property],
            |y, z| fused_shifted(y, z, false),
            fused_backward,
        ),
        control(
            "fused-infinite",
            Loss::SoftmaxCrossEntropy,
            "forward multiplies the infinite surprise of a logit of -∞ by its target of 0",
            &[Property],
            |y, z| (y * &surprise(z, true)).sum() / rows(y),
            fused_backward,
        ),
        control(
            "fused-sign",
            Loss::SoftmaxCrossEntropy,
            "backward is Y - softmax(Z)",
            &[Gradient, Formula],
            fused,
            |y, z| -fused_backward(y, z),
        ),
    ]
}
