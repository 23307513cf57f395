//! The grid of a sweep.

use experiment::{Axis, Role};
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

/// One set of hyperparameters of a grid.
#[derive(Clone, Debug, PartialEq)]
pub struct GridSet {
    /// Whether it can be chosen as the best.
    pub role: Role,
    /// Its hyperparameters.
    pub config: IrisConfig,
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
    /// [`TrainingError::Config`] if an axis is empty or has a value twice, or there are fewer
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
        self.sets()?.iter().try_for_each(|set| set.config.validate())
    }

    /// Every set in order: the candidates by hidden size, then the baselines.
    ///
    /// # Errors
    /// [`TrainingError::Config`] if a hidden size is 0.
    pub fn sets(&self) -> Result<Vec<GridSet>, TrainingError> {
        let mut sets = Vec::with_capacity((self.hidden.len() + 1) * self.lrs.len());
        let candidates = self.hidden.iter().map(|&units| (Role::Candidate, vec![units]));
        for (role, sizes) in candidates.chain([(Role::Baseline, Vec::new())]) {
            let hidden = Hidden::new(sizes)?;
            for &lr in &self.lrs {
                let (hidden, training) = (hidden.clone(), self.training.clone());
                sets.push(GridSet { role, config: IrisConfig { lr, hidden, training } });
            }
        }
        Ok(sets)
    }

    /// The axes as the record has them.
    #[must_use]
    pub fn axes(&self) -> Vec<Axis> {
        let lrs = self.lrs.iter().map(f64::to_string).collect();
        let sizes = self.hidden.iter().map(usize::to_string);
        let hidden = sizes.chain([Hidden::NONE.to_string()]).collect();
        vec![
            Axis { name: "lr".to_owned(), values: lrs },
            Axis { name: "hidden".to_owned(), values: hidden },
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sets_are_every_pair_then_the_baselines() {
        let grid = Grid { lrs: vec![0.1, 1.0], hidden: vec![3], ..Grid::default() };
        let sets = grid.sets().unwrap();
        let values: Vec<_> = sets.iter().map(|set| (set.role, set.values().join(" "))).collect();
        let expected = [
            (Role::Candidate, "0.1 3"),
            (Role::Candidate, "1 3"),
            (Role::Baseline, "0.1 none"),
            (Role::Baseline, "1 none"),
        ];
        assert_eq!(values, expected.map(|(role, values)| (role, values.to_owned())));
    }

    #[test]
    fn a_grid_that_makes_no_sense_is_refused() {
        let valid = Grid::default();
        assert!(valid.validate().is_ok());
        for grid in [
            Grid { lrs: vec![], ..valid.clone() },
            Grid { lrs: vec![0.1, 0.1], ..valid.clone() },
            Grid { hidden: vec![], ..valid.clone() },
            Grid { hidden: vec![0], ..valid.clone() },
            Grid { seeds: vec![1], ..valid.clone() },
            Grid { seeds: vec![1, 1], ..valid.clone() },
        ] {
            assert!(matches!(grid.validate(), Err(TrainingError::Config { .. })), "{grid:?}");
        }
        let grid = Grid { lrs: vec![0.1, -1.0], ..valid };
        assert!(matches!(grid.validate(), Err(TrainingError::Optim(_))));
    }
}
