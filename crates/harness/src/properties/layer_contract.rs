//! What every layer promises about its state: parameters, gradients and the cache.
//!
//! A forward pass is a function of its input, the parameters and the buffers. Where a claim needs the
//! same output twice it sets the buffers back, since dropout takes another mask with each step.

use layers::{Layer, LayerError};
use ndarray::{ArrayD, IxDyn};

use super::LayerClaims;
use crate::cases::{Case, Failure, claim, same_bits};
use crate::random_layer::{build, draw_spec, rewind};
use crate::{Check, LayerClass, LayerSubject};

type Subject = dyn LayerSubject<f64>;

pub(super) fn checks(claims: &LayerClaims) -> Vec<Check> {
    // Batch normalisation predicts with other statistics, dropout without a mask; what holds instead
    // is among their own claims.
    let predicts = (!matches!(claims.what, LayerClass::BatchNorm | LayerClass::Dropout))
        .then(|| claims.exactly("predict_equals_forward", predict_equals_forward));
    let mut checks = vec![
        claims.exactly("backward_before_forward_is_an_error", backward_before_forward),
        claims.exactly("gradients_mirror_the_parameters", gradients_mirror_the_parameters),
        claims.exactly("weights_decay_and_nothing_else", weights_decay_and_nothing_else),
        claims.exactly("backward_overwrites_the_gradients", backward_overwrites_the_gradients),
        claims.exactly("backward_changes_nothing_but_gradients", backward_changes_nothing),
        claims.exactly("forward_replaces_the_cache", forward_replaces_the_cache),
        claims.exactly("predict_leaves_the_cache_alone", predict_leaves_the_cache_alone),
        claims.exactly("a_seed_gives_the_same_bits", a_seed_gives_the_same_bits),
        // A matrix product may sum in another order where its operands lie otherwise in memory: 64
        // terms of magnitude at most 1, `2 · 64² · 2⁻⁵³`.
        claims.within(1e-12, "memory_order_does_not_matter", memory_order_does_not_matter),
    ];
    checks.extend(predicts);
    checks
}

/// A layer and a batch for it.
type Drawn = (Box<dyn Layer<f64>>, ArrayD<f64>);

fn draw(class: LayerClass, subject: &Subject, case: &mut Case) -> Result<Drawn, Failure> {
    let (spec, x_shape) = draw_spec(class, case);
    let layer = build(subject, &spec, case)?;
    Ok((layer, case.array(&x_shape)))
}

/// Claims that the gradients of the layer have these bits.
fn same_gradients(
    when: &str,
    layer: &dyn Layer<f64>,
    expected: &layers::Parameters<f64>,
) -> Result<(), Failure> {
    for (name, expected) in expected.iter() {
        let got = crate::random_layer::gradient(layer, name)?;
        same_bits(&format!("dL/d{name} {when} "), &got, expected)?;
    }
    Ok(())
}

/// ... on a layer that has never seen a batch, and leaves it without a cache.
fn predict_equals_forward(
    class: LayerClass,
    subject: &Subject,
    case: &mut Case,
) -> Result<(), Failure> {
    let (mut layer, x) = draw(class, subject, case)?;
    let predicted = layer.predict(&x)?;
    let expected = [&x.shape()[..1], layer.output_shape()].concat();
    claim(predicted.shape() == expected, || {
        format!("Y: expected shape {expected:?}, got {:?}", predicted.shape())
    })?;
    let backward = layer.backward(ArrayD::zeros(predicted.raw_dim()));
    claim(matches!(backward, Err(LayerError::BackwardBeforeForward { .. })), || {
        format!("backward after nothing but predict gave {backward:?}")
    })?;
    same_bits("Y", &layer.forward(x)?, &predicted)
}

fn backward_before_forward(
    class: LayerClass,
    subject: &Subject,
    case: &mut Case,
) -> Result<(), Failure> {
    let (mut layer, x) = draw(class, subject, case)?;
    let expected = Err(LayerError::BackwardBeforeForward { layer: class.name() });
    let dl_dy = ArrayD::zeros(IxDyn(&[&x.shape()[..1], layer.output_shape()].concat()));
    let new = layer.backward(dl_dy.clone());
    claim(new == expected, || format!("a new layer: expected {expected:?}, got {new:?}"))?;
    layer.forward(x)?;
    layer.clear_cache();
    let cleared = layer.backward(dl_dy);
    claim(cleared == expected, || {
        format!("after clear_cache: expected {expected:?}, got {cleared:?}")
    })
}

/// Biases do not decay, nor do scale and offset of a normalisation.
fn weights_decay_and_nothing_else(
    class: LayerClass,
    subject: &Subject,
    case: &mut Case,
) -> Result<(), Failure> {
    let (layer, _) = draw(class, subject, case)?;
    for name in layer.parameters().names() {
        let decays = layer.decaying_parameters().contains(&name);
        claim(decays == (name == "W"), || format!("{name} decays: {decays}"))?;
    }
    Ok(())
}

/// The same names and shapes in the same order, zero until the first backward; and the ones that the
/// course fixes.
fn gradients_mirror_the_parameters(
    class: LayerClass,
    subject: &Subject,
    case: &mut Case,
) -> Result<(), Failure> {
    let (spec, x_shape) = draw_spec(class, case);
    let (mut layer, x) = (build(subject, &spec, case)?, case.array(&x_shape));
    let expected = spec.parameter_names();
    let names: Vec<_> = layer.parameters().names().collect();
    claim(names == expected, || format!("expected the parameters {expected:?}, got {names:?}"))?;
    if let Some(b) = layer.parameters().get("b") {
        claim(b.shape() == [1, layer.n_out()], || format!("b has shape {:?}", b.shape()))?;
    }
    if let Some(w) = layer.parameters().get("W") {
        let (w, fans) = (&w.shape()[w.ndim() - 2..], [layer.n_in(), layer.n_out()]);
        claim(w == fans, || format!("W ends in {w:?} instead of {fans:?}"))?;
    }
    let all_zero = layer.gradients().iter().all(|(_, g)| g.iter().all(|&g| g == 0.0));
    claim(all_zero, || "the gradients of a new layer are not zero".to_owned())?;
    mirrored("of a new layer", &*layer)?;
    let y = layer.forward(x)?;
    layer.backward(y)?;
    mirrored("after backward", &*layer)
}

fn mirrored(when: &str, layer: &dyn Layer<f64>) -> Result<(), Failure> {
    let shapes = |arrays: &layers::Parameters<f64>| -> Vec<(&str, Vec<usize>)> {
        arrays.iter().map(|(name, array)| (name, array.shape().to_vec())).collect()
    };
    let (parameters, gradients) = (shapes(layer.parameters()), shapes(layer.gradients()));
    claim(parameters == gradients, || {
        format!("{when}: parameters {parameters:?}, gradients {gradients:?}")
    })
}

fn backward_overwrites_the_gradients(
    class: LayerClass,
    subject: &Subject,
    case: &mut Case,
) -> Result<(), Failure> {
    let (mut layer, x) = draw(class, subject, case)?;
    let y = layer.forward(x)?;
    let (first, second) = (case.array(y.shape()), case.array(y.shape()));
    layer.backward(second.clone())?;
    let alone = layer.gradients().clone();
    layer.backward(first)?;
    layer.backward(second)?;
    same_gradients("after another backward", &*layer, &alone)
}

/// A second backward gives the same, so the cache (Z, the input, the winners) is as it was; and so are
/// the parameters.
fn backward_changes_nothing(
    class: LayerClass,
    subject: &Subject,
    case: &mut Case,
) -> Result<(), Failure> {
    let (mut layer, x) = draw(class, subject, case)?;
    let (parameters, buffers) = (layer.parameters().clone(), layer.buffers().clone());
    let y = layer.forward(x.clone())?;
    let dl_dy = case.array(y.shape());
    let dl_dx = layer.backward(dl_dy.clone())?;
    let gradients = layer.gradients().clone();
    same_bits("dL/dX of a second backward", &layer.backward(dl_dy)?, &dl_dx)?;
    same_gradients("of a second backward", &*layer, &gradients)?;
    claim(layer.parameters() == &parameters, || "backward changed the parameters".to_owned())?;
    rewind(&mut *layer, &buffers)?;
    same_bits("Y after backward", &layer.forward(x)?, &y)
}

/// Of two batches, of different sizes, only the last one counts.
fn forward_replaces_the_cache(
    class: LayerClass,
    subject: &Subject,
    case: &mut Case,
) -> Result<(), Failure> {
    let (mut layer, x) = draw(class, subject, case)?;
    let buffers = layer.buffers().clone();
    let y = layer.forward(x.clone())?;
    let dl_dy = case.array(y.shape());
    let dl_dx = layer.backward(dl_dy.clone())?;
    let gradients = layer.gradients().clone();
    let m = x.shape()[0] + case.between(0, 2);
    layer.forward(case.array(&[&[m], layer.input_shape()].concat()))?;
    rewind(&mut *layer, &buffers)?;
    layer.forward(x)?;
    same_bits("dL/dX after another batch", &layer.backward(dl_dy)?, &dl_dx)?;
    same_gradients("after another batch", &*layer, &gradients)
}

fn predict_leaves_the_cache_alone(
    class: LayerClass,
    subject: &Subject,
    case: &mut Case,
) -> Result<(), Failure> {
    let (mut layer, x) = draw(class, subject, case)?;
    let buffers = layer.buffers().clone();
    let y = layer.forward(x.clone())?;
    let dl_dy = case.array(y.shape());
    let dl_dx = layer.backward(dl_dy.clone())?;
    let gradients = layer.gradients().clone();
    rewind(&mut *layer, &buffers)?;
    layer.forward(x)?;
    let m = case.between(1, 4);
    layer.predict(&case.array(&[&[m], layer.input_shape()].concat()))?;
    same_bits("dL/dX after predict", &layer.backward(dl_dy)?, &dl_dx)?;
    same_gradients("after predict", &*layer, &gradients)
}

fn a_seed_gives_the_same_bits(
    class: LayerClass,
    subject: &Subject,
    case: &mut Case,
) -> Result<(), Failure> {
    let (spec, x_shape) = draw_spec(class, case);
    let (x, mut rng) = (case.array(&x_shape), case.rng.clone());
    let mut first = subject.build(&spec, &mut rng.clone())?;
    let mut second = subject.build(&spec, &mut rng)?;
    for ((name, first), (_, second)) in first.parameters().iter().zip(second.parameters().iter()) {
        same_bits(&format!("{name} of a second build "), second, first)?;
    }
    let y = first.forward(x.clone())?;
    same_bits("Y of a second build", &second.forward(x)?, &y)?;
    let dl_dy = case.array(y.shape());
    let dl_dx = first.backward(dl_dy.clone())?;
    same_bits("dL/dX of a second build", &second.backward(dl_dy)?, &dl_dx)?;
    same_gradients("of a second build", &*second, first.gradients())
}

/// Reversed views of reversed arrays have the same elements in column-major order.
fn memory_order_does_not_matter(
    class: LayerClass,
    subject: &Subject,
    case: &mut Case,
) -> Result<(), Failure> {
    let (mut layer, x) = draw(class, subject, case)?;
    let buffers = layer.buffers().clone();
    let column_major = |array: &ArrayD<f64>| {
        let reversed = array.view().reversed_axes().as_standard_layout().to_owned();
        reversed.reversed_axes()
    };
    let y = layer.forward(x.clone())?;
    let dl_dy = case.array(y.shape());
    let dl_dx = layer.backward(dl_dy.clone())?;
    let gradients = layer.gradients().clone();
    let predicted = layer.predict(&x)?;
    case.compare("Y of predict", &layer.predict(&column_major(&x))?, &predicted)?;
    rewind(&mut *layer, &buffers)?;
    case.compare("Y", &layer.forward(column_major(&x))?, &y)?;
    case.compare("dL/dX", &layer.backward(column_major(&dl_dy))?, &dl_dx)?;
    for (name, expected) in gradients.iter() {
        let got = crate::random_layer::gradient(&*layer, name)?;
        case.compare(&format!("dL/d{name}"), &got, expected)?;
    }
    Ok(())
}
