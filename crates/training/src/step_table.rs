//! The time of a training step, layer by layer.

use std::fmt;

use layers::Layer;
use network::{NeuralNetwork, Part};
use serde::{Deserialize, Serialize};

use crate::LayerSpec;

/// The time of a training step and of its parts: seconds, on average over the steps of a [`Profile`](network::Profile).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StepTable {
    /// The number of steps.
    pub steps: u64,
    /// Examples in a step.
    pub examples: f64,
    /// The whole step.
    pub step: f64,
    /// The making of the mini-batch.
    pub data: f64,
    /// The layers in order.
    pub layers: Vec<StepRow>,
    /// The loss and its gradient.
    pub loss: f64,
    /// The optimiser.
    pub update: f64,
}

/// A layer of a [`StepTable`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StepRow {
    /// The kind of layer, and its activation if that is not linear.
    pub layer: String,
    /// The shape of an example that comes in.
    pub input: Vec<usize>,
    /// The shape of an example that comes out.
    pub output: Vec<usize>,
    /// The algorithm of a convolution.
    pub algorithm: Option<String>,
    /// Seconds of the forward pass.
    pub forward: f64,
    /// Seconds of the backward pass.
    pub backward: f64,
    /// Floating-point operations of the forward pass on one example, if the layer multiplies by
    /// weights: a multiplication and an addition for each product of the direct computation.
    pub flop: Option<u64>,
    /// As `flop`, of the backward pass: as many again for `dL/dW`, and for `dL/dX`, which the first
    /// layer does not compute.
    pub backward_flop: Option<u64>,
}

impl StepTable {
    /// The table of the steps that `network`, made of the layers of `specs`, has been profiled for;
    /// nothing if there was no step.
    pub fn new(specs: &[LayerSpec], network: &NeuralNetwork<f32>) -> Option<Self> {
        let profile = network.profile().filter(|profile| profile.steps > 0)?;
        let steps = profile.steps as f64;
        let of = |part| profile.part(part).as_secs_f64() / steps;
        let layers =
            network.layers().iter().zip(specs).enumerate().map(|(index, (layer, spec))| {
                let (activation, flop) = (layer.activation(), flop(layer.as_ref()));
                StepRow {
                    layer: match activation {
                        activations::Activation::Linear => layer.kind().to_owned(),
                        _ => format!("{}, {activation}", layer.kind()),
                    },
                    input: layer.input_shape().to_vec(),
                    output: layer.output_shape().to_vec(),
                    algorithm: spec.algorithm(layer.input_shape()).map(|a| a.to_string()),
                    forward: of(Part::Forward(index)),
                    backward: of(Part::Backward(index)),
                    flop,
                    backward_flop: flop.map(|flop| if index == 0 { flop } else { 2 * flop }),
                }
            });
        Some(Self {
            steps: profile.steps,
            examples: profile.examples as f64 / steps,
            step: profile.total.as_secs_f64() / steps,
            data: of(Part::Data),
            layers: layers.collect(),
            loss: of(Part::Loss),
            update: of(Part::Update),
        })
    }

    /// The time between the parts.
    pub fn rest(&self) -> f64 {
        let layers: f64 = self.layers.iter().map(StepRow::seconds).sum();
        (self.step - self.data - layers - self.loss - self.update).max(0.0)
    }
}

impl StepRow {
    /// Seconds of both passes.
    pub fn seconds(&self) -> f64 {
        self.forward + self.backward
    }

    /// Operations a second of the forward and of the backward pass, in units of 10⁹.
    pub fn gflops(&self, examples: f64) -> Option<(f64, f64)> {
        let gflop = |flop: u64| flop as f64 * examples / 1e9;
        Some((gflop(self.flop?) / self.forward, gflop(self.backward_flop?) / self.backward))
    }
}

/// Every output cell takes a multiplication and an addition with each of its weights.
fn flop(layer: &dyn Layer<f32>) -> Option<u64> {
    let weights = layer.parameters().get("W")?.len();
    let cells: usize = layer.output_shape().iter().rev().skip(1).product();
    Some(2 * (weights * cells) as u64)
}

/// `31x31x24`.
fn shape(shape: &[usize]) -> String {
    shape.iter().map(usize::to_string).collect::<Vec<_>>().join("x")
}

impl fmt::Display for StepTable {
    /// A table for a terminal.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { steps, examples, step, .. } = self;
        let speed = examples / step;
        writeln!(
            f,
            "where a step's time goes: {steps} steps, {:.1} ms each, {speed:.0} examples/s",
            1e3 * step
        )?;
        writeln!(
            f,
            "{:>3} {:24} {:22} {:20} {:>9} {:>9} {:>7}  {:>15}",
            "", "part", "shape", "algorithm", "forward", "backward", "share", "GFLOP/s"
        )?;
        let share = |seconds: f64| format!("{:.1} %", 100.0 * seconds / step);
        let ms = |seconds: f64| format!("{:.2} ms", 1e3 * seconds);
        let part = |name: &str, seconds: f64| {
            let (time, share) = (ms(seconds), share(seconds));
            format!("{:>3} {name:67} {time:>9} {:>9} {share:>7}", "", "")
        };
        writeln!(f, "{}", part("data", self.data))?;
        for (index, row) in self.layers.iter().enumerate() {
            let StepRow { layer, input, output, algorithm, forward, backward, .. } = row;
            let shapes = format!("{} -> {}", shape(input), shape(output));
            let algorithm = algorithm.as_deref().unwrap_or_default();
            let (forward, backward) = (ms(*forward), ms(*backward));
            let speed = row.gflops(*examples);
            let speed = speed.map_or_else(String::new, |(f, b)| format!("{f:.0} / {b:.0}"));
            let share = share(row.seconds());
            let line = format!(
                "{index:>3} {layer:24} {shapes:22} {algorithm:20} {forward:>9} {backward:>9} {share:>7}  {speed:>15}"
            );
            writeln!(f, "{}", line.trim_end())?;
        }
        writeln!(f, "{}\n{}", part("loss", self.loss), part("optimiser", self.update))?;
        f.write_str(&part("rest", self.rest()))
    }
}

#[cfg(test)]
mod tests {
    use activations::Activation;
    use cnn::Conv2DConfig;
    use layers::FullyConnectedConfig;
    use losses::Loss;
    use ndarray::{Array2, ArrayD};
    use numerics::Rng;
    use optim::SgdConfig;

    use super::*;

    #[test]
    fn a_step_is_the_sum_of_its_parts() {
        let activation = Activation::ReLU;
        let specs = [
            LayerSpec::Conv2D(Conv2DConfig { activation, ..Conv2DConfig::new(4, (3, 3)) }),
            LayerSpec::Flatten,
            LayerSpec::FullyConnected(FullyConnectedConfig::new(2)),
        ];
        let configs = specs.each_ref().map(LayerSpec::config);
        let loss = Loss::SoftmaxCrossEntropy;
        let mut network =
            NeuralNetwork::build(&configs, &[6, 5, 3], loss, &mut Rng::new(0)).unwrap();
        assert_eq!(StepTable::new(&specs, &network), None);
        network.profiler_mut().switch_on();
        // Outside of a step nothing counts.
        network.forward(ArrayD::ones(vec![1, 6, 5, 3])).unwrap();
        assert_eq!(StepTable::new(&specs, &network), None);
        let mut sgd = SgdConfig::default().build().unwrap();
        let target = Array2::from_elem((8, 2), 0.5);
        for _ in 0..2 {
            network.profiler_mut().begin_step();
            let x = network.profiler_mut().time(Part::Data, || ArrayD::ones(vec![8, 6, 5, 3]));
            let out = network.forward(x).unwrap();
            network.backward_to(0, target.view(), out.view()).unwrap();
            network.update(&mut sgd, 0.1).unwrap();
            network.profiler_mut().end_step(8);
        }
        let table = StepTable::new(&specs, &network).unwrap();
        assert_eq!((table.steps, table.examples, table.layers.len()), (2, 8.0, 3));
        let measured = [table.data, table.loss, table.update, table.layers[0].forward];
        assert!(measured.iter().all(|seconds| *seconds > 0.0), "{table:?}");
        let parts: f64 = table.layers.iter().map(StepRow::seconds).sum();
        let sum = table.data + parts + table.loss + table.update + table.rest();
        assert!((sum - table.step).abs() <= 1e-9 * table.step.max(1.0), "{table:?}");
        let text = table.to_string();
        for expected in ["Conv2D, relu", "6x5x3 -> 6x5x4", "im2col", "optimiser", "2 steps"] {
            assert!(text.contains(expected), "{text}");
        }

        // 6 x 5 cells, 4 filters of 3 x 3 x 3 weights: 30 * 4 * 27 products; then 120 inputs, 2 outputs.
        let flop = |row: &StepRow| Some((row.flop?, row.backward_flop?));
        let flops: Vec<_> = table.layers.iter().map(flop).collect();
        assert_eq!(flops, [Some((2 * 3240, 2 * 3240)), None, Some((2 * 240, 4 * 240))]);
        let row = StepRow {
            forward: 0.5,
            backward: 0.25,
            flop: Some(500_000_000),
            backward_flop: Some(1_000_000_000),
            ..table.layers[0].clone()
        };
        // 4 examples: 2 GFLOP forward in 0.5 s, 4 backward in 0.25 s.
        assert_eq!(row.gflops(4.0), Some((4.0, 16.0)));
    }
}
