//! Cross-entropy: question 4.4.

use losses::Loss;
use ndarray::{Array2, array};

use crate::cases::claim;
use crate::loss::{LossRoom, add_backward, add_forward, add_wants_distributions};
use crate::room::bugs;
use crate::transcription::{array_of, sum};
use crate::worked::Example;

const LOSS: Loss = Loss::CrossEntropy;

pub(super) static ROOM: LossRoom = LossRoom {
    loss: LOSS,
    name: "CrossEntropy",
    in_course: true,
    fixture: None,
    checks: |own| {
        add_forward(own, LOSS, "cross-entropy", literal);
        // dJ/dŶ[i, k] = -Y[i, k] / (m Ŷ[i, k]).
        add_backward(own, LOSS, "cross-entropy-backward", |y, p| {
            array_of(y.dim(), |at| -y[at] / (rows(y) * p[at]))
        });
        add_wants_distributions(own, LOSS);
        // With the smallest positive normal number t for a probability of 0, or of anything below t: the loss
        // is -ln t, the gradient -Y / (m t), and 0 where the target is 0. Measured relative to t.
        own.within(1e-15, "a_probability_of_zero_stays_finite", |subject, case| {
            let t = f64::MIN_POSITIVE;
            let m = case.between(1, 8);
            let impossible = case.one_of(&[0.0, f64::from_bits(1), t / 2.0]);
            case.describe(format!("{m} times Y = (1, 0), Ŷ = ({impossible:e}, 0)"));
            let times_m = |row: [f64; 2]| array_of((m, 2), |(_, class)| row[class]);
            let (target, output) = (times_m([1.0, 0.0]), times_m([impossible, 0.0]));
            let loss = (subject.forward)(&target, &output)?;
            case.compare_numbers("L / -ln t", loss / -t.ln(), 1.0);
            let gradient = (subject.backward)(&target, &output)?;
            claim(gradient.iter().all(|g| g.is_finite()), || format!("dL/dŶ is {gradient}"))?;
            case.compare("m t dL/dŶ", &(gradient * t * m as f64), &-target)
        });
    },
    bugs: bugs! {
        "cross-entropy-sum" [Course Formula Property] "forward and backward both miss 1/m: a sum, whose gradient is consistent with it"
        "cross-entropy-loss-sum" [Course Gradient Formula Property] "forward misses 1/m"
        "cross-entropy-gradient-sum" [Course Gradient Formula] "backward misses 1/m"
        "cross-entropy-sign" [Course Gradient Formula] "backward has the wrong sign"
        "cross-entropy-exchanged" [Course Gradient Formula Property] "forward takes the target for the output and the output for the target"
        "cross-entropy-clipped" [Property] "probabilities are kept at 1e-3 or more, and so are those that occur"
        "cross-entropy-infinite" [Property] "a probability of 0 is not kept away from the logarithm"
        "cross-entropy-of-softmax" [Course Gradient Formula] "backward returns (Ŷ - Y)/m, which is the gradient with respect to the logits"
    },
    faulty: |bug| match bug {
        "cross-entropy-sum" => (|y, p| forward(y, p) * rows(y), |y, p| backward(y, p) * rows(y)),
        "cross-entropy-loss-sum" => (|y, p| forward(y, p) * rows(y), backward),
        "cross-entropy-gradient-sum" => (forward, |y, p| backward(y, p) * rows(y)),
        "cross-entropy-sign" => (forward, |y, p| -backward(y, p)),
        "cross-entropy-exchanged" => (|y, p| forward(p, y), backward),
        "cross-entropy-clipped" => (
            |y, p| forward(y, &p.mapv(|p| p.max(1e-3))),
            |y, p| backward(y, &p.mapv(|p| p.max(1e-3))),
        ),
        "cross-entropy-infinite" => {
            (|y, p| -(y * &p.mapv(f64::ln)).sum() / rows(y), |y, p| -y / (p * rows(y)))
        }
        "cross-entropy-of-softmax" => (forward, |y, p| (p - y) / rows(y)),
        _ => (forward, backward),
    },
    examples: &[("cross-entropy", example)],
};

/// `J = -1/m Σᵢ Σₖ Y[i, k] ln Ŷ[i, k]`.
pub(super) fn literal(y: &Array2<f64>, p: &Array2<f64>) -> f64 {
    -sum(y.dim(), |at| y[at] * p[at].ln()) / rows(y)
}

pub(super) fn rows(array: &Array2<f64>) -> f64 {
    array.nrows() as f64
}

fn tiny(p: f64) -> f64 {
    if p < f64::MIN_POSITIVE { f64::MIN_POSITIVE } else { p }
}

fn forward(y: &Array2<f64>, p: &Array2<f64>) -> f64 {
    -(y * &p.mapv(|p| tiny(p).ln())).sum() / rows(y)
}

fn backward(y: &Array2<f64>, p: &Array2<f64>) -> Array2<f64> {
    -y / (p.mapv(tiny) * rows(y))
}

/// Two examples, two classes.
fn example(example: &mut Example<'_>) {
    let y = array![[1.0, 0.0], [0.0, 1.0]];
    let y_hat = array![[0.5, 0.5], [0.75, 0.25]];
    record(example, LOSS, &y, &y_hat);
}

pub(super) fn record(example: &mut Example<'_>, loss: Loss, y: &Array2<f64>, y_hat: &Array2<f64>) {
    let value = loss.forward(y.view(), y_hat.view()).expect("a target for every output");
    let gradient = loss.backward(y.view(), y_hat.view()).expect("a target for every output");
    example.array("y", y);
    example.array("y-hat", y_hat);
    example.number("loss", value);
    example.array("dy-hat", &gradient);
}
