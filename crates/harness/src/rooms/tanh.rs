//! The hyperbolic tangent: question 4.1.

use activations::Activation;
use ndarray::ArrayD;

use crate::activation::{ActivationRoom, elementwise};
use crate::elementwise::{HANDFUL, add_backward, add_rising, is_odd};
use crate::room::bugs;

pub(crate) static ROOM: ActivationRoom = ActivationRoom {
    activation: Activation::TanH,
    name: "TanH",
    question: "4.1",
    fixture: "Activations",
    checks: |own| {
        add_backward(own, "tanh-backward", HANDFUL, derivative);
        own.within(HANDFUL, "is_odd", is_odd);
        add_rising(own, (-1.0, 1.0));
    },
    bugs: bugs! {
        "tanh-derivative-of-input" [Course Gradient Formula] "backward uses 1 - z² instead of 1 - tanh² z"
    },
    faulty: |bug| {
        let forward = |z: &ArrayD<f64>| z.mapv(f64::tanh);
        match bug {
            "tanh-derivative-of-input" => {
                (forward, |z, dl_dy| elementwise(z, dl_dy, |z| 1.0 - z * z))
            }
            _ => (forward, |z, dl_dy| elementwise(z, dl_dy, derivative)),
        }
    },
    examples: &[],
};

pub(crate) fn derivative(z: f64) -> f64 {
    1.0 - z.tanh() * z.tanh()
}
