//! Question 4.3.

use activations::SoftMax;
use ndarray::{Array2, Axis, array};

use super::Example;

/// Logits that are logarithms, so that the exponentials are whole numbers.
pub(super) fn softmax(example: &mut Example<'_>) {
    let exponentials = array![[1.0, 2.0, 5.0]];
    let s = exponentials.mapv(f64::ln);
    let g = array![[0.0, 0.0, 8.0]];
    let backward = |g: &Array2<f64>| SoftMax::backward(&s, g);
    // Row i of the Jacobian is what backward makes of the upstream gradient that is 1 at i.
    let mut jacobian = Array2::zeros((3, 3));
    for (unit, mut row) in Array2::<f64>::eye(3).rows().into_iter().zip(jacobian.rows_mut()) {
        row.assign(&backward(&unit.to_owned().insert_axis(Axis(0))).row(0));
    }
    let (y, ds) = (SoftMax::forward(&s), backward(&g));
    example.number("weighted-mean", (&g * &y).sum());
    example.number("sum-of-ds", ds.sum());
    example.number("sum-of-exponentials", exponentials.sum());
    example.array("exponentials", &exponentials.row(0));
    example.array("s", &s.row(0));
    example.array("y", &y.row(0));
    example.array("g", &g.row(0));
    example.array("ds", &ds.row(0));
    example.array("jacobian-times-64", &jacobian.mapv(|slope| 64.0 * slope));
    example.array("jacobian", &jacobian);
}
