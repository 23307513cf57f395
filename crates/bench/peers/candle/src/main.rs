//! Training steps with candle on the CPU, for `cargo xtask bench --candle`.
//!
//! Images are batch, channels, rows, columns, so they are flattened in another order than ours.

#[path = "../../protocol.rs"]
mod protocol;

use std::process::ExitCode;

use anyhow::Result;
use candle_core::utils::get_num_threads;
use candle_core::{DType, Device, Tensor};
use candle_nn::{
    Activation, Conv2dConfig, Optimizer, SGD, Sequential, VarBuilder, VarMap, conv2d, linear, loss,
    seq,
};
use protocol::{Framework, LEARNING_RATE, Layer, Step, Training};

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
    let model =
        network(training.layers, &VarBuilder::from_varmap(&variables, DType::F32, &device))?;
    // The optimiser has no momentum, so it does less than that of the others.
    let mut optimiser = SGD::new(variables.all_vars(), LEARNING_RATE)?;
    let x = Tensor::from_vec(training.inputs(), &training.shape[..], &device)?;
    let target: Vec<u32> = training.classes().map(|class| class as u32).collect();
    let target = Tensor::new(target, &device)?;
    Ok(Box::new(move || {
        let loss = loss::cross_entropy(&x.apply(&model)?, &target)?;
        optimiser.backward_step(&loss)?;
        Ok(loss.to_scalar()?)
    }))
}

/// The model of these layers.
fn network(layers: &[Layer], variables: &VarBuilder) -> Result<Sequential> {
    let mut model = seq();
    for (index, layer) in layers.iter().enumerate() {
        let variables = variables.pp(index);
        model = match *layer {
            Layer::Conv2d(n_in, n_out) => {
                let config = Conv2dConfig { padding: 1, ..Conv2dConfig::default() };
                model.add(conv2d(n_in, n_out, 3, config, variables)?).add(Activation::Relu)
            }
            Layer::MaxPool2d => model.add_fn(|x| x.max_pool2d(2)),
            Layer::Linear(n_in, n_out) => {
                model = model.add_fn(|x| x.flatten_from(1)).add(linear(n_in, n_out, variables)?);
                if index + 1 == layers.len() { model } else { model.add(Activation::Relu) }
            }
        };
    }
    Ok(model)
}
