//! Label smoothing: the gradient at the logits of a loss of two parts.

use std::sync::Arc;

use losses::Loss;
use ndarray::{Array2, ArrayD, Ix2};
use numerics::Rng;
use proptest::prelude::*;
use serde::{Deserialize, Serialize};

use crate::finite_difference::{Evaluation, Problem};
use crate::{Check, SmoothingSubject};

/// A random mini-batch with one-hot targets.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    m: usize,
    k: usize,
    eps: f64,
    seed: u64,
}

/// The loss is `(1 - ε) L(Y) + ε L(U)`, of targets that nothing has smoothed; the gradient under test
/// is that of the loss of the smoothed targets.
pub(super) fn checks(implementation: &Arc<dyn SmoothingSubject<f64>>) -> Vec<Check> {
    let implementation = Arc::clone(implementation);
    let strategy = || {
        (1..=6_usize, 1..=6_usize, 0.0..0.95_f64, 0..1_000_000_u64)
            .prop_map(|(m, k, eps, seed)| Case { m, k, eps, seed })
    };
    let pinned = vec![
        Case { m: 3, k: 4, eps: 0.0, seed: 0 },
        Case { m: 2, k: 3, eps: 0.2, seed: 0 },
        Case { m: 2, k: 2, eps: 0.9, seed: 1 },
    ];
    vec![super::check("7", "LabelSmoothing", pinned, strategy, move |case: &Case| {
        let mut rng = Rng::new(case.seed);
        let mut target = Array2::zeros((case.m, case.k));
        for mut row in target.rows_mut() {
            row[rng.below(case.k)] = 1.0;
        }
        let logits: Array2<f64> = rng.uniform_array((case.m, case.k), -2.0, 2.0);
        let smoothed =
            implementation.smooth(&target, case.eps).map_err(|error| error.to_string())?;
        let analytic = Loss::SoftmaxCrossEntropy
            .backward(smoothed.view(), logits.view())
            .map_err(|error| error.to_string())?;
        Ok(Box::new(SmoothingProblem {
            uniform: Array2::from_elem(target.dim(), 1.0 / case.k as f64),
            target,
            eps: case.eps,
            logits: logits.into_dyn(),
            analytic: analytic.into_dyn(),
        }))
    })]
}

struct SmoothingProblem {
    target: Array2<f64>,
    uniform: Array2<f64>,
    eps: f64,
    logits: ArrayD<f64>,
    analytic: ArrayD<f64>,
}

impl Problem for SmoothingProblem {
    fn variables(&self) -> Vec<String> {
        vec!["Z".to_owned()]
    }

    fn value(&mut self, _variable: usize) -> &mut ArrayD<f64> {
        &mut self.logits
    }

    fn analytic(&self, _variable: usize) -> &ArrayD<f64> {
        &self.analytic
    }

    fn evaluate(&mut self) -> Evaluation {
        let logits = self.logits.view().into_dimensionality::<Ix2>();
        let logits = logits.expect("logits are a matrix");
        let loss = |target: &Array2<f64>| {
            // Shapes and targets were made to fit.
            Loss::SoftmaxCrossEntropy.forward(target.view(), logits).unwrap_or(f64::NAN)
        };
        let terms = vec![(1.0 - self.eps) * loss(&self.target), self.eps * loss(&self.uniform)];
        Evaluation { terms, piece: vec![] }
    }

    /// The loss is the logarithm of a number that may be near 1.
    fn cancelled(&self) -> f64 {
        1.0
    }
}
