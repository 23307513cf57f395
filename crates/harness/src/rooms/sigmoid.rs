//! The sigmoid: question 4.1.

use activations::{Activation, ElementWise, Sigmoid};
use ndarray::{ArrayD, arr1, array};

use crate::activation::{ActivationRoom, ActivationSubject, elementwise};
use crate::cases::claim;
use crate::elementwise::{HANDFUL, add_backward, add_rising, draw};
use crate::room::{Checks, bugs};
use crate::worked::Example;

pub(crate) static ROOM: ActivationRoom = ActivationRoom {
    activation: Activation::Sigmoid,
    name: "Sigmoid",
    question: "4.1",
    fixture: "Activations",
    checks,
    bugs: bugs! {
        "sigmoid-half-derivative" [Course Gradient Formula] "backward uses σ(z) instead of σ(z) (1 - σ(z))"
        "sigmoid-overflow" [Property] "forward computes eᶻ / (1 + eᶻ), which is NaN for large z"
    },
    faulty: |bug| match bug {
        "sigmoid-half-derivative" => (forward, |z, dl_dy| dl_dy * &forward(z)),
        "sigmoid-overflow" => (|z| z.mapv(|z| z.exp() / (1.0 + z.exp())), backward),
        _ => (forward, backward),
    },
    examples: &[("sigmoid", worked)],
};

fn forward(z: &ArrayD<f64>) -> ArrayD<f64> {
    z.mapv(|z| {
        let e = (-z.abs()).exp();
        if z < 0.0 { e / (1.0 + e) } else { 1.0 / (1.0 + e) }
    })
}

fn backward(z: &ArrayD<f64>, dl_dy: &ArrayD<f64>) -> ArrayD<f64> {
    elementwise(z, dl_dy, |z| 0.25 / (0.5 * z).cosh().powi(2))
}

pub(crate) fn derivative(z: f64) -> f64 {
    let y = 1.0 / (1.0 + (-z).exp());
    y * (1.0 - y)
}

fn checks(own: &mut Checks<ActivationSubject<f64>>) {
    add_backward(own, "sigmoid-backward", HANDFUL, derivative);
    // σ(-z) = 1 - σ(z).
    own.within(HANDFUL, "reflection_gives_the_complement", |subject, case| {
        let z = draw(case);
        case.compare("σ(-Z)", &(subject.forward)(&-&z), &(1.0 - (subject.forward)(&z)))
    });
    // σ(z) and σ'(z) are e^-|z|, where that is far below 1: measured relative to it, at which a result of
    // the form 1 - (1 - x) would be off by everything. Beyond, nothing overflows.
    own.within(HANDFUL, "the_tails_keep_their_relative_accuracy", |subject, case| {
        let z = 40.0 + 660.0 * case.rng.uniform();
        case.describe(format!("z = {z}"));
        let both = arr1(&[-z, z]).into_dyn();
        let y = (subject.forward)(&both);
        let slope = (subject.backward)(&both, &arr1(&[1.0, 1.0]).into_dyn())?;
        case.compare_numbers("σ(-z) / e^-z", y[0] / (-z).exp(), 1.0);
        case.compare_numbers("σ'(-z) / e^-z", slope[0] / (-z).exp(), 1.0);
        case.compare_numbers("σ'(z) / e^-z", slope[1] / (-z).exp(), 1.0);
        let ends = (subject.forward)(&arr1(&[-1e4, 1e4]).into_dyn());
        claim((ends[0], ends[1]) == (0.0, 1.0), || format!("σ(-1e4), σ(1e4) = {ends}"))
    });
    add_rising(own, (0.0, 1.0));
}

/// The point where the slope of the sigmoid would round to 0, and its middle.
fn worked(example: &mut Example<'_>) {
    let z = array![0.0, 40.0];
    let slope = Sigmoid::backward(&z, array![1.0, 1.0]);
    let y = Sigmoid::forward(&z);
    example.number("y-at-40", y[1]);
    example.number("slope-at-40", slope[1]);
    example.number("product-at-40", y[1] * (1.0 - y[1]));
    example.number("slope-at-0", slope[0]);
}
