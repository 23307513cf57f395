//! The grid of a sweep.

use training::TrainingError;

use crate::{Hidden, Hyperparameters, IrisConfig};

/// The plan of a sweep: every learning rate with every hidden size, and, as the baseline to beat,
/// every learning rate without a hidden layer; each of these sets with every seed.
#[derive(Clone, Debug, PartialEq)]
pub struct Grid {
    /// The learning rates.
    pub lrs: Vec<f64>,
    /// The sizes of the one hidden layer.
    pub hidden: Vec<usize>,
    /// The seeds of each set, at least two.
    pub seeds: Vec<u64>,
    /// The hyperparameters that do not vary.
    pub training: Hyperparameters,
}

impl Default for Grid {
    fn default() -> Self {
        Self {
            lrs: vec![0.01, 0.03, 0.1, 0.3, 1.0],
            hidden: vec![2, 4, 8, 16],
            seeds: (0..10).collect(),
            training: Hyperparameters::default(),
        }
    }
}

impl Grid {
    /// Checks everything that can be checked without the data, as [`IrisConfig::validate`].
    pub fn validate(&self) -> Result<(), TrainingError> {
        self.sets().iter().try_for_each(IrisConfig::validate)
    }

    /// Every set in order: the candidates by hidden size, then the baselines.
    pub fn sets(&self) -> Vec<IrisConfig> {
        let layers = self.hidden.iter().map(|&units| vec![units]).chain([vec![]]);
        let set = |layers: &Vec<usize>, lr: f64| {
            let (hidden, training) = (Hidden(layers.clone()), self.training.clone());
            IrisConfig { lr, hidden, training }
        };
        layers.flat_map(|layers| self.lrs.iter().map(move |&lr| set(&layers, lr))).collect()
    }
}
