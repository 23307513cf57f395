//! Winograd's F(4x4, 3x3): 3 by 3 convolutions of stride 1 with a quarter of the multiplications.
//!
//! The book derives it in "Faster convolution". Four neighbouring outputs `yᵢ = Σⱼ gⱼ dᵢ₊ⱼ` of a filter of three
//! weights are `y = Aᵀ [(G g) ⊙ (Bᵀ d)]`: six products instead of twelve. Rows of `A` and of `G` are for the points 0,
//! 1, -1, 2, -2 and ∞, at which polynomials are evaluated, and `B` interpolates:
//!
//! ```text
//!     [ 1  0  0  0 ]        [  1/4    0     0  ]         [ 4   0  -5   0  1  0 ]
//!     [ 1  1  1  1 ]        [ -1/6  -1/6  -1/6 ]         [ 0  -4  -4   1  1  0 ]
//! A = [ 1 -1  1 -1 ]    G = [ -1/6   1/6  -1/6 ]    Bᵀ = [ 0   4  -4  -1  1  0 ]
//!     [ 1  2  4  8 ]        [ 1/24  1/12   1/6 ]         [ 0  -2  -1   2  1  0 ]
//!     [ 1 -2  4 -8 ]        [ 1/24 -1/12   1/6 ]         [ 0   2  -1  -2  1  0 ]
//!     [ 0  0  0  1 ]        [   0     0     1  ]         [ 0   4   0  -5   0  1 ]
//! ```
//!
//! Nested over rows and columns, a tile of 4 by 4 outputs of one channel is `Aᵀ [(G g Gᵀ) ⊙ (Bᵀ d B)] A`. The sum over
//! channels goes before the outer transform, so that each of the 36 points is a matrix product over tiles, channels and
//! filters:
//!
//! ```text
//! V[36][tiles][n_in]  times  U[36][n_in][n_out]  =  M[36][tiles][n_out]
//! ```
//!
//! `dL/dX` is a convolution of the same kind: of `dL/dZ`, by the kernel turned by 180 degrees with its channels and
//! filters exchanged, padded by 2 less the padding. `dL/dW` is the adjoint of the forward pass in the weights, transform
//! by transform: `dU = Vᵀ (A g Aᵀ)` at each point, then `Gᵀ dU G`.
//!
//! # Rounding
//! Larger terms cancel than in direct convolution: they can add up to 48² times the largest product of a weight and an
//! input of the tile, instead of 3². So a cell that is NaN or infinite spoils all 16 outputs of its tile, and one of 10⁶
//! among numbers around 1 moves those that do not see it by some tenths. Outputs of other tiles do not change.
//!
//! # Order
//! How a batch is cut into chunks depends on shapes alone, each chunk writes its own part of the result,
//! and the products of `dL/dW` are added chunk after chunk, so the bits are the same for any number of
//! threads.
//!
//! A. Lavin and S. Gray, "Fast Algorithms for Convolutional Neural Networks", arXiv 1509.09308 (2015),
//! after S. Winograd, "Arithmetic Complexity of Computations" (1980).

mod correlation;
mod lines;
mod planes;
mod tiles;
mod tiling;
mod transforms;
mod weights;

use ndarray::{Array4, ArrayView2, ArrayView4, ArrayViewMut2, CowArray, Dimension};
use numerics::{Scalar, add_matmul, map_tasks, matmul_into};

use crate::Window;
use crate::conv2d_algorithm::assert_shapes;
use crate::scratch::with_scratch;
use correlation::Correlation;
use planes::{parts_of_planes, planes, planes_len, planes_mut};
use tiles::to_points;
use tiling::{Images, Tiling};
use transforms::{a, bt};
use weights::{transform_weight_gradients, transform_weights};

/// Rows and columns of a kernel.
const KERNEL: usize = 3;

/// Rows and columns of a tile of outputs.
const TILE: usize = 4;

/// Rows and columns of what a tile sees; points of one dimension.
const SIDE: usize = TILE + KERNEL - 1;

/// Points of both dimensions.
pub(crate) const POINTS: usize = SIDE * SIDE;

/// Bytes that the transformed tiles of one chunk of `dL/dW` take, of images and gradients.
const CHUNK_BYTES: usize = 4 << 20;

/// Tiles that one task of `dL/dW` transforms.
const TILES_AT_ONCE: usize = 16;

/// Whether Winograd's algorithm can compute the convolution: the kernel is 3 by 3 and the stride is 1.
pub fn winograd_applies(window: Window) -> bool {
    window.kernel == (KERNEL, KERNEL) && window.stride == 1
}

/// [`im2col_forward`](crate::im2col_forward) by F(4x4, 3x3).
///
/// # Panics
/// As [`im2col_forward`](crate::im2col_forward), and if not [`winograd_applies`].
pub fn winograd_forward<T: Scalar>(
    x: ArrayView4<'_, T>,
    w: ArrayView4<'_, T>,
    b: ArrayView2<'_, T>,
    window: Window,
) -> Array4<T> {
    assert_shapes(x, w, window);
    let filters = w.dim().3;
    assert_eq!(b.dim(), (1, filters), "every filter has its bias");
    let (x, b) = (x.as_standard_layout(), b.as_standard_layout());
    with_weights(w, window, false, |weights| {
        let correlation = Correlation {
            input: window.input,
            output: window.output,
            pad: signed(window.pad),
            weights,
            bias: Some(contiguous(&b)),
        };
        correlation.of(contiguous(&x), x.dim().0)
    })
}

/// `dL/dX` of [`winograd_forward`].
///
/// # Panics
/// If `w` or `dl_dz` have not the sizes of `window`, the shapes do not agree, or not
/// [`winograd_applies`].
pub fn winograd_backward_data<T: Scalar>(
    w: ArrayView4<'_, T>,
    dl_dz: ArrayView4<'_, T>,
    window: Window,
) -> Array4<T> {
    let filters = w.dim().3;
    let (images, rows, cols, dl_dz_filters) = dl_dz.dim();
    assert_eq!(((rows, cols), dl_dz_filters), (window.output, filters), "dL/dZ is shaped as Z");
    let dl_dz = dl_dz.as_standard_layout();
    let margin = (KERNEL - 1).cast_signed();
    let pad = signed(window.pad);
    with_weights(w, window, true, |weights| {
        let correlation = Correlation {
            input: window.output,
            output: window.input,
            pad: (margin - pad.0, margin - pad.1),
            weights: weights.into_iter().map(ArrayView2::reversed_axes).collect(),
            bias: None,
        };
        correlation.of(contiguous(&dl_dz), images)
    })
}

/// `dL/dW` of [`winograd_forward`]: `Gᵀ [Σ (Bᵀ d B)ᵀ (A g Aᵀ)] G` over all tiles, where `d` are the cells that a tile
/// sees, and `g` is `dL/dZ`.
///
/// Chunk by chunk, tasks transform a few tiles each, and then each of the 36 points is one product that
/// adds to the sum of that point. There is one sum, whatever the number of threads.
///
/// # Panics
/// If `x` or `dl_dz` have not the sizes of `window`, the shapes do not agree, or not
/// [`winograd_applies`].
pub fn winograd_backward_weights<T: Scalar>(
    x: ArrayView4<'_, T>,
    dl_dz: ArrayView4<'_, T>,
    window: Window,
) -> Array4<T> {
    let ((images, rows, cols, channels), filters) = (x.dim(), dl_dz.dim().3);
    assert!(winograd_applies(window), "F(4x4, 3x3) is for 3x3 kernels of stride 1");
    assert_eq!((rows, cols), window.input, "the window was made for the input");
    let (r1, r2) = window.output;
    assert_eq!(dl_dz.dim(), (images, r1, r2, filters), "dL/dZ is shaped as Z");
    let (x, dl_dz) = (x.as_standard_layout(), dl_dz.as_standard_layout());
    let x = Images::new(contiguous(&x), window.input, channels);
    let dl_dz = Images::new(contiguous(&dl_dz), window.output, filters);
    let (tiling, pad) = (Tiling::new(images, window.output), signed(window.pad));
    let pairs = channels * filters;
    let mut dl_dw = Array4::zeros((KERNEL, KERNEL, channels, filters));
    let tile_bytes = POINTS * (channels + filters) * size_of::<T>();
    let chunk_rows = tiling.tile_rows_of(CHUNK_BYTES / tile_bytes.max(1));
    let task_rows = tiling.tile_rows_of(TILES_AT_ONCE);
    let per_row = tiling.tiles_per_row();
    let most_tiles = chunk_rows.min(tiling.tile_rows()) * per_row;
    let lens = [pairs, most_tiles * channels, most_tiles * filters].map(planes_len);
    with_scratch(lens.iter().sum(), |scratch| {
        let (du, scratch) = scratch.split_at_mut(lens[0]);
        let (v, dm) = scratch.split_at_mut(lens[1]);
        for (index, chunk) in tiling.chunks(chunk_rows).enumerate() {
            let tiles = chunk.len() * per_row;
            let v = &mut v[..planes_len(tiles * channels)];
            let dm = &mut dm[..planes_len(tiles * filters)];
            let task_tiles = task_rows * per_row;
            let v_parts = parts_of_planes(planes_mut(v, tiles * channels), task_tiles * channels);
            let dm_parts = parts_of_planes(planes_mut(dm, tiles * filters), task_tiles * filters);
            map_tasks(v_parts.into_iter().zip(dm_parts), true, &|task, (mut v, mut dm)| {
                let first = chunk.start + task * task_rows;
                let rows = first..(first + task_rows).min(chunk.end);
                to_points(&x, (tiling, rows.clone()), pad, bt, &mut v);
                to_points(&dl_dz, (tiling, rows), (0, 0), a, &mut dm);
            });
            let factors = planes(v, tiles * channels).into_iter().zip(planes(dm, tiles * filters));
            let points = planes_mut(du, pairs).into_iter().zip(factors);
            map_tasks(points, true, &|_, (du, (v, dm))| {
                let v = ArrayView2::from_shape((tiles, channels), v);
                let dm = ArrayView2::from_shape((tiles, filters), dm);
                let du = ArrayViewMut2::from_shape((channels, filters), du);
                let fits = "a point has one row a tile, and a sum for each weight";
                let (v, dm, du) = (v.expect(fits), dm.expect(fits), du.expect(fits));
                if index == 0 {
                    matmul_into(du, v.t(), dm);
                } else {
                    add_matmul(du, v.t(), dm);
                }
            });
        }
        if tiling.tile_rows() == 0 {
            du.fill(T::zero());
        }
        let dl_dw = dl_dw.as_slice_mut().expect("new arrays are contiguous");
        transform_weight_gradients(du, pairs, dl_dw);
    });
    dl_dw
}

/// Lends `work` the transformed weights: at each of the 36 points, a row for each channel.
fn with_weights<T: Scalar, R>(
    w: ArrayView4<'_, T>,
    window: Window,
    flipped: bool,
    work: impl FnOnce(Vec<ArrayView2<'_, T>>) -> R,
) -> R {
    let (k1, k2, channels, filters) = w.dim();
    assert!(winograd_applies(window), "F(4x4, 3x3) is for 3x3 kernels of stride 1");
    assert_eq!((k1, k2), window.kernel, "the window was made for the kernel");
    let pairs = channels * filters;
    with_scratch(planes_len(pairs), |u| {
        transform_weights(contiguous(&w.as_standard_layout()), pairs, flipped, u);
        let fits = "a point has a row for each channel";
        let point = |u| ArrayView2::from_shape((channels, filters), u).expect(fits);
        work(planes(u, pairs).into_iter().map(point).collect())
    })
}

fn contiguous<'a, T, D: Dimension>(x: &'a CowArray<'_, T, D>) -> &'a [T] {
    x.as_slice().expect("the standard layout is contiguous")
}

/// A padding, which may become negative.
fn signed((rows, cols): (usize, usize)) -> (isize, isize) {
    (rows.cast_signed(), cols.cast_signed())
}
