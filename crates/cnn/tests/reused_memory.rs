//! What an earlier array left in memory that is used again never shows in a result.

use cnn::{
    Pad, Window, average_pool_backward, average_pool_forward, im2col_backward_data, im2col_forward,
    max_pool_backward, max_pool_forward, winograd_backward_data, winograd_forward,
};
use ndarray::{Array2, Array4};
use numerics::{Rng, recycle};

/// Calls `compute`, fills the memory of its result with NaN and gives it back, and calls it again.
fn assert_overwritten(what: &str, compute: impl Fn() -> Array4<f32>) {
    let first = compute();
    assert!(first.len() >= 1 << 15, "{what}: smaller arrays are not used again");
    assert!(first.iter().all(|x| x.is_finite()), "{what}");
    let mut poisoned = compute();
    poisoned.fill(f32::NAN);
    recycle(poisoned);
    assert!(compute() == first, "{what}");
}

#[test]
fn every_element_is_written() {
    let mut rng = Rng::new(0);
    let x: Array4<f32> = rng.normal_array((32, 15, 15, 16), 0.0, 1.0);
    let w: Array4<f32> = rng.normal_array((3, 3, 16, 16), 0.0, 1.0);
    let b: Array2<f32> = rng.normal_array((1, 16), 0.0, 1.0);
    let window = Window::new("Conv2D", (15, 15), (3, 3), 1, Pad::Same).unwrap();
    let (x, w, b) = (x.view(), w.view(), b.view());
    assert_overwritten("im2col", || im2col_forward(x, w, b, window));
    assert_overwritten("im2col, dL/dX", || im2col_backward_data(w, x, window));
    assert_overwritten("Winograd", || winograd_forward(x, w, b, window));
    assert_overwritten("Winograd, dL/dX", || winograd_backward_data(w, x, window));
    // The last row and column are in no window, and the windows of the second overlap and are padded.
    for (kernel, stride, pad) in [((2, 2), 2, Pad::Valid), ((3, 3), 1, Pad::Same)] {
        let window = Window::new("Pool2D", (15, 15), kernel, stride, pad).unwrap();
        let x: Array4<f32> = Rng::new(1).normal_array((64, 15, 15, 16), 0.0, 1.0);
        let (y, winner) = max_pool_forward(x.view(), window);
        let pass = |name: &str| format!("{name} {kernel:?}");
        assert_overwritten(&pass("max"), || max_pool_forward(x.view(), window).0);
        assert_overwritten(&pass("max, dL/dX"), || {
            max_pool_backward(y.view(), winner.view(), window)
        });
        assert_overwritten(&pass("average"), || average_pool_forward(x.view(), window));
        assert_overwritten(&pass("average, dL/dX"), || average_pool_backward(y.view(), window));
    }
}
