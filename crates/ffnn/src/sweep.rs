//! A sweep: every run of a grid, and the choice of the best.

use datasets::Splits;
use experiment::{Choice, Evaluation, History, Role, SweepRun, SweepSet, Tested, choose, tabulate};
use numerics::Scalar;
use rayon::prelude::*;
use training::TrainingError;

use crate::{FfnnError, Grid, GridSet};

/// The result of a sweep.
#[derive(Clone, Debug, PartialEq)]
pub struct SweepOutcome {
    /// Every set, in the order of the grid.
    pub sets: Vec<GridSet>,
    /// Every run: the seeds of the first set, those of the second, ...
    pub runs: Vec<SweepRun>,
    /// The runs summed up by set.
    pub table: Vec<SweepSet>,
    /// The best candidate.
    pub best: Choice,
    /// The metrics of its runs, by seed.
    pub best_histories: Vec<History>,
    /// The best baseline, unless all of them diverged.
    pub baseline: Option<Choice>,
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
/// [`FfnnError::NothingToChoose`] if no candidate is without a diverged run; otherwise as
/// [`Grid::validate`] and [`IrisConfig::run`](crate::IrisConfig::run).
pub fn sweep<T: Scalar>(grid: &Grid, data: &Splits<T>) -> Result<SweepOutcome, FfnnError> {
    grid.validate()?;
    let sets = grid.sets()?;
    let plan: Vec<(usize, u64)> =
        (0..sets.len()).flat_map(|set| grid.seeds.iter().map(move |&seed| (set, seed))).collect();
    let runs = plan
        .into_par_iter()
        .map(|(set, seed)| run(&sets[set], set, seed, data))
        .collect::<Result<Vec<_>, _>>()?;

    let named: Vec<_> = sets.iter().map(|set| (set.role, set.values())).collect();
    let table = tabulate(&named, &runs);
    let best = choose(&table, Role::Candidate).ok_or_else(|| FfnnError::NothingToChoose {
        sets: sets.iter().filter(|set| set.role == Role::Candidate).count(),
    })?;
    let tested = test(grid, &sets[best.set], data)?;
    let best_histories = tested.iter().map(|(_, history)| history.clone()).collect();
    let best = choice(grid, best, tested)?;
    let baseline = match choose(&table, Role::Baseline) {
        Some(set) => Some(choice(grid, set, test(grid, &sets[set.set], data)?)?),
        None => None,
    };
    Ok(SweepOutcome { sets, runs, table, best, best_histories, baseline })
}

fn run<T: Scalar>(
    grid_set: &GridSet,
    set: usize,
    seed: u64,
    data: &Splits<T>,
) -> Result<SweepRun, FfnnError> {
    let result = match grid_set.config.run(data, seed, &mut History::default()) {
        Ok(outcome) => {
            let validation = outcome.last.validation.expect("the run had a validation set");
            Some((outcome.last.train.into(), validation.into()))
        }
        Err(TrainingError::Diverged { .. }) => None,
        Err(error) => return Err(error.into()),
    };
    Ok(SweepRun { set, seed, result })
}

/// Runs a chosen set once more, now with its history and on the test set.
fn test<T: Scalar>(
    grid: &Grid,
    set: &GridSet,
    data: &Splits<T>,
) -> Result<Vec<(Evaluation, History)>, FfnnError> {
    grid.seeds
        .par_iter()
        .map(|&seed| {
            let mut history = History::default();
            let outcome = set.config.run(data, seed, &mut history)?;
            Ok((outcome.test(data)?, history))
        })
        .collect()
}

fn choice(
    grid: &Grid,
    set: &SweepSet,
    tested: Vec<(Evaluation, History)>,
) -> Result<Choice, FfnnError> {
    let tested = grid.seeds.iter().zip(tested);
    let test = tested.map(|(&seed, (evaluation, _))| Tested { seed, evaluation }).collect();
    Ok(Choice::new(&grid.axes(), set, test).map_err(TrainingError::from)?)
}
