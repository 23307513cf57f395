//! Question 5: one step of the training of a tiny network.

use activations::Activation;
use ffnn::NeuralNetwork;
use layers::{FullyConnectedConfig, LayerConfig};
use losses::Loss;
use ndarray::{Array2, array};
use numerics::Rng;
use optim::SgdConfig;

use super::Example;

/// Two examples, two features, two hidden units with ReLU, two classes: forward, loss, backward,
/// update, and the loss that the same mini-batch has afterwards.
pub(super) fn step(example: &mut Example<'_>) {
    const LR: f64 = 0.5;
    let hidden =
        FullyConnectedConfig { activation: Activation::ReLU, ..FullyConnectedConfig::new(2) };
    let configs: [Box<dyn LayerConfig<f64>>; 2] =
        [Box::new(hidden), Box::new(FullyConnectedConfig::new(2))];
    let mut network =
        NeuralNetwork::build(&configs, &[2], Loss::SoftmaxCrossEntropy, &mut Rng::new(0))
            .expect("two units feed two units");
    let start = [array![[1.0, -1.0], [0.0, 2.0]], array![[1.0, 0.0], [0.0, 1.0]]];
    for (layer, weights) in network.layers_mut().iter_mut().zip(start) {
        let w = layer.parameters_and_gradients().0.get_mut("W").expect("the layer has weights");
        w.assign(&weights.into_dyn());
    }
    let x = array![[1.0, 1.0], [2.0, -1.0]];
    let y = array![[1.0, 0.0], [0.0, 1.0]];
    record_parameters(example, &network, "");

    let logits = network.forward(x.clone().into_dyn()).expect("two features for two features");
    let loss = network.backward(y.view(), logits.view()).expect("forward came before");
    example.array("x", &x);
    example.array("y", &y);
    example.array("logits", &logits);
    example.array("p", &Activation::SoftMax.forward(&logits));
    example.number("loss", loss);
    for (index, layer) in network.layers().iter().enumerate() {
        for (name, gradient) in layer.gradients().iter() {
            let gradient: Array2<f64> = gradient.clone().into_dimensionality().expect("two axes");
            example.array(&format!("d{}{}", name.to_lowercase(), index + 1), &gradient);
        }
    }
    let first = network.layers()[0].predict(&x.clone().into_dyn()).expect("two features");
    example.array("h", &first.into_dimensionality::<ndarray::Ix2>().expect("rows of units"));

    let mut sgd = SgdConfig::default().build().expect("plain gradient descent is valid");
    network.update(&mut sgd, LR).expect("the rate is finite");
    record_parameters(example, &network, "-after");
    let after = network.infer(&x.into_dyn()).expect("two features for two features");
    let loss_after = Loss::SoftmaxCrossEntropy.forward(y.view(), after.view());
    example.number("loss-after", loss_after.expect("a truth for every logit"));
    example.number("lr", LR);
}

fn record_parameters(example: &mut Example<'_>, network: &NeuralNetwork<f64>, when: &str) {
    for (index, layer) in network.layers().iter().enumerate() {
        for (name, parameter) in layer.parameters().iter() {
            let parameter: Array2<f64> = parameter.clone().into_dimensionality().expect("two axes");
            example.array(&format!("{}{}{when}", name.to_lowercase(), index + 1), &parameter);
        }
    }
}
