//! Question 4.4, and the smoothed labels of question 7.

use activations::SoftMax;
use losses::{Loss, smooth_labels};
use ndarray::{Array2, array};

use super::Example;

/// Two examples, two classes.
pub(super) fn cross_entropy(example: &mut Example<'_>) {
    let y = array![[1.0, 0.0], [0.0, 1.0]];
    let y_hat = array![[0.5, 0.5], [0.75, 0.25]];
    record(example, Loss::CrossEntropy, &y, &y_hat);
}

/// The logits of the example of question 4.3, the truth in the last class.
pub(super) fn softmax_cross_entropy(example: &mut Example<'_>) {
    let z = array![[1.0_f64, 2.0, 5.0]].mapv(f64::ln);
    let y = array![[0.0, 0.0, 1.0]];
    let loss = Loss::SoftmaxCrossEntropy;
    let dl_dz = loss.backward(y.view(), z.view()).expect("a truth for every logit");
    example.number("loss", loss.forward(y.view(), z.view()).expect("a truth for every logit"));
    example.number("sum-of-dz", dl_dz.sum());
    example.array("p", &SoftMax::forward(&z).row(0));
    example.array("y", &y.row(0));
    example.array("dz", &dl_dz.row(0));
}

/// Two examples, three outputs.
pub(super) fn l2(example: &mut Example<'_>) {
    let y = array![[1.0, 2.0, 0.0], [3.0, 4.0, 1.0]];
    let y_hat = array![[1.0, 4.0, 0.0], [0.0, 4.0, 2.0]];
    example.array("squares", &(&y_hat - &y).mapv(|difference: f64| difference * difference));
    record(example, Loss::L2, &y, &y_hat);
}

fn record(example: &mut Example<'_>, loss: Loss, y: &Array2<f64>, y_hat: &Array2<f64>) {
    let value = loss.forward(y.view(), y_hat.view()).expect("a target for every output");
    let gradient = loss.backward(y.view(), y_hat.view()).expect("a target for every output");
    example.array("y", y);
    example.array("y-hat", y_hat);
    example.number("loss", value);
    example.array("dy-hat", &gradient);
}

/// A quarter of a one-hot target spread over two classes.
pub(super) fn label_smoothing(example: &mut Example<'_>) {
    const EPS: f64 = 0.25;
    let (y, p) = (array![[1.0, 0.0]], array![[0.25_f64, 0.75]]);
    let z = p.mapv(f64::ln);
    let smoothed = smooth_labels(y.view(), EPS).expect("a one-hot target can be smoothed");
    let loss = Loss::SoftmaxCrossEntropy;
    let value = loss.forward(smoothed.view(), z.view()).expect("a truth for every logit");
    let gradient = loss.backward(smoothed.view(), z.view()).expect("a truth for every logit");
    example.number("eps", EPS);
    example.number("loss", value);
    example.array("y", &y.row(0));
    example.array("p", &p.row(0));
    example.array("smoothed", &smoothed.row(0));
    // Targets of 1 in either class, smoothed completely: 1/k everywhere.
    let uniform = smooth_labels(y.view(), EPS).map(|smoothed| (smoothed - (1.0 - EPS) * &y) / EPS);
    example.array("uniform", &uniform.expect("a one-hot target can be smoothed").row(0));
    example.array("dz", &gradient.row(0));
}
