//! The formulas of batch normalisation, on rows.
//!
//! These are passes over memory, so each is done once, in place where its input is no longer needed,
//! and on all threads.

use ndarray::{Array1, Array2, ArrayView1, ArrayView2, Axis};
use numerics::{Scalar, column_sums, for_each_row, sum_rows};

// ANCHOR: forward
/// What [`batch_norm_forward`] returns.
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

/// `Y = γ ⊙ X̂ + β` with `X̂ = (X - mean) / √(variance + ε)`, by the statistics of the N rows.
///
/// # Shapes
/// `x: (N, n)` with N at least 1; `gamma`, `beta`: `(1, n)`.
#[must_use]
pub fn batch_norm_forward<T: Scalar>(
    x: Array2<T>,
    gamma: ArrayView2<'_, T>,
    beta: ArrayView2<'_, T>,
    eps: T,
) -> BatchNormForward<T> {
    let (rows, features) = x.dim();
    let n = T::of(rows as f64);
    let mean = column_sums(x.view()) / n;
    let means = elements(&mean);
    let variance: Array1<T> = sum_rows(rows, features, |rows, sum| {
        for i in rows {
            for ((sum, &x), &mean) in sum.iter_mut().zip(row(&x, i)).zip(means) {
                *sum += (x - mean) * (x - mean);
            }
        }
    }) / n;
    let deviation = variance.mapv(|v| (v + eps).sqrt());
    let deviations = elements(&deviation);
    let mut x_hat = x;
    for_each_row(&mut x_hat, |_, x| {
        for ((x, &mean), &deviation) in x.iter_mut().zip(means).zip(deviations) {
            *x = (*x - mean) / deviation;
        }
    });
    let (gamma, beta) = (gamma.row(0).to_vec(), beta.row(0).to_vec());
    let mut y = Array2::zeros(x_hat.raw_dim());
    for_each_row(&mut y, |i, y| {
        for (((y, &x_hat), &gamma), &beta) in
            y.iter_mut().zip(row(&x_hat, i)).zip(&gamma).zip(&beta)
        {
            *y = gamma * x_hat + beta;
        }
    });
    BatchNormForward { y, x_hat, mean, variance, deviation }
}
// ANCHOR_END: forward

// ANCHOR: predict
/// The same with given statistics, which makes it an affine function of each row.
///
/// # Shapes
/// `x: (N, n)`, the result too; the others `(1, n)`.
#[must_use]
pub fn batch_norm_predict<T: Scalar>(
    x: Array2<T>,
    gamma: ArrayView2<'_, T>,
    beta: ArrayView2<'_, T>,
    mean: ArrayView2<'_, T>,
    variance: ArrayView2<'_, T>,
    eps: T,
) -> Array2<T> {
    let scale = (&gamma.row(0) / &variance.row(0).mapv(|v| (v + eps).sqrt())).to_vec();
    let (mean, beta) = (mean.row(0).to_vec(), beta.row(0).to_vec());
    let mut y = x;
    for_each_row(&mut y, |_, y| {
        for (((y, &mean), &scale), &beta) in y.iter_mut().zip(&mean).zip(&scale).zip(&beta) {
            *y = (*y - mean) * scale + beta;
        }
    });
    y
}
// ANCHOR_END: predict

// ANCHOR: backward
/// What [`batch_norm_backward`] returns.
#[derive(Clone, Debug, PartialEq)]
pub struct BatchNormGradients<T> {
    /// `dL/dX`, of shape `(N, n)`.
    pub dl_dx: Array2<T>,
    /// `dL/dγ`, of shape `(1, n)`.
    pub dl_dgamma: Array2<T>,
    /// `dL/dβ`, of shape `(1, n)`.
    pub dl_dbeta: Array2<T>,
}

/// The gradients, from `dL/dY` and what forward found.
///
/// # Shapes
/// `dl_dy`, `x_hat`: `(N, n)`; `deviation`: `(n)`; `gamma`: `(1, n)`.
#[must_use]
pub fn batch_norm_backward<T: Scalar>(
    dl_dy: Array2<T>,
    x_hat: &Array2<T>,
    deviation: ArrayView1<'_, T>,
    gamma: ArrayView2<'_, T>,
) -> BatchNormGradients<T> {
    let (rows, features) = x_hat.dim();
    let n = T::of(rows as f64);
    // The sums of G in the first half of a row, those of G ⊙ X̂ in the second.
    let sums: Array1<T> = sum_rows(rows, 2 * features, |rows, sums| {
        let (g_sum, along) = sums.split_at_mut(features);
        for i in rows {
            let (g, x_hat) = (row(&dl_dy, i), row(x_hat, i));
            for (((g_sum, along), &g), &x_hat) in
                g_sum.iter_mut().zip(&mut *along).zip(g).zip(x_hat)
            {
                *g_sum += g;
                *along += g * x_hat;
            }
        }
    });
    let sums = sums.into_shape_with_order((2, features)).expect("two sums for each feature");
    let (dl_dbeta, dl_dgamma) = (sums.row(0), sums.row(1));
    let (g_mean, along_mean) = ((&dl_dbeta / n).to_vec(), (&dl_dgamma / n).to_vec());
    let scale = (&gamma.row(0) / &deviation).to_vec();
    let mut dl_dx = dl_dy;
    for_each_row(&mut dl_dx, |i, g| {
        for ((((g, &x_hat), &g_mean), &along_mean), &scale) in
            g.iter_mut().zip(row(x_hat, i)).zip(&g_mean).zip(&along_mean).zip(&scale)
        {
            *g = scale * (*g - g_mean - x_hat * along_mean);
        }
    });
    let one_row = |sums: ArrayView1<'_, T>| sums.insert_axis(Axis(0)).to_owned();
    BatchNormGradients { dl_dx, dl_dgamma: one_row(dl_dgamma), dl_dbeta: one_row(dl_dbeta) }
}
// ANCHOR_END: backward

// Loops over slices become vector instructions; loops over an array's own iterators do not.

fn elements<T>(row: &Array1<T>) -> &[T] {
    row.as_slice().expect("a new row is contiguous")
}

/// A row of the batch, in standard layout, as a slice.
fn row<T>(x: &Array2<T>, i: usize) -> &[T] {
    let slice = x.as_slice().expect("a batch is in standard layout");
    &slice[i * x.ncols()..(i + 1) * x.ncols()]
}

#[cfg(test)]
mod tests {
    use approx::assert_relative_eq;
    use ndarray::array;

    use super::*;

    #[test]
    fn two_features_by_hand() {
        // Feature 1: mean 3, variance (4 + 0 + 0 + 4)/4 = 2, with ε = 2 deviation 2.
        // Feature 2: mean 0, variance (4 · 1)/4 = 1... with ε = 2 deviation √3.
        let x = array![[1.0, 1.0], [3.0, -1.0], [3.0, 1.0], [5.0, -1.0]];
        let (gamma, beta) = (array![[3.0, 1.0]], array![[1.0, 0.0]]);
        let forward = batch_norm_forward(x, gamma.view(), beta.view(), 2.0);
        assert_eq!((forward.mean, forward.variance), (array![3.0, 0.0], array![2.0, 1.0]));
        let r = 1.0 / 3.0_f64.sqrt();
        let x_hat = array![[-1.0, r], [0.0, -r], [0.0, r], [1.0, -r]];
        assert_relative_eq!(forward.x_hat, x_hat, max_relative = 1e-15);
        let y = array![[-2.0, r], [1.0, -r], [1.0, r], [4.0, -r]];
        assert_relative_eq!(forward.y, y, max_relative = 1e-15);

        // Feature 1: Σ G = 4, Σ G X̂ = -4, so dL/dX = 3/2 (G - 1 + X̂).
        let dl_dy = array![[4.0, 0.0], [0.0, 0.0], [0.0, 0.0], [0.0, 0.0]];
        let gradients =
            batch_norm_backward(dl_dy, &forward.x_hat, forward.deviation.view(), gamma.view());
        assert_eq!(gradients.dl_dbeta, array![[4.0, 0.0]]);
        assert_eq!(gradients.dl_dgamma, array![[-4.0, 0.0]]);
        assert_eq!(gradients.dl_dx, array![[3.0, 0.0], [-1.5, 0.0], [-1.5, 0.0], [0.0, 0.0]]);
    }

    #[test]
    fn a_large_batch_keeps_its_mean_in_single_precision() {
        let x = Array2::from_elem((200_000, 1), 0.1_f32);
        let ones = array![[1.0_f32]];
        let forward = batch_norm_forward(x, ones.view(), ones.view(), 1e-5);
        // Near 0.1, 256 roundings of half a unit of 2⁻²⁷ each are 1e-6; a plain sum is off by 2e-3.
        assert!((forward.mean[0] - 0.1).abs() < 1e-6, "{}", forward.mean[0]);
    }
}
