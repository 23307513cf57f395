//! Softmax along the last axis.

use ndarray::{Array, Array2, ArrayRef, ArrayView2, Axis, CowArray, Dimension, Ix2};
use numerics::Scalar;

/// `σ(z)ᵢ = e^(zᵢ - m) / Σⱼ e^(zⱼ - m)` with `m = maxⱼ zⱼ`, on each row of the last axis.
///
/// `dL/dZ = Y ⊙ (dL/dY - rowsum(dL/dY ⊙ Y))`: the Jacobian `∂σᵢ/∂zⱼ = σᵢ (δᵢⱼ - σⱼ)` times the
/// upstream gradient, without ever forming it.
///
/// The shift by m changes nothing in exact arithmetic and keeps every exponent at most 0. A row
/// with an infinite logit has no softmax and gives NaN.
///
/// Question 4.3.
pub struct SoftMax;

impl SoftMax {
    /// `Y = σ(Z)`; the shapes agree. An array without axes counts as a row of one element.
    pub fn forward<T: Scalar, D: Dimension>(z: &ArrayRef<T, D>) -> Array<T, D> {
        shaped_like(z, forward(rows_of(z).view()))
    }

    /// `dL/dZ`; `z` and `dl_dy` must have the same shape.
    pub fn backward<T: Scalar, D: Dimension>(
        z: &ArrayRef<T, D>,
        dl_dy: &ArrayRef<T, D>,
    ) -> Array<T, D> {
        shaped_like(z, backward(rows_of(z).view(), rows_of(dl_dy).view()))
    }
}

// ANCHOR: forward
/// Softmax of each row of a matrix.
fn forward<T: Scalar>(z: ArrayView2<'_, T>) -> Array2<T> {
    let max = z.fold_axis(Axis(1), T::neg_infinity(), |&max, &z| if z > max { z } else { max });
    let exp = (&z - &max.insert_axis(Axis(1))).mapv_into(T::exp);
    let sum = exp.sum_axis(Axis(1)).insert_axis(Axis(1));
    exp / sum
}
// ANCHOR_END: forward

// ANCHOR: backward
/// The Jacobian of each row times the row of `dl_dy`, for all rows at once.
fn backward<T: Scalar>(z: ArrayView2<'_, T>, dl_dy: ArrayView2<'_, T>) -> Array2<T> {
    let y = forward(z);
    let dot = (&dl_dy * &y).sum_axis(Axis(1)).insert_axis(Axis(1));
    y * (&dl_dy - &dot)
}
// ANCHOR_END: backward

/// The same elements as a matrix whose rows are those of the last axis.
fn rows_of<T: Scalar, D: Dimension>(array: &ArrayRef<T, D>) -> CowArray<'_, T, Ix2> {
    let columns = array.shape().last().copied().unwrap_or(1);
    let rows = array.len().checked_div(columns).unwrap_or(0);
    array.to_shape((rows, columns)).expect("rows times columns is the number of elements")
}

fn shaped_like<T: Scalar, D: Dimension>(z: &ArrayRef<T, D>, rows: Array2<T>) -> Array<T, D> {
    rows.into_shape_clone(z.raw_dim()).expect("softmax keeps the number of elements")
}

#[cfg(test)]
mod tests {
    use ndarray::{arr0, array};

    use super::*;

    #[test]
    fn huge_logits_are_exact_and_a_single_number_has_probability_one() {
        let z = array![[1e4_f32, -1e4, 0.0], [-1e4, -1e4, -2e4]];
        assert_eq!(SoftMax::forward(&z), array![[1.0, 0.0, 0.0], [0.5, 0.5, 0.0]]);
        assert_eq!(SoftMax::forward(&arr0(7.0)), arr0(1.0));
        assert_eq!(SoftMax::backward(&arr0(7.0), &arr0(3.0)), arr0(0.0));
    }
}
