//! Weight decay: one step without momentum goes down the gradient of the loss and its L2 term.

use std::sync::Arc;

use ndarray::{ArrayD, IxDyn};
use numerics::Rng;
use optim::{SgdConfig, Step};
use proptest::prelude::*;
use serde::{Deserialize, Serialize};

use crate::finite_difference::{Evaluation, Problem};
use crate::{Check, SgdSubject};

/// A weight matrix and the decay.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    rows: usize,
    columns: usize,
    weight_decay: f64,
    decays: bool,
    seed: u64,
}

/// The loss is `Σ sin p + λ/2 Σ p²`, without the second part for what is no weight. The gradient under
/// test is the way that the step went, divided by the learning rate, which is a power of 2.
pub(super) fn checks(implementation: &Arc<dyn SgdSubject<f64>>) -> Vec<Check> {
    let implementation = Arc::clone(implementation);
    let strategy = || {
        (1..=5_usize, 1..=5_usize, 0.0..1.0_f64, any::<bool>(), 0..1_000_000_u64).prop_map(
            |(rows, columns, weight_decay, decays, seed)| Case {
                rows,
                columns,
                weight_decay,
                decays,
                seed,
            },
        )
    };
    let pinned = vec![
        Case { rows: 2, columns: 3, weight_decay: 0.0, decays: true, seed: 0 },
        Case { rows: 2, columns: 3, weight_decay: 0.5, decays: true, seed: 0 },
        Case { rows: 1, columns: 3, weight_decay: 0.5, decays: false, seed: 0 },
    ];
    vec![super::check("7", "WeightDecay", pinned, strategy, move |case: &Case| {
        let shape = IxDyn(&[case.rows, case.columns]);
        let start: ArrayD<f64> = Rng::new(case.seed).uniform_array(shape, -2.0, 2.0);
        let config = SgdConfig { weight_decay: case.weight_decay, ..SgdConfig::default() };
        let mut p = start.clone();
        let step = Step { lr: LR, decays: case.decays };
        let stepped = implementation
            .build(config)
            .and_then(|mut sgd| sgd.update("W", &mut p, &start.mapv(f64::cos), step));
        stepped.map_err(|error| error.to_string())?;
        Ok(Box::new(DecayProblem {
            analytic: (&start - &p) / LR,
            parameter: start,
            decay: if case.decays { case.weight_decay } else { 0.0 },
        }))
    })]
}

const LR: f64 = 0.25;

struct DecayProblem {
    parameter: ArrayD<f64>,
    decay: f64,
    analytic: ArrayD<f64>,
}

impl Problem for DecayProblem {
    fn variables(&self) -> Vec<String> {
        vec!["W".to_owned()]
    }

    fn value(&mut self, _variable: usize) -> &mut ArrayD<f64> {
        &mut self.parameter
    }

    fn analytic(&self, _variable: usize) -> &ArrayD<f64> {
        &self.analytic
    }

    fn evaluate(&mut self) -> Evaluation {
        let term = |&p: &f64| p.sin() + self.decay / 2.0 * p * p;
        Evaluation { terms: self.parameter.iter().map(term).collect(), piece: vec![] }
    }
}
