//! What every layer promises about its state: parameters, gradients and the cache.
//!
//! A forward pass is a function of its input, the parameters and the buffers. Where a claim needs the
//! same output twice it sets the buffers back, since dropout takes another mask with each step.

use layers::{Layer, LayerError, Parameters};
use ndarray::{ArrayD, IxDyn};

use super::{Layers, Passed, gradient, pass, rewind};
use crate::cases::{Case, Verdict, claim, same_bits};
use crate::room::Checks;

pub(super) fn add(own: &mut Checks<Layers>) {
    own.exactly("backward_before_forward_is_an_error", backward_before_forward);
    own.exactly("gradients_mirror_the_parameters", gradients_mirror_the_parameters);
    own.exactly("weights_decay_and_nothing_else", weights_decay_and_nothing_else);
    own.exactly("backward_overwrites_the_gradients", backward_overwrites_the_gradients);
    own.exactly("backward_changes_nothing_but_gradients", backward_changes_nothing);
    own.exactly("forward_replaces_the_cache", forward_replaces_the_cache);
    own.exactly("predict_leaves_the_cache_alone", predict_leaves_the_cache_alone);
    own.exactly("a_seed_gives_the_same_bits", a_seed_gives_the_same_bits);
    // A matrix product may sum in another order where its operands lie otherwise in memory: 64
    // terms of magnitude at most 1, `2 · 64² · 2⁻⁵³`.
    own.within(1e-12, "memory_order_does_not_matter", memory_order_does_not_matter);
    // Batch normalisation predicts with other statistics, dropout without a mask; what holds instead
    // is among their own claims.
    if own.subject.room.predicts_as_forward {
        own.exactly("predict_equals_forward", predict_equals_forward);
    }
}

/// Claims that the gradients of the layer have these bits.
fn same_gradients(when: &str, layer: &dyn Layer<f64>, expected: &Parameters<f64>) -> Verdict {
    for (name, expected) in expected.iter() {
        let got = gradient(layer, name)?;
        same_bits(&format!("dL/d{name} {when} "), &got, expected)?;
    }
    Ok(())
}

/// ... on a layer that has never seen a batch, and leaves it without a cache.
fn predict_equals_forward(subject: &Layers, case: &mut Case) -> Verdict {
    let (mut layer, x) = subject.drawn(case)?;
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

fn backward_before_forward(subject: &Layers, case: &mut Case) -> Verdict {
    let (mut layer, x) = subject.drawn(case)?;
    let expected = Err(LayerError::BackwardBeforeForward { layer: subject.room.name });
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
fn weights_decay_and_nothing_else(subject: &Layers, case: &mut Case) -> Verdict {
    let (layer, _) = subject.drawn(case)?;
    for name in layer.parameters().names() {
        let decays = layer.decaying_parameters().contains(&name);
        claim(decays == (name == "W"), || format!("{name} decays: {decays}"))?;
    }
    Ok(())
}

/// The same names and shapes in the same order, zero until the first backward; and the ones that the
/// course fixes.
fn gradients_mirror_the_parameters(subject: &Layers, case: &mut Case) -> Verdict {
    let (spec, x_shape) = subject.draw(case);
    let (mut layer, x) = (subject.build(&spec, case)?, case.array(&x_shape));
    let expected = (spec.room.parameters)(&spec);
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

fn mirrored(when: &str, layer: &dyn Layer<f64>) -> Verdict {
    let shapes = |arrays: &Parameters<f64>| -> Vec<(&str, Vec<usize>)> {
        arrays.iter().map(|(name, array)| (name, array.shape().to_vec())).collect()
    };
    let (parameters, gradients) = (shapes(layer.parameters()), shapes(layer.gradients()));
    claim(parameters == gradients, || {
        format!("{when}: parameters {parameters:?}, gradients {gradients:?}")
    })
}

fn backward_overwrites_the_gradients(subject: &Layers, case: &mut Case) -> Verdict {
    let (mut layer, x) = subject.drawn(case)?;
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
fn backward_changes_nothing(subject: &Layers, case: &mut Case) -> Verdict {
    let (mut layer, x) = subject.drawn(case)?;
    let (parameters, buffers) = (layer.parameters().clone(), layer.buffers().clone());
    let Passed { y, dl_dy, dl_dx, gradients } = pass(&mut *layer, &x, case)?;
    same_bits("dL/dX of a second backward", &layer.backward(dl_dy)?, &dl_dx)?;
    same_gradients("of a second backward", &*layer, &gradients)?;
    claim(layer.parameters() == &parameters, || "backward changed the parameters".to_owned())?;
    rewind(&mut *layer, &buffers)?;
    same_bits("Y after backward", &layer.forward(x)?, &y)
}

/// Of two batches, of different sizes, only the last one counts.
fn forward_replaces_the_cache(subject: &Layers, case: &mut Case) -> Verdict {
    let (mut layer, x) = subject.drawn(case)?;
    let buffers = layer.buffers().clone();
    let Passed { dl_dy, dl_dx, gradients, .. } = pass(&mut *layer, &x, case)?;
    let m = x.shape()[0] + case.between(0, 2);
    layer.forward(case.array(&[&[m], layer.input_shape()].concat()))?;
    rewind(&mut *layer, &buffers)?;
    layer.forward(x)?;
    same_bits("dL/dX after another batch", &layer.backward(dl_dy)?, &dl_dx)?;
    same_gradients("after another batch", &*layer, &gradients)
}

fn predict_leaves_the_cache_alone(subject: &Layers, case: &mut Case) -> Verdict {
    let (mut layer, x) = subject.drawn(case)?;
    let buffers = layer.buffers().clone();
    let Passed { dl_dy, dl_dx, gradients, .. } = pass(&mut *layer, &x, case)?;
    rewind(&mut *layer, &buffers)?;
    layer.forward(x)?;
    let m = case.between(1, 4);
    layer.predict(&case.array(&[&[m], layer.input_shape()].concat()))?;
    same_bits("dL/dX after predict", &layer.backward(dl_dy)?, &dl_dx)?;
    same_gradients("after predict", &*layer, &gradients)
}

fn a_seed_gives_the_same_bits(subject: &Layers, case: &mut Case) -> Verdict {
    let (spec, x_shape) = subject.draw(case);
    let (x, mut rng) = (case.array(&x_shape), case.rng.clone());
    let mut first = subject.new_layer(&spec, &mut rng.clone())?;
    let mut second = subject.new_layer(&spec, &mut rng)?;
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
fn memory_order_does_not_matter(subject: &Layers, case: &mut Case) -> Verdict {
    let (mut layer, x) = subject.drawn(case)?;
    let buffers = layer.buffers().clone();
    let column_major = |array: &ArrayD<f64>| {
        let reversed = array.view().reversed_axes().as_standard_layout().to_owned();
        reversed.reversed_axes()
    };
    let Passed { y, dl_dy, dl_dx, gradients } = pass(&mut *layer, &x, case)?;
    let predicted = layer.predict(&x)?;
    case.compare("Y of predict", &layer.predict(&column_major(&x))?, &predicted)?;
    rewind(&mut *layer, &buffers)?;
    case.compare("Y", &layer.forward(column_major(&x))?, &y)?;
    case.compare("dL/dX", &layer.backward(column_major(&dl_dy))?, &dl_dx)?;
    for (name, expected) in gradients.iter() {
        let got = gradient(&*layer, name)?;
        case.compare(&format!("dL/d{name}"), &got, expected)?;
    }
    Ok(())
}
