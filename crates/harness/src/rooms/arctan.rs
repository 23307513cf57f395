//! The arc tangent: question 4.1.

use std::f64::consts::FRAC_PI_2;

use activations::Activation;
use ndarray::ArrayD;

use crate::activation::{ActivationRoom, elementwise};
use crate::elementwise::{HANDFUL, add_backward, add_rising, is_odd};
use crate::room::bugs;

pub(crate) static ROOM: ActivationRoom = ActivationRoom {
    activation: Activation::ArcTan,
    name: "ArcTan",
    question: "4.1",
    fixture: "Activations",
    checks: |own| {
        add_backward(own, "arctan-backward", HANDFUL, derivative);
        own.within(HANDFUL, "is_odd", is_odd);
        add_rising(own, (-FRAC_PI_2, FRAC_PI_2));
    },
    bugs: bugs! {
        "arctan-square" [Course Gradient Formula] "backward uses 1 / (1 + z)² instead of 1 / (1 + z²)"
    },
    faulty: |bug| {
        let forward = |z: &ArrayD<f64>| z.mapv(f64::atan);
        match bug {
            "arctan-square" => {
                (forward, |z, dl_dy| elementwise(z, dl_dy, |z| 1.0 / (1.0 + z).powi(2)))
            }
            _ => (forward, |z, dl_dy| elementwise(z, dl_dy, derivative)),
        }
    },
    examples: &[],
};

pub(crate) fn derivative(z: f64) -> f64 {
    1.0 / (1.0 + z * z)
}
