//! Whole networks in training against the oracle: outputs, gradients, losses and parameters.

use layers::Layer;
use losses::Loss;
use ndarray::{Array1, Array2, ArrayD};
use network::{NetworkError, NeuralNetwork};
use numerics::Rng;
use optim::{Schedule, Sgd, SgdConfig};
use serde::Deserialize;

use super::Passes;
use crate::HarnessError;
use crate::course::Entry;
use crate::layer::Spec;
use crate::oracle::Fixture;
use crate::oracle::listed::Listed;
use crate::room::Checks;
use crate::rooms;

/// The fields of a network in an entry of the fixtures.
#[derive(Deserialize)]
struct Declared {
    loss: Loss,
    momentum: f64,
    clip_norm: Option<f64>,
    schedule: Schedule,
    steps: u64,
}

/// Compares the output and the gradients before the first step, then the loss before each step and after the
/// last, and all parameters after the last. Only in `f64` do several steps stay close to the oracle's.
pub(super) fn add(own: &mut Checks<Passes>) {
    let (question, module, class) = (own.question, "test_models", own.name);
    let fixture = Fixture { question, module, file: "Networks", kind: "network", class };
    let stages: [(&str, Stage); 3] = [
        ("test_forward", |run| {
            let output = run.passes.forward(&mut run.network, run.x.clone())?;
            Ok(vec![("output".to_owned(), output.into_dyn())])
        }),
        ("test_backward", |run| {
            run.loss_and_gradients()?;
            let layers = run.network.layers().iter().enumerate();
            let gradients = layers.flat_map(|(index, layer)| {
                let named = move |name| format!("layer{index}.d{name}");
                layer.gradients().iter().map(move |(name, g)| (named(name), g.clone()))
            });
            Ok(gradients.collect())
        }),
        ("test_training", |run| {
            let losses = Array1::from(run.train()?).into_dyn();
            let trained = run.network.parameters();
            let trained = trained.map(|(name, p)| (format!("layer{name}_trained"), p.clone()));
            Ok([("losses".to_owned(), losses)].into_iter().chain(trained).collect())
        }),
    ];
    for (name, results) in stages {
        let passes = Passes::clone(&own.subject);
        own.list.push(fixture.check::<f64>(name, move |listed, entry, tally| {
            let mut run = Run::new(&passes, listed, entry)?;
            let results = results(&mut run).map_err(|e| entry.refused(e))?;
            let case = format!("{} layers, input {:?}", run.network.layers().len(), run.x.shape());
            for (name, result) in results {
                let reference = entry.array(&name)?;
                tally.add(&entry.key(&name), &case, &result, &reference);
            }
            Ok(())
        }));
    }
}

/// A result, and its name in the entry.
type Named = (String, ArrayD<f64>);

type Stage = fn(&mut Run) -> Result<Vec<Named>, NetworkError>;

struct Run {
    passes: Passes,
    network: NeuralNetwork<f64>,
    x: ArrayD<f64>,
    target: Array2<f64>,
    sgd: Sgd<f64>,
    schedule: Schedule,
    steps: u64,
}

impl Run {
    fn new(passes: &Passes, listed: &Listed, entry: Entry<'_>) -> Result<Self, HarnessError> {
        let Declared { loss, momentum, clip_norm, schedule, steps } = listed.fields()?;
        let (x, target) = (entry.array("input")?, entry.array("target")?);
        let Ok(target) = target.clone().into_dimensionality() else {
            return Err(entry.wrong_shape("target", "(m, k)".to_owned(), target.shape()));
        };
        let (specs, layers) = built(listed, x.shape().get(1..).unwrap_or_default(), entry)?;
        let passes = passes.of_layers(&specs, loss);
        let network = NeuralNetwork::new(layers, loss).map_err(|error| entry.refused(error))?;
        let sgd = SgdConfig { momentum, clip_norm, ..SgdConfig::default() };
        let sgd = sgd.build().map_err(|error| entry.refused(error))?;
        let schedule = schedule.build().map_err(|error| entry.refused(error))?;
        Ok(Self { passes, network, x, target, sgd, schedule, steps })
    }

    fn loss_and_gradients(&mut self) -> Result<f64, NetworkError> {
        let output = self.passes.forward(&mut self.network, self.x.clone())?;
        self.passes.backward(&mut self.network, &self.target, &output)
    }

    /// The losses before each step and after the last.
    fn train(&mut self) -> Result<Vec<f64>, NetworkError> {
        let mut losses = vec![self.loss_and_gradients()?];
        for step in 0..self.steps {
            let lr = self.schedule.rate(step);
            self.passes.update(&mut self.network, &mut self.sgd, lr)?;
            losses.push(self.loss_and_gradients()?);
        }
        Ok(losses)
    }
}

type BuiltLayers = Vec<Box<dyn Layer<f64>>>;

/// The layers with the parameters of the entry, which has a name for each.
fn built(
    listed: &Listed,
    example: &[usize],
    entry: Entry<'_>,
) -> Result<(Vec<Spec>, BuiltLayers), HarnessError> {
    let (mut specs, mut layers) = (Vec::new(), Vec::new());
    let mut shape = example.to_vec();
    for (index, part) in listed.parts("layers").iter().enumerate() {
        let room = rooms::layers().into_iter().find(|room| room.kind == part.kind());
        let room = room.ok_or_else(|| part.invalid("a kind of no layer"))?;
        let Some(spec) = room.spec_for((room.declared)(part)?, &shape) else {
            let expected = format!("an example that layer {index} takes");
            return Err(entry.wrong_shape("input", expected, &shape));
        };
        let mut layer = spec.build(&mut Rng::new(0)).map_err(|error| entry.refused(error))?;
        for (name, parameter) in layer.parameters_and_gradients().0.iter_mut() {
            let value = entry.shaped(&format!("layer{index}.{name}"), parameter.shape())?;
            parameter.assign(&value);
        }
        shape = layer.output_shape().to_vec();
        specs.push(spec);
        layers.push(layer);
    }
    Ok((specs, layers))
}
