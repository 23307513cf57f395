//! A sweep: every run of a grid, and the choice of the best.

use std::collections::BTreeMap;

use datasets::Splits;
use experiment::{Evaluation, ExperimentError, History, Spread};
use numerics::Scalar;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use training::{Trainable, TrainingError};

use crate::{AXES, Grid, GridSet, Role};

/// The result of a sweep.
#[derive(Clone, Debug, PartialEq)]
pub struct SweepOutcome {
    /// Every run: the seeds of the first set, those of the second, ...
    pub runs: Vec<SweepRun>,
    /// The runs summed up by set, in the order of the grid.
    pub table: Vec<SweepSet>,
    /// The best candidate.
    pub best: Choice,
    /// The metrics of its runs, by seed.
    pub best_histories: Vec<History>,
    /// The best baseline, unless all of them diverged.
    pub baseline: Option<Choice>,
}

/// A run of a sweep.
#[derive(Clone, Debug, PartialEq)]
pub struct SweepRun {
    /// The set that it belongs to, from 0.
    pub set: usize,
    /// Its seed.
    pub seed: u64,
    /// Loss and error of the training set, and those of the validation set, after the last epoch; `None`
    /// if the run diverged.
    pub result: Option<[f64; 4]>,
}

/// A set of a sweep.
#[derive(Clone, Debug, PartialEq)]
pub struct SweepSet {
    /// The number of the set, from 0.
    pub set: usize,
    /// Whether it can be chosen as the best.
    pub role: Role,
    /// A value for each axis.
    pub values: Vec<String>,
    /// The number of its runs.
    pub runs: usize,
    /// The number of those that diverged.
    pub diverged: usize,
    /// Means and deviations over the runs; `None` if one of them diverged.
    pub spreads: Option<SetSpreads>,
}

/// The spreads of a set over its seeds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SetSpreads {
    /// Training loss.
    pub train_loss: Spread,
    /// Training error.
    pub train_error: Spread,
    /// Validation loss.
    pub val_loss: Spread,
    /// Validation error.
    pub val_error: Spread,
}

/// A chosen set and its test results: the only sets that are ever tested.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Choice {
    /// The number of the set.
    pub set: usize,
    /// Its values by the name of the axis.
    pub values: BTreeMap<String, String>,
    /// Validation error over the seeds.
    pub validation_error: Spread,
    /// Validation loss over the seeds.
    pub validation_loss: Spread,
    /// Test error over the seeds.
    pub test_error: Spread,
    /// Test loss over the seeds.
    pub test_loss: Spread,
    /// The test set by seed.
    pub test: Vec<Tested>,
}

/// The test result of one seed.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tested {
    /// The seed.
    pub seed: u64,
    /// The test set after the last epoch.
    #[serde(flatten)]
    pub evaluation: Evaluation,
}

/// Runs every set of the grid with every seed, chooses the best candidate and the best baseline on
/// validation, and evaluates these two on the test set, which nothing else sees.
///
/// The runs are spread over the threads of rayon. Each computes on one thread from its own seed, and
/// results are collected in the order of the grid, so that the number of threads changes nothing.
///
/// `data` is what [`Splits::preprocess`] made of the grid's choice.
///
/// # Errors
/// [`TrainingError::Refused`] if no candidate is without a diverged run; otherwise as
/// [`Grid::validate`] and [`IrisConfig::run`](crate::IrisConfig::run).
pub fn sweep<T: Scalar>(grid: &Grid, data: &Splits<T>) -> Result<SweepOutcome, TrainingError> {
    grid.validate()?;
    let sets = grid.sets();
    let run = |(set, seed): (usize, u64)| {
        let result = match sets[set].config.run(data, seed, &mut History::default()) {
            Ok(outcome) => {
                let train = outcome.last.train;
                let validation = outcome.last.validation.expect("the run had a validation set");
                Some([train.loss, train.error, validation.loss, validation.error])
            }
            Err(TrainingError::Diverged { .. }) => None,
            Err(error) => return Err(error),
        };
        Ok(SweepRun { set, seed, result })
    };
    let runs = grid.plan().into_par_iter().map(run).collect::<Result<Vec<_>, _>>()?;

    let table = tabulate(&sets, &runs);
    let test = |set: &SweepSet| test(grid, &sets[set.set], set, data);
    let best = choose(&table, Role::Candidate).ok_or_else(|| {
        let candidates = sets.iter().filter(|set| set.role == Role::Candidate).count();
        TrainingError::Refused(format!(
            "no set can be chosen: in each of the {candidates} sets of the grid a run diverged"
        ))
    })?;
    let (best, best_histories) = test(best)?;
    let baseline = choose(&table, Role::Baseline).map(test).transpose()?.map(|(choice, _)| choice);
    Ok(SweepOutcome { runs, table, best, best_histories, baseline })
}

/// Runs a chosen set once more, now with its history and on the test set.
fn test<T: Scalar>(
    grid: &Grid,
    of_grid: &GridSet,
    set: &SweepSet,
    data: &Splits<T>,
) -> Result<(Choice, Vec<History>), TrainingError> {
    let run = |&seed: &u64| {
        let mut history = History::default();
        let outcome = of_grid.config.run(data, seed, &mut history)?;
        Ok((Tested { seed, evaluation: outcome.network.measure(&data.test)? }, history))
    };
    let tested: Vec<_> = grid.seeds.par_iter().map(run).collect::<Result<_, TrainingError>>()?;
    let (test, histories) = tested.into_iter().unzip();
    Ok((Choice::new(set, test)?, histories))
}

/// The table that follows from the runs of these sets.
pub(crate) fn tabulate(sets: &[GridSet], runs: &[SweepRun]) -> Vec<SweepSet> {
    let row = |(set, of_grid): (usize, &GridSet)| {
        let of_set: Vec<_> = runs.iter().filter(|run| run.set == set).collect();
        let results: Option<Vec<_>> = of_set.iter().map(|run| run.result).collect();
        SweepSet {
            set,
            role: of_grid.role,
            values: of_grid.values(),
            runs: of_set.len(),
            diverged: of_set.iter().filter(|run| run.result.is_none()).count(),
            spreads: results.and_then(|results| spreads(&results)),
        }
    };
    sets.iter().enumerate().map(row).collect()
}

fn spreads(results: &[[f64; 4]]) -> Option<SetSpreads> {
    let of = |at: usize| Spread::of(&results.iter().map(|result| result[at]).collect::<Vec<_>>());
    Some(SetSpreads {
        train_loss: of(0)?,
        train_error: of(1)?,
        val_loss: of(2)?,
        val_error: of(3)?,
    })
}

/// The set of this role with the smallest mean validation error; of those that tie, the one with
/// the smallest mean validation loss; of those, the first. A set with a diverged run is out.
pub(crate) fn choose(table: &[SweepSet], role: Role) -> Option<&SweepSet> {
    let key = |set: &SweepSet| set.spreads.map(|s| (s.val_error.mean, s.val_loss.mean));
    table
        .iter()
        .filter(|set| set.role == role && set.spreads.is_some())
        .min_by(|a, b| key(a).partial_cmp(&key(b)).expect("recorded numbers are finite"))
}

impl Choice {
    /// The choice of a set whose runs, by seed, have these test results.
    ///
    /// # Errors
    /// [`ExperimentError::Refused`] if the set has a diverged run, there are fewer than two test
    /// results, or one is not finite.
    pub(crate) fn new(set: &SweepSet, test: Vec<Tested>) -> Result<Self, ExperimentError> {
        test.iter().try_for_each(|tested| tested.evaluation.validate())?;
        let of = |value: fn(&Evaluation) -> f64| {
            Spread::of(&test.iter().map(|tested| value(&tested.evaluation)).collect::<Vec<_>>())
        };
        let (Some(spreads), Some(test_error), Some(test_loss)) =
            (set.spreads, of(|test| test.error), of(|test| test.loss))
        else {
            let expected = "one without diverged runs, tested with at least 2 seeds";
            let got = format!("{} diverged, {} tested", set.diverged, test.len());
            return Err(ExperimentError::value("the chosen set", expected, got));
        };
        Ok(Self {
            set: set.set,
            values: AXES.map(str::to_owned).into_iter().zip(set.values.clone()).collect(),
            validation_error: spreads.val_error,
            validation_loss: spreads.val_loss,
            test_error,
            test_loss,
            test,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_set_has_the_least_error_then_the_least_loss_and_no_diverged_run() {
        let grid = Grid { lrs: vec![1.0], hidden: vec![1, 2, 3, 4], ..Grid::default() };
        let sets = grid.sets();
        // Validation error and loss of two runs of each set, the last of which is the baseline.
        let numbers = [
            [Some((0.04, 0.1)), Some((0.08, 0.1))],
            [Some((0.04, 0.3)), Some((0.04, 0.3))],
            [Some((0.0, 0.2)), Some((0.08, 0.2))],
            [Some((0.0, 0.0)), None],
            [Some((0.0, 0.0)), Some((0.0, 0.0))],
        ];
        let runs: Vec<_> = numbers
            .iter()
            .enumerate()
            .flat_map(|(set, runs)| {
                runs.iter().zip(0..).map(move |(numbers, seed)| SweepRun {
                    set,
                    seed,
                    result: numbers.map(|(error, loss)| [0.1, 0.0, loss, error]),
                })
            })
            .collect();
        let table = tabulate(&sets, &runs);
        assert_eq!(choose(&table, Role::Candidate).unwrap().set, 2);
        assert_eq!(choose(&table, Role::Baseline).unwrap().set, 4);
        assert_eq!((table[3].runs, table[3].diverged, table[3].spreads), (2, 1, None));
        let values: Vec<_> = table.iter().map(|set| set.values.join(" ")).collect();
        assert_eq!(values, ["1 1", "1 2", "1 3", "1 4", "1 none"]);
    }
}
