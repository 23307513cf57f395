//! Networks of layers: section 2.3 of the assignment and question 5.

pub(crate) mod gradient;
mod oracle;
mod worked;

use std::collections::BTreeMap;
use std::sync::Arc;

use activations::Activation;
use layers::{FullyConnectedConfig, Layer, LayerError, Parameters, WeightInit};
use losses::Loss;
use ndarray::{Array2, ArrayD, IxDyn};
use network::{NetworkError, NeuralNetwork};
use optim::{Sgd, SgdConfig, Step};

use self::gradient::dense;
use super::softmax_cross_entropy::softmax;
use crate::Check;
use crate::cases::{Case, Failure, Verdict, claim};
use crate::foreign::{Program, ProgramNetwork};
use crate::layer::{Spec, set_parameters};
use crate::room::{Checks, PlainRoom, bugs, free_claim};
use crate::transcription::{array_of, sum};

/// The way through layers that are right.
#[derive(Clone)]
pub(crate) enum Passes {
    /// That of users.
    Ours,
    /// With a bug, or with none.
    Faulty(&'static str),
    /// That of a program, before it has built the network.
    Of(Arc<Program>),
    /// That of a network that a program has built, with the parameters of ours.
    Built(Arc<ProgramNetwork>),
}

pub(super) static ROOM: PlainRoom<Passes> = PlainRoom {
    name: "NeuralNetwork",
    question: "5",
    real: || Arc::new(Passes::Ours),
    faulty: |bug| Arc::new(Passes::Faulty(bug)),
    of_program: |program| program.has_networks().then(|| Arc::new(Passes::Of(Arc::clone(program)))),
    checks: |own| {
        oracle::add(own);
        gradient::add(own);
        formulas(own);
        // Six steps of numbers below 16, each rounded a few times.
        own.within(1e-13, "each_parameter_has_a_velocity_of_its_own", own_velocities);
    },
    free_checks: || vec![signal_check()],
    bugs: bugs! {
        "network-last-layer" [Gradient Formula] "a last layer that keeps the shape is left out of the forward pass"
        "network-front-to-back" [Oracle Gradient] "the backward pass goes through the layers in the order of the forward pass"
        "network-first-layer" [Oracle Gradient] "the backward pass stops before the first layer, whose gradients stay 0"
        "network-mean-twice" [Oracle Gradient] "the gradient of the loss is divided by m once more"
        "network-loss-of-sum" [Oracle] "the loss that is reported is the sum over the examples; the gradients are right"
        "network-one-velocity" [Property] "parameters of one name and shape in different layers share a velocity"
        "network-first-layer-only" [Oracle Property] "only the first layer is updated"
        "network-ascends" [Oracle Property] "the parameters move along the gradient, not against it"
        "network-predicts-logits" [Formula] "the prediction of a network whose loss has the softmax is logits"
        "network-softmax-twice" [Formula] "the prediction goes through the softmax twice; the class stays the same"
    },
    examples: &[("step", worked::step), ("perceptron", worked::perceptron)],
};

impl Passes {
    /// The same for a network of these layers and this loss, which a program has to build.
    fn of_layers(&self, layers: &[Spec], loss: Loss) -> Self {
        match self {
            Self::Of(program) => {
                Self::Built(Arc::new(ProgramNetwork::build(program, layers, loss)))
            }
            own => own.clone(),
        }
    }

    fn bug(&self) -> Option<&'static str> {
        if let Self::Faulty(bug) = self { Some(bug) } else { None }
    }

    /// The output of the last layer; writes the caches.
    pub(crate) fn forward(
        &self,
        network: &mut NeuralNetwork<f64>,
        x: ArrayD<f64>,
    ) -> Result<Array2<f64>, NetworkError> {
        if let Self::Built(own) = self {
            return Ok(own.forward(network, &x));
        }
        let out = network.forward(x.clone())?;
        if self.bug() == Some("network-last-layer") {
            let (_, before) = network.layers().split_last().expect("a network has layers");
            let before = before.iter().try_fold(x, |x, layer| layer.predict(&x)).map_err(at(0))?;
            if before.shape() == out.shape() {
                return Ok(before.into_dimensionality().expect("it has the shape of the output"));
            }
        }
        Ok(out)
    }

    /// The loss of what forward gave; fills the gradients of every layer.
    pub(crate) fn backward(
        &self,
        network: &mut NeuralNetwork<f64>,
        target: &Array2<f64>,
        out: &Array2<f64>,
    ) -> Result<f64, NetworkError> {
        if let Self::Built(own) = self {
            return own.backward(network, target, out);
        }
        let loss = network.backward(target.view(), out.view())?;
        let m = target.nrows() as f64;
        match self.bug() {
            Some("network-loss-of-sum") => return Ok(loss * m),
            Some("network-mean-twice") => scale(network.layers_mut(), 1.0 / m)?,
            Some("network-first-layer") => scale(&mut network.layers_mut()[..1], 0.0)?,
            Some("network-front-to-back") => {
                let mut dl_dy = network.loss().backward(target.view(), out.view())?.into_dyn();
                for (index, layer) in network.layers_mut().iter_mut().enumerate() {
                    dl_dy = layer.backward(dl_dy).map_err(at(index))?;
                }
            }
            _ => {}
        }
        Ok(loss)
    }

    /// One step of the optimiser for every parameter.
    fn update(
        &self,
        network: &mut NeuralNetwork<f64>,
        optimiser: &mut Sgd<f64>,
        lr: f64,
    ) -> Result<(), NetworkError> {
        if let Self::Built(own) = self {
            own.update();
        }
        let Some(bug) = self.bug() else { return network.update(optimiser, lr) };
        network.update_each(|name, parameter, gradient, decays| {
            let (layer, own) = name.split_once('.').unwrap_or_default();
            let sign = match bug {
                "network-first-layer-only" if layer != "0" => return Ok(()),
                "network-ascends" => -1.0,
                _ => 1.0,
            };
            // By their shape, so that the bug is no error.
            let known = match bug {
                "network-one-velocity" => format!("{own} {:?}", parameter.shape()),
                _ => name.to_owned(),
            };
            optimiser.update(&known, parameter, &(gradient * sign), Step { lr, decays })
        })
    }

    /// The prediction: probabilities, if the loss is a cross-entropy.
    pub(crate) fn predict(
        &self,
        network: &NeuralNetwork<f64>,
        x: &ArrayD<f64>,
    ) -> Result<Array2<f64>, NetworkError> {
        if let Self::Built(own) = self {
            return Ok(own.predict(network, x));
        }
        match self.bug() {
            Some("network-predicts-logits") => network.infer(x),
            Some("network-softmax-twice") if network.loss() == Loss::SoftmaxCrossEntropy => {
                Ok(Activation::SoftMax.forward(&network.predict(x)?))
            }
            _ => network.predict(x),
        }
    }
}

/// Multiplies the gradients of layers.
fn scale(layers: &mut [Box<dyn Layer<f64>>], factor: f64) -> Result<(), NetworkError> {
    layers.iter_mut().enumerate().try_for_each(|(index, layer)| {
        let scaled = layer.gradients().iter().map(|(name, gradient)| (name, gradient * factor));
        let scaled = Parameters::new(scaled.collect::<Vec<_>>());
        layer.state_mut().set_gradients(scaled).map_err(at(index))
    })
}

fn at(index: usize) -> impl FnOnce(LayerError) -> NetworkError {
    move |cause| NetworkError::Layer { index, cause }
}

fn formulas(own: &mut Checks<Passes>) {
    // h[l] = σ[l](h[l-1] W[l] + b[l]), from h[0] = x on, for σ = tanh. With u = 2⁻⁵³: 4 products and a bias of
    // magnitude 1 are off by 5 · 5 u = 2.8e-15; tanh does not enlarge that. The next layer adds as much to the
    // error of its 4 inputs, the third again: 5.9e-14, and twice that between two implementations.
    own.formula("layer", 2e-13, |passes, case| {
        let depth = case.between(1, 3);
        let units = case.shape(depth + 1, 4);
        case.describe(format!("units {units:?}"));
        let (passes, mut network) = network(passes, case, &units, Activation::TanH, Loss::L2)?;
        let m = case.between(1, 4);
        let x = case.array(&[m, units[0]]);
        let mut h = x.clone().into_dimensionality()?;
        for layer in network.layers() {
            h = affine(&h, &**layer).mapv(f64::tanh);
        }
        case.compare("the last h", &passes.forward(&mut network, x)?, &h)
    });
    // P = softmax(σ(X W[1] + b[1]) W[2] + b[2]), for σ = tanh. 4 inputs and a bias as above, 2.8e-15; 7 hidden
    // units and a bias 7 · 2.8e-15 + 8 · 8 u = 2.7e-14, twice that between two implementations; softmax does not
    // enlarge it and adds 1e-14 of its own.
    own.formula("iris-network", 1e-13, |passes, case| {
        let units = [4, case.between(1, 7), 3];
        case.describe(format!("units {units:?}"));
        let loss = Loss::SoftmaxCrossEntropy;
        let (passes, network) = network(passes, case, &units, Activation::TanH, loss)?;
        let m = case.between(1, 4);
        let x = case.array(&[m, 4]);
        let [first, second] = network.layers() else {
            return Err(Failure::new("the network has not two layers"));
        };
        let hidden = affine(&x.clone().into_dimensionality()?, &**first).mapv(f64::tanh);
        let count: usize = network.parameters().map(|(_, array)| array.len()).sum();
        claim(count == 8 * units[1] + 3, || format!("{count} parameters"))?;
        case.compare("P", &passes.predict(&network, &x)?, &softmax(&affine(&hidden, &**second)))
    });
}

/// A network of these units whose hidden layers, and with [`Loss::L2`] also the last, have this
/// activation; all parameters from `[-1, 1)`.
fn network(
    passes: &Passes,
    case: &mut Case,
    units: &[usize],
    activation: Activation,
    loss: Loss,
) -> Result<(Passes, NeuralNetwork<f64>), Failure> {
    let last = units.len() - 2;
    let spec = |(layer, pair): (usize, &[usize])| {
        let bent = layer < last || loss == Loss::L2;
        let activation = if bent { activation } else { Activation::Linear };
        dense(pair[0], pair[1], activation)
    };
    let layers: Vec<Spec> = units.windows(2).enumerate().map(spec).collect();
    let built: Result<_, _> = layers.iter().map(|spec| spec.build(&mut case.rng)).collect();
    let mut network = NeuralNetwork::new(built?, loss)?;
    for layer in network.layers_mut() {
        set_parameters(&mut **layer, |_, shape| case.array(shape))?;
    }
    Ok((passes.of_layers(&layers, loss), network))
}

/// `X W + b` with the parameters of a layer, index by index.
fn affine(x: &Array2<f64>, layer: &dyn Layer<f64>) -> Array2<f64> {
    let (w, b) = (layer.parameters().matrix("W"), layer.parameters().matrix("b"));
    array_of((x.nrows(), w.ncols()), |(n, j)| sum(x.ncols(), |i| x[[n, i]] * w[[i, j]]) + b[[0, j]])
}

/// Layers whose parameters have the same names and shapes, so that a velocity that they share would
/// fit: each moves by `v ← μ v + lr g`, `p ← p - v` of its own.
fn own_velocities(passes: &Passes, case: &mut Case) -> Verdict {
    let (n, depth, m) = (case.between(1, 4), case.between(2, 3), case.between(1, 4));
    let (momentum, lr) = (0.1 + 0.8 * case.rng.uniform(), 0.1 + 0.4 * case.rng.uniform());
    case.describe(format!("{depth} layers of {n} units, m {m}, momentum {momentum}, lr {lr}"));
    let units = vec![n; depth + 1];
    let (passes, mut network) = network(passes, case, &units, Activation::TanH, Loss::L2)?;
    let x = case.array(&[m, n]);
    let target: Array2<f64> = case.array(&[m, n]).into_dimensionality()?;
    let mut sgd = SgdConfig { momentum, ..SgdConfig::default() }.build::<f64>()?;
    let start = network.parameters().map(|(name, p)| (name, (p.clone(), p * 0.0)));
    let mut expected: BTreeMap<String, (ArrayD<f64>, ArrayD<f64>)> = start.collect();
    for step in 1..=6 {
        let out = passes.forward(&mut network, x.clone())?;
        passes.backward(&mut network, &target, &out)?;
        for (index, layer) in network.layers().iter().enumerate() {
            for (name, g) in layer.gradients().iter() {
                let own = expected.get_mut(&format!("{index}.{name}"));
                let (p, v) = own.expect("every parameter has a gradient");
                *v = &*v * momentum + g * lr;
                *p -= &*v;
            }
        }
        passes.update(&mut network, &mut sgd, lr)?;
        for (name, p) in network.parameters() {
            case.compare(&format!("{name} after {step} steps"), p, &expected[&name].0)?;
        }
    }
    Ok(())
}

/// Through 8 layers of 256 units the mean square of a signal stays around 1 if the initialiser suits
/// the activation; without the gain √2 a ReLU network would shrink it 256-fold. The allowed factor, 16,
/// is the square root of that: the mean square is a product of 8 factors, which vary by at most
/// `√(5/256) = 0.14` each, so 16 is `ln 16 / (√8 · 0.14) = 7` standard deviations away.
fn signal_check() -> Check {
    free_claim(3, 0.0, "properties.WeightInit", "a_signal_keeps_its_size", |case| {
        for (weight_init, activation) in [
            (WeightInit::HeNormal, Activation::ReLU),
            (WeightInit::HeUniform, Activation::ReLU),
            (WeightInit::XavierUniform, Activation::Linear),
            (WeightInit::XavierNormal, Activation::Linear),
        ] {
            let plain = FullyConnectedConfig::new(256);
            let config = FullyConnectedConfig { activation, weight_init, ..plain };
            let mut signal: ArrayD<f64> = case.rng.normal_array(IxDyn(&[16, 256]), 0.0, 1.0);
            for _ in 0..8 {
                signal = config.build(&[256], &mut case.rng)?.predict(&signal)?;
            }
            let mean_square = signal.iter().map(|s| s * s).sum::<f64>() / signal.len() as f64;
            claim((1.0 / 16.0..=16.0).contains(&mean_square), || {
                format!("{weight_init} with {activation}: the mean square became {mean_square}")
            })?;
        }
        Ok(())
    })
}
