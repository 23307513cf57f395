//! Pooling as arithmetic on shifted images.
//!
//! The cell `(i, j)` of every window at once is a strided slice of the padded batch. Pooling
//! combines these slices, one for each cell of the kernel, and backward adds to the same slices.

use ndarray::{Array4, ArrayView4, ArrayViewMut4, CowArray, Ix4, Zip, s};
use numerics::Scalar;

use crate::Window;

// ANCHOR: max_forward
/// The maximum of every window, and which cell of the kernel it was: `i * kernel_cols + j`, the
/// first in row-major order on ties. Padding takes part as zeros; NaN wins.
///
/// # Shapes
/// `x: (m, rows, cols, n)`; both results are `(m, output_rows, output_cols, n)`.
///
/// # Panics
/// If `x` has not the size of `window`.
#[must_use]
pub fn max_pool_forward<T: Scalar>(
    x: ArrayView4<'_, T>,
    window: Window,
) -> (Array4<T>, Array4<u32>) {
    let x = padded(x, window);
    let mut y = shifted(&x, window, 0).to_owned();
    let mut winner = Array4::zeros(y.raw_dim());
    for cell in 1..cells(window) {
        Zip::from(&mut y).and(&mut winner).and(&shifted(&x, window, cell)).for_each(
            |y, winner, &x| {
                if (x > *y || x.is_nan()) && !y.is_nan() {
                    *y = x;
                    *winner = cell as u32;
                }
            },
        );
    }
    (y, winner)
}
// ANCHOR_END: max_forward

// ANCHOR: max_backward
/// `dL/dX` of max pooling: each output's gradient goes to the cell that won, and adds up where one
/// cell won several overlapping windows.
///
/// # Shapes
/// `dl_dy` and `winner`: `(m, output_rows, output_cols, n)`; the result is `(m, rows, cols, n)`.
///
/// # Panics
/// If `dl_dy` has not the size of `window`, or `winner` not that of `dl_dy`.
#[must_use]
pub fn max_pool_backward<T: Scalar>(
    dl_dy: ArrayView4<'_, T>,
    winner: ArrayView4<'_, u32>,
    window: Window,
) -> Array4<T> {
    let mut dl_dx = padded_zeros(dl_dy, window);
    for cell in 0..cells(window) {
        Zip::from(shifted_mut(&mut dl_dx, window, cell)).and(dl_dy).and(winner).for_each(
            |dl_dx, &dl_dy, &winner| {
                if winner == cell as u32 {
                    *dl_dx += dl_dy;
                }
            },
        );
    }
    without_padding(dl_dx, window)
}
// ANCHOR_END: max_backward

// ANCHOR: average_forward
/// The mean of every window. Padding takes part as zeros: the divisor is the whole kernel.
///
/// # Shapes
/// `x: (m, rows, cols, n)`; the result is `(m, output_rows, output_cols, n)`.
///
/// # Panics
/// If `x` has not the size of `window`.
#[must_use]
pub fn average_pool_forward<T: Scalar>(x: ArrayView4<'_, T>, window: Window) -> Array4<T> {
    let x = padded(x, window);
    let mut sum = shifted(&x, window, 0).to_owned();
    for cell in 1..cells(window) {
        sum += &shifted(&x, window, cell);
    }
    sum / T::of(cells(window) as f64)
}
// ANCHOR_END: average_forward

// ANCHOR: average_backward
/// `dL/dX` of average pooling: each output's gradient is shared equally among the cells of its
/// window, and adds up where windows overlap.
///
/// # Shapes
/// `dl_dy: (m, output_rows, output_cols, n)`; the result is `(m, rows, cols, n)`.
///
/// # Panics
/// If `dl_dy` has not the size of `window`.
#[must_use]
pub fn average_pool_backward<T: Scalar>(dl_dy: ArrayView4<'_, T>, window: Window) -> Array4<T> {
    let share = &dl_dy / T::of(cells(window) as f64);
    let mut dl_dx = padded_zeros(dl_dy, window);
    for cell in 0..cells(window) {
        shifted_mut(&mut dl_dx, window, cell).zip_mut_with(&share, |dl_dx, &share| *dl_dx += share);
    }
    without_padding(dl_dx, window)
}
// ANCHOR_END: average_backward

/// The number of cells of the kernel.
fn cells(window: Window) -> usize {
    window.kernel().0 * window.kernel().1
}

/// The batch with its padding; a view if there is none.
fn padded<'a, T: Scalar>(x: ArrayView4<'a, T>, window: Window) -> CowArray<'a, T, Ix4> {
    let (m, rows, cols, channels) = x.dim();
    assert_eq!((rows, cols), window.input(), "the window was made for the input");
    let (p1, p2) = window.pad();
    if (p1, p2) == (0, 0) {
        return x.into();
    }
    let mut padded = Array4::zeros((m, rows + 2 * p1, cols + 2 * p2, channels));
    padded.slice_mut(s![.., p1..p1 + rows, p2..p2 + cols, ..]).assign(&x);
    padded.into()
}

/// Zeros of the shape of the padded batch, for the gradient of its cells.
fn padded_zeros<T: Scalar>(dl_dy: ArrayView4<'_, T>, window: Window) -> Array4<T> {
    let (m, r1, r2, channels) = dl_dy.dim();
    assert_eq!((r1, r2), window.output(), "the window was made for the output");
    let ((rows, cols), (p1, p2)) = (window.input(), window.pad());
    Array4::zeros((m, rows + 2 * p1, cols + 2 * p2, channels))
}

/// What falls on the padding is nobody's gradient.
fn without_padding<T: Scalar>(dl_dx: Array4<T>, window: Window) -> Array4<T> {
    let ((rows, cols), (p1, p2)) = (window.input(), window.pad());
    if (p1, p2) == (0, 0) {
        return dl_dx;
    }
    dl_dx.slice(s![.., p1..p1 + rows, p2..p2 + cols, ..]).to_owned()
}

/// Cell number `cell` of every window: a slice of the padded batch, of the shape of the output.
fn shifted<'a, T: Scalar>(
    x: &'a CowArray<'_, T, Ix4>,
    window: Window,
    cell: usize,
) -> ArrayView4<'a, T> {
    let ([top, left], [bottom, right]) = corners(window, cell);
    let stride = window.stride();
    x.slice(s![.., top..bottom; stride, left..right; stride, ..])
}

fn shifted_mut<T: Scalar>(x: &mut Array4<T>, window: Window, cell: usize) -> ArrayViewMut4<'_, T> {
    let ([top, left], [bottom, right]) = corners(window, cell);
    let stride = window.stride();
    x.slice_mut(s![.., top..bottom; stride, left..right; stride, ..])
}

fn corners(window: Window, cell: usize) -> ([usize; 2], [usize; 2]) {
    let (i, j) = (cell / window.kernel().1, cell % window.kernel().1);
    let (r1, r2) = window.output();
    let last = |first: usize, outputs: usize| first + (outputs - 1) * window.stride() + 1;
    ([i, j], [last(i, r1), last(j, r2)])
}

#[cfg(test)]
mod tests {
    use ndarray::{Array, Array2, array};
    use numerics::Rng;

    use super::*;
    use crate::{Pad, PoolMode, reference};

    fn image(x: Array2<f64>) -> Array4<f64> {
        let (rows, cols) = x.dim();
        x.into_shape_with_order((1, rows, cols, 1)).unwrap()
    }

    #[test]
    fn each_maximum_gets_the_gradient_of_its_window() {
        let x = image(array![
            [1.0, 3.0, 2.0, 0.0],
            [4.0, 2.0, 5.0, 5.0],
            [0.0, 1.0, -1.0, -2.0],
            [1.0, 1.0, -3.0, -4.0]
        ]);
        let window = Window::new("Pool2D", (4, 4), (2, 2), 2, Pad::Valid).unwrap();
        let (y, winner) = max_pool_forward(x.view(), window);
        assert_eq!(y, image(array![[4.0, 5.0], [1.0, -1.0]]));
        // Ties go to the first in row-major order: cell (1, 0) of the second window, (0, 1) of the third.
        assert_eq!(winner.into_raw_vec_and_offset().0, [2, 2, 1, 0]);

        let (_, winner) = max_pool_forward(x.view(), window);
        let dl_dy = image(array![[10.0, 20.0], [30.0, 40.0]]);
        let dl_dx = max_pool_backward(dl_dy.view(), winner.view(), window);
        let expected = image(array![
            [0.0, 0.0, 0.0, 0.0],
            [10.0, 0.0, 20.0, 0.0],
            [0.0, 30.0, 40.0, 0.0],
            [0.0, 0.0, 0.0, 0.0]
        ]);
        assert_eq!(dl_dx, expected);
    }

    #[test]
    fn overlapping_averages_add_up() {
        let x = image(array![[4.0, 8.0, 12.0], [0.0, 4.0, 8.0]]);
        let window = Window::new("Pool2D", (2, 3), (2, 2), 1, Pad::Valid).unwrap();
        assert_eq!(average_pool_forward(x.view(), window), image(array![[4.0, 8.0]]));
        let dl_dx = average_pool_backward(image(array![[4.0, 8.0]]).view(), window);
        assert_eq!(dl_dx, image(array![[1.0, 3.0, 2.0], [1.0, 3.0, 2.0]]));
    }

    #[test]
    fn padding_counts_as_zeros() {
        let x = image(array![[-4.0]]);
        let window = Window::new("Pool2D", (1, 1), (2, 2), 1, Pad::Cells(1, 1)).unwrap();
        let (y, winner) = max_pool_forward(x.view(), window);
        assert_eq!(y, image(array![[0.0, 0.0], [0.0, 0.0]]));
        let ones = image(array![[1.0, 1.0], [1.0, 1.0]]);
        assert_eq!(max_pool_backward(ones.view(), winner.view(), window), image(array![[0.0]]));
        assert_eq!(
            average_pool_forward(x.view(), window),
            image(array![[-1.0, -1.0], [-1.0, -1.0]])
        );
        assert_eq!(average_pool_backward(ones.view(), window), image(array![[1.0]]));
    }

    #[test]
    fn nan_wins_its_window() {
        let x = image(array![[1.0, f64::NAN], [2.0, f64::NAN]]);
        let window = Window::new("Pool2D", (2, 2), (2, 2), 1, Pad::Valid).unwrap();
        let (y, winner) = max_pool_forward(x.view(), window);
        assert!(y[[0, 0, 0, 0]].is_nan());
        assert_eq!(winner[[0, 0, 0, 0]], 1);
        assert!(average_pool_forward(x.view(), window)[[0, 0, 0, 0]].is_nan());
    }

    #[test]
    fn shifted_slices_agree_with_the_loops() {
        for (input, kernel, stride, pad) in [
            ((7, 9), (3, 2), 2, Pad::Valid),
            ((7, 8), (3, 5), 1, Pad::Same),
            ((5, 5), (2, 2), 3, Pad::Cells(1, 0)),
            ((2, 2), (5, 4), 2, Pad::Cells(3, 3)),
        ] {
            let window = Window::new("Pool2D", input, kernel, stride, pad).unwrap();
            let mut rng = Rng::new(2);
            // Few distinct values, so that ties occur.
            let x =
                Array::from_shape_simple_fn((3, input.0, input.1, 4), || rng.below(5) as f64 - 2.0);
            let (y, winner) = max_pool_forward(x.view(), window);
            assert_eq!(y, reference::pool2d_forward(x.view(), PoolMode::Max, window));
            let dl_dy = Array::from_shape_simple_fn(y.raw_dim(), || rng.below(9) as f64);
            assert_eq!(
                max_pool_backward(dl_dy.view(), winner.view(), window),
                reference::pool2d_backward(x.view(), dl_dy.view(), PoolMode::Max, window)
            );
            let close = |fast: Array4<f64>, slow: Array4<f64>| {
                assert!((fast - slow).iter().all(|error| error.abs() <= 1e-14));
            };
            close(
                average_pool_forward(x.view(), window),
                reference::pool2d_forward(x.view(), PoolMode::Average, window),
            );
            close(
                average_pool_backward(dl_dy.view(), window),
                reference::pool2d_backward(x.view(), dl_dy.view(), PoolMode::Average, window),
            );
        }
    }
}
