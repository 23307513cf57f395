//! Whole networks in training: outputs, gradients, losses and parameters.

use std::path::Path;
use std::sync::Arc;

use ffnn::{FfnnError, NeuralNetwork};
use ndarray::{Array1, Array2, Ix2};
use numerics::{Rng, Scalar};
use optim::{Schedule, Sgd, SgdConfig};

use super::manifest::{self, Config};
use crate::course::{self, Entry, Rule, Tally, bound};
use crate::npz::Npz;
use crate::{Check, HarnessError, Kind, LayerSubject, NetworkSubject, Outcome, Real};

/// What is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// The output before training.
    Forward,
    /// The gradients of all parameters before the first step.
    Backward,
    /// The loss before each step and after the last, and all parameters after the last.
    Training,
}

impl Stage {
    const ALL: [Self; 3] = [Self::Forward, Self::Backward, Self::Training];

    fn test_name(self) -> &'static str {
        match self {
            Self::Forward => "test_forward",
            Self::Backward => "test_backward",
            Self::Training => "test_training",
        }
    }
}

/// One check for each stage. Only in `f64` do several steps stay close to the oracle's.
pub(super) fn checks<T: Scalar>(implementation: &Arc<dyn NetworkSubject>) -> Vec<Check> {
    if T::DTYPE != "f8" {
        return vec![];
    }
    let check = |stage: Stage| {
        let (group, own) = ("extra.test_models.TestNeuralNetwork", Arc::clone(implementation));
        Check::new("5", Kind::Oracle, group, stage.test_name(), move |context| {
            course::outcome(run(&context.fixtures, stage, &own))
        })
    };
    Stage::ALL.map(check).into_iter().collect()
}

fn run(
    fixtures: &Path,
    stage: Stage,
    implementation: &Arc<dyn NetworkSubject>,
) -> Result<Outcome, HarnessError> {
    let configs = manifest::entries(fixtures, "fixtures/extra/Networks.npz")?;
    let mut npz = Npz::open(&fixtures.join("extra/Networks.npz"))?;
    manifest::check_count(&npz, configs.len())?;
    let mut tally = Tally::new(npz.file(), Rule::Relative(bound::<f64>()));
    for (index, config) in configs.into_iter().enumerate() {
        let Config::Network { layers, loss, momentum, clip_norm, schedule, steps } = config else {
            return Err(manifest::unexpected(fixtures, "Networks", index));
        };
        let entry = &mut Entry::new(&mut npz, index);
        let x = entry.array("input")?;
        let target = entry.array("target")?;
        let Ok(target) = target.clone().into_dimensionality::<Ix2>() else {
            return Err(entry.wrong_shape("target", "(m, k)".to_owned(), target.shape()));
        };
        let layers = built(&layers, x.shape().get(1..).unwrap_or_default(), entry)?;
        let network = NeuralNetwork::new(layers, loss).map_err(|error| entry.refused(error))?;
        let sgd = SgdConfig { momentum, clip_norm, ..SgdConfig::default() };
        let build = || Ok((sgd.build()?, schedule.build()?));
        let (sgd, schedule) = build().map_err(|error: optim::OptimError| entry.refused(error))?;
        let implementation = Arc::clone(implementation);
        let mut run = Run { implementation, network, x, target, sgd, schedule };
        run.compare(stage, steps, entry, &mut tally)?;
    }
    Ok(tally.outcome())
}

/// The layers with the parameters of the entry, which has a name for each.
fn built(
    configs: &[Config],
    example: &[usize],
    entry: &mut Entry<'_>,
) -> Result<Vec<Box<dyn layers::Layer<f64>>>, HarnessError> {
    let mut layers = Vec::with_capacity(configs.len());
    let mut shape = example.to_vec();
    for (index, config) in configs.iter().enumerate() {
        let Some(spec) = config.spec(&shape) else {
            let expected = format!("an example that layer {index} takes");
            return Err(entry.wrong_shape("input", expected, &shape));
        };
        let mut layer =
            Real.build(&spec, &mut Rng::new(0)).map_err(|error| entry.refused(error))?;
        for (name, parameter) in layer.parameters_and_gradients().0.iter_mut() {
            let value = entry.shaped(&format!("layer{index}.{name}"), parameter.shape())?;
            parameter.assign(&value);
        }
        shape = layer.output_shape().to_vec();
        layers.push(layer);
    }
    Ok(layers)
}

struct Run {
    implementation: Arc<dyn NetworkSubject>,
    network: NeuralNetwork<f64>,
    x: ndarray::ArrayD<f64>,
    target: Array2<f64>,
    sgd: Sgd<f64>,
    schedule: Schedule,
}

impl Run {
    fn compare(
        &mut self,
        stage: Stage,
        steps: u64,
        entry: &mut Entry<'_>,
        tally: &mut Tally,
    ) -> Result<(), HarnessError> {
        let case = format!("{} layers, input {:?}", self.network.layers().len(), self.x.shape());
        if stage == Stage::Forward {
            let output = self.implementation.forward(&mut self.network, self.x.clone());
            let output = output.map_err(|e| entry.refused(e))?;
            let reference = entry.array("output")?;
            tally.add(&entry.key("output"), &case, &output.into_dyn(), &reference);
            return Ok(());
        }
        if stage == Stage::Backward {
            self.loss_and_gradients().map_err(|e| entry.refused(e))?;
            for (index, layer) in self.network.layers().iter().enumerate() {
                for (name, gradient) in layer.gradients().iter() {
                    let name = format!("layer{index}.d{name}");
                    let reference = entry.array(&name)?;
                    tally.add(&entry.key(&name), &case, gradient, &reference);
                }
            }
            return Ok(());
        }
        let losses = self.train(steps).map_err(|e| entry.refused(e))?;
        let reference = entry.array("losses")?;
        tally.add(&entry.key("losses"), &case, &Array1::from_vec(losses).into_dyn(), &reference);
        for (name, parameter) in self.network.parameters() {
            let name = format!("layer{name}_trained");
            let reference = entry.array(&name)?;
            tally.add(&entry.key(&name), &case, parameter, &reference);
        }
        Ok(())
    }

    fn loss_and_gradients(&mut self) -> Result<f64, FfnnError> {
        let output = self.implementation.forward(&mut self.network, self.x.clone())?;
        self.implementation.backward(&mut self.network, &self.target, &output)
    }

    /// The losses before each step and after the last.
    fn train(&mut self, steps: u64) -> Result<Vec<f64>, FfnnError> {
        let mut losses = vec![self.loss_and_gradients()?];
        for step in 0..steps {
            let lr = self.schedule.lr(step);
            self.implementation.update(&mut self.network, &mut self.sgd, lr)?;
            losses.push(self.loss_and_gradients()?);
        }
        Ok(losses)
    }
}
