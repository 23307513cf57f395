//! The linear maps: `⟨L x, y⟩ = ⟨x, Lᵀ y⟩`, where forward is L and backward is Lᵀ.
//!
//! No formula and no step size is involved, only that the two passes are transposes of each other: a
//! padding off by one, a stride that only one of them knows, a flipped kernel breaks the equality.
//!
//! # Bound
//! x and the parameters are positive, so `L x` involves no cancellation and `‖L x‖ ‖y‖` bounds the sum
//! of the magnitudes of all terms. Both sides add fewer than 300 rounded terms, so they differ by at
//! most `2 · 300 · 2⁻⁵³ = 6.7e-14` of it. What holds for all positive x holds for all x.

use ndarray::{ArrayD, IxDyn};

use super::{Draw, Layers, gradient, parameter, set_parameters};
use crate::cases::{Case, Verdict, equal};
use crate::room::Checks;

/// See the module's documentation.
pub(crate) const BOUND: f64 = 1e-13;

/// Adds the test of layers from `draw`, which are linear in X and in each parameter. L is the layer as a function
/// of this variable: of X for b = 0, of a parameter for the others 0.
pub(crate) fn add(own: &mut Checks<Layers>, name: &str, draw: Draw, variable: &'static str) {
    own.adjoint(BOUND, name, move |subject, case| {
        let (spec, x_shape) = subject.draw_by(draw, case);
        let mut layer = subject.new_layer(&spec, &mut case.rng)?;
        let of_x = variable == "X";
        set_parameters(&mut *layer, |name, shape| match name == variable || of_x && name == "W" {
            true => positive(case, shape),
            false => ArrayD::zeros(shape),
        })?;
        let x = positive(case, &x_shape);
        let value = if of_x { x.clone() } else { parameter(&*layer, variable)? };
        let lv = layer.forward(x)?;
        let y = case.array(lv.shape());
        let dl_dx = layer.backward(y.clone())?;
        let lt_y = if of_x { dl_dx } else { gradient(&*layer, variable)? };
        compare(case, &lv, &y, &value, &lt_y)
    });
}

fn positive(case: &mut Case, shape: &[usize]) -> ArrayD<f64> {
    case.rng.uniform_array(IxDyn(shape), 0.25, 1.0)
}

/// Measures `|⟨L x, y⟩ - ⟨x, Lᵀ y⟩| / (‖L x‖ ‖y‖)`.
pub(crate) fn compare(
    case: &mut Case,
    lx: &ArrayD<f64>,
    y: &ArrayD<f64>,
    x: &ArrayD<f64>,
    lt_y: &ArrayD<f64>,
) -> Verdict {
    equal("shape of Lᵀ y", &lt_y.shape(), &x.shape())?;
    let dot = |a: &ArrayD<f64>, b: &ArrayD<f64>| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let norms = (dot(lx, lx) * dot(y, y)).sqrt();
    // A window that sees nothing but padding gives 0 on both sides.
    let scale = if norms == 0.0 { 1.0 } else { norms };
    case.compare_numbers("⟨x, Lᵀ y⟩ / ‖L x‖ ‖y‖", dot(x, lt_y) / scale, dot(lx, y) / scale);
    Ok(())
}
