//! Training steps with burn and its backend flex, for `cargo xtask bench --burn`.
//!
//! Images are batch, channels, rows, columns, so they are flattened in another order than ours.

#[path = "../../protocol.rs"]
mod protocol;

use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use burn::backend::flex::FlexDevice;
use burn::backend::{Autodiff, Flex};
use burn::module::Module;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::loss::CrossEntropyLossConfig;
use burn::nn::pool::{MaxPool2d, MaxPool2dConfig};
use burn::nn::{Linear, LinearConfig, PaddingConfig2d};
use burn::optim::momentum::MomentumConfig;
use burn::optim::{GradientsParams, Optimizer, SgdConfig};
use burn::tensor::activation::relu;
use burn::tensor::backend::Backend;
use burn::tensor::{Int, Tensor, TensorData};
use protocol::{Framework, LEARNING_RATE, Layer, Step, Training};

/// Flex with gradients.
type Train = Autodiff<Flex>;

fn main() -> ExitCode {
    let framework = Framework {
        name: "burn (flex)",
        package: "burn",
        lock: include_str!("../Cargo.lock"),
        optimiser: "SGD with momentum",
        threads: rayon::current_num_threads(),
    };
    protocol::run(&framework, step)
}

/// A layer.
#[derive(Module, Debug)]
enum Part<B: Backend> {
    Conv2d(Conv2d<B>),
    MaxPool2d(MaxPool2d),
    Linear(Linear<B>),
}

#[derive(Module, Debug)]
struct Network<B: Backend> {
    parts: Vec<Part<B>>,
}

/// A mini-batch on its way; burn's tensors have their rank in the type.
#[derive(Clone)]
enum Batch<B: Backend> {
    Images(Tensor<B, 4>),
    Rows(Tensor<B, 2>),
}

impl<B: Backend> Network<B> {
    /// The model of these layers.
    fn new(layers: &[Layer], device: &B::Device) -> Self {
        let part = |layer: &Layer| match *layer {
            Layer::Conv2d(n_in, n_out) => {
                let config = Conv2dConfig::new([n_in, n_out], [3, 3]);
                let config = config.with_padding(PaddingConfig2d::Explicit(1, 1, 1, 1));
                Part::Conv2d(config.init(device))
            }
            Layer::MaxPool2d => {
                Part::MaxPool2d(MaxPool2dConfig::new([2, 2]).with_strides([2, 2]).init())
            }
            Layer::Linear(n_in, n_out) => Part::Linear(LinearConfig::new(n_in, n_out).init(device)),
        };
        Self { parts: layers.iter().map(part).collect() }
    }

    /// The logits, `(batch, classes)`.
    fn forward(&self, mut x: Batch<B>) -> Result<Tensor<B, 2>> {
        use Batch::{Images, Rows};
        for (index, part) in self.parts.iter().enumerate() {
            x = match (part, x) {
                (Part::Conv2d(layer), Images(x)) => Images(relu(layer.forward(x))),
                (Part::MaxPool2d(layer), Images(x)) => Images(layer.forward(x)),
                (Part::Linear(layer), x) => {
                    let rows = match x {
                        Images(x) => x.flatten(1, 3),
                        Rows(x) => x,
                    };
                    let y = layer.forward(rows);
                    if index + 1 == self.parts.len() {
                        return Ok(y);
                    }
                    Rows(relu(y))
                }
                (part, Rows(_)) => bail!("{part:?} takes images"),
            };
        }
        bail!("the last layer is not linear")
    }
}

/// A training step. The gradient of the first input is not computed, since none was asked for.
fn step(training: &Training) -> Result<Step> {
    let device = FlexDevice;
    Train::seed(&device, 0);
    // As in PyTorch and ours: no dampening, of which burn's default is 0.1.
    let momentum = MomentumConfig { momentum: 0.9, dampening: 0.0, nesterov: false };
    let mut optimiser = SgdConfig::new().with_momentum(Some(momentum)).init();
    let inputs = TensorData::new(training.inputs(), training.shape.clone());
    let x = match training.shape.len() {
        4 => Batch::Images(Tensor::from_data(inputs, &device)),
        _ => Batch::Rows(Tensor::from_data(inputs, &device)),
    };
    let target: Vec<i64> = training.classes().map(|class| class as i64).collect();
    let target: Tensor<Train, 1, Int> = Tensor::from_data(target.as_slice(), &device);
    let cross_entropy = CrossEntropyLossConfig::new().init(&device);
    // The optimiser takes the network and returns it updated.
    let mut current = Some(Network::new(training.layers, &device));
    Ok(Box::new(move || {
        let network: Network<Train> = current.take().context("an earlier step has failed")?;
        let loss = cross_entropy.forward(network.forward(x.clone())?, target.clone());
        let gradients = GradientsParams::from_grads(loss.backward(), &network);
        current = Some(optimiser.step(LEARNING_RATE, network, gradients));
        Ok(loss.into_scalar())
    }))
}
