//! What flattening keeps.

use ndarray::ArrayD;

use super::LayerClaims;
use crate::cases::{Case, Failure, claim, same_bits};
use crate::random_layer::{build, draw_spec};
use crate::{Check, LayerClass, LayerSubject};

type Subject = dyn LayerSubject<f64>;

pub(super) fn checks(claims: &LayerClaims) -> Vec<Check> {
    vec![
        claims.exactly("elements_keep_their_order", elements_keep_their_order),
        claims.exactly("backward_undoes_forward", backward_undoes_forward),
    ]
}

/// Elements numbered in row-major order come out as they are counted.
fn elements_keep_their_order(
    class: LayerClass,
    subject: &Subject,
    case: &mut Case,
) -> Result<(), Failure> {
    let (spec, x_shape) = draw_spec(class, case);
    let mut layer = build(subject, &spec, case)?;
    let total: usize = x_shape.iter().product();
    let numbers = ArrayD::from_shape_vec(x_shape.clone(), (0..total).map(|i| i as f64).collect())?;
    let y = layer.forward(numbers)?;
    let shape = [x_shape[0], total / x_shape[0]];
    claim(y.shape() == shape, || format!("Y: expected shape {shape:?}, got {:?}", y.shape()))?;
    let expected = ArrayD::from_shape_fn(y.raw_dim(), |at| (at[0] * shape[1] + at[1]) as f64);
    case.compare("Y", &y, &expected)
}

fn backward_undoes_forward(
    class: LayerClass,
    subject: &Subject,
    case: &mut Case,
) -> Result<(), Failure> {
    let (spec, x_shape) = draw_spec(class, case);
    let mut layer = build(subject, &spec, case)?;
    let x = case.array(&x_shape);
    let y = layer.forward(x.clone())?;
    same_bits("dL/dX", &layer.backward(y)?, &x)
}
