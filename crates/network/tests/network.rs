//! The network: what it computes, and what it refuses.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use activations::Activation;
use approx::{assert_abs_diff_eq, assert_relative_eq};
use layers::{
    BatchNormConfig, FlattenConfig, FullyConnectedConfig, LayerConfig, LayerError, WeightInit,
};
use losses::Loss;
use ndarray::{Array2, ArrayD, array};
use network::{NetworkError, NeuralNetwork};
use numerics::Rng;
use optim::SgdConfig;

type Configs = Vec<Box<dyn LayerConfig<f64>>>;

fn layer(n_out: usize, activation: Activation) -> Box<dyn LayerConfig<f64>> {
    Box::new(FullyConnectedConfig { activation, ..FullyConnectedConfig::new(n_out) })
}

fn network(loss: Loss) -> NeuralNetwork<f64> {
    let last = match loss {
        Loss::CrossEntropy => Activation::SoftMax,
        _ => Activation::Linear,
    };
    let configs: Configs = vec![layer(5, Activation::TanH), layer(3, last)];
    NeuralNetwork::build(&configs, &[4], loss, &mut Rng::new(3)).unwrap()
}

fn batch() -> (ArrayD<f64>, Array2<f64>) {
    let x = Rng::new(8).normal_array((6, 4), 0.0, 1.0);
    let y = datasets::one_hot(&[0, 1, 2, 2, 1, 0], 3).unwrap();
    (x.into_dyn(), y)
}

#[test]
fn a_network_of_one_layer_by_hand() {
    let configs: Configs = vec![layer(2, Activation::Linear)];
    let mut network = NeuralNetwork::build(&configs, &[2], Loss::L2, &mut Rng::new(0)).unwrap();
    let w = array![[1.0, 0.0], [2.0, -1.0]].into_dyn();
    network.layers_mut()[0].set_parameter("W", &w).unwrap();
    // (1, 3) W = (7, -3); target (5, -3): loss (4 + 0) / 2; dL/dY = (2, 0).
    let x = array![[1.0, 3.0]].into_dyn();
    let out = network.forward(x).unwrap();
    assert_eq!(out, array![[7.0, -3.0]]);
    assert_eq!(network.backward(array![[5.0, -3.0]].view(), out.view()).unwrap(), 2.0);
    // dL/dW = xᵀ (2, 0), dL/db = (2, 0); one step with lr 0.5.
    network.update(&mut SgdConfig::default().build().unwrap(), 0.5).unwrap();
    let parameters: Vec<_> = network.parameters().collect();
    let (w, b) = (array![[0.0, 0.0], [-1.0, -1.0]].into_dyn(), array![[-1.0, 0.0]].into_dyn());
    assert_eq!(parameters, [("0.W".to_owned(), &w), ("0.b".to_owned(), &b)]);
}

#[test]
fn the_fused_loss_gives_what_softmax_and_cross_entropy_give() {
    let (x, y) = batch();
    let mut composed = network(Loss::CrossEntropy);
    let mut fused = network(Loss::SoftmaxCrossEntropy);
    assert_eq!(composed.predict(&x).unwrap(), fused.predict(&x).unwrap());
    let out = composed.forward(x.clone()).unwrap();
    let loss = composed.backward(y.view(), out.view()).unwrap();
    let logits = fused.forward(x).unwrap();
    let fused_loss = fused.backward(y.view(), logits.view()).unwrap();
    assert_relative_eq!(loss, fused_loss, max_relative = 1e-14);
    for (composed, fused) in composed.layers().iter().zip(fused.layers()) {
        for ((name, composed), (_, fused)) in
            composed.gradients().iter().zip(fused.gradients().iter())
        {
            assert!(composed.iter().any(|g| g.abs() > 1e-3), "{name} has a gradient to compare");
            assert_abs_diff_eq!(composed, fused, epsilon = 1e-15);
        }
    }
}

#[test]
fn a_backward_pass_that_ends_early_has_the_same_gradients_as_far_as_it_goes() {
    let (x, y) = batch();
    let mut whole = network(Loss::SoftmaxCrossEntropy);
    let out = whole.forward(x.clone()).unwrap();
    let loss = whole.backward(y.view(), out.view()).unwrap();
    let at_rest = |name: &str| name.starts_with("0.");
    assert_eq!(whole.first_trained(|_| true), 0);
    assert_eq!(whole.first_trained(|name| name == "0.b"), 0);
    assert_eq!(whole.first_trained(|name| !at_rest(name)), 1);
    assert_eq!(whole.first_trained(|_| false), 2);
    for first in 0..3 {
        let mut part = network(Loss::SoftmaxCrossEntropy);
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
    let (x, y) = batch();
    let trained = |weight_decay| {
        let norm: Box<dyn LayerConfig<f64>> = Box::new(BatchNormConfig::default());
        let configs = vec![layer(5, Activation::TanH), norm, layer(3, Activation::Linear)];
        let loss = Loss::SoftmaxCrossEntropy;
        let mut network = NeuralNetwork::build(&configs, &[4], loss, &mut Rng::new(3)).unwrap();
        for layer in network.layers_mut() {
            for (_, parameter) in layer.parameters_and_gradients().0.iter_mut() {
                *parameter += 0.5;
            }
        }
        let before: Vec<_> = network.parameters().map(|(_, p)| p.clone()).collect();
        let out = network.forward(x.clone()).unwrap();
        network.backward(y.view(), out.view()).unwrap();
        let sgd = SgdConfig { weight_decay, ..SgdConfig::default() };
        network.update(&mut sgd.build().unwrap(), 0.25).unwrap();
        let after: Vec<_> = network.parameters().map(|(name, p)| (name, p.clone())).collect();
        (before, after)
    };
    let ((before, without), (_, with)) = (trained(0.0), trained(0.5));
    let names: Vec<_> = with.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["0.W", "0.b", "1.gamma", "1.beta", "2.W", "2.b"]);
    for (before, ((name, without), (_, with))) in before.iter().zip(without.iter().zip(&with)) {
        if name.ends_with(".W") {
            // lr λ = 1/8 of the weight is gone.
            assert_abs_diff_eq!(without - with, before / 8.0, epsilon = 1e-15);
        } else {
            assert_eq!(without, with, "{name}");
        }
    }
}

#[test]
fn prediction_needs_no_cache_and_leaves_none() {
    let (x, y) = batch();
    let mut network = network(Loss::CrossEntropy);
    let predicted = network.predict(&x).unwrap();
    let error = network.backward(y.view(), predicted.view()).unwrap_err();
    let before_forward = LayerError::BackwardBeforeForward { layer: "FullyConnected" };
    assert!(matches!(error, NetworkError::Layer { index: 1, cause } if cause == before_forward));
    assert_eq!(network.forward(x).unwrap(), predicted);
}

#[test]
fn the_error_is_the_fraction_of_wrong_rows_and_for_l2_the_loss() {
    let target = array![[1.0, 0.0], [0.0, 1.0], [1.0, 0.0], [0.0, 1.0]];
    let out = array![[0.9, 0.1], [0.6, 0.4], [0.5, 0.5], [0.0, 1.0]];
    let configs: Configs = vec![layer(2, Activation::SoftMax)];
    let classifier = NeuralNetwork::build(&configs, &[2], Loss::CrossEntropy, &mut Rng::new(0));
    // Of the tie the first column counts, which is right here.
    assert_eq!(classifier.unwrap().error(target.view(), out.view()).unwrap(), 0.25);
    let configs: Configs = vec![layer(2, Activation::Linear)];
    let regression = NeuralNetwork::build(&configs, &[2], Loss::L2, &mut Rng::new(0)).unwrap();
    // (0.02 + 0.72 + 0.5 + 0) / 2 / 4.
    let error = regression.error(target.view(), out.view()).unwrap();
    assert_abs_diff_eq!(error, 0.155, epsilon = 1e-15);
}

#[test]
fn layers_are_built_for_what_the_one_before_gives() {
    let configs: Configs = vec![Box::new(FlattenConfig), layer(3, Activation::Linear)];
    let network =
        NeuralNetwork::build(&configs, &[2, 3, 1], Loss::SoftmaxCrossEntropy, &mut Rng::new(0));
    assert_eq!(network.unwrap().layers()[1].input_shape(), [6]);

    let configs: Configs = vec![layer(3, Activation::Linear)];
    let error = NeuralNetwork::build(&configs, &[2, 3], Loss::L2, &mut Rng::new(0)).unwrap_err();
    assert!(error.to_string().starts_with("layer 0 (from 0): FullyConnected: "), "{error}");
}

#[test]
fn layers_that_do_not_fit_together_are_refused() {
    let build = |n_in: usize, n_out: usize| {
        let config = FullyConnectedConfig::new(n_out);
        let layer: Box<dyn layers::Layer<f64>> =
            Box::new(config.build(&[n_in], &mut Rng::new(0)).unwrap());
        layer
    };
    let error = NeuralNetwork::new(vec![build(4, 3), build(2, 1)], Loss::L2).unwrap_err();
    let expected = "layer 1 (from 0): FullyConnected: expected an input of shape (m, 2) with m >= \
                    1, but got [1, 3]";
    assert_eq!(error.to_string(), expected);
}

#[test]
fn a_loss_that_does_not_go_with_the_last_activation_is_refused() {
    for (loss, activation) in [
        (Loss::CrossEntropy, Activation::Linear),
        (Loss::CrossEntropy, Activation::Sigmoid),
        (Loss::SoftmaxCrossEntropy, Activation::SoftMax),
    ] {
        let configs: Configs = vec![layer(3, activation)];
        let error = NeuralNetwork::build(&configs, &[4], loss, &mut Rng::new(0)).unwrap_err();
        assert!(matches!(error, NetworkError::LastActivation { .. }), "{error}");
    }
    let error =
        NeuralNetwork::build(&Configs::new(), &[4], Loss::L2, &mut Rng::new(0)).unwrap_err();
    assert!(matches!(error, NetworkError::NoLayers));
}

#[test]
fn a_hidden_layer_without_units_is_refused() {
    let configs: Configs = vec![layer(0, Activation::ReLU), layer(3, Activation::Linear)];
    let error = NeuralNetwork::build(&configs, &[4], Loss::L2, &mut Rng::new(0)).unwrap_err();
    let expected = "layer 0 (from 0): FullyConnected: n_out must be at least 1, but is 0";
    assert_eq!(error.to_string(), expected);
}

#[test]
fn an_empty_mini_batch_is_refused() {
    let error = network(Loss::CrossEntropy).predict(&ArrayD::zeros(vec![0, 4])).unwrap_err();
    assert!(matches!(error, NetworkError::Layer { index: 0, .. }));
}

#[test]
fn weights_of_zero_say_nothing_and_cost_the_logarithm_of_the_classes() {
    let (x, y) = batch();
    for (init, tolerance) in [
        (WeightInit::Zeros, 1e-15),
        // Logits of standard deviation near 0.01 each move the loss by about as much, squared.
        (WeightInit::Normal { mean: 0.0, std: 0.01 }, 1e-2),
    ] {
        let config = |n_out, activation| -> Box<dyn LayerConfig<f64>> {
            Box::new(FullyConnectedConfig {
                activation,
                weight_init: init,
                ..FullyConnectedConfig::new(n_out)
            })
        };
        let configs: Configs = vec![config(5, Activation::ReLU), config(3, Activation::SoftMax)];
        let network =
            NeuralNetwork::build(&configs, &[4], Loss::CrossEntropy, &mut Rng::new(1)).unwrap();
        let out = network.infer(&x).unwrap();
        let loss = Loss::CrossEntropy.forward(y.view(), out.view()).unwrap();
        assert_abs_diff_eq!(loss, 3.0_f64.ln(), epsilon = tolerance);
    }
}
