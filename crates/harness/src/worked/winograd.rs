//! The chapter on faster convolution.

use cnn::{Pad, Window, winograd_forward};
use ndarray::{Array1, Array2, Array4, array, s};

use super::Example;
use crate::formulas::winograd::{a, bt, g};

/// Four outputs of a filter of three weights over six inputs: a row of an image, and a row of a kernel
/// whose others are zero. What lies between is computed by the matrices of the chapter.
pub(super) fn winograd(example: &mut Example<'_>) {
    let (d, weights) = (array![1.0, 2.0, 0.0, 1.0, 3.0, 2.0], array![6.0, 12.0, 24.0]);
    let (mut x, mut w) = (Array4::zeros((1, 3, 6, 1)), Array4::zeros((3, 3, 1, 1)));
    x.slice_mut(s![0, 1, .., 0]).assign(&d);
    w.slice_mut(s![1, .., 0, 0]).assign(&weights);
    let window = Window::new("Conv2D", (3, 6), (3, 3), 1, Pad::Valid)
        .expect("a kernel of 3 by 3 fits into an image of 3 by 6");
    let z = winograd_forward(x.view(), w.view(), Array2::zeros((1, 1)).view(), window);
    let (gg, btd): (Array1<f64>, Array1<f64>) = (g().dot(&weights), bt().dot(&d));
    let products = &gg * &btd;
    example.array("y", &z.slice(s![0, 0, .., 0]));
    example.array("from-products", &a().t().dot(&products));
    example.array("products", &products);
    example.array("gg", &gg);
    example.array("btd", &btd);
    example.array("g", &weights);
    example.array("d", &d);
}
