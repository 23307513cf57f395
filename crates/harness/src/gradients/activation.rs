//! Activations: `dL/dZ` on matrices and on images.

use std::sync::Arc;

use ndarray::ArrayD;
use numerics::Rng;
use proptest::prelude::*;
use serde::{Deserialize, Serialize};

use crate::finite_difference::{Evaluation, Problem};
use crate::{ActivationSubject, Check, Subject};

/// A random input of an activation.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    shape: Vec<usize>,
    /// Values are drawn from `[-scale, scale)`.
    scale: f64,
    seed: u64,
}

pub(super) fn checks(
    subject: &Subject<f64>,
    implementation: &Arc<dyn ActivationSubject<f64>>,
) -> Vec<Check> {
    let implementation = Arc::clone(implementation);
    let strategy = || {
        let shape = prop::collection::vec(1..=5_usize, 1..=4);
        (shape, 0.5..4.0_f64, 0..1_000_000_u64).prop_map(|(shape, scale, seed)| Case {
            shape,
            scale,
            seed,
        })
    };
    let pinned = vec![Case { shape: vec![1, 1], scale: 2.0, seed: 1 }];
    vec![super::check(subject.question(), subject.name(), pinned, strategy, move |case: &Case| {
        let mut rng = Rng::new(case.seed);
        let z: ArrayD<f64> = rng.uniform_array(case.shape.clone(), -case.scale, case.scale);
        let upstream: ArrayD<f64> = rng.uniform_array(case.shape.clone(), -2.0, 2.0);
        let analytic = implementation.backward(&z, &upstream).map_err(|error| error.to_string())?;
        let implementation = Arc::clone(&implementation);
        Ok(Box::new(ActivationProblem { implementation, z, upstream, analytic }))
    })]
}

struct ActivationProblem {
    implementation: Arc<dyn ActivationSubject<f64>>,
    z: ArrayD<f64>,
    upstream: ArrayD<f64>,
    analytic: ArrayD<f64>,
}

impl Problem for ActivationProblem {
    fn variables(&self) -> Vec<String> {
        vec!["Z".to_owned()]
    }

    fn value(&mut self, _variable: usize) -> &mut ArrayD<f64> {
        &mut self.z
    }

    fn analytic(&self, _variable: usize) -> &ArrayD<f64> {
        &self.analytic
    }

    fn evaluate(&mut self) -> Evaluation {
        let y = self.implementation.forward(&self.z);
        Evaluation {
            terms: y.iter().zip(&self.upstream).map(|(y, r)| y * r).collect(),
            // Only ReLU has a kink, at 0; the smooth ones lose a few cases to this, no more.
            piece: self.z.iter().map(|&z| u32::from(z >= 0.0)).collect(),
        }
    }
}
