//! A matrix of two rows, and the polynomial of a step.

use ndarray::{Array2, array};
use optim::{NEWTON_SCHULZ, orthogonalise};

use crate::worked::Example;

/// A symmetric matrix with the singular values 3 and 1, whose singular vectors are `(1, ±1) / √2`.
pub(super) fn example(example: &mut Example<'_>) {
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

/// The largest and the smallest value of the polynomial of a step, its values there, and its fixed point.
pub(super) fn band(example: &mut Example<'_>) {
    let [a, b, c] = NEWTON_SCHULZ;
    let p = |s: f64| s * (a + s * s * (b + s * s * c));
    let slope = |s: f64| a + s * s * (3.0 * b + s * s * 5.0 * c);
    // The roots of p' and of p(s) - s, which are polynomials of degree 2 in s².
    let root = |a: f64, b: f64, c: f64, sign: f64| {
        ((-b + sign * (b * b - 4.0 * a * c).sqrt()) / (2.0 * c)).sqrt()
    };
    let (highest, lowest) = (root(a, 3.0 * b, 5.0 * c, -1.0), root(a, 3.0 * b, 5.0 * c, 1.0));
    let fixed = root(a - 1.0, b, c, -1.0);
    example.number("highest", highest);
    example.number("top", p(highest));
    example.number("lowest", lowest);
    example.number("bottom", p(lowest));
    example.number("bottom-again", p(p(lowest)));
    example.number("fixed", fixed);
    example.number("slope-there", slope(fixed));
    // Below the band every step is a growth, so what three steps bring into it is found by halving.
    let (mut below, mut above) = (0.0, p(lowest));
    while above - below > 1e-12 {
        let middle = 0.5 * (below + above);
        if p(p(p(middle))) < p(lowest) { below = middle } else { above = middle }
    }
    example.number("reached", above);
}
