//! The obvious version of batch normalisation: the formulas as they are derived, one pass over memory for
//! each operation. The tests compare the fast kernels with it; nothing else calls it.

use ndarray::{Array2, ArrayView1, ArrayView2, Axis};
use numerics::Scalar;

use crate::{BatchNormForward, BatchNormGradients};

// ANCHOR: forward
/// `Y = γ ⊙ X̂ + β` with `X̂ = (X - mean) / √(variance + ε)`, by the statistics of the N rows.
///
/// # Shapes
/// `x: (N, n)` with N at least 1; `gamma`, `beta`: `(1, n)`.
pub fn batch_norm_forward<T: Scalar>(
    x: ArrayView2<'_, T>,
    gamma: ArrayView2<'_, T>,
    beta: ArrayView2<'_, T>,
    eps: T,
) -> BatchNormForward<T> {
    let n = T::of(x.nrows() as f64);
    let mean = x.sum_axis(Axis(0)) / n;
    let centred = &x - &mean;
    let variance = (&centred * &centred).sum_axis(Axis(0)) / n;
    let deviation = variance.mapv(|v| (v + eps).sqrt());
    let x_hat = centred / &deviation;
    let y = &x_hat * &gamma + beta;
    BatchNormForward { y, x_hat, mean, variance, deviation }
}
// ANCHOR_END: forward

// ANCHOR: backward
/// `dL/dX = γ/√(variance + ε) ⊙ (G - mean(G) - X̂ ⊙ mean(G ⊙ X̂))` for `G = dL/dY`, `dL/dγ = Σ G ⊙ X̂` and
/// `dL/dβ = Σ G`, where sums and means are over the N rows.
///
/// # Shapes
/// `dl_dy`, `x_hat`: `(N, n)`; `deviation`: `(n)`; `gamma`: `(1, n)`.
pub fn batch_norm_backward<T: Scalar>(
    dl_dy: ArrayView2<'_, T>,
    x_hat: ArrayView2<'_, T>,
    deviation: ArrayView1<'_, T>,
    gamma: ArrayView2<'_, T>,
) -> BatchNormGradients<T> {
    let n = T::of(dl_dy.nrows() as f64);
    let sum = |terms: Array2<T>| terms.sum_axis(Axis(0)).insert_axis(Axis(0));
    let (dl_dgamma, dl_dbeta) = (sum(&dl_dy * &x_hat), sum(dl_dy.to_owned()));
    let dl_dx = (&dl_dy - &(&dl_dbeta / n) - &x_hat * &(&dl_dgamma / n)) * (&gamma / &deviation);
    BatchNormGradients { dl_dx, dl_dgamma, dl_dbeta }
}
// ANCHOR_END: backward
