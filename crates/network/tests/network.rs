//! The network: what it computes, and what it refuses.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use activations::Activation;
use approx::assert_abs_diff_eq;
use layers::{BatchNormConfig, FlattenConfig, FullyConnectedConfig, LayerConfig};
use losses::Loss;
use ndarray::{Array2, ArrayD};
use network::NeuralNetwork;
use numerics::Rng;
use optim::SgdConfig;

type Configs = Vec<Box<dyn LayerConfig<f64>>>;

fn layer(n_out: usize, activation: Activation) -> Box<dyn LayerConfig<f64>> {
    Box::new(FullyConnectedConfig { activation, ..FullyConnectedConfig::new(n_out) })
}

fn network() -> NeuralNetwork<f64> {
    let configs: Configs = vec![layer(5, Activation::TanH), layer(3, Activation::Linear)];
    NeuralNetwork::build(&configs, &[4], Loss::SoftmaxCrossEntropy, &mut Rng::new(3)).unwrap()
}

fn batch() -> (ArrayD<f64>, Array2<f64>) {
    let x = Rng::new(8).normal_array((6, 4), 0.0, 1.0);
    let y = datasets::one_hot(&[0, 1, 2, 2, 1, 0], 3).unwrap();
    (x.into_dyn(), y)
}

#[test]
fn a_backward_pass_that_ends_early_has_the_same_gradients_as_far_as_it_goes() {
    let (x, y) = batch();
    let mut whole = network();
    let out = whole.forward(x.clone()).unwrap();
    let loss = whole.backward(y.view(), out.view()).unwrap();
    let at_rest = |name: &str| name.starts_with("0.");
    assert_eq!(whole.first_trained(|_| true), 0);
    assert_eq!(whole.first_trained(|name| name == "0.b"), 0);
    assert_eq!(whole.first_trained(|name| !at_rest(name)), 1);
    assert_eq!(whole.first_trained(|_| false), 2);
    for first in 0..3 {
        let mut part = network();
        let out = part.forward(x.clone()).unwrap();
        assert_eq!(part.backward_to(first, y.view(), out.view()).unwrap(), loss);
        for (index, (part, whole)) in part.layers().iter().zip(whole.layers()).enumerate() {
            for name in ["W", "b"] {
                let (part, whole) = (&part.gradients()[name], &whole.gradients()[name]);
                if index < first {
                    assert!(part.iter().all(|&g| g == 0.0), "{index}.{name} to {first}");
                } else {
                    assert_eq!(part, whole, "{index}.{name} to {first}");
                }
            }
        }
    }
}

#[test]
fn weights_decay_and_biases_scales_and_offsets_do_not() {
    let norm: Box<dyn LayerConfig<f64>> = Box::new(BatchNormConfig::default());
    let configs = vec![layer(5, Activation::TanH), norm, layer(3, Activation::Linear)];
    let mut network = NeuralNetwork::build(&configs, &[4], Loss::L2, &mut Rng::new(3)).unwrap();
    for layer in network.layers_mut() {
        for (_, parameter) in layer.parameters_and_gradients().0.iter_mut() {
            *parameter += 0.5;
        }
    }
    let before: Vec<_> = network.parameters().map(|(_, p)| p.clone()).collect();
    // Gradients are 0 before the first backward pass, so lr λ = 1/8 of a weight goes, and nothing else.
    let sgd = SgdConfig { weight_decay: 0.5, ..SgdConfig::default() };
    network.update(&mut sgd.build().unwrap(), 0.25).unwrap();
    let names: Vec<_> = network.parameters().map(|(name, _)| name).collect();
    assert_eq!(names, ["0.W", "0.b", "1.gamma", "1.beta", "2.W", "2.b"]);
    for ((name, after), before) in network.parameters().zip(before) {
        let kept = if name.ends_with(".W") { 0.875 } else { 1.0 };
        assert_abs_diff_eq!(*after, before * kept, epsilon = 1e-15);
    }
}

#[test]
fn what_does_not_fit_together_is_refused() {
    let build = |configs: Configs, shape: &[usize], loss| {
        NeuralNetwork::build(&configs, shape, loss, &mut Rng::new(0))
    };
    let flat: Configs = vec![Box::new(FlattenConfig), layer(3, Activation::Linear)];
    let network = build(flat, &[2, 3, 1], Loss::SoftmaxCrossEntropy).unwrap();
    assert_eq!(network.layers()[1].input_shape(), [6]);

    use Activation::{Linear, ReLU, Sigmoid, SoftMax};
    use Loss::{CrossEntropy, L2, SoftmaxCrossEntropy};
    let needs =
        |loss: &str, expected| format!("the loss {loss} needs {expected} as the last activation");
    let image: Box<dyn LayerConfig<f64>> = Box::new(BatchNormConfig::default());
    let fused = "anything but softmax, which it has itself,";
    for (configs, shape, loss, expected) in [
        (vec![], &[4][..], L2, "a network must have at least one layer".to_owned()),
        (vec![layer(3, Linear)], &[2, 3], L2, "layer 0 (from 0): FullyConnected: ".to_owned()),
        (
            vec![layer(2, ReLU), layer(0, Linear)],
            &[4],
            L2,
            "layer 1 (from 0): FullyConnected: n_out must be at least 1, but is 0".to_owned(),
        ),
        (
            vec![image],
            &[2, 2, 3],
            L2,
            "the last layer must give each example one axis of outputs, but gives shape [2, 2, 3]"
                .to_owned(),
        ),
        (vec![layer(3, Linear)], &[4], CrossEntropy, needs("cross_entropy", "softmax")),
        (vec![layer(3, Sigmoid)], &[4], CrossEntropy, needs("cross_entropy", "softmax")),
        (vec![layer(3, SoftMax)], &[4], SoftmaxCrossEntropy, needs("softmax_cross_entropy", fused)),
    ] {
        let error = build(configs, shape, loss).unwrap_err().to_string();
        assert!(error.starts_with(&expected), "{error}");
    }

    let built = |n_in: usize, n_out: usize| -> Box<dyn layers::Layer<f64>> {
        Box::new(FullyConnectedConfig::new(n_out).build(&[n_in], &mut Rng::new(0)).unwrap())
    };
    let error = NeuralNetwork::new(vec![built(4, 3), built(2, 1)], L2).unwrap_err();
    let expected = "layer 1 (from 0): FullyConnected: expected an input of shape (m, 2) with m >= \
                    1, but got [1, 3]";
    assert_eq!(error.to_string(), expected);
}
