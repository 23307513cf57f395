//! Losses: `dL/dŶ`.

use std::sync::Arc;

use losses::Loss;
use ndarray::{Array2, ArrayD, Axis, Ix2};
use numerics::Rng;
use proptest::prelude::*;
use serde::{Deserialize, Serialize};

use crate::finite_difference::{Evaluation, Problem};
use crate::{Check, LossSubject, Subject};

/// A random mini-batch of targets and outputs.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    m: usize,
    k: usize,
    /// Whether the targets are spread over the classes rather than one-hot.
    smoothed: bool,
    seed: u64,
}

pub(super) fn checks(
    subject: &Subject<f64>,
    loss: Loss,
    implementation: &Arc<dyn LossSubject<f64>>,
) -> Vec<Check> {
    let implementation = Arc::clone(implementation);
    let strategy = || {
        (1..=6_usize, 1..=6_usize, any::<bool>(), 0..1_000_000_u64)
            .prop_map(|(m, k, smoothed, seed)| Case { m, k, smoothed, seed })
    };
    let pinned = vec![
        Case { m: 3, k: 4, smoothed: false, seed: 0 },
        Case { m: 2, k: 3, smoothed: true, seed: 0 },
    ];
    vec![super::check(subject.question(), subject.name(), pinned, strategy, move |case: &Case| {
        let mut rng = Rng::new(case.seed);
        let target = target(loss, case, &mut rng);
        let output = output(loss, case, &mut rng);
        let analytic =
            implementation.backward(&target, &output).map_err(|error| error.to_string())?;
        // A forward pass that refuses what backward accepts is a bug to report, not a panic.
        implementation.forward(&target, &output).map_err(|error| error.to_string())?;
        Ok(Box::new(LossProblem {
            implementation: Arc::clone(&implementation),
            target,
            output: output.into_dyn(),
            analytic: analytic.into_dyn(),
        }))
    })]
}

fn target(loss: Loss, case: &Case, rng: &mut Rng) -> Array2<f64> {
    let shape = (case.m, case.k);
    if loss == Loss::L2 {
        return rng.uniform_array(shape, -2.0, 2.0);
    }
    if case.smoothed {
        return distributions(shape, rng);
    }
    let mut one_hot = Array2::zeros(shape);
    for mut row in one_hot.rows_mut() {
        row[rng.below(case.k)] = 1.0;
    }
    one_hot
}

fn output(loss: Loss, case: &Case, rng: &mut Rng) -> Array2<f64> {
    let shape = (case.m, case.k);
    match loss {
        Loss::CrossEntropy => distributions(shape, rng),
        Loss::L2 | Loss::SoftmaxCrossEntropy => rng.uniform_array(shape, -2.0, 2.0),
    }
}

/// Rows that sum to 1, each element at least 1/(4 k): the third derivative of the logarithm grows
/// like the cube of 1/p, and with it the truncation error of a difference.
fn distributions(shape: (usize, usize), rng: &mut Rng) -> Array2<f64> {
    let weights: Array2<f64> = rng.uniform_array(shape, 0.25, 1.0);
    let sums = weights.sum_axis(Axis(1)).insert_axis(Axis(1));
    weights / sums
}

struct LossProblem {
    implementation: Arc<dyn LossSubject<f64>>,
    target: Array2<f64>,
    output: ArrayD<f64>,
    analytic: ArrayD<f64>,
}

impl Problem for LossProblem {
    fn variables(&self) -> Vec<String> {
        vec!["Ŷ".to_owned()]
    }

    fn value(&mut self, _variable: usize) -> &mut ArrayD<f64> {
        &mut self.output
    }

    fn analytic(&self, _variable: usize) -> &ArrayD<f64> {
        &self.analytic
    }

    fn evaluate(&mut self) -> Evaluation {
        let output = self.output.view().into_dimensionality::<Ix2>();
        let output = output.expect("an output is a matrix").to_owned();
        let loss = self.implementation.forward(&self.target, &output);
        // Only the shape can be refused, and it was accepted when the problem was made.
        Evaluation { terms: vec![loss.unwrap_or(f64::NAN)], piece: vec![] }
    }

    /// The loss is the logarithm of a number that may be near 1.
    fn cancelled(&self) -> f64 {
        1.0
    }
}
