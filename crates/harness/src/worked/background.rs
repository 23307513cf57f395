//! The chapters before the questions.

use activations::{ElementWise, ReLU};
use layers::{fully_connected_backward, fully_connected_forward};
use losses::Loss;
use ndarray::{Array2, ArrayD, array};
use optim::{SgdConfig, Step};

use super::Example;

/// One input, one hidden unit with ReLU, one output, squared error.
pub(super) fn two_weights(example: &mut Example<'_>) {
    const LR: f64 = 0.01;
    const NUDGE: f64 = 0.001;
    let (x, w1, w2, truth) = (array![[2.0]], array![[3.0]], array![[0.5]], array![[1.0]]);
    let before = pass(&x, &w1, &w2, &truth);
    let nudged = pass(&x, &(&w1 + NUDGE), &w2, &truth);

    let dl_dyhat = Loss::L2.backward(truth.view(), before.y_hat.view());
    let dl_dyhat = dl_dyhat.expect("target and output have one element");
    let second = fully_connected_backward(before.h.view(), w2.view(), dl_dyhat.view());
    let dl_dz = ReLU::backward(&before.z, &second.dl_dx);
    let first = fully_connected_backward(x.view(), w1.view(), dl_dz.view());

    let (moved1, moved2) = (stepped(&w1, &first.dl_dw, LR), stepped(&w2, &second.dl_dw, LR));
    let after = pass(&x, &moved1, &moved2, &truth);
    for (name, array) in [
        ("x", &x),
        ("w1", &w1),
        ("w2", &w2),
        ("y", &truth),
        ("z", &before.z),
        ("h", &before.h),
        ("y-hat", &before.y_hat),
        ("dy-hat", &dl_dyhat),
        ("dw2", &second.dl_dw),
        ("dh", &second.dl_dx),
        ("dz", &dl_dz),
        ("dw1", &first.dl_dw),
        ("dx", &first.dl_dx),
        ("nudged-y-hat", &nudged.y_hat),
        ("w1-after", &moved1),
        ("w2-after", &moved2),
        ("h-after", &after.h),
    ] {
        example.number(name, array[[0, 0]]);
    }
    example.number("loss", before.loss);
    example.number("nudge", NUDGE);
    example.number("nudged-w1", w1[[0, 0]] + NUDGE);
    example.number("nudged-loss", nudged.loss);
    example.number("growth", (nudged.loss - before.loss) / NUDGE);
    example.number("lr", LR);
    example.number("loss-after", after.loss);
}

/// The results of a forward pass of the network of two weights.
struct Pass {
    z: Array2<f64>,
    h: Array2<f64>,
    y_hat: Array2<f64>,
    loss: f64,
}

fn pass(x: &Array2<f64>, w1: &Array2<f64>, w2: &Array2<f64>, truth: &Array2<f64>) -> Pass {
    let no_bias = array![[0.0]];
    let z = fully_connected_forward(x.view(), w1.view(), no_bias.view());
    let h = ReLU::forward(&z);
    let y_hat = fully_connected_forward(h.view(), w2.view(), no_bias.view());
    let loss = Loss::L2.forward(truth.view(), y_hat.view());
    Pass { z, h, y_hat, loss: loss.expect("target and output have one element") }
}

/// The parameter after one step of plain gradient descent.
fn stepped(parameter: &Array2<f64>, gradient: &Array2<f64>, lr: f64) -> Array2<f64> {
    let mut sgd = SgdConfig::default().build().expect("plain gradient descent is valid");
    let mut moved: ArrayD<f64> = parameter.clone().into_dyn();
    let gradient = gradient.clone().into_dyn();
    sgd.update("W", &mut moved, &gradient, Step { lr, decays: false })
        .expect("the gradient has the shape of the parameter");
    moved.into_dimensionality().expect("a step keeps the shape")
}

/// Two examples and one product.
pub(super) fn batch(example: &mut Example<'_>) {
    let (x, w) = (array![[1.0, 2.0], [3.0, -1.0]], array![[1.0], [10.0]]);
    example.array("z", &fully_connected_forward(x.view(), w.view(), array![[0.0]].view()));
    example.array("x", &x);
    example.array("w", &w);
}

/// One unit.
pub(super) fn neuron(example: &mut Example<'_>) {
    let (x, w, b) = (array![[1.0, 2.0, 3.0]], array![[2.0], [-1.0], [1.0]], array![[0.5]]);
    let z = fully_connected_forward(x.view(), w.view(), b.view());
    example.number("y", ReLU::forward(&z)[[0, 0]]);
    example.number("z", z[[0, 0]]);
    example.array("x", &x.row(0));
    example.array("w", &w.column(0));
    example.number("b", b[[0, 0]]);
}
