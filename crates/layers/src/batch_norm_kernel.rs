//! The formulas of batch normalisation, on rows.
//!
//! These are passes over memory, so there are as few of them as can be, in place where an input is no longer
//! needed, and on all threads: forward reads the batch once for its statistics and once more to normalise it.
//! The activation that follows is part of the pass that makes its input.

use std::ops::Range;

use ndarray::{Array1, Array2, ArrayView1, ArrayView2, Axis};
use numerics::{
    Scalar, for_each_row, for_each_row_of_two, map_row_blocks, map_row_blocks_mut, reused,
};

// ANCHOR: forward
/// Output and statistics by [`batch_norm_forward`].
#[derive(Clone, Debug, PartialEq)]
pub struct BatchNormForward<T> {
    /// `Y`, of shape `(N, n)`.
    pub y: Array2<T>,
    /// The standardised input, of shape `(N, n)`.
    pub x_hat: Array2<T>,
    /// The mean of each feature, of shape `(n)`.
    pub mean: Array1<T>,
    /// The variance of each feature, divided by N, of shape `(n)`.
    pub variance: Array1<T>,
    /// `√(variance + ε)`, of shape `(n)`.
    pub deviation: Array1<T>,
}

/// `Y = σ(γ ⊙ X̂ + β)` with `X̂ = (X - mean) / √(variance + ε)`, by the statistics of the N rows, and `σ` the
/// `activation`.
///
/// # Shapes
/// `x: (N, n)` with N at least 1; `gamma`, `beta`: `(1, n)`.
pub fn batch_norm_forward<T: Scalar>(
    x: Array2<T>,
    gamma: ArrayView2<'_, T>,
    beta: ArrayView2<'_, T>,
    eps: T,
    activation: impl Fn(T) -> T + Send + Sync,
) -> BatchNormForward<T> {
    let (mean, variance) = mean_and_variance(&x);
    let deviation = variance.mapv(|v| (v + eps).sqrt());
    let (means, deviations) = (elements(&mean), elements(&deviation));
    let (gamma, beta) = (gamma.row(0).to_vec(), beta.row(0).to_vec());
    let mut y = reused(x.raw_dim());
    let mut x_hat = x;
    for_each_row_of_two(
        &mut x_hat,
        &mut y,
        #[inline(always)]
        |x, y| {
            let statistics = means.iter().zip(deviations);
            let affine = gamma.iter().zip(&beta);
            for (((x, y), (&mean, &deviation)), (&gamma, &beta)) in
                x.iter_mut().zip(y).zip(statistics).zip(affine)
            {
                *x = (*x - mean) / deviation;
                *y = activation(gamma * *x + beta);
            }
        },
    );
    BatchNormForward { y, x_hat, mean, variance, deviation }
}
// ANCHOR_END: forward

// ANCHOR: statistics
/// The mean and the variance of each column, from one reading of `x`: those of a block of rows while it is
/// in a cache, and then of all blocks together.
fn mean_and_variance<T: Scalar>(x: &Array2<T>) -> (Array1<T>, Array1<T>) {
    let (rows, features) = x.dim();
    let elements = x.as_slice().expect("a batch is in standard layout");
    let blocks = map_row_blocks(
        rows,
        features,
        #[inline(always)]
        |block: Range<usize>| {
            let count = block.len();
            let rows = &elements[block.start * features..block.end * features];
            let (mut mean, mut squares) = (vec![T::zero(); features], vec![T::zero(); features]);
            for row in rows.chunks_exact(features) {
                mean.iter_mut().zip(row).for_each(|(sum, &x)| *sum += x);
            }
            mean.iter_mut().for_each(|sum| *sum /= T::of(count as f64));
            for row in rows.chunks_exact(features) {
                for ((sum, &x), &mean) in squares.iter_mut().zip(row).zip(&mean) {
                    *sum += (x - mean) * (x - mean);
                }
            }
            (count as f64, mean, squares)
        },
    );
    // Chan, Golub and LeVeque (1979): with δ the difference of the means of n and m rows, the mean of all
    // moves by δ m/(n + m), and the sum of squares grows by that of the m rows and δ² n m/(n + m).
    let (mut n, mut mean, mut squares) = (0.0, vec![0.0; features], vec![0.0; features]);
    for (m, block_mean, block_squares) in &blocks {
        let total = n + m;
        let statistics = mean.iter_mut().zip(&mut squares);
        for ((mean, squares), (block_mean, block_squares)) in
            statistics.zip(block_mean.iter().zip(block_squares))
        {
            let delta = block_mean.as_f64() - *mean;
            *mean += delta * m / total;
            *squares += block_squares.as_f64() + delta * delta * n * m / total;
        }
        n = total;
    }
    let variance = squares.iter().map(|&sum| T::of(sum / n));
    (mean.iter().map(|&mean| T::of(mean)).collect(), variance.collect())
}
// ANCHOR_END: statistics

// ANCHOR: predict
/// Batch normalisation with given statistics: an affine function of each row.
///
/// # Shapes
/// `x: (N, n)`, the result too; the others `(1, n)`.
pub fn batch_norm_predict<T: Scalar>(
    x: Array2<T>,
    gamma: ArrayView2<'_, T>,
    beta: ArrayView2<'_, T>,
    mean: ArrayView2<'_, T>,
    variance: ArrayView2<'_, T>,
    eps: T,
    activation: impl Fn(T) -> T + Send + Sync,
) -> Array2<T> {
    let scale = (&gamma.row(0) / &variance.row(0).mapv(|v| (v + eps).sqrt())).to_vec();
    let (mean, beta) = (mean.row(0).to_vec(), beta.row(0).to_vec());
    let mut y = x;
    for_each_row(
        &mut y,
        #[inline(always)]
        |_, y| {
            for (((y, &mean), &scale), &beta) in y.iter_mut().zip(&mean).zip(&scale).zip(&beta) {
                *y = activation((*y - mean) * scale + beta);
            }
        },
    );
    y
}
// ANCHOR_END: predict

// ANCHOR: backward
/// Gradients by [`batch_norm_backward`].
#[derive(Clone, Debug, PartialEq)]
pub struct BatchNormGradients<T> {
    /// `dL/dX`, of shape `(N, n)`.
    pub dl_dx: Array2<T>,
    /// `dL/dγ`, of shape `(1, n)`.
    pub dl_dgamma: Array2<T>,
    /// `dL/dβ`, of shape `(1, n)`.
    pub dl_dbeta: Array2<T>,
}

/// The gradients, from `dL/dY` and what forward found. `activation_gradient(z, dl_dy)` is `dL/dz` behind the
/// activation, whose input `z` is computed again rather than kept.
///
/// # Shapes
/// `dl_dy`, `x_hat`: `(N, n)`; `deviation`: `(n)`; `gamma`, `beta`: `(1, n)`.
pub fn batch_norm_backward<T: Scalar>(
    dl_dy: Array2<T>,
    x_hat: &Array2<T>,
    deviation: ArrayView1<'_, T>,
    gamma: ArrayView2<'_, T>,
    beta: ArrayView2<'_, T>,
    activation_gradient: impl Fn(T, T) -> T + Send + Sync,
) -> BatchNormGradients<T> {
    let (rows, features) = x_hat.dim();
    let n = T::of(rows as f64);
    let scale = (&gamma.row(0) / &deviation).to_vec();
    let (gamma, beta) = (gamma.row(0).to_vec(), beta.row(0).to_vec());
    let mut g = dl_dy;
    // G = dL/dZ, and in the same pass its sum, and that of G ⊙ X̂, over the rows of each block.
    let blocks = map_row_blocks_mut(
        &mut g,
        #[inline(always)]
        |first, block| {
            let (mut g_sum, mut along) = (Array1::zeros(features), Array1::zeros(features));
            let sums = (elements_mut(&mut g_sum), elements_mut(&mut along));
            for (i, g) in block.chunks_exact_mut(features).enumerate() {
                let sums = sums.0.iter_mut().zip(&mut *sums.1);
                let affine = gamma.iter().zip(&beta);
                for (((g, &x_hat), (g_sum, along)), (&gamma, &beta)) in
                    g.iter_mut().zip(row(x_hat, first + i)).zip(sums).zip(affine)
                {
                    *g = activation_gradient(gamma * x_hat + beta, *g);
                    *g_sum += *g;
                    *along += *g * x_hat;
                }
            }
            (g_sum, along)
        },
    );
    let (mut dl_dbeta, mut dl_dgamma) = (Array1::zeros(features), Array1::zeros(features));
    for (g_sum, along) in &blocks {
        dl_dbeta += g_sum;
        dl_dgamma += along;
    }
    let (g_mean, along_mean) = (&dl_dbeta / n, &dl_dgamma / n);
    let (g_means, along_means) = (elements(&g_mean), elements(&along_mean));
    for_each_row(
        &mut g,
        #[inline(always)]
        |i, g| {
            let means = g_means.iter().zip(along_means);
            for (((g, &x_hat), (&g_mean, &along_mean)), &scale) in
                g.iter_mut().zip(row(x_hat, i)).zip(means).zip(&scale)
            {
                *g = scale * (*g - g_mean - x_hat * along_mean);
            }
        },
    );
    let one_row = |sums: Array1<T>| sums.insert_axis(Axis(0));
    BatchNormGradients { dl_dx: g, dl_dgamma: one_row(dl_dgamma), dl_dbeta: one_row(dl_dbeta) }
}
// ANCHOR_END: backward

// Loops over slices become vector instructions; loops over an array's own iterators do not.

fn elements<T>(row: &Array1<T>) -> &[T] {
    row.as_slice().expect("a new row is contiguous")
}

fn elements_mut<T>(row: &mut Array1<T>) -> &mut [T] {
    row.as_slice_mut().expect("a new row is contiguous")
}

/// A row of the batch, in standard layout, as a slice.
fn row<T>(x: &Array2<T>, i: usize) -> &[T] {
    let slice = x.as_slice().expect("a batch is in standard layout");
    &slice[i * x.ncols()..(i + 1) * x.ncols()]
}

#[cfg(test)]
mod tests {
    use approx::assert_abs_diff_eq;
    use ndarray::array;

    use super::*;
    use crate::reference;

    #[test]
    fn passes_over_blocks_agree_with_the_formulas() {
        // One block, and several on all threads, the last of which is not full.
        for rows in [1, 7, 20_001] {
            let mut rng = numerics::Rng::new(2);
            let mut draw = |rows| -> Array2<f64> { rng.uniform_array((rows, 3), -1.0, 1.0) };
            let (x, dl_dy, gamma, beta) = (draw(rows) + 0.5, draw(rows), draw(1), draw(1));
            let (g, b) = (gamma.view(), beta.view());
            let expected = reference::batch_norm_forward(x.view(), g, b, 0.1);
            let forward = batch_norm_forward(x, g, b, 0.1, |z| z);
            // Sums of numbers of at most 2 in another order, divided by their number.
            assert_abs_diff_eq!(forward.y, expected.y, epsilon = 1e-12);
            assert_abs_diff_eq!(forward.mean, expected.mean, epsilon = 1e-13);
            assert_abs_diff_eq!(forward.variance, expected.variance, epsilon = 1e-13);
            let (x_hat, deviation) = (&expected.x_hat, expected.deviation.view());
            let fast =
                |dl_dy, x_hat| batch_norm_backward(dl_dy, x_hat, deviation, g, b, |_, dl_dy| dl_dy);
            let gradients = fast(dl_dy.clone(), x_hat);
            let slow = reference::batch_norm_backward(dl_dy.view(), x_hat.view(), deviation, g);
            assert_abs_diff_eq!(gradients.dl_dx, slow.dl_dx, epsilon = 1e-12);
            let rounding = 1e-13 * rows as f64;
            assert_abs_diff_eq!(gradients.dl_dgamma, slow.dl_dgamma, epsilon = rounding);
            assert_abs_diff_eq!(gradients.dl_dbeta, slow.dl_dbeta, epsilon = rounding);
        }
    }

    #[test]
    fn a_large_batch_keeps_its_mean_in_single_precision() {
        let x = Array2::from_elem((200_000, 1), 0.1_f32);
        let ones = array![[1.0_f32]];
        let forward = batch_norm_forward(x, ones.view(), ones.view(), 1e-5, |z| z);
        // Near 0.1, 256 roundings of half a unit of 2⁻²⁷ each are 1e-6; a plain sum is off by 2e-3.
        assert!((forward.mean[0] - 0.1).abs() < 1e-6, "{}", forward.mean[0]);
    }
}
