//! The chapter on faster convolution.

use cnn::{Pad, Window, conv2d_forward};
use ndarray::{Array4, array};

use super::Example;
use crate::formulas::winograd::{a, bt, g};

/// Six inputs and a filter of three weights, by the kernel and by the algorithm's transcription.
pub(super) fn one_dimension(example: &mut Example<'_>) {
    let inputs = array![1.0, 2.0, 0.0, 1.0, 3.0, 2.0];
    let weights = array![6.0, 12.0, 24.0];
    let x = Array4::from_shape_fn((1, 1, 6, 1), |(_, _, col, _)| inputs[col]);
    let w = Array4::from_shape_fn((1, 3, 1, 1), |(_, j, _, _)| weights[j]);
    let window = Window::new("Conv2D", (1, 6), (1, 3), 1, Pad::Valid);
    let window = window.expect("three cells fit into six");
    let outputs = conv2d_forward(x.view(), w.view(), array![[0.0]].view(), window);
    let (of_inputs, of_weights) = (bt().dot(&inputs), g().dot(&weights));
    let products = &of_weights * &of_inputs;
    example.array("from-products", &a().t().dot(&products));
    example.array("y", &outputs.slice(ndarray::s![0, 0, .., 0]).to_owned());
    example.array("d", &inputs);
    example.array("g", &weights);
    example.array("bt-d", &of_inputs);
    example.array("g-g", &of_weights);
    example.array("products", &products);
    example.array("a", &a());
    example.array("bt", &bt());
}
