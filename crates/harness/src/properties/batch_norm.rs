//! What batch normalisation is for, and how training and prediction differ in it.

use activations::Activation;
use layers::LayerError;
use ndarray::{ArrayD, Axis, Dimension, IxDyn};

use super::LayerClaims;
use crate::cases::{Case, Failure, claim, same_bits};
use crate::random_layer::{build, draw_spec, gradient};
use crate::{Check, LayerClass, LayerSpec, LayerSubject};

type Subject = dyn LayerSubject<f64>;

/// `|x̂| <= 16` and `1/√ε < 4.5`: fewer than 20 roundings of numbers below 72.
const FEW_ROUNDINGS: f64 = 2e-13;

pub(super) fn checks(claims: &LayerClaims) -> Vec<Check> {
    vec![
        claims.within(
            FEW_ROUNDINGS,
            "predict_equals_forward_with_the_same_statistics",
            predict_equals_forward_with_the_same_statistics,
        ),
        claims.exactly("predict_takes_each_example_alone", predict_takes_each_example_alone),
        claims.exactly("only_forward_moves_the_statistics", only_forward_moves_the_statistics),
        // A shift by 4 costs two bits, which the division by the deviation multiplies by 4.5.
        claims.within(1e-12, "a_shift_of_the_input_changes_nothing", a_shift_changes_nothing),
        claims.exactly("nan_stays_in_its_feature", nan_stays_in_its_feature),
        claims.exactly("the_activation_is_applied_last", the_activation_is_applied_last),
    ]
}

/// With a momentum of 1 the running statistics are those of the last batch.
fn predict_equals_forward_with_the_same_statistics(
    class: LayerClass,
    subject: &Subject,
    case: &mut Case,
) -> Result<(), Failure> {
    let (mut spec, x_shape) = draw_spec(class, case);
    if let LayerSpec::BatchNorm { momentum, .. } = &mut spec {
        *momentum = 1.0;
    }
    let mut layer = build(subject, &spec, case)?;
    let x = case.array(&x_shape);
    layer.predict(&x)?;
    let backward = layer.backward(ArrayD::zeros(IxDyn(&x_shape)));
    claim(matches!(backward, Err(LayerError::BackwardBeforeForward { .. })), || {
        format!("backward after nothing but predict gave {backward:?}")
    })?;
    let y = layer.forward(x.clone())?;
    case.compare("Y", &layer.predict(&x)?, &y)
}

fn predict_takes_each_example_alone(
    class: LayerClass,
    subject: &Subject,
    case: &mut Case,
) -> Result<(), Failure> {
    let (spec, x_shape) = draw_spec(class, case);
    let mut layer = build(subject, &spec, case)?;
    layer.forward(case.array(&x_shape))?;
    let x = case.array(&[&[3], &x_shape[1..]].concat());
    let y = layer.predict(&x)?;
    for i in 0..3 {
        let alone = |array: &ArrayD<f64>| array.select(Axis(0), &[i]);
        same_bits("Y of an example", &layer.predict(&alone(&x))?, &alone(&y))?;
    }
    Ok(())
}

/// ... and it does so by the shares α and 1 - α, whatever was there before.
fn only_forward_moves_the_statistics(
    class: LayerClass,
    subject: &Subject,
    case: &mut Case,
) -> Result<(), Failure> {
    let (spec, x_shape) = draw_spec(class, case);
    let mut layer = build(subject, &spec, case)?;
    let x = case.array(&x_shape);
    let y = layer.forward(x.clone())?;
    let after_forward = layer.buffers().clone();
    claim(after_forward != build(subject, &spec, case)?.buffers().clone(), || {
        "forward left the running statistics as they were".to_owned()
    })?;
    layer.backward(y)?;
    layer.predict(&x)?;
    claim(layer.buffers() == &after_forward, || {
        "backward or predict changed the running statistics".to_owned()
    })
}

/// `Y` is the same for X + 4, so the gradients of a feature sum to 0.
fn a_shift_changes_nothing(
    class: LayerClass,
    subject: &Subject,
    case: &mut Case,
) -> Result<(), Failure> {
    let (spec, x_shape) = draw_spec(class, case);
    let mut layer = build(subject, &spec, case)?;
    let x = case.array(&x_shape);
    let y = layer.forward(&x + 4.0)?;
    case.compare("Y", &layer.forward(x)?, &y)?;
    let dl_dx = layer.backward(case.array(&x_shape))?;
    let mut sums = dl_dx;
    while sums.ndim() > 1 {
        sums = sums.sum_axis(Axis(0));
    }
    case.compare("Σ dL/dX", &sums, &ArrayD::zeros(sums.raw_dim()))
}

/// With an activation σ, forward and predict are σ of what they are without, and backward begins with
/// its derivative.
fn the_activation_is_applied_last(
    class: LayerClass,
    subject: &Subject,
    case: &mut Case,
) -> Result<(), Failure> {
    let (linear, x_shape) = draw_spec(class, case);
    let sigma = Activation::ALL[case.between(0, Activation::ALL.len() - 1)];
    let mut spec = linear.clone();
    if let LayerSpec::BatchNorm { activation, .. } = &mut spec {
        *activation = sigma;
    }
    case.describe(format!("{sigma}, X {x_shape:?}"));
    let (mut layer, mut linear) = (build(subject, &spec, case)?, build(subject, &linear, case)?);
    for (name, value) in linear.parameters().clone().iter() {
        layer.set_parameter(name, value)?;
    }
    let x = case.array(&x_shape);
    let z = linear.forward(x.clone())?;
    let y = layer.forward(x.clone())?;
    same_bits("Y", &y, &sigma.forward(&z))?;
    let dl_dy = case.array(y.shape());
    let dl_dz = sigma.backward(&z, &dl_dy).map_err(LayerError::from)?;
    same_bits("dL/dX", &layer.backward(dl_dy)?, &linear.backward(dl_dz)?)?;
    for (name, expected) in linear.gradients().iter() {
        same_bits(&format!("dL/d{name}"), &gradient(&*layer, name)?, expected)?;
    }
    same_bits("a prediction", &layer.predict(&x)?, &sigma.forward(&linear.predict(&x)?))
}

fn nan_stays_in_its_feature(
    class: LayerClass,
    subject: &Subject,
    case: &mut Case,
) -> Result<(), Failure> {
    let (spec, x_shape) = draw_spec(class, case);
    let mut layer = build(subject, &spec, case)?;
    let mut x = case.array(&x_shape);
    let at: Vec<usize> = x_shape.iter().map(|&n| case.between(0, n - 1)).collect();
    x[&*at] = f64::NAN;
    let y = layer.forward(x)?;
    for (index, y) in y.indexed_iter() {
        let feature = index[index.ndim() - 1];
        claim(y.is_nan() == (Some(&feature) == at.last()), || {
            format!("feature {feature}: Y is {y}, NaN is at {at:?}")
        })?;
    }
    Ok(())
}
