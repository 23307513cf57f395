//! Training steps with burn and its backend flex, for `cargo xtask bench --burn`.
//!
//! Images are batch, channels, rows, columns, so a Flatten takes them in another order than ours.

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
use burn::nn::{Linear, LinearConfig, PaddingConfig2d, Relu};
use burn::optim::momentum::MomentumConfig;
use burn::optim::{GradientsParams, Optimizer, SgdConfig};
use burn::tensor::backend::Backend;
use burn::tensor::{Int, Tensor, TensorData};
use protocol::{Activation, Framework, LEARNING_RATE, Layer, Pad, Step, Training};

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

/// A layer, or an activation behind one.
#[derive(Module, Debug)]
enum Part<B: Backend> {
    Conv2d(Conv2d<B>),
    MaxPool2d(MaxPool2d),
    Linear(Linear<B>),
    Flatten(Flatten),
    Relu(Relu),
}

/// Makes a row of an image.
#[derive(Module, Clone, Debug)]
struct Flatten;

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
    fn new(training: &Training, device: &B::Device) -> Result<Self> {
        let mut parts = Vec::new();
        for (layer, shape) in &training.layers {
            parts.push(match (layer, &shape[..]) {
                (
                    &Layer::Conv2d { n_out, kernel_shape, stride, pad, bias, .. },
                    &[_, _, channels],
                ) => {
                    let config = Conv2dConfig::new([channels, n_out], kernel_shape)
                        .with_stride([stride, stride])
                        .with_padding(padding(pad, kernel_shape))
                        .with_bias(bias);
                    Part::Conv2d(config.init(device))
                }
                (&Layer::FullyConnected { n_out, bias, .. }, &[n_in]) => {
                    Part::Linear(LinearConfig::new(n_in, n_out).with_bias(bias).init(device))
                }
                (&Layer::Pool2d { kernel_shape, stride, pad, .. }, _) => {
                    let config = MaxPool2dConfig::new(kernel_shape)
                        .with_strides([stride, stride])
                        .with_padding(padding(pad, kernel_shape));
                    Part::MaxPool2d(config.init())
                }
                (Layer::Flatten {}, _) => Part::Flatten(Flatten),
                _ => bail!("{layer:?} cannot follow the shape {shape:?}"),
            });
            if let Activation::ReLU = layer.activation() {
                parts.push(Part::Relu(Relu::new()));
            }
        }
        Ok(Self { parts })
    }

    /// The logits, `(batch, classes)`.
    fn forward(&self, mut x: Batch<B>) -> Result<Tensor<B, 2>> {
        use Batch::{Images, Rows};
        for part in &self.parts {
            x = match (part, x) {
                (Part::Conv2d(layer), Images(x)) => Images(layer.forward(x)),
                (Part::MaxPool2d(layer), Images(x)) => Images(layer.forward(x)),
                (Part::Linear(layer), Rows(x)) => Rows(layer.forward(x)),
                (Part::Flatten(_), Images(x)) => Rows(x.flatten(1, 3)),
                (Part::Relu(layer), Images(x)) => Images(layer.forward(x)),
                (Part::Relu(layer), Rows(x)) => Rows(layer.forward(x)),
                (part, _) => bail!("{part:?} cannot take what the layer before it returns"),
            };
        }
        match x {
            Rows(logits) => Ok(logits),
            Images(_) => {
                bail!("expected a network that ends in units, got one that ends in images")
            }
        }
    }
}

fn padding(pad: Pad, kernel: [usize; 2]) -> PaddingConfig2d {
    let [rows, cols] = pad.cells(kernel);
    PaddingConfig2d::Explicit(rows, cols, rows, cols)
}

/// A training step. The gradient of the first input is not computed, since none was asked for.
fn step(training: &Training) -> Result<Step> {
    let device = FlexDevice;
    Train::seed(&device, 0);
    // As in PyTorch and ours: no dampening, of which burn's default is 0.1.
    let momentum = MomentumConfig { momentum: 0.9, dampening: 0.0, nesterov: false };
    let mut optimiser = SgdConfig::new().with_momentum(Some(momentum)).init();
    let inputs = TensorData::new(training.inputs(), training.shape());
    let x = match training.input.len() {
        3 => Batch::Images(Tensor::from_data(inputs, &device)),
        _ => Batch::Rows(Tensor::from_data(inputs, &device)),
    };
    let target: Vec<i64> = training.classes().map(|class| class as i64).collect();
    let target: Tensor<Train, 1, Int> = Tensor::from_data(target.as_slice(), &device);
    let cross_entropy = CrossEntropyLossConfig::new().init(&device);
    // The optimiser takes the network and returns it updated.
    let mut current = Some(Network::new(training, &device)?);
    Ok(Box::new(move || {
        let network: Network<Train> = current.take().context("an earlier step has failed")?;
        let loss = cross_entropy.forward(network.forward(x.clone())?, target.clone());
        let gradients = GradientsParams::from_grads(loss.backward(), &network);
        current = Some(optimiser.step(LEARNING_RATE, network, gradients));
        Ok(loss.into_scalar())
    }))
}
