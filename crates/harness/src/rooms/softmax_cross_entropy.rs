//! Softmax and cross-entropy in one: question 4.4.

use activations::SoftMax;
use losses::Loss;
use ndarray::{Array1, Array2, Axis, array};
use numerics::Scalar;

use super::cross_entropy::{self, rows};
use super::softmax::with_class;
use crate::cases::claim;
use crate::loss::{
    LossChecks, LossRoom, add_backward, add_forward, add_wants_distributions, draw, rows_of_one,
};
use crate::room::bugs;
use crate::transcription::{array_of, sum};
use crate::worked::Example;

const LOSS: Loss = Loss::SoftmaxCrossEntropy;

pub(super) static ROOM: LossRoom = LossRoom {
    loss: LOSS,
    name: "SoftmaxCrossEntropy",
    in_course: false,
    fixture: Some("SoftMaxCrossEntropy"),
    checks,
    bugs: bugs! {
        "fused-no-shift" [Property] "forward does not subtract the row maximum and overflows"
        "fused-infinite" [Property] "forward multiplies the infinite surprise of a logit of -∞ by its target of 0"
        "fused-sign" [Gradient Formula] "backward is Y - softmax(Z)"
    },
    faulty: |bug| match bug {
        "fused-no-shift" => (|y, z| costs(y, surprise(z, false)), backward),
        "fused-infinite" => (|y, z| (y * &surprise(z, true)).sum() / rows(y), backward),
        "fused-sign" => (forward, |y, z| -backward(y, z)),
        _ => (forward, backward),
    },
    examples: &[("softmax-cross-entropy", example), ("certain", certain)],
};

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

fn costs(y: &Array2<f64>, mut costs: Array2<f64>) -> f64 {
    costs.zip_mut_with(y, |cost, &y| *cost = if y == 0.0 { 0.0 } else { y * *cost });
    costs.sum() / rows(y)
}

fn forward(y: &Array2<f64>, z: &Array2<f64>) -> f64 {
    costs(y, surprise(z, true))
}

fn backward(y: &Array2<f64>, z: &Array2<f64>) -> Array2<f64> {
    (rows_of_one(exponentials(z, true).1) - y) / rows(y)
}

/// `σ(z)[i, k] = e^z[i, k] / Σⱼ e^z[i, j]`.
pub(super) fn softmax(z: &Array2<f64>) -> Array2<f64> {
    array_of(z.dim(), |(i, k)| z[[i, k]].exp() / sum(z.ncols(), |j| z[[i, j]].exp()))
}

/// A few roundings of numbers of magnitude at most 8.
const FEW_ROUNDINGS: f64 = 1e-14;

fn checks(own: &mut LossChecks) {
    // L = 1/m Σᵢ (ln Σⱼ e^z[i, j] - Σⱼ y[i, j] z[i, j]).
    add_forward(own, LOSS, "softmax-cross-entropy", |y, z| {
        let (m, k) = y.dim();
        let of_row = |i| sum(k, |j| z[[i, j]].exp()).ln() - sum(k, |j| y[[i, j]] * z[[i, j]]);
        sum(m, of_row) / m as f64
    });
    // The fused loss of logits is the cross-entropy of their softmax.
    add_forward(own, LOSS, "softmax-cross-entropy-composed", |y, z| {
        cross_entropy::literal(y, &softmax(z))
    });
    // dL/dz[i, k] = (softmax(z)[i, k] - y[i, k]) / m.
    add_backward(own, LOSS, "softmax-cross-entropy-backward", |y, z| {
        let p = softmax(z);
        array_of(y.dim(), |at| (p[at] - y[at]) / rows(y))
    });
    add_wants_distributions(own, LOSS);
    // A logit that is certainly wrong costs its distance.
    own.exactly("huge_logits_are_exact", |subject, case| {
        let distance = case.between(1_000, 20_000) as f64;
        case.describe(format!("logits {distance} apart"));
        let (target, logits) = (array![[1.0, 0.0]], array![[-distance / 2.0, distance / 2.0]]);
        let loss = (subject.forward)(&target, &logits)?;
        claim(loss == distance, || format!("L: expected {distance}, got {loss}"))?;
        let gradient = (subject.backward)(&target, &logits)?;
        case.compare("dL/dZ", &gradient, &array![[-1.0, 1.0]])
    });
    // A class of target 0 whose logits are -∞ has gradient 0, and changes nothing else.
    own.within(FEW_ROUNDINGS, "an_impossible_class_costs_nothing", |subject, case| {
        let (target, logits) = draw(LOSS, case);
        let class = case.between(0, target.ncols());
        let expected = (subject.forward)(&target, &logits)?;
        let gradient = with_class(&(subject.backward)(&target, &logits)?, class, 0.0)?;
        let target = with_class(&target, class, 0.0)?;
        let logits = with_class(&logits, class, f64::NEG_INFINITY)?;
        case.compare_numbers("L", (subject.forward)(&target, &logits)?, expected);
        case.compare("dL/dZ", &(subject.backward)(&target, &logits)?, &gradient)
    });
    own.within(FEW_ROUNDINGS, "a_shift_changes_nothing", |subject, case| {
        let (target, logits) = draw(LOSS, case);
        // Multiples of 1/64, to which a whole number is added without rounding.
        let logits = (logits * 64.0).mapv(f64::floor) / 64.0;
        let shifted = &logits + (case.between(0, 20_000) as f64 - 10_000.0);
        let expected = (subject.forward)(&target, &logits)?;
        case.compare_numbers("L", (subject.forward)(&target, &shifted)?, expected);
        let expected = (subject.backward)(&target, &logits)?;
        case.compare("dL/dZ", &(subject.backward)(&target, &shifted)?, &expected)
    });
    own.within(FEW_ROUNDINGS, "gradients_of_a_row_sum_to_zero", |subject, case| {
        let (target, logits) = draw(LOSS, case);
        let sums = (subject.backward)(&target, &logits)?.sum_axis(Axis(1));
        case.compare("the sum of dL/dZ of row", &sums, &Array1::zeros(sums.len()))
    });
}

/// The logits of the example of question 4.3, the truth in the last class.
fn example(example: &mut Example<'_>) {
    let z = array![[1.0_f64, 2.0, 5.0]].mapv(f64::ln);
    let y = array![[0.0, 0.0, 1.0]];
    let dl_dz = LOSS.backward(y.view(), z.view()).expect("a truth for every logit");
    example.number("loss", LOSS.forward(y.view(), z.view()).expect("a truth for every logit"));
    example.number("sum-of-dz", dl_dz.sum());
    example.array("p", &SoftMax::forward(&z).row(0));
    example.array("y", &y.row(0));
    example.array("dz", &dl_dz.row(0));
}

/// A network that is certain of the wrong class, in both precisions: gradients of the two functions one after the
/// other, and of the fused one.
fn certain(example: &mut Example<'_>) {
    record_certain::<f64>(example, "", 746.0);
    record_certain::<f32>(example, "-single", 104.0);
}

fn record_certain<T: Scalar>(example: &mut Example<'_>, precision: &str, gap: f64) {
    let (z, y) = (array![[0.0, -gap]].mapv(T::of), array![[0.0, 1.0]].mapv(T::of));
    let p = SoftMax::forward(&z);
    let valid = "a truth for every output";
    let dl_dp = Loss::CrossEntropy.backward(y.view(), p.view()).expect(valid);
    let composed = SoftMax::backward(&z, &dl_dp);
    let fused = LOSS.backward(y.view(), z.view()).expect(valid);
    example.number(&format!("gap{precision}"), gap);
    for (name, row) in
        [("z", z), ("y", y), ("p", p), ("dp", dl_dp), ("composed", composed), ("fused", fused)]
    {
        example.array(&format!("{name}{precision}"), &row.row(0).mapv(Scalar::as_f64));
    }
}
