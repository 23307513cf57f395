//! The record of a sweep: a grid of hyperparameters, each set of them run with several seeds.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::schema::{read_json, read_toml};
use crate::{
    Data, Dtype, Evaluation, ExperimentError, Machine, ModelName, Program, Spread, Status,
    sweep_csv,
};

/// The file that makes a folder the record of a sweep.
pub(crate) const SWEEP_CONFIG: &str = "sweep.toml";
/// One row a run.
pub(crate) const RUNS: &str = "runs.csv";
/// One row a set.
pub(crate) const TABLE: &str = "table.csv";
/// The choice.
pub(crate) const SUMMARY: &str = "summary.json";

/// `sweep.toml`: all that a sweep depends on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SweepConfig {
    /// [`SCHEMA`](crate::SCHEMA).
    pub schema: u32,
    /// The name of the record.
    pub model_name: ModelName,
    /// The command line.
    pub command: String,
    /// The number type.
    pub dtype: Dtype,
    /// The seeds that each set is run with.
    pub seeds: Vec<u64>,
    /// The rule by which the best set is chosen, in words.
    pub selection: String,
    /// The data of the runs.
    pub data: Data,
    /// The hyperparameters that vary.
    pub axes: Vec<Axis>,
    /// The hyperparameters that do not vary.
    pub hyperparameters: toml::Table,
}

/// A hyperparameter that varies.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Axis {
    /// Its name.
    pub name: String,
    /// Its values, as the command line spells them.
    pub values: Vec<String>,
}

/// A row of `runs.csv`.
#[derive(Clone, Debug, PartialEq)]
pub struct SweepRun {
    /// The set that it belongs to, from 0.
    pub set: usize,
    /// Its seed.
    pub seed: u64,
    /// Training and validation set after the last epoch; `None` if the run diverged.
    pub result: Option<(Measured, Measured)>,
}

/// Loss and error, as `runs.csv` has them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Measured {
    /// The mean loss.
    pub loss: f64,
    /// The error.
    pub error: f64,
}

impl From<Evaluation> for Measured {
    fn from(Evaluation { loss, error, .. }: Evaluation) -> Self {
        Self { loss, error }
    }
}

/// A row of `table.csv`.
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

/// The purpose of a set in a sweep.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// To be chosen as the best.
    Candidate,
    /// To be beaten.
    Baseline,
}

impl Role {
    /// The name in `table.csv`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Candidate => "candidate",
            Self::Baseline => "baseline",
        }
    }
}

/// `summary.json`: what was chosen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SweepSummary {
    /// [`SCHEMA`](crate::SCHEMA).
    pub schema: u32,
    /// Always `finished`: a sweep is written at once.
    pub status: Status,
    /// The best candidate.
    pub best: Choice,
    /// The best baseline, if the sweep has any.
    pub baseline: Option<Choice>,
    /// The time that it took.
    pub wall_seconds: f64,
    /// Where it ran.
    pub machine: Machine,
    /// The program that wrote it.
    pub program: Program,
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

impl Choice {
    /// The choice of a set whose runs, by seed, have these test results.
    ///
    /// # Errors
    /// [`ExperimentError::Value`] if the set has a diverged run, there are fewer than two test
    /// results, or one is not finite.
    pub fn new(axes: &[Axis], set: &SweepSet, test: Vec<Tested>) -> Result<Self, ExperimentError> {
        for tested in &test {
            tested.evaluation.validate()?;
        }
        let of = |value: fn(&Evaluation) -> f64| {
            Spread::of(&test.iter().map(|tested| value(&tested.evaluation)).collect::<Vec<_>>())
        };
        let (Some(spreads), Some(test_error), Some(test_loss)) =
            (set.spreads, of(|test| test.error), of(|test| test.loss))
        else {
            return Err(ExperimentError::Value {
                what: "the chosen set",
                expected: "one without diverged runs, tested with at least 2 seeds",
                got: format!("{} diverged, {} tested", set.diverged, test.len()),
            });
        };
        Ok(Self {
            set: set.set,
            values: axes.iter().map(|axis| axis.name.clone()).zip(set.values.clone()).collect(),
            validation_error: spreads.val_error,
            validation_loss: spreads.val_loss,
            test_error,
            test_loss,
            test,
        })
    }
}

/// The record of a sweep, checked against the schema.
#[derive(Clone, Debug, PartialEq)]
pub struct SweepRecord {
    /// `sweep.toml`.
    pub config: SweepConfig,
    /// `runs.csv`.
    pub runs: Vec<SweepRun>,
    /// `table.csv`.
    pub table: Vec<SweepSet>,
    /// `summary.json`.
    pub summary: SweepSummary,
}

impl SweepRecord {
    /// Reads a folder that a [`SweepWriter`](crate::SweepWriter) wrote; its `best/` is a
    /// [`Record`](crate::Record).
    ///
    /// # Errors
    /// As [`Record::read`](crate::Record::read); also if the table or the choice do not follow from
    /// the runs.
    pub fn read(directory: &Path) -> Result<Self, ExperimentError> {
        let config_file = directory.join(SWEEP_CONFIG);
        let config: SweepConfig = read_toml(&config_file)?;
        config.data.validate(&config_file)?;
        let runs = sweep_csv::read_runs(&directory.join(RUNS), &config)?;
        let table = sweep_csv::read_table(&directory.join(TABLE), &config, &runs)?;
        let summary_file = directory.join(SUMMARY);
        let summary: SweepSummary = read_json(&summary_file)?;
        let record = Self { config, runs, table, summary };
        record.check_choice(&summary_file, Role::Candidate, Some(&record.summary.best))?;
        record.check_choice(&summary_file, Role::Baseline, record.summary.baseline.as_ref())?;
        Ok(record)
    }

    fn check_choice(
        &self,
        file: &Path,
        role: Role,
        choice: Option<&Choice>,
    ) -> Result<(), ExperimentError> {
        let best = choose(&self.table, role);
        if best.map(|set| set.set) != choice.map(|choice| choice.set) {
            let expected = format!("set {:?} as the best {}", best.map(|set| set.set), role.name());
            let got = format!("set {:?}", choice.map(|choice| choice.set));
            return Err(ExperimentError::invalid(file, expected, got));
        }
        let (Some(set), Some(choice)) = (best, choice) else { return Ok(()) };
        let again = Choice::new(&self.config.axes, set, choice.test.clone()).map_err(|error| {
            ExperimentError::invalid(file, "consistent results", error.to_string())
        })?;
        let seeds = choice.test.iter().map(|tested| tested.seed);
        if again != *choice || seeds.ne(self.config.seeds.iter().copied()) {
            let expected = format!("the {} to follow from the runs", role.name());
            return Err(ExperimentError::invalid(file, expected, format!("{choice:?}")));
        }
        Ok(())
    }
}

/// The table that follows from the runs; `sets` has the role and the values of each set in order.
#[must_use]
pub fn tabulate(sets: &[(Role, Vec<String>)], runs: &[SweepRun]) -> Vec<SweepSet> {
    let row = |(set, (role, values)): (usize, &(Role, Vec<String>))| {
        let of_set: Vec<_> = runs.iter().filter(|run| run.set == set).collect();
        let results: Option<Vec<_>> = of_set.iter().map(|run| run.result).collect();
        SweepSet {
            set,
            role: *role,
            values: values.clone(),
            runs: of_set.len(),
            diverged: of_set.iter().filter(|run| run.result.is_none()).count(),
            spreads: results.and_then(|results| spreads(&results)),
        }
    };
    sets.iter().enumerate().map(row).collect()
}

fn spreads(results: &[(Measured, Measured)]) -> Option<SetSpreads> {
    let of = |value: fn(&(Measured, Measured)) -> f64| {
        Spread::of(&results.iter().map(value).collect::<Vec<_>>())
    };
    Some(SetSpreads {
        train_loss: of(|(train, _)| train.loss)?,
        train_error: of(|(train, _)| train.error)?,
        val_loss: of(|(_, validation)| validation.loss)?,
        val_error: of(|(_, validation)| validation.error)?,
    })
}

/// The set of this role with the smallest mean validation error; of those that tie, the one with
/// the smallest mean validation loss; of those, the first. A set with a diverged run is out.
#[must_use]
pub fn choose(table: &[SweepSet], role: Role) -> Option<&SweepSet> {
    let key = |set: &SweepSet| set.spreads.map(|s| (s.val_error.mean, s.val_loss.mean));
    table
        .iter()
        .filter(|set| set.role == role && set.spreads.is_some())
        .min_by(|a, b| key(a).partial_cmp(&key(b)).expect("recorded numbers are finite"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(set: usize, seed: u64, val_error: f64, val_loss: f64) -> SweepRun {
        let train = Measured { loss: 0.1, error: 0.0 };
        let validation = Measured { loss: val_loss, error: val_error };
        SweepRun { set, seed, result: Some((train, validation)) }
    }

    #[test]
    fn the_best_set_has_the_least_error_then_the_least_loss() {
        let candidate = |value: &str| (Role::Candidate, vec![value.to_owned()]);
        let sets =
            [candidate("a"), candidate("b"), candidate("c"), (Role::Baseline, vec!["d".into()])];
        let runs = [
            run(0, 0, 0.04, 0.1),
            run(0, 1, 0.08, 0.1),
            run(1, 0, 0.04, 0.3),
            run(1, 1, 0.04, 0.3),
            run(2, 0, 0.00, 0.2),
            run(2, 1, 0.08, 0.2),
            run(3, 0, 0.0, 0.0),
            run(3, 1, 0.0, 0.0),
        ];
        let table = tabulate(&sets, &runs);
        assert_eq!(choose(&table, Role::Candidate).unwrap().set, 2);
        assert_eq!(choose(&table, Role::Baseline).unwrap().set, 3);
    }

    #[test]
    fn a_set_with_a_diverged_run_has_no_mean_and_is_not_chosen() {
        let sets = [(Role::Candidate, vec![]), (Role::Candidate, vec![])];
        let runs = [
            run(0, 0, 0.0, 0.0),
            SweepRun { set: 0, seed: 1, result: None },
            run(1, 0, 0.5, 1.0),
            run(1, 1, 0.5, 1.0),
        ];
        let table = tabulate(&sets, &runs);
        assert_eq!((table[0].runs, table[0].diverged, table[0].spreads), (2, 1, None));
        assert_eq!(choose(&table, Role::Candidate).unwrap().set, 1);
        assert_eq!(choose(&table, Role::Baseline), None);
    }
}
