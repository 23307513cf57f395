//! What global average pooling means.

use cnn::{Pad, PoolMode};
use ndarray::{ArrayD, Axis, IxDyn};

use super::LayerClaims;
use crate::cases::{Case, Failure};
use crate::random_layer::{build, draw_spec};
use crate::{Check, LayerClass, LayerSpec, LayerSubject, Real};

type Subject = dyn LayerSubject<f64>;

/// A sum of at most 36 terms of magnitude at most 1, in another order: `2 · 36² · 2⁻⁵³`.
const SUMS: f64 = 3e-13;

pub(super) fn checks(claims: &LayerClaims) -> Vec<Check> {
    vec![
        claims.within(SUMS, "is_average_pooling_with_one_window", is_one_window),
        claims.exactly("a_constant_image_gives_its_constant", constant_image),
        claims.within(SUMS, "where_a_pixel_is_does_not_matter", order_of_rows_and_columns),
    ]
}

fn is_one_window(class: LayerClass, subject: &Subject, case: &mut Case) -> Result<(), Failure> {
    let (spec, x_shape) = draw_spec(class, case);
    let mut layer = build(subject, &spec, case)?;
    let &[m, rows, cols, channels] = &*x_shape else { unreachable!("images have four axes") };
    let window = LayerSpec::Pool2D {
        input_shape: [rows, cols, channels],
        mode: PoolMode::Average,
        kernel_shape: (rows, cols),
        stride: 1,
        pad: Pad::Valid,
    };
    let mut pool = build(&Real, &window, case)?;
    let (x, dl_dy) = (case.array(&x_shape), case.array(&[m, channels]));
    let as_image = |rows: ArrayD<f64>| rows.insert_axis(Axis(1)).insert_axis(Axis(1));
    case.compare("Y", &as_image(layer.forward(x.clone())?), &pool.forward(x)?)?;
    let expected = pool.backward(as_image(dl_dy.clone()))?;
    case.compare("dL/dX", &layer.backward(dl_dy)?, &expected)
}

/// Small whole numbers: sums are exact, and the quotient is the number itself.
fn constant_image(class: LayerClass, subject: &Subject, case: &mut Case) -> Result<(), Failure> {
    let (spec, x_shape) = draw_spec(class, case);
    let mut layer = build(subject, &spec, case)?;
    let y = case.few_values(&[x_shape[0], x_shape[3]]);
    let x = ArrayD::from_shape_fn(IxDyn(&x_shape), |at| y[[at[0], at[3]]]);
    case.compare("Y", &layer.forward(x)?, &y)
}

fn order_of_rows_and_columns(
    class: LayerClass,
    subject: &Subject,
    case: &mut Case,
) -> Result<(), Failure> {
    let (spec, x_shape) = draw_spec(class, case);
    let mut layer = build(subject, &spec, case)?;
    let x = case.array(&x_shape);
    let (rows, cols) = (case.permutation(x_shape[1]), case.permutation(x_shape[2]));
    let moved = x.select(Axis(1), &rows).select(Axis(2), &cols);
    let y = layer.forward(x)?;
    case.compare("Y", &layer.forward(moved)?, &y)
}
