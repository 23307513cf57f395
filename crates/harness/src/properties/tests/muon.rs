//! A wrong Muon.

use std::sync::Arc;

use ndarray::Array2;
use optim::{MuonConfig, OptimError};

use crate::{MuonSubject, Optimiser, RealTraining, Subject};

/// A gradient that is not finite counts as 0.
struct RepairsNan;

impl MuonSubject<f64> for RepairsNan {
    fn build(&self, config: MuonConfig) -> Result<Box<dyn Optimiser<f64>>, OptimError> {
        MuonSubject::build(&RealTraining, config)
    }

    fn orthogonalise(&self, g: &Array2<f64>, steps: u32) -> Array2<f64> {
        let finite = g.iter().all(|g| g.is_finite());
        let repaired = if finite { g.clone() } else { Array2::zeros(g.dim()) };
        RealTraining.orthogonalise(&repaired, steps)
    }
}

pub(super) fn wrong() -> Vec<Subject<f64>> {
    vec![Subject::Muon(Arc::new(RepairsNan))]
}
