//! What every layer promises about its state: parameters, gradients and the cache.
//!
//! A forward pass is a function of its input, the parameters and the buffers. Where a claim needs the
//! same output twice it sets the buffers back, since dropout takes another mask with each step.

use layers::{Layer, LayerError, Parameters};
use ndarray::{ArrayD, IxDyn};

use super::{Layers, Passed, gradient, pass, rewind};
use crate::cases::{Case, Verdict, claim, equal, same_bits};
use crate::room::Checks;

pub(super) fn add(own: &mut Checks<Layers>) {
    own.exactly("backward_before_forward_is_an_error", backward_before_forward);
    own.exactly("gradients_mirror_the_parameters", gradients_mirror_the_parameters);
    // Biases do not decay, nor do scale and offset of a normalisation.
    own.exactly("weights_decay_and_nothing_else", |subject, case| {
        let (layer, _) = subject.drawn(case)?;
        let decays = |name| layer.decaying_parameters().contains(&name);
        layer.parameters().names().try_for_each(|name| {
            claim(decays(name) == (name == "W"), || format!("{name} decays: {}", decays(name)))
        })
    });
    own.exactly("backward_overwrites_the_gradients", |subject, case| {
        let (mut layer, x) = subject.drawn(case)?;
        let y = layer.forward(x)?;
        let (first, second) = (case.array(y.shape()), case.array(y.shape()));
        layer.backward(second.clone())?;
        let alone = layer.gradients().clone();
        layer.backward(first)?;
        layer.backward(second)?;
        same_gradients("after another backward", &*layer, &alone)
    });
    own.exactly("backward_changes_nothing_but_gradients", backward_changes_nothing);
    // Of two batches, of different sizes, only the last one counts.
    own.exactly("forward_replaces_the_cache", |subject, case| {
        let (mut layer, x) = subject.drawn(case)?;
        let buffers = layer.buffers().clone();
        let passed = pass(&mut *layer, &x, case)?;
        let m = x.shape()[0] + case.between(0, 2);
        layer.forward(case.array(&[&[m], layer.input_shape()].concat()))?;
        rewind(&mut *layer, &buffers)?;
        layer.forward(x)?;
        same_backward("after another batch", &mut *layer, &passed)
    });
    own.exactly("predict_leaves_the_cache_alone", |subject, case| {
        let (mut layer, x) = subject.drawn(case)?;
        let buffers = layer.buffers().clone();
        let passed = pass(&mut *layer, &x, case)?;
        rewind(&mut *layer, &buffers)?;
        layer.forward(x)?;
        let m = case.between(1, 4);
        layer.predict(&case.array(&[&[m], layer.input_shape()].concat()))?;
        same_backward("after predict", &mut *layer, &passed)
    });
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

/// Claims that another backward gives what it gave in this pass.
fn same_backward(when: &str, layer: &mut dyn Layer<f64>, passed: &Passed) -> Verdict {
    let dl_dx = layer.backward(passed.dl_dy.clone())?;
    same_bits(&format!("dL/dX {when}"), &dl_dx, &passed.dl_dx)?;
    same_gradients(when, layer, &passed.gradients)
}

/// ... on a layer that has never seen a batch.
fn predict_equals_forward(subject: &Layers, case: &mut Case) -> Verdict {
    let (mut layer, x) = subject.drawn(case)?;
    let predicted = layer.predict(&x)?;
    let expected = [&x.shape()[..1], layer.output_shape()].concat();
    equal("shape of Y", &predicted.shape(), &&*expected)?;
    same_bits("Y", &layer.forward(x)?, &predicted)
}

fn backward_before_forward(subject: &Layers, case: &mut Case) -> Verdict {
    let (mut layer, x) = subject.drawn(case)?;
    let expected = Err(LayerError::BackwardBeforeForward { layer: subject.room.name });
    let dl_dy = ArrayD::zeros(IxDyn(&[&x.shape()[..1], layer.output_shape()].concat()));
    layer.predict(&x)?;
    equal("a new layer", &layer.backward(dl_dy), &expected)
}

/// The same names and shapes in the same order, zero until the first backward; and the ones that the
/// course fixes.
fn gradients_mirror_the_parameters(subject: &Layers, case: &mut Case) -> Verdict {
    let (spec, x_shape) = subject.draw(case);
    let (mut layer, x) = (subject.build(&spec, case)?, case.array(&x_shape));
    let names: Vec<_> = layer.parameters().names().collect();
    equal("parameters", &&*names, &(spec.room.parameters)(&spec))?;
    if let Some(b) = layer.parameters().get("b") {
        equal("shape of b", &b.shape(), &&[1, layer.n_out()][..])?;
    }
    if let Some(w) = layer.parameters().get("W") {
        let last_axes = &w.shape()[w.ndim() - 2..];
        equal("last axes of W", &last_axes, &&[layer.n_in(), layer.n_out()][..])?;
    }
    let all_zero = layer.gradients().iter().all(|(_, g)| g.iter().all(|&g| g == 0.0));
    claim(all_zero, || "the gradients of a new layer are not zero".to_owned())?;
    let mirrored = |when: &str, layer: &dyn Layer<f64>| {
        let [parameters, gradients] = [layer.parameters(), layer.gradients()].map(|arrays| {
            arrays.iter().map(|(name, array)| (name, array.shape().to_vec())).collect::<Vec<_>>()
        });
        equal(when, &gradients, &parameters)
    };
    mirrored("gradients of a new layer", &*layer)?;
    let y = layer.forward(x)?;
    layer.backward(y)?;
    mirrored("gradients after backward", &*layer)
}

/// A second backward gives the same, so the cache (Z, the input, the winners) is as it was; and so are
/// the parameters.
fn backward_changes_nothing(subject: &Layers, case: &mut Case) -> Verdict {
    let (mut layer, x) = subject.drawn(case)?;
    let (parameters, buffers) = (layer.parameters().clone(), layer.buffers().clone());
    let passed = pass(&mut *layer, &x, case)?;
    same_backward("of a second backward", &mut *layer, &passed)?;
    claim(layer.parameters() == &parameters, || "backward changed the parameters".to_owned())?;
    rewind(&mut *layer, &buffers)?;
    same_bits("Y after backward", &layer.forward(x)?, &passed.y)
}

fn a_seed_gives_the_same_bits(subject: &Layers, case: &mut Case) -> Verdict {
    let (spec, x_shape) = subject.draw(case);
    let (x, mut rng) = (case.array(&x_shape), case.rng.clone());
    let mut first = subject.new_layer(&spec, &mut rng.clone())?;
    let mut second = subject.new_layer(&spec, &mut rng)?;
    for ((name, first), (_, second)) in first.parameters().iter().zip(second.parameters().iter()) {
        same_bits(&format!("{name} of a second build "), second, first)?;
    }
    let passed = pass(&mut *first, &x, case)?;
    same_bits("Y of a second build", &second.forward(x)?, &passed.y)?;
    same_backward("of a second build", &mut *second, &passed)
}

/// Reversed views of reversed arrays have the same elements in column-major order.
fn memory_order_does_not_matter(subject: &Layers, case: &mut Case) -> Verdict {
    let (mut layer, x) = subject.drawn(case)?;
    let buffers = layer.buffers().clone();
    let column_major = |array: &ArrayD<f64>| {
        let reversed = array.view().reversed_axes().as_standard_layout().to_owned();
        reversed.reversed_axes()
    };
    let passed = pass(&mut *layer, &x, case)?;
    let predicted = layer.predict(&x)?;
    case.compare("Y of predict", &layer.predict(&column_major(&x))?, &predicted)?;
    rewind(&mut *layer, &buffers)?;
    passed.compare(&mut *layer, &x, column_major, case)
}
