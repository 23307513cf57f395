//! Question 4.2.

use layers::{fully_connected_backward, fully_connected_forward};
use ndarray::{Array2, array};

use super::Example;

/// Two examples, two features, three output units.
pub(super) fn fully_connected(example: &mut Example<'_>) {
    let x = array![[1.0, 2.0], [3.0, -1.0]];
    let w = array![[1.0, 0.0, 2.0], [-1.0, 1.0, 0.5]];
    let b = array![[0.0, 1.0, -1.0]];
    let g = array![[1.0, 0.0, 0.0], [0.0, 2.0, 1.0]];
    let gradients = fully_connected_backward(x.view(), w.view(), g.view());
    let no_bias = Array2::zeros(b.raw_dim());
    example.array("product", &fully_connected_forward(x.view(), w.view(), no_bias.view()));
    example.array("z", &fully_connected_forward(x.view(), w.view(), b.view()));
    for (name, array) in [
        ("x", &x),
        ("w", &w),
        ("b", &b),
        ("g", &g),
        ("dw", &gradients.dl_dw),
        ("db", &gradients.dl_db),
        ("dx", &gradients.dl_dx),
    ] {
        example.array(name, array);
    }
}
