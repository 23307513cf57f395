//! Which kernel computes a convolution.

use std::fmt;

use ndarray::{Array2, Array4, ArrayView2, ArrayView4, Axis};
use numerics::{Scalar, column_sums};

use crate::{
    Window, im2col_backward, im2col_forward, winograd_applies, winograd_backward, winograd_forward,
};

/// What [`conv2d_backward`] returns.
#[derive(Clone, Debug, PartialEq)]
pub struct Conv2DGradients<T> {
    /// `dL/dX`, of shape `(m, rows, cols, n_in)`.
    pub dl_dx: Array4<T>,
    /// `dL/dW`, of shape `(kernel_rows, kernel_cols, n_in, n_out)`.
    pub dl_dw: Array4<T>,
    /// `dL/db`, of shape `(1, n_out)`.
    pub dl_db: Array2<T>,
}

/// The convolution of [`im2col_forward`], by the kernel that [`conv2d_algorithm`] chooses.
///
/// # Panics
/// As [`im2col_forward`].
#[must_use]
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

/// The gradients of [`conv2d_forward`], from `dL/dZ` of the shape of its result.
///
/// # Panics
/// As [`im2col_backward`].
#[must_use]
pub fn conv2d_backward<T: Scalar>(
    x: ArrayView4<'_, T>,
    w: ArrayView4<'_, T>,
    dl_dz: ArrayView4<'_, T>,
    window: Window,
) -> Conv2DGradients<T> {
    match conv2d_algorithm::<T>(window, w.dim().2, w.dim().3) {
        Conv2DAlgorithm::Im2col => im2col_backward(x, w, dl_dz, window),
        Conv2DAlgorithm::Winograd => winograd_backward(x, w, dl_dz, window),
    }
}

/// How a convolution is computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Conv2DAlgorithm {
    /// Matrix products of patches: [`im2col_forward`] and [`im2col_backward`].
    Im2col,
    /// Winograd's F(4x4, 3x3): [`winograd_forward`] and [`winograd_backward`].
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

/// Fewer channels or filters than this fill no block of a transform.
const FEWEST_CHANNELS: usize = 16;

/// The algorithm of [`conv2d_forward`] and [`conv2d_backward`] for images of so many `channels` and
/// so many `filters`.
///
/// The number of images plays no part, so that what is computed for an image does not depend on those
/// beside it.
#[must_use]
pub fn conv2d_algorithm<T: Scalar>(
    window: Window,
    channels: usize,
    filters: usize,
) -> Conv2DAlgorithm {
    let wide = size_of::<T>() > size_of::<f32>();
    let (rows, cols) = window.output();
    let tiles = rows.div_ceil(4) * cols.div_ceil(4);
    let pays = 9 * rows * cols >= 2 * 36 * tiles && channels.min(filters) >= FEWEST_CHANNELS;
    if !wide && winograd_applies(window) && pays {
        Conv2DAlgorithm::Winograd
    } else {
        Conv2DAlgorithm::Im2col
    }
}

/// `dL/db`: the sum of `dL/dZ` over images and cells.
pub(crate) fn bias_gradient<T: Scalar>(dl_dz: ArrayView4<'_, T>) -> Array2<T> {
    let (m, rows, cols, filters) = dl_dz.dim();
    let cells = dl_dz.to_shape((m * rows * cols, filters)).expect("Z has one row an output cell");
    column_sums(cells.view()).insert_axis(Axis(0))
}

/// Panics unless images and weights are those of `window`.
pub(crate) fn assert_shapes<T>(x: ArrayView4<'_, T>, w: ArrayView4<'_, T>, window: Window) {
    let ((_, rows, cols, x_channels), (k1, k2, w_channels, _)) = (x.dim(), w.dim());
    assert_eq!((rows, cols), window.input(), "the window was made for the input");
    assert_eq!((k1, k2), window.kernel(), "the window was made for the kernel");
    assert_eq!(x_channels, w_channels, "every input channel has its weights");
}
