//! Images of few cells.

use cnn::{
    Pad, Window, average_pool_backward, average_pool_forward, max_pool_backward, max_pool_forward,
};
use ndarray::{Array2, array};

use crate::worked::{Example, image_of};

fn image() -> Array2<f64> {
    array![
        [1.0, 3.0, 2.0, 0.0],
        [4.0, 2.0, 5.0, 5.0],
        [0.0, 1.0, -1.0, -2.0],
        [1.0, 1.0, -3.0, -4.0]
    ]
}

/// Windows that do not overlap, two of them with ties.
pub(super) fn max(example: &mut Example<'_>) {
    let g = array![[10.0, 20.0], [30.0, 40.0]];
    record_max(example, &image(), &g, window((4, 4), (2, 2), 2, Pad::Valid));
}

/// Negative numbers beside padding, in windows that overlap.
pub(super) fn max_with_padding(example: &mut Example<'_>) {
    let x = array![[-1.0, 2.0], [-3.0, -2.0]];
    let g = array![[1.0, 2.0, 3.0], [4.0, 5.0, 6.0], [7.0, 8.0, 9.0]];
    record_max(example, &x, &g, window((2, 2), (2, 2), 1, Pad::Cells(1, 1)));
}

fn record_max(example: &mut Example<'_>, x: &Array2<f64>, g: &Array2<f64>, window: Window) {
    let (images, gradients) = (image_of(x), image_of(g));
    let (y, winner) = max_pool_forward(images.view(), window);
    example.image("dx", &max_pool_backward(gradients.view(), winner.view(), window));
    example.image("y", &y);
    example.image("winner", &winner.mapv(f64::from));
    example.array("x", x);
    example.array("g", g);
}

/// The image of the max pooling, averaged.
pub(super) fn average(example: &mut Example<'_>) {
    let g = array![[4.0, 8.0], [-4.0, 16.0]];
    record_average(example, &image(), &g, window((4, 4), (2, 2), 2, Pad::Valid));
}

/// Two windows that share their middle column.
pub(super) fn overlapping_average(example: &mut Example<'_>) {
    let x = array![[4.0, 8.0, 12.0], [0.0, 4.0, 8.0]];
    record_average(example, &x, &array![[4.0, 8.0]], window((2, 3), (2, 2), 1, Pad::Valid));
}

fn record_average(example: &mut Example<'_>, x: &Array2<f64>, g: &Array2<f64>, window: Window) {
    let (images, gradients) = (image_of(x), image_of(g));
    example.image("y", &average_pool_forward(images.view(), window));
    example.image("dx", &average_pool_backward(gradients.view(), window));
    example.array("x", x);
    example.array("g", g);
}

fn window(input: (usize, usize), kernel: (usize, usize), stride: usize, pad: Pad) -> Window {
    Window::new("Pool2D", input, kernel, stride, pad).expect("the kernel fits the padded image")
}
