//! The squared error: question 4.4.

use losses::Loss;
use ndarray::{Array2, array};

use super::cross_entropy::{record, rows};
use crate::cases::{claim, same_bits};
use crate::loss::{LossRoom, add_backward, add_forward, draw};
use crate::room::bugs;
use crate::transcription::{array_of, sum};
use crate::worked::Example;

const LOSS: Loss = Loss::L2;

pub(super) static ROOM: LossRoom = LossRoom {
    loss: LOSS,
    name: "L2",
    in_course: true,
    fixture: Some("L2"),
    checks: |own| {
        // L = 1/(2 m) Σᵢ Σₖ (Ŷ[i, k] - Y[i, k])².
        add_forward(own, LOSS, "l2", |y, p| {
            sum(y.dim(), |at| (p[at] - y[at]).powi(2)) / (2.0 * rows(y))
        });
        // dL/dŶ[i, k] = (Ŷ[i, k] - Y[i, k]) / m.
        add_backward(own, LOSS, "l2-backward", |y, p| {
            array_of(y.dim(), |at| (p[at] - y[at]) / rows(y))
        });
        // A regression target need be no distribution.
        own.exactly("any_number_is_a_target", |subject, case| {
            let (target, output) = draw(LOSS, case);
            let value = (subject.forward)(&(target * 1e6), &output)?;
            claim(value.is_finite(), || format!("L is {value}"))
        });
        // L(Y, Ŷ) = L(Ŷ, Y), with gradients of opposite sign.
        own.exactly("target_and_output_are_interchangeable", |subject, case| {
            let (target, output) = draw(LOSS, case);
            let expected = (subject.forward)(&target, &output)?;
            case.compare_numbers("L", (subject.forward)(&output, &target)?, expected);
            let expected = -(subject.backward)(&target, &output)?;
            case.compare("dL/dŶ", &(subject.backward)(&output, &target)?, &expected)?;
            let at_the_target = (subject.backward)(&target, &target)?;
            same_bits("dL/dŶ at the target", &at_the_target, &Array2::zeros(target.dim()))
        });
    },
    bugs: bugs! {
        "l2-factor" [Course Gradient Formula] "backward has a factor 2, as if forward were not halved"
        "l2-mean" [Course Formula] "forward is the mean over all elements, not halved; backward is consistent with it"
        "l2-elements" [Formula] "forward and backward divide by all elements, not by the examples"
    },
    faulty: |bug| match bug {
        "l2-factor" => (forward, |y, p| backward(y, p) * 2.0),
        "l2-mean" => (
            |y, p| forward(y, p) * 2.0 / y.ncols() as f64,
            |y, p| backward(y, p) * 2.0 / y.ncols() as f64,
        ),
        "l2-elements" => {
            (|y, p| forward(y, p) / y.ncols() as f64, |y, p| backward(y, p) / y.ncols() as f64)
        }
        _ => (forward, backward),
    },
    examples: &[("l2", example)],
};

fn forward(y: &Array2<f64>, p: &Array2<f64>) -> f64 {
    (p - y).mapv(|d| d * d).sum() / (2.0 * rows(y))
}

fn backward(y: &Array2<f64>, p: &Array2<f64>) -> Array2<f64> {
    (p - y) / rows(y)
}

/// Two examples, three outputs.
fn example(example: &mut Example<'_>) {
    let y = array![[1.0, 2.0, 0.0], [3.0, 4.0, 1.0]];
    let y_hat = array![[1.0, 4.0, 0.0], [0.0, 4.0, 2.0]];
    example.array("squares", &(&y_hat - &y).mapv(|difference: f64| difference * difference));
    record(example, LOSS, &y, &y_hat);
}
