//! The linear maps: `⟨L x, y⟩ = ⟨x, Lᵀ y⟩`, where forward is L and backward is Lᵀ.
//!
//! No formula and no step size is involved, only that the two passes are transposes of each other: a
//! padding off by one, a stride that only one of them knows, a flipped kernel breaks the equality.
//!
//! # Bound
//! x and the parameters are positive, so `L x` involves no cancellation and `‖L x‖ ‖y‖` bounds the sum
//! of the magnitudes of all terms. Both sides add fewer than 300 rounded terms, so they differ by at
//! most `2 · 300 · 2⁻⁵³ = 6.7e-14` of it. What holds for all positive x holds for all x.

use layers::Layer;
use ndarray::{ArrayD, IxDyn};

use super::{Layers, Spec, gradient, parameter, set_parameters};
use crate::cases::{Case, Failure, Verdict};

/// See the module's documentation.
pub(crate) const BOUND: f64 = 1e-13;

/// The layer with all parameters 0, but those named positive.
fn build_with(
    subject: &Layers,
    spec: &Spec,
    named: &str,
    case: &mut Case,
) -> Result<Box<dyn Layer<f64>>, Failure> {
    let mut layer = subject.new_layer(spec, &mut case.rng)?;
    set_parameters(&mut *layer, |name, shape| match name == named {
        true => positive(case, shape),
        false => ArrayD::zeros(shape),
    })?;
    Ok(layer)
}

fn positive(case: &mut Case, shape: &[usize]) -> ArrayD<f64> {
    case.rng.uniform_array(IxDyn(shape), 0.25, 1.0)
}

/// L is the layer as a function of its input, with b = 0.
pub(crate) fn in_x(
    subject: &Layers,
    (spec, shape): (Spec, Vec<usize>),
    case: &mut Case,
) -> Verdict {
    case.describe(format!("{:?}, X {shape:?}", spec.config));
    let mut layer = build_with(subject, &spec, "W", case)?;
    let x = positive(case, &shape);
    let lx = layer.forward(x.clone())?;
    let y = case.array(lx.shape());
    let lt_y = layer.backward(y.clone())?;
    compare(case, &lx, &y, &x, &lt_y)
}

/// L is the layer as a function of one parameter, with the other one 0; `Lᵀ y` is its gradient.
pub(crate) fn in_parameter(
    subject: &Layers,
    (spec, shape): (Spec, Vec<usize>),
    name: &str,
    case: &mut Case,
) -> Verdict {
    case.describe(format!("{:?}, X {shape:?}", spec.config));
    let mut layer = build_with(subject, &spec, name, case)?;
    let parameter = parameter(&*layer, name)?;
    let lp = layer.forward(positive(case, &shape))?;
    let y = case.array(lp.shape());
    layer.backward(y.clone())?;
    compare(case, &lp, &y, &parameter, &gradient(&*layer, name)?)
}

/// Measures `|⟨L x, y⟩ - ⟨x, Lᵀ y⟩| / (‖L x‖ ‖y‖)`.
pub(crate) fn compare(
    case: &mut Case,
    lx: &ArrayD<f64>,
    y: &ArrayD<f64>,
    x: &ArrayD<f64>,
    lt_y: &ArrayD<f64>,
) -> Verdict {
    if lt_y.shape() != x.shape() {
        let (got, expected) = (lt_y.shape(), x.shape());
        return Err(Failure::new(format!("Lᵀ y: expected shape {expected:?}, got {got:?}")));
    }
    let dot = |a: &ArrayD<f64>, b: &ArrayD<f64>| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let norms = (dot(lx, lx) * dot(y, y)).sqrt();
    // A window that sees nothing but padding gives 0 on both sides.
    let scale = if norms == 0.0 { 1.0 } else { norms };
    case.compare_numbers("⟨x, Lᵀ y⟩ / ‖L x‖ ‖y‖", dot(x, lt_y) / scale, dot(lx, y) / scale);
    Ok(())
}
