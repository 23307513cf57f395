//! Examples of a mini-batch do not know of each other; gradients of parameters are sums over them.

use ndarray::{ArrayD, Axis};

use super::LayerClaims;
use crate::cases::{Case, Failure, claim};
use crate::random_layer::{Geometry, build, draw_spec, gradient, rewind};
use crate::{Check, LayerClass, LayerSpec, LayerSubject};

type Subject = dyn LayerSubject<f64>;

/// Sums of at most 64 terms of magnitude at most 1, taken in another order: `2 · 64² · 2⁻⁵³`.
const SUMS: f64 = 1e-12;

pub(super) fn checks(claims: &LayerClaims) -> Vec<Check> {
    // Dropout's mask belongs to the place in the mini-batch and not to the example; what holds instead
    // is among its own claims. It is the point of batch normalisation that the examples meet.
    let (dropout, norm) =
        (claims.what == LayerClass::Dropout, claims.what == LayerClass::BatchNorm);
    let check = |name, one| claims.within(SUMS, name, one);
    let mut checks = vec![check("backward_is_linear_in_dl_dy", backward_is_linear_in_dl_dy)];
    if !dropout {
        checks.push(check("the_order_of_examples_does_not_matter", order_of_examples));
    }
    if !dropout && !norm {
        checks.push(check("an_example_alone_gives_its_row", an_example_alone_gives_its_row));
    }
    if !norm {
        checks.push(check("nan_stays_in_its_example", nan_stays_in_its_example));
    }
    checks
}

fn order_of_examples(class: LayerClass, subject: &Subject, case: &mut Case) -> Result<(), Failure> {
    let (spec, x_shape) = draw_spec(class, case);
    let mut layer = build(subject, &spec, case)?;
    let x = case.array(&x_shape);
    let y = layer.forward(x.clone())?;
    let dl_dy = case.array(y.shape());
    let dl_dx = layer.backward(dl_dy.clone())?;
    let gradients = layer.gradients().clone();

    let order = case.permutation(x_shape[0]);
    let permuted = |array: &ArrayD<f64>| array.select(Axis(0), &order);
    case.compare("Y", &layer.forward(permuted(&x))?, &permuted(&y))?;
    case.compare("dL/dX", &layer.backward(permuted(&dl_dy))?, &permuted(&dl_dx))?;
    for (name, expected) in gradients.iter() {
        case.compare(&format!("dL/d{name}"), &gradient(&*layer, name)?, expected)?;
    }
    Ok(())
}

/// ... and the gradients of the parameters add up, without a division by m: that is the loss's.
fn an_example_alone_gives_its_row(
    class: LayerClass,
    subject: &Subject,
    case: &mut Case,
) -> Result<(), Failure> {
    let (spec, x_shape) = draw_spec(class, case);
    let mut layer = build(subject, &spec, case)?;
    let x = case.array(&x_shape);
    let y = layer.forward(x.clone())?;
    let dl_dy = case.array(y.shape());
    let dl_dx = layer.backward(dl_dy.clone())?;
    let gradients = layer.gradients().clone();

    let mut sums = gradients.zeros_like();
    for i in 0..x_shape[0] {
        let alone = |array: &ArrayD<f64>| array.select(Axis(0), &[i]);
        case.compare(&format!("Y of example {i} "), &layer.forward(alone(&x))?, &alone(&y))?;
        let got = layer.backward(alone(&dl_dy))?;
        case.compare(&format!("dL/dX of example {i} "), &got, &alone(&dl_dx))?;
        for (name, sum) in sums.iter_mut() {
            *sum += &gradient(&*layer, name)?;
        }
    }
    for (name, sum) in sums.iter() {
        case.compare(&format!("dL/d{name} of the batch "), &gradients[name], sum)?;
    }
    Ok(())
}

/// An example that is NaN everywhere gives NaN everywhere, and leaves the others as they were.
fn nan_stays_in_its_example(
    class: LayerClass,
    subject: &Subject,
    case: &mut Case,
) -> Result<(), Failure> {
    let (spec, x_shape) = draw_without_padding(class, case);
    let mut layer = build(subject, &spec, case)?;
    let clean = case.array(&x_shape);
    let bad = case.between(0, x_shape[0] - 1);
    let mut x = clean.clone();
    x.index_axis_mut(Axis(0), bad).fill(f64::NAN);
    let buffers = layer.buffers().clone();
    let y = layer.forward(x)?;
    rewind(&mut *layer, &buffers)?;
    let expected = layer.forward(clean)?;
    for i in 0..x_shape[0] {
        let row = |array: &ArrayD<f64>| array.select(Axis(0), &[i]);
        let got = row(&y);
        if i == bad {
            claim(got.iter().all(|y| y.is_nan()), || {
                format!("example {i} is NaN, but Y has a number for it: {got}")
            })?;
        } else {
            case.compare(&format!("Y of example {i}, next to NaN "), &got, &row(&expected))?;
        }
    }
    Ok(())
}

/// Every window sees some of the image.
fn draw_without_padding(class: LayerClass, case: &mut Case) -> (LayerSpec, Vec<usize>) {
    let (spec, x_shape) = draw_spec(class, case);
    let stride = case.between(1, 3);
    let geometry = Geometry::draw_with(case, stride, cnn::Pad::Valid);
    let spec = match spec {
        LayerSpec::Conv2D { n_out, activation, .. } => geometry.conv(n_out, activation),
        LayerSpec::Pool2D { mode, .. } => geometry.pool(mode),
        dense => return (dense, x_shape),
    };
    case.describe(format!("{spec:?}"));
    (spec, geometry.x_shape().to_vec())
}

/// `backward(a U + b V) = a backward(U) + b backward(V)`, in dL/dX and in every gradient.
fn backward_is_linear_in_dl_dy(
    class: LayerClass,
    subject: &Subject,
    case: &mut Case,
) -> Result<(), Failure> {
    let (spec, x_shape) = draw_spec(class, case);
    let mut layer = build(subject, &spec, case)?;
    let y = layer.forward(case.array(&x_shape))?;
    let (u, v) = (case.array(y.shape()), case.array(y.shape()));
    let (a, b) = (case.rng.uniform(), -case.rng.uniform());
    let mut results = Vec::new();
    for dl_dy in [&u * a + &v * b, u, v] {
        let dl_dx = layer.backward(dl_dy)?;
        results.push((dl_dx, layer.gradients().clone()));
    }
    let [(dl_dx, gradients), (of_u, gradients_u), (of_v, gradients_v)] = &results[..] else {
        unreachable!("three upstream gradients went through")
    };
    case.compare("dL/dX", dl_dx, &(of_u * a + of_v * b))?;
    for (name, got) in gradients.iter() {
        let expected = &gradients_u[name] * a + &gradients_v[name] * b;
        case.compare(&format!("dL/d{name}"), got, &expected)?;
    }
    Ok(())
}
