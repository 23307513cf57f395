//! The record of a sweep: what it depends on, its runs, and what was chosen.

use std::path::Path;

use experiment::{Data, Dtype, ExperimentError, Machine, ModelName, Program, Status, files};
use serde::{Deserialize, Serialize};

use crate::{Choice, Grid, SweepRun, SweepSet};

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
    /// The time that it took, that of all sets added up.
    pub wall_seconds: f64,
    /// Where it ran.
    pub machine: Machine,
    /// The program that wrote it.
    pub program: Program,
}

/// The record of a sweep, without its plots and its best run.
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

impl Axis {
    /// The axes of a grid.
    pub fn of(grid: &Grid) -> Vec<Self> {
        let sizes = grid.hidden.iter().map(usize::to_string).chain(["none".to_owned()]);
        vec![
            Self { name: "lr".to_owned(), values: grid.lrs.iter().map(f64::to_string).collect() },
            Self { name: "hidden".to_owned(), values: sizes.collect() },
        ]
    }
}

impl SweepRecord {
    /// The files of a record, in the order of the fields.
    pub const FILES: [&str; 4] = ["sweep.toml", "runs.csv", "table.csv", "summary.json"];

    /// Writes the record.
    pub fn write(&self, directory: &Path) -> Result<(), ExperimentError> {
        let [config, runs, table, summary] = Self::FILES.map(|name| directory.join(name));
        files::write_toml(&config, &self.config)?;
        files::write_csv(&runs, &self.runs)?;
        files::write_csv(&table, &self.table)?;
        files::write_json(&summary, &self.summary)
    }

    /// Reads a record; its `best/` is a [`Record`](experiment::Record).
    ///
    /// # Errors
    /// If a file is missing, or not of the schema.
    pub fn read(directory: &Path) -> Result<Self, ExperimentError> {
        let [config, runs, table, summary] = Self::FILES.map(|name| directory.join(name));
        Ok(Self {
            config: files::read_toml(&config)?,
            runs: files::read_csv(&runs)?,
            table: files::read_csv(&table)?,
            summary: files::read_json(&summary)?,
        })
    }
}
