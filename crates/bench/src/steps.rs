//! Whole training steps, and predictions.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use bench::{Subject, Work};
use losses::Loss;
use ndarray::{Array2, Array4, ArrayD};
use network::NeuralNetwork;
use numerics::{Rng, reused};
use optim::{Sgd, SgdConfig};
use training::{LayerSpec, Model, ModelSpec, StepTable};

use crate::models::{BenchModel, CLASSES};
use crate::rounds::{Case, timed};

/// Small, so that what is computed stays finite however long it goes on.
const LEARNING_RATE: f64 = 1e-3;

/// A network with random images and targets, and an optimiser.
struct Trainer {
    network: NeuralNetwork<f32>,
    optimiser: Sgd<f32>,
    x: ArrayD<f32>,
    target: Array2<f32>,
}

/// The network of a model with random parameters.
pub(crate) fn network(model: &BenchModel) -> Result<NeuralNetwork<f32>> {
    let configs: Vec<_> = model.layers.iter().map(LayerSpec::config).collect();
    let loss = Loss::SoftmaxCrossEntropy;
    Ok(NeuralNetwork::build(&configs, &model.input_shape, loss, &mut Rng::new(0))?)
}

impl Trainer {
    fn new(model: &BenchModel, batch: usize) -> Result<Self> {
        let mut rng = Rng::new(1);
        let shape = [&[batch], &model.input_shape[..]].concat();
        let target = Array2::from_shape_fn((batch, CLASSES), |(image, class)| {
            f32::from(u8::from(image % CLASSES == class))
        });
        Ok(Self {
            network: network(model)?,
            optimiser: SgdConfig { momentum: 0.9, ..SgdConfig::default() }.build()?,
            x: rng.normal_array(shape, 0.0, 1.0),
            target,
        })
    }

    /// A step as a training makes it; returns how long it took without the copy of the images, which
    /// stands for the data that a training makes.
    fn step(&mut self) -> Result<Duration> {
        let mut x = reused(self.x.raw_dim());
        x.assign(&self.x);
        let start = Instant::now();
        self.network.profiler_mut().begin_step();
        let out = self.network.forward(x)?;
        let loss = self.network.backward_to(0, self.target.view(), out.view())?;
        self.network.update(&mut self.optimiser, LEARNING_RATE)?;
        self.network.profiler_mut().end_step(self.target.nrows());
        let time = start.elapsed();
        ensure!(loss.is_finite(), "expected a finite loss, got {loss}");
        Ok(time)
    }
}

/// A training step of a model. A name of its own tells scaled variants apart.
pub(crate) fn step_case(
    name: &str,
    model: BenchModel,
    batch: usize,
    threads: usize,
) -> Result<Case> {
    let mut trainer = Trainer::new(&model, batch)?;
    let subject = Subject::Step { model: model.name.to_owned(), width: model.width };
    let work = Work::Examples(batch as u64);
    let step = move || trainer.step();
    let case = Case::new(format!("{name}/ours"), subject, batch, threads, work, step);
    Ok(Case { model: Some(model), ..case })
}

/// Predictions of a model, as the program `kaggle` makes them.
pub(crate) fn inference_case(model: BenchModel, batch: usize, threads: usize) -> Result<Case> {
    let [rows, cols, channels] = model.input_shape[..] else {
        bail!("{} takes inputs of shape {:?}, no images", model.name, model.input_shape);
    };
    let spec = ModelSpec {
        name: model.name.to_owned(),
        input_shape: [rows, cols, channels],
        class_names: (0..CLASSES).map(|class| class.to_string()).collect(),
        mean: vec![0.5; channels],
        std: vec![0.25; channels],
        layers: model.layers.clone(),
    };
    let built = Model::build(spec, &mut Rng::new(0))?;
    let images = Array4::from_shape_fn((batch, rows, cols, channels), |(n, i, j, c)| {
        ((31 * n + 7 * i + 3 * j + c) % 256) as u8
    });
    let once = move || {
        let (classes, time) = timed(|| built.predict(images.view()));
        classes?;
        Ok(time)
    };
    let name = format!("inference/{}-{batch}/ours", model.name);
    let subject = Subject::Inference { model: model.name.to_owned() };
    let case = Case::new(name, subject, batch, threads, Work::Examples(batch as u64), once);
    Ok(Case { model: Some(model), ..case })
}

/// Makes some training steps and nothing else, in a process of its own, and returns its peak memory.
pub(crate) fn steps_for_peak_memory(model: &BenchModel, batch: usize) -> Result<u64> {
    /// After these, no more memory is taken than before: the first makes gradients and velocities.
    const STEPS: usize = 3;
    let mut trainer = Trainer::new(model, batch)?;
    for _ in 0..STEPS {
        trainer.step()?;
    }
    experiment::peak_memory().context("this system does not tell the peak memory; Linux does")
}

/// The time of each part of so many steps, after one that is not counted.
pub(crate) fn profile_step(model: &BenchModel, batch: usize, steps: usize) -> Result<StepTable> {
    let mut trainer = Trainer::new(model, batch)?;
    trainer.step()?;
    trainer.network.profiler_mut().switch_on();
    for _ in 0..steps.max(1) {
        trainer.step()?;
    }
    StepTable::new(&model.layers, &trainer.network).context("no step was profiled")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_trains() {
        let mut trainer = Trainer::new(&BenchModel::mlp(), 20).unwrap();
        let loss = |trainer: &mut Trainer| {
            let out = trainer.network.forward(trainer.x.clone()).unwrap();
            trainer.network.backward(trainer.target.view(), out.view()).unwrap()
        };
        let before = loss(&mut trainer);
        for _ in 0..20 {
            trainer.step().unwrap();
        }
        assert!(loss(&mut trainer) < before);
    }
}
