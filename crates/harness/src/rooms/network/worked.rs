//! One step of the training of a tiny network, and a small picture through a perceptron.

use activations::Activation;
use layers::{FullyConnectedConfig, LayerConfig};
use losses::Loss;
use ndarray::{Array2, ArrayD, array};
use network::NeuralNetwork;
use numerics::Rng;
use optim::SgdConfig;

use crate::worked::Example;

/// Two examples, two features, two hidden units with ReLU, two classes: forward, loss, backward,
/// update, and the loss that the same mini-batch has afterwards.
pub(super) fn step(example: &mut Example<'_>) {
    const LR: f64 = 0.5;
    let mut network = two_layers(&array![[1.0, -1.0], [0.0, 2.0]], &array![[1.0, 0.0], [0.0, 1.0]]);
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
            example.array(&format!("d{}{}", name.to_lowercase(), index + 1), gradient);
        }
    }
    let h = network.layers()[0].predict(&x.clone().into_dyn()).expect("two features");
    example.array("h", &h);
    // What flows back between the layers.
    let dl_dz2 = network.loss().backward(y.view(), logits.view()).expect("a truth for every logit");
    let dl_dh = network.layers_mut()[1].backward(dl_dz2.clone().into_dyn());
    let dl_dh = dl_dh.expect("forward came before");
    let z1 = x.dot(&network.layers()[0].parameters().matrix("W")).into_dyn();
    let open = Activation::ReLU.backward(&z1, &ArrayD::ones(z1.raw_dim()));
    let dl_dz1 = Activation::ReLU.backward(&z1, &dl_dh).expect("two hidden units");
    example.array("dz2", &dl_dz2);
    example.array("dh", &dl_dh);
    example.array("open", &open.expect("two hidden units"));
    example.array("dz1", &dl_dz1);

    let mut sgd = SgdConfig::default().build().expect("plain gradient descent is valid");
    network.update(&mut sgd, LR).expect("the rate is finite");
    record_parameters(example, &network, "-after");
    let x = x.into_dyn();
    example.array("h-after", &network.layers()[0].predict(&x).expect("two features"));
    let after = network.infer(&x).expect("two features for two features");
    let loss_after = Loss::SoftmaxCrossEntropy.forward(y.view(), after.view());
    example.array("logits-after", &after);
    example.number("loss-after", loss_after.expect("a truth for every logit"));
    example.number("lr", LR);
}

fn record_parameters(example: &mut Example<'_>, network: &NeuralNetwork<f64>, when: &str) {
    for (index, layer) in network.layers().iter().enumerate() {
        for (name, parameter) in layer.parameters().iter() {
            example.array(&format!("{}{}{when}", name.to_lowercase(), index + 1), parameter);
        }
    }
}

/// A picture of four pixels, two hidden units with ReLU, three classes.
pub(super) fn perceptron(example: &mut Example<'_>) {
    let (bytes, mean, std) = (array![[102.0, 204.0, 0.0, 51.0]], 0.4, 0.2);
    let x = (&bytes / 255.0 - mean) / std;
    let patterns = array![[-1.0, 1.0], [1.0, -1.0], [-1.0, 1.0], [1.0, -1.0]];
    let votes = array![[1.0, 0.0, -1.0], [0.0, 1.0, 1.0]];
    let network = two_layers(&patterns, &votes);
    let y = array![[1.0, 0.0, 0.0]];
    let logits = network.infer(&x.clone().into_dyn()).expect("four pixels for four weights");
    let h = network.layers()[0].predict(&x.clone().into_dyn()).expect("four pixels");
    let p = network.predict(&x.clone().into_dyn()).expect("four pixels for four weights");
    let loss = Loss::SoftmaxCrossEntropy.forward(y.view(), logits.view());
    example.array("bytes", &bytes);
    example.number("mean", mean);
    example.number("std", std);
    example.array("x", &x);
    example.array("w1", &patterns);
    example.array("w2", &votes);
    example.array("h", &h);
    example.array("logits", &logits);
    example.array("p", &p);
    example.number("loss", loss.expect("a truth for every logit"));
}

/// A layer with ReLU and a linear one, with these weights and no biases.
fn two_layers(w1: &Array2<f64>, w2: &Array2<f64>) -> NeuralNetwork<f64> {
    let activation = Activation::ReLU;
    let hidden = FullyConnectedConfig { activation, ..FullyConnectedConfig::new(w1.ncols()) };
    let configs: [Box<dyn LayerConfig<f64>>; 2] =
        [Box::new(hidden), Box::new(FullyConnectedConfig::new(w2.ncols()))];
    let loss = Loss::SoftmaxCrossEntropy;
    let network = NeuralNetwork::build(&configs, &[w1.nrows()], loss, &mut Rng::new(0));
    let mut network = network.expect("the weights fit together");
    for (layer, w) in network.layers_mut().iter_mut().zip([w1, w2]) {
        layer.set_parameter("W", &w.clone().into_dyn()).expect("it is of the layer's shape");
    }
    network
}
