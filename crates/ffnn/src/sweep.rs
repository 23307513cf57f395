//! A sweep: every run of a grid, and the choice of the best.

use std::collections::BTreeMap;

use datasets::Splits;
use experiment::{Evaluation, ExperimentError, History, Spread, Status};
use numerics::Scalar;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use training::{Trainable, TrainingError};

use crate::{Grid, IrisConfig};

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

/// A run of a sweep, and a row of `runs.csv`. It has no losses and errors, which are those after the last
/// epoch, if it diverged. Sets count from 0; `lr` and `hidden` are as the command line spells them.
#[expect(missing_docs, reason = "the documentation of the crate lists the columns")]
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SweepRun {
    pub set: usize,
    pub lr: String,
    pub hidden: String,
    pub seed: u64,
    pub status: Status,
    pub train_loss: Option<f64>,
    pub train_error: Option<f64>,
    pub val_loss: Option<f64>,
    pub val_error: Option<f64>,
}

/// The purpose of a set in a sweep.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// To be chosen as the best.
    Candidate,
    /// To be beaten: it has no hidden layer.
    Baseline,
}

/// A set of a sweep, and a row of `table.csv`. It has no means and standard deviations if one of its runs
/// diverged.
#[expect(missing_docs, reason = "the documentation of the crate lists the columns")]
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SweepSet {
    pub set: usize,
    pub role: Role,
    pub lr: String,
    pub hidden: String,
    pub runs: usize,
    pub diverged: usize,
    pub train_loss_mean: Option<f64>,
    pub train_error_mean: Option<f64>,
    pub val_loss_mean: Option<f64>,
    pub val_loss_sd: Option<f64>,
    pub val_error_mean: Option<f64>,
    pub val_error_sd: Option<f64>,
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

/// Runs every set of the grid with every seed as [`run_set`] does, and [`choose`]s.
///
/// # Errors
/// As both, and as [`Grid::validate`].
pub fn sweep<T: Scalar>(grid: &Grid, data: &Splits<T>) -> Result<SweepOutcome, TrainingError> {
    grid.validate()?;
    let sets = 0..grid.sets().len();
    let runs = sets.map(|set| run_set(grid, data, set)).collect::<Result<Vec<_>, _>>()?;
    choose(grid, data, runs.concat())
}

/// Runs a set of the grid with every seed.
///
/// The runs are spread over the threads of rayon. Each computes on one thread from its own seed, and
/// results are collected in the order of the seeds, so that the number of threads changes nothing.
///
/// `data` is what [`Splits::preprocess`] made of the grid's choice.
///
/// # Errors
/// As [`IrisConfig::run`], but for runs that diverge.
///
/// # Panics
/// If there is no such set.
pub fn run_set<T: Scalar>(
    grid: &Grid,
    data: &Splits<T>,
    set: usize,
) -> Result<Vec<SweepRun>, TrainingError> {
    let config: &IrisConfig = &grid.sets()[set];
    let run = |&seed: &u64| {
        let last = match config.run(data, seed, &mut History::default()) {
            Ok((_, last)) => Some(last),
            Err(TrainingError::Diverged { .. }) => None,
            Err(error) => return Err(error),
        };
        let (train, validation) =
            (last.map(|last| last.train), last.and_then(|last| last.validation));
        Ok(SweepRun {
            set,
            lr: config.lr.to_string(),
            hidden: config.hidden.to_string(),
            seed,
            status: if last.is_some() { Status::Finished } else { Status::Diverged },
            train_loss: train.map(|train| train.loss),
            train_error: train.map(|train| train.error),
            val_loss: validation.map(|validation| validation.loss),
            val_error: validation.map(|validation| validation.error),
        })
    };
    grid.seeds.par_iter().map(run).collect()
}

/// Chooses the best candidate and the best baseline of all runs of the grid on validation, and evaluates these two on
/// the test set, which nothing else sees.
///
/// # Errors
/// [`TrainingError::Refused`] if no candidate is without a diverged run; otherwise as [`IrisConfig::run`].
pub fn choose<T: Scalar>(
    grid: &Grid,
    data: &Splits<T>,
    runs: Vec<SweepRun>,
) -> Result<SweepOutcome, TrainingError> {
    let sets = grid.sets();
    let table = tabulate(&sets, &runs);
    let test = |set: &SweepSet| test(&sets[set.set], &grid.seeds, set, &runs, data);
    let best = best_of(&table, Role::Candidate).ok_or_else(|| {
        let candidates = table.iter().filter(|set| set.role == Role::Candidate).count();
        TrainingError::Refused(format!(
            "no set can be chosen: in each of the {candidates} sets of the grid a run diverged"
        ))
    })?;
    let (best, best_histories) = test(best)?;
    let baseline = best_of(&table, Role::Baseline).map(test).transpose()?.map(|(choice, _)| choice);
    Ok(SweepOutcome { runs, table, best, best_histories, baseline })
}

/// Runs a chosen set once more, now with its history and on the test set.
fn test<T: Scalar>(
    config: &IrisConfig,
    seeds: &[u64],
    set: &SweepSet,
    runs: &[SweepRun],
    data: &Splits<T>,
) -> Result<(Choice, Vec<History>), TrainingError> {
    let run = |&seed: &u64| {
        let mut history = History::default();
        let (network, _) = config.run(data, seed, &mut history)?;
        let evaluation = network.measure(&data.test)?;
        evaluation.validate()?;
        Ok((Tested { seed, evaluation }, history))
    };
    let tested: Vec<_> = seeds.par_iter().map(run).collect::<Result<_, TrainingError>>()?;
    let (test, histories): (Vec<Tested>, _) = tested.into_iter().unzip();
    let over_seeds = |values: Option<Spread>| {
        let expected = "one without diverged runs, tested with at least 2 seeds";
        values.ok_or_else(|| ExperimentError::value("the chosen set", expected, set.set))
    };
    let of_runs = |value: fn(&SweepRun) -> Option<f64>| over_seeds(spread(runs, set.set, value));
    let of_test = |value: fn(&Tested) -> f64| {
        over_seeds(Spread::of(&test.iter().map(value).collect::<Vec<_>>()))
    };
    let values = [("lr", &set.lr), ("hidden", &set.hidden)];
    let choice = Choice {
        set: set.set,
        values: values.map(|(axis, value)| (axis.to_owned(), value.clone())).into(),
        validation_error: of_runs(|run| run.val_error)?,
        validation_loss: of_runs(|run| run.val_loss)?,
        test_error: of_test(|test| test.evaluation.error)?,
        test_loss: of_test(|test| test.evaluation.loss)?,
        test,
    };
    Ok((choice, histories))
}

/// The table that follows from the runs of these sets.
fn tabulate(sets: &[IrisConfig], runs: &[SweepRun]) -> Vec<SweepSet> {
    let row = |(set, config): (usize, &IrisConfig)| {
        let count = |wanted: &dyn Fn(&SweepRun) -> bool| {
            runs.iter().filter(|run| run.set == set && wanted(run)).count()
        };
        let of = |value| spread(runs, set, value);
        let (train_loss, train_error) = (of(|run| run.train_loss), of(|run| run.train_error));
        let (val_loss, val_error) = (of(|run| run.val_loss), of(|run| run.val_error));
        SweepSet {
            set,
            role: if config.hidden.0.is_empty() { Role::Baseline } else { Role::Candidate },
            lr: config.lr.to_string(),
            hidden: config.hidden.to_string(),
            runs: count(&|_| true),
            diverged: count(&|run| run.status == Status::Diverged),
            train_loss_mean: train_loss.map(|spread| spread.mean),
            train_error_mean: train_error.map(|spread| spread.mean),
            val_loss_mean: val_loss.map(|spread| spread.mean),
            val_loss_sd: val_loss.map(|spread| spread.sd),
            val_error_mean: val_error.map(|spread| spread.mean),
            val_error_sd: val_error.map(|spread| spread.sd),
        }
    };
    sets.iter().enumerate().map(row).collect()
}

/// The spread of a value over the runs of a set; `None` if one of them has none.
fn spread(runs: &[SweepRun], set: usize, value: fn(&SweepRun) -> Option<f64>) -> Option<Spread> {
    let values = runs.iter().filter(|run| run.set == set).map(value);
    Spread::of(&values.collect::<Option<Vec<_>>>()?)
}

/// The set of this role with the smallest mean validation error; of those that tie, the one with
/// the smallest mean validation loss; of those, the first. A set with a diverged run is out.
fn best_of(table: &[SweepSet], role: Role) -> Option<&SweepSet> {
    let key = |set: &SweepSet| (set.val_error_mean, set.val_loss_mean);
    table
        .iter()
        .filter(|set| set.role == role && set.diverged == 0)
        .min_by(|a, b| key(a).partial_cmp(&key(b)).expect("recorded numbers are finite"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_set_has_the_least_error_then_the_least_loss_and_no_diverged_run() {
        let grid = Grid { lrs: vec![1.0], hidden: vec![1, 2, 3, 4], ..Grid::default() };
        // Validation error and loss of two runs of each set, the last of which is the baseline.
        let numbers = [
            [Some((0.04, 0.1)), Some((0.08, 0.1))],
            [Some((0.04, 0.3)), Some((0.04, 0.3))],
            [Some((0.0, 0.2)), Some((0.08, 0.2))],
            [Some((0.0, 0.0)), None],
            [Some((0.0, 0.0)), Some((0.0, 0.0))],
        ];
        let run = |set, seed, numbers: Option<(f64, f64)>| SweepRun {
            set,
            lr: "1".to_owned(),
            hidden: String::new(),
            seed,
            status: if numbers.is_some() { Status::Finished } else { Status::Diverged },
            train_loss: numbers.map(|_| 0.1),
            train_error: numbers.map(|_| 0.0),
            val_loss: numbers.map(|(_, loss)| loss),
            val_error: numbers.map(|(error, _)| error),
        };
        let sets = numbers.iter().enumerate();
        let runs: Vec<_> = sets
            .flat_map(|(set, [first, second])| [run(set, 0, *first), run(set, 1, *second)])
            .collect();
        let table = tabulate(&grid.sets(), &runs);
        assert_eq!(best_of(&table, Role::Candidate).unwrap().set, 2);
        assert_eq!(best_of(&table, Role::Baseline).unwrap().set, 4);
        assert_eq!((table[3].runs, table[3].diverged, table[3].val_loss_mean), (2, 1, None));
        let hidden: Vec<_> = table.iter().map(|set| set.hidden.as_str()).collect();
        assert_eq!(hidden, ["1", "2", "3", "4", "none"]);
    }
}
