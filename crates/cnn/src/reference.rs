//! The obvious version of convolution: one loop per index of the formula. The tests compare the fast kernels with it;
//! the harness compares the layers with finite differences, transcribed formulas and the oracle.

use ndarray::{Array2, Array4, ArrayView2, ArrayView4};
use numerics::Scalar;

use crate::{Conv2DGradients, Window};

/// Calls `visit(r, q, i, j, x, y)` for every output cell `(r, q)` and kernel cell `(i, j)` that sees
/// the image cell `(x, y)`, in row-major order of `(r, q, i, j)`.
fn for_each_pair(window: Window, mut visit: impl FnMut([usize; 6])) {
    let ((r1, r2), (k1, k2)) = (window.output, window.kernel);
    for r in 0..r1 {
        for q in 0..r2 {
            for i in 0..k1 {
                for j in 0..k2 {
                    if let (Some(x), Some(y)) = (window.input_row(r, i), window.input_col(q, j)) {
                        visit([r, q, i, j, x, y]);
                    }
                }
            }
        }
    }
}

/// `Z[n, r, q, f] = b[f] + Σ W[i, j, c, f] X[n, x, y, c]`, over the image cells that the window sees.
pub fn conv2d_forward<T: Scalar>(
    x: ArrayView4<'_, T>,
    w: ArrayView4<'_, T>,
    b: ArrayView2<'_, T>,
    window: Window,
) -> Array4<T> {
    let (m, channels, filters) = (x.dim().0, w.dim().2, w.dim().3);
    let (rows, cols) = window.output;
    let mut z = Array4::from_shape_fn((m, rows, cols, filters), |(.., f)| b[[0, f]]);
    for_each_pair(window, |[r, q, i, j, row, col]| {
        for n in 0..m {
            for c in 0..channels {
                for f in 0..filters {
                    z[[n, r, q, f]] += w[[i, j, c, f]] * x[[n, row, col, c]];
                }
            }
        }
    });
    z
}

/// The three gradients of [`conv2d_forward`], each product sent back where it came from.
pub fn conv2d_backward<T: Scalar>(
    x: ArrayView4<'_, T>,
    w: ArrayView4<'_, T>,
    dl_dz: ArrayView4<'_, T>,
    window: Window,
) -> Conv2DGradients<T> {
    let (m, channels, filters) = (x.dim().0, w.dim().2, w.dim().3);
    let mut dl_dx = Array4::zeros(x.raw_dim());
    let mut dl_dw = Array4::zeros(w.raw_dim());
    let mut dl_db = Array2::zeros((1, filters));
    for ((.., f), &g) in dl_dz.indexed_iter() {
        dl_db[[0, f]] += g;
    }
    for_each_pair(window, |[r, q, i, j, row, col]| {
        for n in 0..m {
            for c in 0..channels {
                for f in 0..filters {
                    let g = dl_dz[[n, r, q, f]];
                    dl_dw[[i, j, c, f]] += g * x[[n, row, col, c]];
                    dl_dx[[n, row, col, c]] += g * w[[i, j, c, f]];
                }
            }
        }
    });
    Conv2DGradients { dl_dx, dl_dw, dl_db }
}
