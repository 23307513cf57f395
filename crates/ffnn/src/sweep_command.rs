//! `ffnn sweep`.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result};
use clap::Args;
use datasets::{Batches, Splits};
use experiment::{
    Config, Dtype, ExperimentError, Logger, Machine, ModelName, SCHEMA, Status, files,
};
use ffnn::{
    Axis, Grid, Hyperparameters, SweepConfig, SweepRecord, SweepRun, SweepSummary, choose, run_set,
    sweep_plots,
};
use serde::{Deserialize, Serialize};
use system::println;
use training::{TaskOptions, Tasks, Trainable, TrainingError, UsageError, command_line};

use crate::record_arguments::{PROGRAM, RecordArguments, describe, program};
use crate::sweep_table;

#[derive(Args, Debug)]
pub(crate) struct SweepArguments {
    /// Learning rates, separated by commas
    #[arg(long, value_name = "RATES", value_delimiter = ',', default_values_t = Grid::default().lrs)]
    #[arg(allow_negative_numbers = true)]
    lr: Vec<f64>,
    /// Sizes of the one hidden layer, separated by commas; the baseline has none
    #[arg(long, value_name = "SIZES", value_delimiter = ',', default_values_t = Grid::default().hidden)]
    #[arg(allow_negative_numbers = true)]
    hidden: Vec<usize>,
    /// How many seeds each set is run with: 0, 1, 2, ...
    #[arg(
        long,
        default_value_t = Grid::default().seeds.len() as u64,
        allow_negative_numbers = true,
        value_parser = clap::value_parser!(u64).range(2..=10_000)
    )]
    seeds: u64,
    /// Name of the record's folder
    #[arg(long, value_name = "NAME", default_value = "iris-sweep")]
    model_name: ModelName,
    /// Threads [default: as many as the machine runs at once]; the results do not depend on it
    #[arg(long, allow_negative_numbers = true)]
    #[arg(value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,
    #[command(flatten)]
    training: Hyperparameters,
    #[command(flatten)]
    record: RecordArguments,
    #[command(flatten)]
    tasks: TaskOptions,
}

/// What all sets of a sweep share.
#[derive(Serialize)]
struct Shared<'a> {
    seeds: u64,
    data_sha256: &'a str,
    #[serde(flatten)]
    training: &'a Hyperparameters,
}

/// The result of a task: the runs of a set.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SetResult {
    schema: u32,
    wall_seconds: f64,
    runs: Vec<SweepRun>,
}

/// The rule by which [`choose`] chooses, in words.
pub(crate) const SELECTION: &str = "least mean validation error over the seeds; of equals, least mean \
                         validation loss; sets with a diverged run are out";

pub(crate) fn execute(arguments: &SweepArguments) -> Result<()> {
    rayon::ThreadPoolBuilder::new()
        .num_threads(arguments.threads.map_or(0, usize::from))
        .build_global()
        .context("cannot start the threads")?;
    let grid = Grid {
        lrs: arguments.lr.clone(),
        hidden: arguments.hidden.clone(),
        seeds: (0..arguments.seeds).collect(),
        training: arguments.training.clone(),
    };
    grid.validate().map_err(UsageError::new)?;
    let SweepArguments { model_name, record, seeds, training, tasks, .. } = arguments;
    let splits = record.load(grid.training.preprocess)?;
    // Whatever can be refused is refused before there is a record.
    Batches::new(&splits.train, grid.training.batch_size, 0).map_err(UsageError::new)?;
    let sets = grid.sets();
    for set in &sets {
        set.network(&splits, 0).map_err(UsageError::new)?;
    }

    // Rates as short as they can be: a name has its limits.
    let names = sets.iter().map(|set| format!("hidden-{}-lr-{:?}", set.hidden, set.lr)).collect();
    let shared = Shared { seeds: *seeds, data_sha256: &splits.sha256, training };
    let status = |task: &Path| Ok(result_of(task).exists().then_some(Status::Finished));
    let folder = record.output.join(format!("{model_name}.tasks"));
    let tasks = Tasks::new(folder, names, &shared, tasks, status, PROGRAM.to_owned())?;
    let (numbers, collects) = tasks.asked()?;
    let place = record.output.join(model_name.to_string());
    if collects {
        check_replaceable(&place, record.overwrite)?;
    }
    if !numbers.is_empty() {
        tasks.plan(record.overwrite)?;
    }
    for n in numbers {
        let Some(claim) = tasks.claim(n, record.overwrite)? else { continue };
        let started = Instant::now();
        let runs = run_set(&grid, &splits, n)?;
        let wall_seconds = started.elapsed().as_secs_f64();
        let result = SetResult { schema: SCHEMA, wall_seconds, runs };
        files::write_json(&result_of(&tasks.path(n)), &result)?;
        claim.finish()?;
    }
    if collects {
        tasks.check_finished()?;
        let results = (0..sets.len()).map(|set| files::read_json(&result_of(&tasks.path(set))));
        let results = results.collect::<Result<Vec<SetResult>, _>>()?;
        let written = collect(arguments, &grid, &splits, &place, results);
        // Of results that are in the record, or out of which none can come, nobody has any use.
        let refused =
            |error: &anyhow::Error| matches!(error.downcast_ref(), Some(TrainingError::Refused(_)));
        if written.as_ref().err().is_none_or(refused) {
            tasks.remove()?;
        }
        written?;
    }
    Ok(())
}

/// The file with the result of a task.
fn result_of(task: &Path) -> PathBuf {
    let mut name = task.as_os_str().to_owned();
    name.push(".json");
    name.into()
}

/// Chooses from the results of all sets, and writes the record.
fn collect(
    arguments: &SweepArguments,
    grid: &Grid,
    splits: &Splits<f32>,
    place: &Path,
    results: Vec<SetResult>,
) -> Result<()> {
    let (started, record) = (Instant::now(), &arguments.record);
    let data = describe(splits);
    let tasks_seconds: f64 = results.iter().map(|result| result.wall_seconds).sum();
    // The numbers of the sets are those of the grid, which may have grown since.
    let runs = (0..)
        .zip(results)
        .flat_map(|(set, result)| result.runs.into_iter().map(move |run| SweepRun { set, ..run }));
    let outcome = choose(grid, splits, runs.collect())?;
    // Until all is computed, what was there stays.
    if place.exists() {
        fs::remove_dir_all(place).map_err(ExperimentError::io("replace", place))?;
    }

    // The run of the best set with the first seed, logged like any other.
    let (best, seed) = (&grid.sets()[outcome.best.set], grid.seeds[0]);
    let command = command_line(PROGRAM);
    let config = Config::new("best".parse()?, &command, seed, data.clone(), best)?;
    let mut logger = Logger::create(place, &config, program(), false)?;
    let (network, last) = best.run(splits, seed, &mut logger)?;
    let test = Some(network.measure(&splits.test)?);
    logger.finish(&last, test, network.parameters())?;

    let config = SweepConfig {
        schema: SCHEMA,
        model_name: arguments.model_name.clone(),
        command,
        dtype: Dtype::F32,
        seeds: grid.seeds.clone(),
        selection: SELECTION.to_owned(),
        data: data.clone(),
        axes: Axis::of(grid),
        hyperparameters: toml::Table::try_from(&grid.training)
            .context("cannot record the hyperparameters")?,
    };
    let summary = SweepSummary {
        schema: SCHEMA,
        status: Status::Finished,
        best: outcome.best.clone(),
        baseline: outcome.baseline.clone(),
        wall_seconds: tasks_seconds + started.elapsed().as_secs_f64(),
        machine: Machine::current(),
        program: program(),
    };
    let (runs, table) = (outcome.runs.clone(), outcome.table.clone());
    SweepRecord { config, runs, table, summary }.write(place)?;
    for (name, plot) in sweep_plots(grid, &outcome) {
        files::write(&place.join(name), plot.to_svg()?.as_bytes())?;
    }
    if !record.quiet {
        let seconds = tasks_seconds + started.elapsed().as_secs_f64();
        let (table, place, runs) =
            (sweep_table::text(&outcome, &data), place.display(), outcome.runs.len());
        println!("{table}\nrecord: {place} ({runs} runs, {seconds:.1} s)");
    }
    Ok(())
}

/// Checks that a sweep may be written to this folder.
fn check_replaceable(place: &Path, overwrite: bool) -> Result<(), ExperimentError> {
    if !place.exists() {
        return Ok(());
    }
    let entries = system::entries(place).map_err(ExperimentError::io("read", place))?;
    for entry in &entries {
        let name = entry.file_name().to_string_lossy().into_owned();
        if !SweepRecord::FILES.contains(&&*name) && name != "best" && !name.ends_with(".svg") {
            return Err(ExperimentError::foreign(place, &name));
        }
    }
    if entries.is_empty() || overwrite {
        return Ok(());
    }
    Err(ExperimentError::exists(place, Status::Finished))
}
