//! Winograd's F(4x4, 3x3): 3 by 3 convolutions of stride 1 with a quarter of the multiplications.
//!
//! # One dimension
//! Four neighbouring outputs `yᵢ = Σⱼ gⱼ dᵢ₊ⱼ` of a filter of three weights see six inputs and take twelve
//! products. Six are enough. Multiplying a polynomial of degree 3 by one of degree 2 gives one of degree
//! 5, which its values at six points determine: evaluate both, multiply the values, interpolate. With the
//! points 0, 1, -1, 2, -2 and ∞ (the leading coefficient), evaluation is multiplication by
//!
//! ```text
//!     ⎡ 1  0  0  0 ⎤        ⎡  1/4    0     0  ⎤         ⎡ 4   0  -5   0  1  0 ⎤
//!     ⎢ 1  1  1  1 ⎥        ⎢ -1/6  -1/6  -1/6 ⎥         ⎢ 0  -4  -4   1  1  0 ⎥
//! A = ⎢ 1 -1  1 -1 ⎥    G = ⎢ -1/6   1/6  -1/6 ⎥    Bᵀ = ⎢ 0   4  -4  -1  1  0 ⎥
//!     ⎢ 1  2  4  8 ⎥        ⎢ 1/24  1/12   1/6 ⎥         ⎢ 0  -2  -1   2  1  0 ⎥
//!     ⎢ 1 -2  4 -8 ⎥        ⎢ 1/24 -1/12   1/6 ⎥         ⎢ 0   2  -1  -2  1  0 ⎥
//!     ⎣ 0  0  0  1 ⎦        ⎣   0     0     1  ⎦         ⎣ 0   4   0  -5  0  1 ⎦
//! ```
//!
//! `A` and `G`, where each row of `G` carries the denominator of its point's Lagrange polynomial, and
//! interpolation is multiplication by `B`, whose columns are the numerators `∏ (t - other points)`. So
//! the coefficients of the product are `B [(A y) ⊙ (G g)]`. The sum `Σ dₖ (coefficient k)` is trilinear in
//! `y`, `g` and `d`, and equals `Σ yᵢ gⱼ dᵢ₊ⱼ`: the filter's output is its derivative by `y`,
//!
//! ```text
//! y = Aᵀ [(G g) ⊙ (Bᵀ d)].
//! ```
//!
//! # Two dimensions
//! Nested, once over rows and once over columns, a tile of 4 by 4 outputs of one channel is
//! `Aᵀ [(G g Gᵀ) ⊙ (Bᵀ d B)] A`: 36 products instead of 144. The sum over channels goes before the outer
//! transform, which is linear, so that each of the 36 points is a matrix product over tiles, channels
//! and filters:
//!
//! ```text
//! V[36][tiles][n_in]  times  U[36][n_in][n_out]  =  M[36][tiles][n_out]
//! ```
//!
//! # Gradients
//! `dL/dX` is a convolution of the same kind: of `dL/dZ`, by the kernel turned by 180 degrees with its
//! channels and filters exchanged, padded by 2 less the padding. `dL/dW` is the adjoint of the forward
//! pass in the weights, transform by transform: `dU = Vᵀ (A g Aᵀ)` at each point, then `Gᵀ dU G`.
//!
//! # Rounding
//! The result is exact in exact arithmetic, but larger terms cancel in it: they can add up to 48² times
//! the largest product of a weight and an input, where direct convolution adds 3². The tests derive a
//! bound from that, and compare what is lost with 5e-5 (in `f32`) of the largest element.
//!
//! The largest element is that of the tile: the 16 outputs of a tile share its 36 cells, also those that they do
//! not see and that cancel. So a cell that is NaN or infinite spoils all of them, and one of 10⁶ among numbers
//! around 1 moves the others by some tenths. Outputs of other tiles do not change.
//!
//! # Order
//! How a batch is cut into chunks depends on shapes alone, each chunk writes its own part of the result,
//! and the products of `dL/dW` are added chunk after chunk, so the bits are the same for any number of
//! threads.
//!
//! A. Lavin and S. Gray, "Fast Algorithms for Convolutional Neural Networks", arXiv 1509.09308 (2015),
//! after S. Winograd, "Arithmetic Complexity of Computations" (1980).

mod backward_weights;
mod correlation;
mod lines;
mod planes;
mod tiles;
mod tiling;
mod transforms;
mod weights;

use ndarray::{Array4, ArrayView2, ArrayView4};
use numerics::Scalar;

use crate::Window;
use crate::conv2d_algorithm::assert_shapes;
use crate::scratch::with_scratch;
use backward_weights::backward_weights;
use correlation::Correlation;
use planes::{planes, planes_len};
use tiling::{Images, Tiling};
use weights::transform_weights;

/// Rows and columns of a kernel.
const KERNEL: usize = 3;

/// Rows and columns of a tile of outputs.
const TILE: usize = 4;

/// Rows and columns of what a tile sees; points of one dimension.
const SIDE: usize = TILE + KERNEL - 1;

/// Points of both dimensions.
pub(crate) const POINTS: usize = SIDE * SIDE;

/// Whether Winograd's algorithm can compute the convolution: the kernel is 3 by 3 and the stride is 1.
#[must_use]
pub fn winograd_applies(window: Window) -> bool {
    window.kernel() == (KERNEL, KERNEL) && window.stride() == 1
}

/// [`im2col_forward`](crate::im2col_forward) by F(4x4, 3x3).
///
/// # Panics
/// As [`im2col_forward`](crate::im2col_forward), and if not [`winograd_applies`].
#[must_use]
pub fn winograd_forward<T: Scalar>(
    x: ArrayView4<'_, T>,
    w: ArrayView4<'_, T>,
    b: ArrayView2<'_, T>,
    window: Window,
) -> Array4<T> {
    assert_shapes(x, w, window);
    let (.., channels, filters) = w.dim();
    assert_eq!(b.dim(), (1, filters), "every filter has its bias");
    let (x, b) = (x.as_standard_layout(), b.as_standard_layout());
    let contiguous = "the standard layout is contiguous";
    with_weights(w, window, false, |u| {
        let fits = "a point has a row for each channel";
        let u = u.iter().map(|u| ArrayView2::from_shape((channels, filters), u).expect(fits));
        let correlation = Correlation {
            input: window.input(),
            output: window.output(),
            pad: signed(window.pad()),
            weights: u.collect(),
            bias: Some(b.as_slice().expect(contiguous)),
        };
        correlation.of(x.as_slice().expect(contiguous), x.dim().0)
    })
}

/// `dL/dX` of [`winograd_forward`].
///
/// # Panics
/// If `w` or `dl_dz` have not the sizes of `window`, the shapes do not agree, or not
/// [`winograd_applies`].
#[must_use]
pub fn winograd_backward_data<T: Scalar>(
    w: ArrayView4<'_, T>,
    dl_dz: ArrayView4<'_, T>,
    window: Window,
) -> Array4<T> {
    let (.., channels, filters) = w.dim();
    let (images, rows, cols, dl_dz_filters) = dl_dz.dim();
    assert_eq!(((rows, cols), dl_dz_filters), (window.output(), filters), "dL/dZ is shaped as Z");
    let dl_dz = dl_dz.as_standard_layout();
    let margin = (KERNEL - 1).cast_signed();
    let pad = signed(window.pad());
    with_weights(w, window, true, |u| {
        let fits = "a point has a row for each channel";
        let u = u.iter().map(|u| ArrayView2::from_shape((channels, filters), u).expect(fits));
        let correlation = Correlation {
            input: window.output(),
            output: window.input(),
            pad: (margin - pad.0, margin - pad.1),
            weights: u.map(ArrayView2::reversed_axes).collect(),
            bias: None,
        };
        correlation.of(dl_dz.as_slice().expect("the standard layout is contiguous"), images)
    })
}

/// `dL/dW` of [`winograd_forward`].
///
/// # Panics
/// If `x` or `dl_dz` have not the sizes of `window`, the shapes do not agree, or not
/// [`winograd_applies`].
#[must_use]
pub fn winograd_backward_weights<T: Scalar>(
    x: ArrayView4<'_, T>,
    dl_dz: ArrayView4<'_, T>,
    window: Window,
) -> Array4<T> {
    let ((images, rows, cols, channels), filters) = (x.dim(), dl_dz.dim().3);
    assert!(winograd_applies(window), "F(4x4, 3x3) is for 3x3 kernels of stride 1");
    assert_eq!((rows, cols), window.input(), "the window was made for the input");
    let (r1, r2) = window.output();
    assert_eq!(dl_dz.dim(), (images, r1, r2, filters), "dL/dZ is shaped as Z");
    let (x, dl_dz) = (x.as_standard_layout(), dl_dz.as_standard_layout());
    let contiguous = "the standard layout is contiguous";
    let mut dl_dw = Array4::zeros((KERNEL, KERNEL, channels, filters));
    backward_weights(
        &Images::new(x.as_slice().expect(contiguous), window.input(), channels),
        &Images::new(dl_dz.as_slice().expect(contiguous), window.output(), filters),
        Tiling::new(images, window.output()),
        signed(window.pad()),
        dl_dw.as_slice_mut().expect("new arrays are contiguous"),
    );
    dl_dw
}

/// Lends `work` the transformed weights: at each of the 36 points, a row for each channel.
fn with_weights<T: Scalar, R>(
    w: ArrayView4<'_, T>,
    window: Window,
    flipped: bool,
    work: impl FnOnce(&[&[T]]) -> R,
) -> R {
    let (k1, k2, channels, filters) = w.dim();
    assert!(winograd_applies(window), "F(4x4, 3x3) is for 3x3 kernels of stride 1");
    assert_eq!((k1, k2), window.kernel(), "the window was made for the kernel");
    let w = w.as_standard_layout();
    let w = w.as_slice().expect("the standard layout is contiguous");
    let pairs = channels * filters;
    with_scratch(planes_len(pairs), |u| {
        transform_weights(w, pairs, flipped, u);
        work(&planes(u, pairs))
    })
}

/// A padding, which may become negative.
fn signed((rows, cols): (usize, usize)) -> (isize, isize) {
    (rows.cast_signed(), cols.cast_signed())
}
