//! The linear activation: given by the course.

use activations::Activation;
use ndarray::ArrayD;

use crate::activation::ActivationRoom;
use crate::cases::same_bits;
use crate::elementwise::{add_backward, add_rising, draw};

pub(crate) static ROOM: ActivationRoom = ActivationRoom {
    activation: Activation::Linear,
    name: "Linear",
    question: "4.1",
    fixture: "Activations",
    checks: |own| {
        add_backward(own, "linear-backward", 0.0, |_| 1.0);
        own.exactly("is_the_identity", |subject, case| {
            let z = draw(case);
            let dl_dy = case.array(z.shape());
            same_bits("Y", &(subject.forward)(&z), &z)?;
            same_bits("dL/dZ", &(subject.backward)(&z, &dl_dy)?, &dl_dy)
        });
        add_rising(own, (f64::NEG_INFINITY, f64::INFINITY));
    },
    bugs: &[],
    faulty: |_| (ArrayD::clone, |_, dl_dy| dl_dy.clone()),
    examples: &[],
};
