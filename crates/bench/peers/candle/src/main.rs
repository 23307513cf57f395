//! Training steps with candle on the CPU, for `cargo xtask bench --candle`.
//!
//! Images are batch, channels, rows, columns, so a Flatten takes them in another order than ours.

#[path = "../../protocol.rs"]
mod protocol;

use std::process::ExitCode;

use anyhow::{Result, bail, ensure};
use candle_core::utils::get_num_threads;
use candle_core::{DType, Device, Tensor};
use candle_nn::{
    Conv2dConfig, Optimizer, SGD, Sequential, VarBuilder, VarMap, conv2d, conv2d_no_bias, linear_b,
    loss, seq,
};
use protocol::{Activation, Framework, LEARNING_RATE, Layer, Step, Training};

fn main() -> ExitCode {
    let framework = Framework {
        name: "candle",
        package: "candle-core",
        lock: include_str!("../Cargo.lock"),
        optimiser: "SGD without momentum",
        threads: get_num_threads(),
    };
    protocol::run(&framework, step)
}

/// A training step. The gradient of the first input is not computed, since it is no variable.
fn step(training: &Training) -> Result<Step> {
    let device = Device::Cpu;
    let variables = VarMap::new();
    let model = network(training, &VarBuilder::from_varmap(&variables, DType::F32, &device))?;
    // The optimiser has no momentum, so it does less than that of the others.
    let mut optimiser = SGD::new(variables.all_vars(), LEARNING_RATE)?;
    let x = Tensor::from_vec(training.inputs(), training.shape(), &device)?;
    let target: Vec<u32> = training.classes().map(|class| class as u32).collect();
    let target = Tensor::new(target, &device)?;
    Ok(Box::new(move || {
        let loss = loss::cross_entropy(&x.apply(&model)?, &target)?;
        optimiser.backward_step(&loss)?;
        Ok(loss.to_scalar()?)
    }))
}

/// The model of these layers.
fn network(training: &Training, variables: &VarBuilder) -> Result<Sequential> {
    let mut model = seq();
    for (index, (layer, shape)) in training.layers.iter().enumerate() {
        let variables = variables.pp(index);
        model = match (layer, &shape[..]) {
            (&Layer::Conv2d { n_out, kernel_shape, stride, pad, bias, .. }, &[_, _, channels]) => {
                let ([side, cols], [padding, pad_cols]) = (kernel_shape, pad.cells(kernel_shape));
                ensure!(
                    side == cols && padding == pad_cols,
                    "candle's convolution has square kernels, got {kernel_shape:?}"
                );
                let config = Conv2dConfig { padding, stride, ..Conv2dConfig::default() };
                let build = if bias { conv2d } else { conv2d_no_bias };
                model.add(build(channels, n_out, side, config, variables)?)
            }
            (&Layer::FullyConnected { n_out, bias, .. }, &[n_in]) => {
                model.add(linear_b(n_in, n_out, bias, variables)?)
            }
            (&Layer::Pool2d { kernel_shape, stride, pad, .. }, _) => {
                ensure!(
                    kernel_shape == [stride, stride] && pad.cells(kernel_shape) == [0, 0],
                    "candle has a backward pass of max pooling only for windows as large as the \
                     stride and without padding, got {layer:?}"
                );
                model.add_fn(move |x| x.max_pool2d(stride))
            }
            (Layer::Flatten {}, _) => model.add_fn(|x| x.flatten_from(1)),
            _ => bail!("{layer:?} cannot follow the shape {shape:?}"),
        };
        if let Activation::ReLU = layer.activation() {
            model = model.add(candle_nn::Activation::Relu);
        }
    }
    Ok(model)
}
