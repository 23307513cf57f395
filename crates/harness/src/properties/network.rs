//! Claims about the update of a network.

use std::collections::BTreeMap;
use std::sync::Arc;

use activations::Activation;
use ffnn::NeuralNetwork;
use layers::{FullyConnectedConfig, LayerConfig};
use losses::Loss;
use ndarray::{Array2, ArrayD};
use numerics::Rng;
use optim::SgdConfig;

use super::CASES;
use crate::cases::{Case, Cases, Failure};
use crate::{Check, Kind, NetworkSubject, Subject};

/// Six steps of numbers below 16, each rounded a few times.
const STEPS: f64 = 1e-13;

pub(super) fn checks(
    subject: &Subject<f64>,
    implementation: &Arc<dyn NetworkSubject>,
) -> Vec<Check> {
    let own = Arc::clone(implementation);
    let group = format!("properties.{}", subject.name());
    let cases = Cases { count: CASES, bound: STEPS };
    let name = "each_parameter_has_a_velocity_of_its_own";
    vec![cases.check(subject.question(), Kind::Property, group, name, move |case| {
        own_velocities(own.as_ref(), case)
    })]
}

/// Layers whose parameters have the same names and shapes, so that a velocity that they share would
/// fit: each moves by `v ← μ v + lr g`, `p ← p - v` of its own.
fn own_velocities(implementation: &dyn NetworkSubject, case: &mut Case) -> Result<(), Failure> {
    let (n, depth, m) = (case.between(1, 4), case.between(2, 3), case.between(1, 4));
    let (momentum, lr) = (0.1 + 0.8 * case.rng.uniform(), 0.1 + 0.4 * case.rng.uniform());
    case.describe(format!("{depth} layers of {n} units, m {m}, momentum {momentum}, lr {lr}"));
    let layer =
        FullyConnectedConfig { activation: Activation::TanH, ..FullyConnectedConfig::new(n) };
    let configs: Vec<Box<dyn LayerConfig<f64>>> =
        (0..depth).map(|_| Box::new(layer.clone()) as _).collect();
    let seed = case.between(0, 1_000_000) as u64;
    let mut network = NeuralNetwork::build(&configs, &[n], Loss::L2, &mut Rng::new(seed))?;
    let x = case.array(&[m, n]);
    let target: Array2<f64> = case.array(&[m, n]).into_dimensionality()?;
    let mut sgd = SgdConfig { momentum, ..SgdConfig::default() }.build::<f64>()?;
    let mut expected: BTreeMap<String, ArrayD<f64>> =
        network.parameters().map(|(name, p)| (name, p.clone())).collect();
    let mut velocities: BTreeMap<String, ArrayD<f64>> =
        expected.iter().map(|(name, p)| (name.clone(), ArrayD::zeros(p.raw_dim()))).collect();
    for step in 1..=6 {
        let out = implementation.forward(&mut network, x.clone())?;
        implementation.backward(&mut network, &target, &out)?;
        for (index, layer) in network.layers().iter().enumerate() {
            for (name, g) in layer.gradients().iter() {
                let name = format!("{index}.{name}");
                let v = velocities.get_mut(&name).expect("every parameter has a gradient");
                *v = &*v * momentum + g * lr;
                let p = expected.get_mut(&name).expect("every parameter has a gradient");
                *p -= &*v;
            }
        }
        implementation.update(&mut network, &mut sgd, lr)?;
        for (name, p) in network.parameters() {
            case.compare(&format!("{name} after {step} steps"), p, &expected[&name])?;
        }
    }
    Ok(())
}
