//! The linear maps: `⟨L x, y⟩ = ⟨x, Lᵀ y⟩`, where forward is L and backward is Lᵀ.
//!
//! No formula and no step size is involved, only that the two passes are transposes of each other: a
//! padding off by one, a stride that only one of them knows, a flipped kernel breaks the equality.
//!
//! # Bound
//! x and the parameters are positive, so `L x` involves no cancellation and `‖L x‖ ‖y‖` bounds the sum
//! of the magnitudes of all terms. Both sides add fewer than 300 rounded terms, so they differ by at
//! most `2 · 300 · 2⁻⁵³ = 6.7e-14` of it. What holds for all positive x holds for all x.

use std::sync::Arc;

use activations::Activation;
use cnn::PoolMode;
use layers::Layer;
use ndarray::{ArrayD, IxDyn};

use crate::cases::{Case, Cases, Failure};
use crate::random_layer::{Geometry, draw_spec, gradient};
use crate::{Check, Kind, LayerClass, LayerSpec, LayerSubject, Subject};

const CASES: Cases = Cases { count: 40, bound: 1e-13 };

/// The adjoint tests of a layer; activations and losses have none.
#[must_use]
pub fn checks(subject: &Subject<f64>) -> Vec<Check> {
    let Subject::Layer(class, implementation) = subject else { return vec![] };
    let check = |name, one: fn(&dyn LayerSubject<f64>, &mut Case) -> Result<(), Failure>| {
        let group = format!("adjoint.{}", subject.name());
        let implementation = Arc::clone(implementation);
        CASES.check(subject.question(), Kind::Adjoint, group, name, move |case| {
            one(implementation.as_ref(), case)
        })
    };
    match class {
        LayerClass::FullyConnected => vec![
            check("in_x", |layer, case| in_x(layer, draw_fully_connected(case), case)),
            check("in_w", |layer, case| in_parameter(layer, draw_fully_connected(case), "W", case)),
            check("in_b", |layer, case| in_parameter(layer, draw_fully_connected(case), "b", case)),
        ],
        LayerClass::Flatten => vec![check("in_x", |layer, case| {
            let shape = case.shape(4, 4);
            let spec = LayerSpec::Flatten { input_shape: shape[1..].to_vec() };
            in_x(layer, (spec, shape), case)
        })],
        LayerClass::Conv2D => vec![
            check("in_x", |layer, case| in_x(layer, draw_conv2d(case), case)),
            check("in_w", |layer, case| in_parameter(layer, draw_conv2d(case), "W", case)),
            check("in_b", |layer, case| in_parameter(layer, draw_conv2d(case), "b", case)),
        ],
        LayerClass::Pool2D => vec![
            check("average_in_x", |layer, case| {
                let geometry = Geometry::draw(case);
                let spec = geometry.pool(PoolMode::Average);
                in_x(layer, (spec, geometry.x_shape().to_vec()), case)
            }),
            check("max_in_x_with_winners_fixed", max_with_winners_fixed),
        ],
        // The statistics make it nonlinear.
        LayerClass::BatchNorm => vec![],
        // Linear once the mask is drawn, and the transpose needs the same one.
        LayerClass::Dropout => vec![check("in_x_with_the_mask_fixed", |layer, case| {
            let drawn = draw_spec(LayerClass::Dropout, case);
            in_x(layer, drawn, case)
        })],
        LayerClass::GlobalAveragePool2D => vec![check("in_x", |layer, case| {
            let drawn = draw_spec(LayerClass::GlobalAveragePool2D, case);
            in_x(layer, drawn, case)
        })],
    }
}

/// A linear layer, and the shape of a batch for it.
type Drawn = (LayerSpec, Vec<usize>);

fn draw_fully_connected(case: &mut Case) -> Drawn {
    let (m, n_in, n_out) = (case.between(1, 8), case.between(1, 8), case.between(1, 8));
    let activation = Activation::Linear;
    (LayerSpec::FullyConnected { n_in, n_out, activation, bias: true }, vec![m, n_in])
}

fn draw_conv2d(case: &mut Case) -> Drawn {
    let geometry = Geometry::draw(case);
    let spec = geometry.conv(case.between(1, 3), Activation::Linear);
    (spec, geometry.x_shape().to_vec())
}

/// The layer with all parameters 0, but those named positive.
fn build_with(
    implementation: &dyn LayerSubject<f64>,
    spec: &LayerSpec,
    named: &str,
    case: &mut Case,
) -> Result<Box<dyn Layer<f64>>, Failure> {
    let mut layer = implementation.build(spec, &mut case.rng)?;
    let shapes: Vec<_> =
        layer.parameters().iter().map(|(name, p)| (name, p.shape().to_vec())).collect();
    for (name, shape) in shapes {
        let value =
            if name == named { positive(case, &shape) } else { ArrayD::zeros(IxDyn(&shape)) };
        layer.set_parameter(name, &value)?;
    }
    Ok(layer)
}

fn positive(case: &mut Case, shape: &[usize]) -> ArrayD<f64> {
    case.rng.uniform_array(IxDyn(shape), 0.25, 1.0)
}

/// L is the layer as a function of its input, with b = 0.
fn in_x(
    implementation: &dyn LayerSubject<f64>,
    (spec, shape): Drawn,
    case: &mut Case,
) -> Result<(), Failure> {
    case.describe(format!("{spec:?}, X {shape:?}"));
    let mut layer = build_with(implementation, &spec, "W", case)?;
    let x = positive(case, &shape);
    let lx = layer.forward(x.clone())?;
    let y = case.array(lx.shape());
    let lt_y = layer.backward(y.clone())?;
    compare(case, &lx, &y, &x, &lt_y)
}

/// L is the layer as a function of one parameter, with the other one 0; `Lᵀ y` is its gradient.
fn in_parameter(
    implementation: &dyn LayerSubject<f64>,
    (spec, shape): Drawn,
    name: &str,
    case: &mut Case,
) -> Result<(), Failure> {
    case.describe(format!("{spec:?}, X {shape:?}"));
    let mut layer = build_with(implementation, &spec, name, case)?;
    let parameter = crate::random_layer::parameter(&*layer, name)?;
    let lp = layer.forward(positive(case, &shape))?;
    let y = case.array(lp.shape());
    layer.backward(y.clone())?;
    compare(case, &lp, &y, &parameter, &gradient(&*layer, name)?)
}

/// Where no two cells of a window are equal, the winners do not change in a neighbourhood, and
/// `L v = max(x + v) - max(x)` is linear in v. Cells are whole numbers and v consists of multiples of
/// 1/1024 below 1/4, so nothing rounds.
fn max_with_winners_fixed(
    implementation: &dyn LayerSubject<f64>,
    case: &mut Case,
) -> Result<(), Failure> {
    let geometry = Geometry::draw(case);
    case.describe(geometry);
    let mut layer = implementation.build(&geometry.pool(PoolMode::Max), &mut case.rng)?;
    let shape = IxDyn(&geometry.x_shape());
    // Whole numbers in random order, about half of them negative, 0 left to the padding.
    let mut order = case.permutation(geometry.x_shape().iter().product()).into_iter();
    let half = order.len() / 2;
    let x = ArrayD::from_shape_simple_fn(shape.clone(), || {
        let rank = order.next().expect("there is a rank for every cell");
        if rank < half { rank as f64 - half as f64 } else { (rank - half + 1) as f64 }
    });
    let small = |case: &mut Case, shape: IxDyn| {
        ArrayD::from_shape_simple_fn(shape, || (case.between(0, 510) as f64 - 255.0) / 1024.0)
    };
    let v = small(case, shape);
    let lv = layer.forward(&x + &v)? - layer.forward(x.clone())?;
    let y = small(case, lv.raw_dim());
    let lt_y = layer.backward(y.clone())?;
    compare(case, &lv, &y, &v, &lt_y)
}

/// Measures `|⟨L x, y⟩ - ⟨x, Lᵀ y⟩| / (‖L x‖ ‖y‖)`.
fn compare(
    case: &mut Case,
    lx: &ArrayD<f64>,
    y: &ArrayD<f64>,
    x: &ArrayD<f64>,
    lt_y: &ArrayD<f64>,
) -> Result<(), Failure> {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tampered::{self, Target};

    #[test]
    fn backward_is_the_transpose_of_forward() {
        tampered::assert_all_pass(Subject::all_real().iter().flat_map(checks).collect());
    }

    #[test]
    fn a_small_error_in_either_pass_breaks_the_equality() {
        let caught = |target| tampered::caught(checks, tampered::all(target)).join(" ");
        assert_eq!(
            caught(Target::Forward),
            "adjoint.FullyConnected.in_x adjoint.FullyConnected.in_w adjoint.FullyConnected.in_b \
             adjoint.Flatten.in_x adjoint.Conv2D.in_x adjoint.Conv2D.in_w adjoint.Conv2D.in_b \
             adjoint.Pool2D.average_in_x adjoint.GlobalAveragePool2D.in_x \
             adjoint.Dropout.in_x_with_the_mask_fixed"
        );
        assert_eq!(
            caught(Target::Backward),
            "adjoint.FullyConnected.in_x adjoint.Flatten.in_x adjoint.Conv2D.in_x \
             adjoint.Pool2D.average_in_x adjoint.Pool2D.max_in_x_with_winners_fixed \
             adjoint.GlobalAveragePool2D.in_x adjoint.Dropout.in_x_with_the_mask_fixed"
        );
        assert_eq!(
            caught(Target::Gradients),
            "adjoint.FullyConnected.in_w adjoint.FullyConnected.in_b \
             adjoint.Conv2D.in_w adjoint.Conv2D.in_b"
        );
    }
}
