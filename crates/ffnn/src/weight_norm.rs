//! The size of weights before a batch normalisation while a network is trained.

use activations::Activation;
use datasets::{Batches, Preprocess, Splits};
use layers::{BatchNormConfig, FullyConnectedConfig, LayerConfig};
use losses::Loss;
use network::NeuralNetwork;
use numerics::Rng;
use optim::SgdConfig;
use training::TrainingError;

/// The learning rate, which stays.
const LR: f64 = 0.5;
const EPOCHS: u64 = 240;
const BATCH_SIZE: usize = 20;

/// The weights of a unit of the hidden layer before each step of a training on Iris, and the rate of that step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct WeightNorm {
    /// Steps before it.
    pub step: u64,
    /// `‖w‖`, the root of the mean of `‖w‖²` over the units.
    pub norm: f64,
    /// `η / ‖w‖²`.
    pub effective_rate: f64,
}

/// Trains eight hidden units without biases, a batch normalisation with ReLU and three outputs, by plain gradient
/// descent with this weight decay. The weights before the normalisation are `scale` times as large at first as those
/// that the seed draws, which is the same function.
///
/// # Errors
/// If the decay is out of range.
pub fn weight_norms(weight_decay: f64, scale: f64) -> Result<Vec<WeightNorm>, TrainingError> {
    const UNITS: usize = 8;
    let data = Splits::<f64>::iris()?.preprocess(Preprocess::Standardise)?.train;
    let configs: [Box<dyn LayerConfig<f64>>; 3] = [
        Box::new(FullyConnectedConfig { bias: false, ..FullyConnectedConfig::new(UNITS) }),
        Box::new(BatchNormConfig { activation: Activation::ReLU, ..BatchNormConfig::default() }),
        Box::new(FullyConnectedConfig::new(data.n_out())),
    ];
    let loss = Loss::SoftmaxCrossEntropy;
    let mut network =
        NeuralNetwork::build(&configs, data.example_shape(), loss, &mut Rng::new(189))?;
    let w = |network: &NeuralNetwork<f64>| network.layers()[0].parameters()["W"].clone();
    let scaled = w(&network) * scale;
    network.layers_mut()[0].set_parameter("W", &scaled).expect("it has the shape that it had");
    let mut sgd = SgdConfig { weight_decay, ..SgdConfig::default() }.build()?;
    let batches = Batches::new(&data, BATCH_SIZE, 189)?;
    let mut norms = Vec::new();
    for epoch in 1..=EPOCHS {
        for batch in batches.epoch(epoch) {
            let square = w(&network).iter().map(|w| w * w).sum::<f64>() / UNITS as f64;
            let (step, effective_rate) = (norms.len() as u64, LR / square);
            norms.push(WeightNorm { step, norm: square.sqrt(), effective_rate });
            let out = network.forward(batch.features)?;
            network.backward(batch.targets.view(), out.view())?;
            network.update(&mut sgd, LR)?;
        }
    }
    Ok(norms)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn last_and_first(weight_decay: f64, scale: f64) -> [WeightNorm; 2] {
        let norms = weight_norms(weight_decay, scale).unwrap();
        // Only a decay makes a step that is shorter; ε = 1e-5 beside variances around 1 is next to nothing.
        let rises = norms.windows(2).all(|pair| pair[1].norm > pair[0].norm * (1.0 - 1e-6));
        assert_eq!(rises, weight_decay == 0.0, "{weight_decay} {scale}");
        [norms[norms.len() - 1], norms[0]]
    }

    #[test]
    fn without_decay_weights_grow_and_with_it_their_size_is_that_of_the_balance() {
        let [[small, _], [large, first]] = [1.0, 4.0].map(|scale| last_and_first(0.0, scale));
        assert!(large.norm > 1.5 * small.norm && large.norm >= first.norm, "{small:?} {large:?}");
        let [[small, _], [large, first]] = [1.0, 4.0].map(|scale| last_and_first(0.005, scale));
        assert!((large.norm / small.norm - 1.0).abs() < 0.05, "{small:?} {large:?}");
        assert!(large.norm < 0.9 * first.norm, "{first:?} {large:?}");
    }
}
