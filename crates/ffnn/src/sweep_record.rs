//! The record of a sweep: what it depends on, its runs, and what was chosen.

use std::path::Path;

use experiment::{Data, Dtype, ExperimentError, Machine, ModelName, Program, Status, files};
use serde::{Deserialize, Serialize};

use crate::sweep::{choose, tabulate};
use crate::{AXES, Choice, Grid, Role, SetSpreads, SweepRun, SweepSet};

pub(crate) const CONFIG: &str = "sweep.toml";
pub(crate) const RUNS: &str = "runs.csv";
pub(crate) const TABLE: &str = "table.csv";
pub(crate) const SUMMARY: &str = "summary.json";

const RUN_COLUMNS: &str = "set,lr,hidden,seed,status,train_loss,train_error,val_loss,val_error";
const SET_COLUMNS: &str = "set,role,lr,hidden,runs,diverged,train_loss_mean,train_error_mean,\
                           val_loss_mean,val_loss_sd,val_error_mean,val_error_sd";

/// `sweep.toml`: all that a sweep depends on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SweepConfig {
    /// [`SCHEMA`](experiment::SCHEMA).
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

/// `summary.json`: what was chosen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SweepSummary {
    /// [`SCHEMA`](experiment::SCHEMA).
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

/// The record of a sweep, checked against the schema.
#[derive(Clone, Debug, PartialEq)]
pub struct SweepRecord {
    /// `sweep.toml`.
    pub config: SweepConfig,
    /// Its plan, which follows from the configuration.
    pub grid: Grid,
    /// `runs.csv`.
    pub runs: Vec<SweepRun>,
    /// `table.csv`.
    pub table: Vec<SweepSet>,
    /// `summary.json`.
    pub summary: SweepSummary,
}

impl Axis {
    /// The axes of a grid.
    #[must_use]
    pub fn of(grid: &Grid) -> Vec<Self> {
        let lrs = grid.lrs.iter().map(f64::to_string).collect();
        let sizes = grid.hidden.iter().map(usize::to_string);
        let hidden = sizes.chain(["none".to_owned()]).collect();
        let axis = |(name, values): (&str, Vec<String>)| Self { name: name.to_owned(), values };
        AXES.into_iter().zip([lrs, hidden]).map(axis).collect()
    }
}

impl SweepConfig {
    /// The grid of the sweep, whose configuration is that of `file`.
    fn grid(&self, file: &Path) -> Result<Grid, ExperimentError> {
        let invalid = |expected: &str, got: String| ExperimentError::invalid(file, expected, got);
        let values = |at: usize| self.axes.get(at).into_iter().flat_map(|axis| &axis.values);
        let training = self.hyperparameters.clone().try_into().map_err(|error| {
            let error: toml::de::Error = error;
            invalid("the hyperparameters of a sweep", error.message().to_owned())
        })?;
        let grid = Grid {
            lrs: values(0).filter_map(|lr| lr.parse().ok()).collect(),
            hidden: values(1).filter_map(|size| size.parse().ok()).collect(),
            seeds: self.seeds.clone(),
            training,
        };
        if Axis::of(&grid) != self.axes {
            let expected = "the axes lr and hidden, the last value of which is none";
            return Err(invalid(expected, format!("{:?}", self.axes)));
        }
        grid.validate().map_err(|error| invalid("a sweep", error.to_string()))?;
        Ok(grid)
    }
}

impl SweepRecord {
    /// Writes the record, except for plots and the best run, and reads it back.
    pub fn write(&self, directory: &Path) -> Result<(), ExperimentError> {
        files::write_toml(&directory.join(CONFIG), &self.config)?;
        files::write_csv(&directory.join(RUNS), run_rows(&self.table, &self.runs))?;
        files::write_csv(&directory.join(TABLE), set_rows(&self.table))?;
        files::write_json(&directory.join(SUMMARY), &self.summary)?;
        Self::read(directory).map(drop)
    }

    /// Reads a record; its `best/` is a [`Record`](experiment::Record).
    ///
    /// # Errors
    /// As [`Record::read`](experiment::Record::read); also if the table or the choice do not follow from
    /// the runs.
    pub fn read(directory: &Path) -> Result<Self, ExperimentError> {
        let config_file = directory.join(CONFIG);
        let config: SweepConfig = files::read_toml(&config_file)?;
        config.data.validate(&config_file)?;
        let grid = config.grid(&config_file)?;

        let (runs_file, table_file) = (directory.join(RUNS), directory.join(TABLE));
        let rows = files::read_csv(&runs_file)?;
        let run = |((set, seed), index): ((usize, u64), usize)| SweepRun {
            set,
            seed,
            result: rows.get(index).and_then(|row| numbers(row)),
        };
        let runs: Vec<_> = grid.plan().into_iter().zip(1..).map(run).collect();
        let table = tabulate(&grid.sets(), &runs);
        let expected = run_rows(&table, &runs);
        files::check_rows(&runs_file, &expected, &rows, "from sweep.toml, or finite numbers")?;
        let rows = files::read_csv(&table_file)?;
        files::check_rows(&table_file, &set_rows(&table), &rows, "from runs.csv")?;

        let summary_file = directory.join(SUMMARY);
        let summary: SweepSummary = files::read_json(&summary_file)?;
        let record = Self { config, grid, runs, table, summary };
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
        let invalid = |expected: String, got: String| ExperimentError::invalid(file, expected, got);
        let set = choose(&self.table, role);
        let (expected, got) = (set.map(|set| set.set), choice.map(|choice| choice.set));
        if expected != got {
            let expected = format!("set {expected:?} as the best {}", role.name());
            return Err(invalid(expected, format!("set {got:?}")));
        }
        let (Some(set), Some(choice)) = (set, choice) else { return Ok(()) };
        let again = Choice::new(set, choice.test.clone())
            .map_err(|error| invalid("consistent results".to_owned(), error.to_string()))?;
        let seeds = choice.test.iter().map(|tested| tested.seed);
        if again != *choice || seeds.ne(self.config.seeds.iter().copied()) {
            let expected = format!("the {} to follow from the runs", role.name());
            return Err(invalid(expected, format!("{choice:?}")));
        }
        Ok(())
    }
}

/// The rows of `runs.csv`, the header first.
fn run_rows(table: &[SweepSet], runs: &[SweepRun]) -> Vec<Vec<String>> {
    let row = |run: &SweepRun| {
        let status = if run.result.is_some() { "finished" } else { "diverged" };
        let mut row = vec![run.set.to_string()];
        row.extend_from_slice(&table[run.set].values);
        row.extend([run.seed.to_string(), status.to_owned()]);
        row.extend(texts(run.result));
        row
    };
    [header(RUN_COLUMNS)].into_iter().chain(runs.iter().map(row)).collect()
}

/// The rows of `table.csv`, the header first.
fn set_rows(table: &[SweepSet]) -> Vec<Vec<String>> {
    let row = |set: &SweepSet| {
        let numbers = set.spreads.map(|spreads| {
            let SetSpreads { train_loss, train_error, val_loss: loss, val_error: error } = spreads;
            [train_loss.mean, train_error.mean, loss.mean, loss.sd, error.mean, error.sd]
        });
        let mut row = vec![set.set.to_string(), set.role.name().to_owned()];
        row.extend_from_slice(&set.values);
        row.extend([set.runs.to_string(), set.diverged.to_string()]);
        row.extend(texts(numbers));
        row
    };
    [header(SET_COLUMNS)].into_iter().chain(table.iter().map(row)).collect()
}

fn header(columns: &str) -> Vec<String> {
    columns.split(',').map(str::to_owned).collect()
}

fn texts<const N: usize>(numbers: Option<[f64; N]>) -> [String; N] {
    numbers.map_or([const { String::new() }; N], |numbers| numbers.map(|x| x.to_string()))
}

/// The result of a row of `runs.csv`, if it has one.
fn numbers(row: &[String]) -> Option<[f64; 4]> {
    let number = |text: &String| text.parse().ok().filter(|x: &f64| x.is_finite());
    row.get(5..)?.iter().map(number).collect::<Option<Vec<_>>>()?.try_into().ok()
}
