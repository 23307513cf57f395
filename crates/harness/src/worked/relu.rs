//! Question 4.1, and the smooth relative of ReLU that question 7 trains with.

use activations::{Activation, ElementWise, GELU, ReLU, Sigmoid};
use ndarray::array;

use super::Example;

/// Two examples of two features, with a kink among them.
pub(super) fn relu(example: &mut Example<'_>) {
    let z = array![[-2.0, -0.5], [0.0, 3.0]];
    let dl_dy = array![[10.0, 20.0], [30.0, -40.0]];
    example.array("y", &ReLU::forward(&z));
    example.array("dz", &ReLU::backward(&z, &dl_dy));
    example.array("z", &z);
    example.array("dy", &dl_dy);
}

/// Where the slope of the sigmoid would round to 0, and at its middle.
pub(super) fn sigmoid(example: &mut Example<'_>) {
    let z = array![0.0, 40.0];
    let slope = Sigmoid::backward(&z, &array![1.0, 1.0]);
    let y = Sigmoid::forward(&z);
    example.number("y-at-40", y[1]);
    example.number("slope-at-40", slope[1]);
    example.number("product-at-40", y[1] * (1.0 - y[1]));
    example.number("slope-at-0", slope[0]);
}

/// Values that a table of the normal distribution has.
pub(super) fn gelu(example: &mut Example<'_>) {
    let z = array![-1.0, 0.0, 1.0];
    let y = Activation::GELU.forward(&z);
    let slope = GELU::backward(&z, &array![1.0, 1.0, 1.0]);
    // Y = z Φ(z), so that Φ(1) = Y(1); and Y'(z) = Φ(z) + z φ(z).
    example.number("phi-of-1", y[2]);
    example.number("density-of-1", slope[2] - y[2]);
    example.number("phi-of-0", slope[1]);
    example.number("slope-at-1", slope[2]);
    example.array("z", &z);
    example.array("y", &y);
}
