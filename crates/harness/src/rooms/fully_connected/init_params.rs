//! `TestFullyConnected.test_init_params`: the shapes of parameters and gradients after creation.

use activations::Activation;
use layers::LayerError;
use numerics::Rng;

use super::{config, spec};
use crate::Outcome;
use crate::layer::Layers;

/// How many random sizes are tried, and how large they may be.
const SIZES: usize = 50;
const LARGEST: usize = 1000;

pub(super) fn outcome(layer: &Layers, seed: u64) -> Outcome {
    let mut rng = Rng::new(seed);
    for case in 0..SIZES {
        let (n_in, n_out) = (1 + rng.below(LARGEST), 1 + rng.below(LARGEST));
        let wrong = match problem(layer, n_in, n_out, &mut rng) {
            Ok(None) => continue,
            Ok(Some(wrong)) => wrong,
            Err(error) => error.to_string(),
        };
        return Outcome::fail(format!("size {case}, n_in {n_in} and n_out {n_out}: {wrong}"));
    }
    Outcome::ok(SIZES, format!("shapes and zero gradients for {SIZES} random sizes"))
}

/// What is wrong with a new layer of this size.
fn problem(
    layer: &Layers,
    n_in: usize,
    n_out: usize,
    rng: &mut Rng,
) -> Result<Option<String>, LayerError> {
    let layer = layer.new_layer(&spec(n_in, config(n_out, Activation::Linear), true), rng)?;
    let expected = [("W", vec![n_in, n_out]), ("b", vec![1, n_out])];
    for (what, arrays) in [("parameters", layer.parameters()), ("gradients", layer.gradients())] {
        let got: Vec<_> =
            arrays.iter().map(|(name, array)| (name, array.shape().to_vec())).collect();
        if got != expected {
            return Ok(Some(format!("expected {what} of shapes {expected:?}, got {got:?}")));
        }
    }
    let nonzero = layer.gradients().iter().find(|(_, gradient)| gradient.iter().any(|&x| x != 0.0));
    Ok(nonzero.map(|(name, _)| format!("the gradient of {name} is not zero before backward")))
}
