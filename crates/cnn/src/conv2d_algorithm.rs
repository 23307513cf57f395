//! Convolution.
//!
//! [`conv2d_algorithm`] says which kernel computes it.

use std::fmt;

use ndarray::{Array2, Array4, ArrayView2, ArrayView4, Axis};
use numerics::{Scalar, column_sums, element_count};

use crate::winograd::POINTS;
use crate::{
    Window, im2col_backward_data, im2col_backward_weights, im2col_forward, winograd_applies,
    winograd_backward_data, winograd_backward_weights, winograd_forward,
};

/// Gradients by [`conv2d_backward`].
#[derive(Clone, Debug, PartialEq)]
pub struct Conv2DGradients<T> {
    /// `dL/dX`, of shape `(m, rows, cols, n_in)`.
    pub dl_dx: Array4<T>,
    /// `dL/dW`, of shape `(kernel_rows, kernel_cols, n_in, n_out)`.
    pub dl_dw: Array4<T>,
    /// `dL/db`, of shape `(1, n_out)`.
    pub dl_db: Array2<T>,
}

// ANCHOR: forward
/// `Z[n, r, q, f] = b[f] + Σ W[i, j, c, f] X[n, r stride + i - pad, q stride + j - pad, c]`, where the padding counts
/// as zeros.
///
/// The kernel that [`conv2d_algorithm`] chooses computes it; it panics as [`im2col_forward`].
///
/// # Shapes
/// `x: (m, rows, cols, n_in)`, `w: (kernel_rows, kernel_cols, n_in, n_out)`, `b: (1, n_out)`; the
/// result is `(m, output_rows, output_cols, n_out)`.
pub fn conv2d_forward<T: Scalar>(
    x: ArrayView4<'_, T>,
    w: ArrayView4<'_, T>,
    b: ArrayView2<'_, T>,
    window: Window,
) -> Array4<T> {
    match conv2d_algorithm::<T>(window, w.dim().2, w.dim().3) {
        Conv2DAlgorithm::Im2col => im2col_forward(x, w, b, window),
        Conv2DAlgorithm::Winograd => winograd_forward(x, w, b, window),
    }
}
// ANCHOR_END: forward

// ANCHOR: backward
/// The gradients of [`conv2d_forward`], from `dL/dZ` of the shape of its result; panics as that does.
pub fn conv2d_backward<T: Scalar>(
    x: ArrayView4<'_, T>,
    w: ArrayView4<'_, T>,
    dl_dz: ArrayView4<'_, T>,
    window: Window,
) -> Conv2DGradients<T> {
    assert_shapes(x, w, window);
    Conv2DGradients {
        dl_dx: conv2d_backward_data(w, dl_dz, window),
        dl_dw: conv2d_backward_weights(x, dl_dz, window),
        dl_db: conv2d_backward_bias(dl_dz),
    }
}

/// `dL/dX` of [`conv2d_forward`], from `dL/dZ` of the shape of its result.
///
/// It panics as [`im2col_backward_data`].
///
/// # Shapes
/// `w: (kernel_rows, kernel_cols, n_in, n_out)`, `dl_dz: (m, output_rows, output_cols, n_out)`; the result is
/// `(m, rows, cols, n_in)`.
pub fn conv2d_backward_data<T: Scalar>(
    w: ArrayView4<'_, T>,
    dl_dz: ArrayView4<'_, T>,
    window: Window,
) -> Array4<T> {
    match conv2d_algorithm::<T>(window, w.dim().2, w.dim().3) {
        Conv2DAlgorithm::Im2col => im2col_backward_data(w, dl_dz, window),
        Conv2DAlgorithm::Winograd => winograd_backward_data(w, dl_dz, window),
    }
}

/// `dL/dW` of [`conv2d_forward`], from `dL/dZ` of the shape of its result.
///
/// It panics as [`im2col_backward_weights`].
///
/// # Shapes
/// `x: (m, rows, cols, n_in)`, `dl_dz: (m, output_rows, output_cols, n_out)`; the result is
/// `(kernel_rows, kernel_cols, n_in, n_out)`.
pub fn conv2d_backward_weights<T: Scalar>(
    x: ArrayView4<'_, T>,
    dl_dz: ArrayView4<'_, T>,
    window: Window,
) -> Array4<T> {
    match conv2d_algorithm::<T>(window, x.dim().3, dl_dz.dim().3) {
        Conv2DAlgorithm::Im2col => im2col_backward_weights(x, dl_dz, window),
        Conv2DAlgorithm::Winograd => winograd_backward_weights(x, dl_dz, window),
    }
}

/// `dL/db` of [`conv2d_forward`]: the sum of `dL/dZ` over images and cells.
///
/// # Shapes
/// `dl_dz: (m, output_rows, output_cols, n_out)`; the result is `(1, n_out)`.
pub fn conv2d_backward_bias<T: Scalar>(dl_dz: ArrayView4<'_, T>) -> Array2<T> {
    let (m, rows, cols, filters) = dl_dz.dim();
    let cells = dl_dz.to_shape((m * rows * cols, filters)).expect("Z has one row an output cell");
    column_sums(cells.view()).insert_axis(Axis(0))
}
// ANCHOR_END: backward

/// The algorithm of a convolution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Conv2DAlgorithm {
    /// Matrix products of patches.
    Im2col,
    /// Winograd's F(4x4, 3x3).
    Winograd,
}

impl fmt::Display for Conv2DAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Im2col => "im2col",
            Self::Winograd => "Winograd F(4x4, 3x3)",
        })
    }
}

/// Winograd needs so many channels, or the transforms of images take longer than the products they save.
const FEWEST_CHANNELS: usize = 16;

/// Winograd needs so many filters.
const FEWEST_FILTERS: usize = 8;

/// The algorithm of [`conv2d_forward`] and [`conv2d_backward`] for images of so many `channels` and
/// so many `filters`.
///
/// Winograd's, if it [applies](winograd_applies), at least halves the multiplications, and has channels
/// enough to be worth its transforms: the thresholds are where it was faster, timed in turn with im2col on the
/// shapes of `cargo xtask bench conv` and on others, in batches of 64 images and more. An image of 5 by 5
/// needs as many tiles as one of 8 by 8, for instance, and loses. So does, on some days, `dL/dW` for few channels, whose
/// time varies; the choice is one for all passes, and records of trainings depend on its bits.
///
/// The range of the numbers plays no part, though a number that is not finite spoils a whole tile of Winograd's:
/// to find it is a pass over all inputs, and an image would be computed in another way because of one pixel. For
/// such data, there are [`im2col_forward`] and `f64`.
///
/// In `f64`, always im2col. There nobody waits for a result, but gradients are verified, and im2col
/// loses fewer digits. The number of images plays no part, so that what is computed for an image does
/// not depend on those beside it.
// ANCHOR: choice
pub fn conv2d_algorithm<T: Scalar>(
    window: Window,
    channels: usize,
    filters: usize,
) -> Conv2DAlgorithm {
    let (rows, cols) = window.output;
    let products = POINTS * rows.div_ceil(4) * cols.div_ceil(4);
    let pays =
        9 * rows * cols >= 2 * products && channels >= FEWEST_CHANNELS && filters >= FEWEST_FILTERS;
    let fits = element_count(&[POINTS, channels, filters]).is_some();
    if winograd_applies(window) && pays && fits && size_of::<T>() <= size_of::<f32>() {
        Conv2DAlgorithm::Winograd
    } else {
        Conv2DAlgorithm::Im2col
    }
}
// ANCHOR_END: choice

/// Panics unless images and weights are those of `window`.
pub(crate) fn assert_shapes<T>(x: ArrayView4<'_, T>, w: ArrayView4<'_, T>, window: Window) {
    let ((_, rows, cols, x_channels), (k1, k2, w_channels, _)) = (x.dim(), w.dim());
    assert_eq!((rows, cols), window.input, "the window was made for the input");
    assert_eq!((k1, k2), window.kernel, "the window was made for the kernel");
    assert_eq!(x_channels, w_channels, "every input channel has its weights");
}

#[cfg(test)]
mod tests {
    use numerics::Rng;

    use super::*;
    use crate::Pad;

    fn window(side: usize, kernel: usize, stride: usize) -> Window {
        Window::new("Conv2D", (side, side), (kernel, kernel), stride, Pad::Same).unwrap()
    }

    #[test]
    fn winograd_is_chosen_where_it_pays() {
        let winograd = |side, kernel, stride, channels, filters| {
            let chosen = conv2d_algorithm::<f32>(window(side, kernel, stride), channels, filters);
            chosen == Conv2DAlgorithm::Winograd
        };
        for (side, channels, filters) in [(31, 24, 64), (16, 64, 8), (7, 256, 256), (3, 16, 16)] {
            assert!(winograd(side, 3, 1, channels, filters), "{side}, {channels}, {filters}");
        }
        // 5 x 5 outputs take 4 tiles: 144 products at the points for 225.
        for (side, channels, filters) in [(5, 64, 64), (2, 64, 64), (32, 3, 64), (32, 64, 4)] {
            assert!(!winograd(side, 3, 1, channels, filters), "{side}, {channels}, {filters}");
        }
        assert!(!winograd(32, 3, 2, 64, 64) && !winograd(32, 5, 1, 64, 64));
        assert_eq!(conv2d_algorithm::<f64>(window(32, 3, 1), 64, 64), Conv2DAlgorithm::Im2col);
    }

    #[test]
    fn the_chosen_kernel_computes() {
        for (side, algorithm) in [(8, Conv2DAlgorithm::Winograd), (5, Conv2DAlgorithm::Im2col)] {
            let window = window(side, 3, 1);
            let mut rng = Rng::new(0);
            let x: Array4<f32> = rng.normal_array((2, side, side, 16), 0.0, 1.0);
            let w = rng.normal_array((3, 3, 16, 16), 0.0, 1.0);
            let b = rng.normal_array((1, 16), 0.0, 1.0);
            let (x, w, b) = (x.view(), w.view(), b.view());
            let z = conv2d_forward(x, w, b, window);
            let g = z.view();
            let data = conv2d_backward_data(w, g, window);
            let weights = conv2d_backward_weights(x, g, window);
            let expected = match algorithm {
                Conv2DAlgorithm::Im2col => [
                    im2col_forward(x, w, b, window),
                    im2col_backward_data(w, g, window),
                    im2col_backward_weights(x, g, window),
                ],
                Conv2DAlgorithm::Winograd => [
                    winograd_forward(x, w, b, window),
                    winograd_backward_data(w, g, window),
                    winograd_backward_weights(x, g, window),
                ],
            };
            assert!([z, data, weights] == expected, "{algorithm}");
        }
    }
}
