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

/// The names of the hyperparameters that vary.
pub const AXES: [&str; 2] = ["lr", "hidden"];

/// One set of hyperparameters of a grid.
#[derive(Clone, Debug, PartialEq)]
pub struct GridSet {
    /// Whether it can be chosen as the best.
    pub role: Role,
    /// Its hyperparameters.
    pub config: IrisConfig,
}

/// The purpose of a set in a sweep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// To be chosen as the best.
    Candidate,
    /// To be beaten.
    Baseline,
}

impl Role {
    /// The name in `table.csv`.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Candidate => "candidate",
            Self::Baseline => "baseline",
        }
    }
}

impl GridSet {
    /// A value for each axis.
    #[must_use]
    pub fn values(&self) -> Vec<String> {
        vec![self.config.lr.to_string(), self.config.hidden.to_string()]
    }
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
    /// Checks everything that can be checked without the data.
    ///
    /// # Errors
    /// [`TrainingError::Refused`] if an axis is empty or has a value twice, or there are fewer
    /// than two seeds; otherwise as [`IrisConfig::validate`].
    pub fn validate(&self) -> Result<(), TrainingError> {
        let distinct = |what: &str, least: usize, values: Vec<String>| {
            let mut unique = values.clone();
            unique.sort();
            unique.dedup();
            if unique.len() == values.len() && values.len() >= least {
                return Ok(());
            }
            let expected = format!("at least {least}, all different");
            Err(TrainingError::config(what, expected, values.join(", ")))
        };
        distinct("the list of learning rates", 1, self.lrs.iter().map(f64::to_string).collect())?;
        distinct("the list of sizes", 1, self.hidden.iter().map(usize::to_string).collect())?;
        distinct("the list of seeds", 2, self.seeds.iter().map(u64::to_string).collect())?;
        Hidden::new(self.hidden.clone())?;
        self.sets().iter().try_for_each(|set| set.config.validate())
    }

    /// Every set in order: the candidates by hidden size, then the baselines.
    #[must_use]
    pub fn sets(&self) -> Vec<GridSet> {
        let candidates = self.hidden.iter().map(|&units| (Role::Candidate, vec![units]));
        let set = |role, sizes: Vec<usize>, lr| {
            let (hidden, training) = (Hidden(sizes), self.training.clone());
            GridSet { role, config: IrisConfig { lr, hidden, training } }
        };
        candidates
            .chain([(Role::Baseline, Vec::new())])
            .flat_map(|(role, sizes)| self.lrs.iter().map(move |&lr| set(role, sizes.clone(), lr)))
            .collect()
    }

    /// The set and the seed of every run, in order.
    pub(crate) fn plan(&self) -> Vec<(usize, u64)> {
        let sets = 0..(self.hidden.len() + 1) * self.lrs.len();
        sets.flat_map(|set| self.seeds.iter().map(move |&seed| (set, seed))).collect()
    }
}
