//! ReLU: question 4.1.

use activations::{Activation, ElementWise, ReLU};
use ndarray::{ArrayD, arr1, array};

use crate::activation::{ActivationRoom, ActivationSubject, Backward, Forward, elementwise};
use crate::cases::{Case, Verdict, claim};
use crate::elementwise::{add_backward, add_forward, add_rising, draw};
use crate::room::{Checks, bugs};
use crate::worked::Example;

type Subject = ActivationSubject<f64>;

pub(crate) static ROOM: ActivationRoom = ActivationRoom {
    activation: Activation::ReLU,
    name: "ReLU",
    question: "4.1",
    fixture: "Activations",
    checks,
    bugs: bugs! {
        "relu-sign" [Course Gradient Formula] "backward has the wrong sign"
        "relu-leak" [Course Gradient Formula] "backward lets the gradient pass where the input was negative"
        "relu-kink" [Formula] "the derivative at exactly 0 is 0 instead of 1"
        "relu-nan" [Property] "forward is max(z, 0), which turns NaN into 0"
        "relu-abs" [Course Gradient Formula] "forward reflects negative inputs instead of cutting them"
    },
    faulty,
    examples: &[("relu", worked)],
};

fn checks(own: &mut Checks<Subject>) {
    add_forward(own, "relu-forward", 0.0, value);
    add_backward(own, "relu-backward", 0.0, derivative);
    own.exactly("the_kink_belongs_to_the_right", the_kink_belongs_to_the_right);
    own.exactly("is_the_identity_on_what_it_passes", passes_unchanged);
    add_rising(own, (0.0, f64::INFINITY));
}

/// `σ(γ) = 0` if `γ < 0`, `γ` otherwise.
fn value(z: f64) -> f64 {
    if z < 0.0 { 0.0 } else { z }
}

/// 0 where z < 0, 1 otherwise: the kink belongs to the right branch.
pub(crate) fn derivative(z: f64) -> f64 {
    if z < 0.0 { 0.0 } else { 1.0 }
}

/// At 0 the assignment's formula takes the branch "otherwise", whose derivative is 1.
fn the_kink_belongs_to_the_right(subject: &Subject, case: &mut Case) -> Verdict {
    let tiny = f64::from_bits(1);
    let z = arr1(&[0.0, -0.0, tiny, f64::MIN_POSITIVE, -tiny, -f64::MIN_POSITIVE]).into_dyn();
    let g = 1.0 + case.rng.uniform();
    let dl_dz = (subject.backward)(&z, &ArrayD::from_elem(z.raw_dim(), g))?;
    case.compare("dL/dZ", &dl_dz, &arr1(&[g, g, g, g, 0.0, 0.0]).into_dyn())
}

fn passes_unchanged(subject: &Subject, case: &mut Case) -> Verdict {
    let z = draw(case);
    let dl_dy = case.array(z.shape());
    let (y, dl_dz) = ((subject.forward)(&z), (subject.backward)(&z, &dl_dy)?);
    let expected = |i: usize| if z[i] < 0.0 { (0.0, 0.0) } else { (z[i], dl_dy[i]) };
    (0..z.len()).try_for_each(|i| {
        claim((y[i], dl_dz[i]) == expected(i), || {
            let (got, expected, z) = ((y[i], dl_dz[i]), expected(i), z[i]);
            format!("(Y, dL/dZ)[{i}]: expected {expected:?}, got {got:?} for z = {z}")
        })
    })
}

fn faulty(bug: &'static str) -> (Forward, Backward) {
    fn slope(z: f64) -> f64 {
        if z.is_nan() { z } else { derivative(z) }
    }
    let (forward, backward): (Forward, Backward) =
        (|z| z.mapv(value), |z, dl_dy| elementwise(z, dl_dy, slope));
    match bug {
        "relu-sign" => (forward, |z, dl_dy| -elementwise(z, dl_dy, slope)),
        "relu-leak" => (forward, |_, dl_dy| dl_dy.clone()),
        "relu-kink" => {
            (forward, |z, dl_dy| elementwise(z, dl_dy, |z| if z == 0.0 { 0.0 } else { slope(z) }))
        }
        "relu-nan" => (|z| z.mapv(|z| z.max(0.0)), backward),
        "relu-abs" => (|z| z.mapv(f64::abs), backward),
        _ => (forward, backward),
    }
}

/// Two examples of two features, with a kink among them.
fn worked(example: &mut Example<'_>) {
    let z = array![[-2.0, -0.5], [0.0, 3.0]];
    let dl_dy = array![[10.0, 20.0], [30.0, -40.0]];
    example.array("y", &ReLU::forward(&z));
    example.array("dz", &ReLU::backward(&z, dl_dy.clone()));
    example.array("z", &z);
    example.array("dy", &dl_dy);
}
