//! The transforms of F(4, 3) in one dimension.
//!
//! Each of the five functions multiplies a vector by one of the matrices of the module documentation, or
//! by its transpose, and is linear.

use numerics::Scalar;

// ANCHOR: forward
/// `Bᵀd`: six neighbouring cells, as the values of their polynomial's products need them.
#[inline(always)]
pub(super) fn bt<T: Scalar>([d0, d1, d2, d3, d4, d5]: [T; 6]) -> [T; 6] {
    let [two, four, five] = [T::of(2.0), T::of(4.0), T::of(5.0)];
    let (even_1, odd_1) = (d4 - four * d2, d3 - four * d1);
    let (even_2, odd_2) = (d4 - d2, two * (d3 - d1));
    [
        four * d0 - five * d2 + d4,
        even_1 + odd_1,
        even_1 - odd_1,
        even_2 + odd_2,
        even_2 - odd_2,
        four * d1 - five * d3 + d5,
    ]
}

/// `G g`: three weights.
#[inline(always)]
pub(super) fn g<T: Scalar>([g0, g1, g2]: [T; 3]) -> [T; 6] {
    let even_1 = T::of(-1.0 / 6.0) * (g0 + g2);
    let odd_1 = T::of(1.0 / 6.0) * g1;
    let even_2 = T::of(1.0 / 24.0) * g0 + T::of(1.0 / 6.0) * g2;
    let odd_2 = T::of(1.0 / 12.0) * g1;
    [T::of(0.25) * g0, even_1 - odd_1, even_1 + odd_1, even_2 + odd_2, even_2 - odd_2, g2]
}

/// `Aᵀm`: six products become four outputs.
#[inline(always)]
pub(super) fn at<T: Scalar>([m0, m1, m2, m3, m4, m5]: [T; 6]) -> [T; 4] {
    let (sum_1, difference_1) = (m1 + m2, m1 - m2);
    let (sum_2, difference_2) = (m3 + m4, m3 - m4);
    [
        m0 + sum_1 + sum_2,
        difference_1 + T::of(2.0) * difference_2,
        sum_1 + T::of(4.0) * sum_2,
        difference_1 + T::of(8.0) * difference_2 + m5,
    ]
}
// ANCHOR_END: forward

// ANCHOR: adjoints
/// `A y`, the adjoint of [`at`]: the gradients of four outputs.
#[inline(always)]
pub(super) fn a<T: Scalar>([y0, y1, y2, y3]: [T; 4]) -> [T; 6] {
    let (even_1, odd_1) = (y0 + y2, y1 + y3);
    let (even_2, odd_2) = (y0 + T::of(4.0) * y2, T::of(2.0) * (y1 + T::of(4.0) * y3));
    [y0, even_1 + odd_1, even_1 - odd_1, even_2 + odd_2, even_2 - odd_2, y3]
}

/// `Gᵀu`, the adjoint of [`g`]: the gradients of six transformed weights.
#[inline(always)]
pub(super) fn gt<T: Scalar>([u0, u1, u2, u3, u4, u5]: [T; 6]) -> [T; 3] {
    let sixth = T::of(1.0 / 6.0);
    let (sum_1, difference_1) = (u1 + u2, u2 - u1);
    let (sum_2, difference_2) = (u3 + u4, u3 - u4);
    [
        T::of(0.25) * u0 - sixth * sum_1 + T::of(1.0 / 24.0) * sum_2,
        sixth * difference_1 + T::of(1.0 / 12.0) * difference_2,
        sixth * (sum_2 - sum_1) + u5,
    ]
}
// ANCHOR_END: adjoints

#[cfg(test)]
mod tests {
    use std::array::from_fn;

    use super::*;

    type Row = Vec<f64>;

    /// The matrix of a linear function, by what it makes of the unit vectors.
    fn matrix<const I: usize, const O: usize>(f: fn([f64; I]) -> [f64; O]) -> Vec<Row> {
        let columns: [[f64; O]; I] = from_fn(|i| f(from_fn(|k| if k == i { 1.0 } else { 0.0 })));
        (0..O).map(|o| columns.iter().map(|column| column[o]).collect()).collect()
    }

    #[test]
    fn terms_grow_by_48_in_outputs_and_by_54_in_gradients_of_weights() {
        let magnitudes = |rows: Vec<Row>| -> Vec<f64> {
            rows.iter().map(|row| row.iter().map(|x| x.abs()).sum()).collect()
        };
        let (a_sums, g_sums, b_sums) =
            (magnitudes(matrix(a)), magnitudes(matrix(g)), magnitudes(matrix(bt)));
        // The largest of Σₚ |rowₚ| leftₚ rightₚ over the rows of the last transform.
        let growth = |rows: Vec<Row>, left: &[f64], right: &[f64]| {
            let terms = |row: &Row| -> f64 {
                row.iter().zip(left.iter().zip(right)).map(|(x, (l, r))| x.abs() * l * r).sum()
            };
            rows.iter().map(terms).fold(0.0, f64::max)
        };
        let outputs = growth(matrix(at), &g_sums, &b_sums);
        assert!((outputs - 48.0).abs() < 1e-12, "{outputs}");
        let weights = growth(matrix(gt), &a_sums, &b_sums);
        assert!(weights <= 54.0, "{weights}");
    }
}
