//! The chapter on Muon.

use ndarray::{Array2, array};
use optim::{NEWTON_SCHULZ, orthogonalise};

use super::Example;

/// A symmetric matrix with the singular values 3 and 1, whose singular vectors are `(1, ±1) / √2`.
pub(super) fn orthogonalised(example: &mut Example<'_>) {
    let g = array![[2.0, 1.0], [1.0, 2.0]];
    let x: Vec<Array2<f64>> = (0..=3).map(|steps| orthogonalise(g.view(), steps)).collect();
    let [a, b, c] = NEWTON_SCHULZ;
    let gram = x[0].dot(&x[0].t());
    example.number("a", a);
    example.number("b", b);
    example.number("c", c);
    example.array("g", &g);
    example.array("gram", &gram);
    for (steps, x) in x.iter().enumerate() {
        example.array(&format!("x{steps}"), x);
        // Of (1, 1) / √2 and of (1, -1) / √2.
        example.array(&format!("s{steps}"), &array![x[[0, 0]] + x[[0, 1]], x[[0, 0]] - x[[0, 1]]]);
    }
}
