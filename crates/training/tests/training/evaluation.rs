//! Loss and error on a data set.

use activations::Activation;
use approx::assert_relative_eq;
use datasets::{Dataset, argmax};
use layers::{FullyConnectedConfig, LayerConfig};
use losses::Loss;
use ndarray::{Array2, array};
use network::NeuralNetwork;
use numerics::Rng;
use training::Trainable;

fn network(n_in: usize, n_out: usize, loss: Loss) -> NeuralNetwork<f64> {
    let activation = match loss {
        Loss::CrossEntropy => Activation::SoftMax,
        _ => Activation::Linear,
    };
    let config = FullyConnectedConfig { activation, ..FullyConnectedConfig::new(n_out) };
    let configs: [Box<dyn LayerConfig<f64>>; 1] = [Box::new(config)];
    NeuralNetwork::build(&configs, &[n_in], loss, &mut Rng::new(3)).unwrap()
}

#[test]
fn a_data_set_is_measured_as_one_batch_would_be() {
    // More examples than are evaluated at once, and not a multiple of them.
    let n = 600;
    let x = Rng::new(1).normal_array::<f64, _, _>((n, 4), 0.0, 1.0).into_dyn();
    let labels: Vec<usize> = (0..n).map(|i| i % 3).collect();
    let y = datasets::one_hot(&labels, 3).unwrap();
    for loss in Loss::ALL {
        let network = network(4, 3, loss);
        let measured = network.measure(&Dataset::new(x.clone(), y.clone()).unwrap()).unwrap();
        let out = network.infer(&x).unwrap();
        let whole = loss.forward(y.view(), out.view()).unwrap();
        assert_relative_eq!(measured.loss, whole, max_relative = 1e-13);
        let said = argmax(out.view()).unwrap();
        let wrong = said.iter().zip(&labels).filter(|(said, label)| said != label).count();
        match measured.wrong {
            Some(counted) => assert_eq!((counted, measured.error), (wrong, wrong as f64 / 600.0)),
            None => assert_eq!((loss, measured.error), (Loss::L2, measured.loss)),
        }
    }
}

#[test]
fn an_example_whose_outputs_overflow_is_named() {
    let mut network = network(1, 2, Loss::SoftmaxCrossEntropy);
    network.layers_mut()[0].set_parameter("W", &array![[1.0, 1e200]].into_dyn()).unwrap();
    let mut x = Array2::<f64>::zeros((600, 1));
    x[[590, 0]] = 1e200;
    let y = datasets::one_hot(&[0; 600], 2).unwrap();
    let error = network.measure(&Dataset::new(x.into_dyn(), y).unwrap()).unwrap_err();
    let expected = "predictions, row 590: expected finite numbers, but got inf";
    assert_eq!(error.to_string(), expected);
}
