//! The formulas of batch normalisation, on rows.

use ndarray::{Array1, Array2, ArrayView1, ArrayView2, Axis};
use numerics::Scalar;

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
    x: ArrayView2<'_, T>,
    gamma: ArrayView2<'_, T>,
    beta: ArrayView2<'_, T>,
    eps: T,
) -> BatchNormForward<T> {
    let n = T::of(x.nrows() as f64);
    let mean = column_sums(x) / n;
    let centered = &x - &mean;
    let variance = column_sums((&centered * &centered).view()) / n;
    let deviation = variance.mapv(|v| (v + eps).sqrt());
    let x_hat = centered / &deviation;
    let y = &x_hat * &gamma + beta;
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
    x: ArrayView2<'_, T>,
    gamma: ArrayView2<'_, T>,
    beta: ArrayView2<'_, T>,
    mean: ArrayView2<'_, T>,
    variance: ArrayView2<'_, T>,
    eps: T,
) -> Array2<T> {
    (&x - &mean) / variance.mapv(|v| (v + eps).sqrt()) * gamma + beta
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
    dl_dy: ArrayView2<'_, T>,
    x_hat: ArrayView2<'_, T>,
    deviation: ArrayView1<'_, T>,
    gamma: ArrayView2<'_, T>,
) -> BatchNormGradients<T> {
    let n = T::of(x_hat.nrows() as f64);
    let dl_dbeta = column_sums(dl_dy);
    let dl_dgamma = column_sums((&dl_dy * &x_hat).view());
    let along_x_hat = &x_hat * &(&dl_dgamma / n);
    let dl_dx = (&dl_dy - &(&dl_dbeta / n) - along_x_hat) * &(&gamma / &deviation);
    let row = |sums: Array1<T>| sums.insert_axis(Axis(0));
    BatchNormGradients { dl_dx, dl_dgamma: row(dl_dgamma), dl_dbeta: row(dl_dbeta) }
}
// ANCHOR_END: backward

/// The sum of each column, by blocks of rows: a batch of images has some 100,000 rows, and a plain
/// sum in `f32` would lose as many roundings; this loses 256 and one for each block.
fn column_sums<T: Scalar>(rows: ArrayView2<'_, T>) -> Array1<T> {
    let blocks = rows.axis_chunks_iter(Axis(0), 256).map(|block| block.sum_axis(Axis(0)));
    blocks.fold(Array1::zeros(rows.ncols()), |sum, block| sum + block)
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
        let forward = batch_norm_forward(x.view(), gamma.view(), beta.view(), 2.0);
        assert_eq!((forward.mean, forward.variance), (array![3.0, 0.0], array![2.0, 1.0]));
        let r = 1.0 / 3.0_f64.sqrt();
        let x_hat = array![[-1.0, r], [0.0, -r], [0.0, r], [1.0, -r]];
        assert_relative_eq!(forward.x_hat, x_hat, max_relative = 1e-15);
        let y = array![[-2.0, r], [1.0, -r], [1.0, r], [4.0, -r]];
        assert_relative_eq!(forward.y, y, max_relative = 1e-15);

        // Feature 1: Σ G = 4, Σ G X̂ = -4, so dL/dX = 3/2 (G - 1 + X̂).
        let dl_dy = array![[4.0, 0.0], [0.0, 0.0], [0.0, 0.0], [0.0, 0.0]];
        let gradients = batch_norm_backward(
            dl_dy.view(),
            forward.x_hat.view(),
            forward.deviation.view(),
            gamma.view(),
        );
        assert_eq!(gradients.dl_dbeta, array![[4.0, 0.0]]);
        assert_eq!(gradients.dl_dgamma, array![[-4.0, 0.0]]);
        assert_eq!(gradients.dl_dx, array![[3.0, 0.0], [-1.5, 0.0], [-1.5, 0.0], [0.0, 0.0]]);
    }

    #[test]
    fn a_large_batch_keeps_its_mean_in_single_precision() {
        let x = Array2::from_elem((200_000, 1), 0.1_f32);
        let ones = array![[1.0_f32]];
        let forward = batch_norm_forward(x.view(), ones.view(), ones.view(), 1e-5);
        // Near 0.1, 256 roundings of half a unit of 2⁻²⁷ each are 1e-6; a plain sum is off by 2e-3.
        assert!((forward.mean[0] - 0.1).abs() < 1e-6, "{}", forward.mean[0]);
    }
}
