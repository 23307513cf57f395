//! Batch normalisation and dropout, of question 7.

use layers::{batch_norm_backward, batch_norm_forward, dropout_backward, dropout_forward};
use ndarray::{Array2, Axis, array};

use super::Example;

/// One feature in four rows.
pub(super) fn batch_norm(example: &mut Example<'_>) {
    const EPS: f64 = 2.0;
    let x = array![[1.0], [3.0], [3.0], [5.0]];
    let (gamma, beta) = (array![[3.0]], array![[1.0]]);
    let g = array![[4.0], [0.0], [0.0], [0.0]];
    let forward = batch_norm_forward(x.clone(), gamma.view(), beta.view(), EPS, |z| z);
    let backward = batch_norm_backward(
        g.clone(),
        &forward.x_hat,
        forward.deviation.view(),
        gamma.view(),
        beta.view(),
        |_, dl_dy| dl_dy,
    );
    for (name, column) in [
        ("x", &x),
        ("x-hat", &forward.x_hat),
        ("y", &forward.y),
        ("g", &g),
        ("dx", &backward.dl_dx),
    ] {
        example.array(name, &column.column(0));
    }
    for (name, number) in [
        ("eps", EPS),
        ("rows", x.nrows() as f64),
        ("gamma", gamma[[0, 0]]),
        ("beta", beta[[0, 0]]),
        ("mean", forward.mean[0]),
        ("variance", forward.variance[0]),
        ("s", forward.deviation[0]),
        ("dgamma", backward.dl_dgamma[[0, 0]]),
        ("dbeta", backward.dl_dbeta[[0, 0]]),
        ("sum-of-dx", backward.dl_dx.sum()),
    ] {
        example.number(name, number);
    }
}

/// One example of two elements under each of its four masks.
pub(super) fn dropout(example: &mut Example<'_>) {
    const RATE: f64 = 0.5;
    let kept = 1.0 / (1.0 - RATE);
    let masks = array![[0.0, 0.0], [0.0, kept], [kept, 0.0], [kept, kept]];
    let x = array![[3.0, -1.0]];
    let outputs = dropout_forward(repeated(&x).view(), masks.view());
    let g = array![[4.0, 10.0]];
    let drawn = masks.slice(ndarray::s![2..3, ..]);
    example.array("dx", &dropout_backward(g.view(), drawn).row(0));
    example.array("mean", &outputs.mean_axis(Axis(0)).expect("there are four masks"));
    example.array("y", &outputs);
    example.array("mask", &masks);
    example.array("x", &x.row(0));
    example.array("g", &g.row(0));
    example.number("rate", RATE);
}

/// The same row four times.
fn repeated(x: &Array2<f64>) -> Array2<f64> {
    x.broadcast((4, 2)).expect("one row becomes four").to_owned()
}
