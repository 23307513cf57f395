//! `ffnn sweep`.

use std::fs;
use std::path::Path;
use std::time::Instant;

use anyhow::{Context, Result};
use clap::Args;
use datasets::Batches;
use experiment::{
    Config, Dtype, ExperimentError, Logger, Machine, ModelName, SCHEMA, Status, files,
};
use ffnn::{
    Axis, Grid, Hyperparameters, SweepConfig, SweepRecord, SweepSummary, sweep, sweep_plots,
};
use system::println;
use training::{Trainable, UsageError, command_line};

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
}

/// The rule by which [`sweep()`] chooses, in words.
pub(crate) const SELECTION: &str = "least mean validation error over the seeds; of equals, least mean \
                         validation loss; sets with a diverged run are out";

pub(crate) fn execute(arguments: &SweepArguments) -> Result<()> {
    let started = Instant::now();
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
    let SweepArguments { model_name, record, .. } = arguments;
    let splits = record.load(grid.training.preprocess)?;
    // Whatever can be refused is refused before there is a record.
    Batches::new(&splits.train, grid.training.batch_size, 0).map_err(UsageError::new)?;
    for set in grid.sets() {
        set.network(&splits, 0).map_err(UsageError::new)?;
    }
    let data = describe(&splits);
    let place = record.output.join(model_name.to_string());
    check_replaceable(&place, record.overwrite)?;
    let outcome = sweep(&grid, &splits)?;
    // Until all is computed, what was there stays.
    if place.exists() {
        fs::remove_dir_all(&place).map_err(ExperimentError::io("replace", &place))?;
    }

    // The run of the best set with the first seed, logged like any other.
    let (best, seed) = (&grid.sets()[outcome.best.set], grid.seeds[0]);
    let command = command_line(PROGRAM);
    let config = Config::new("best".parse()?, &command, seed, data.clone(), best)?;
    let mut logger = Logger::create(&place, &config, program(), false)?;
    let (network, last) = best.run(&splits, seed, &mut logger)?;
    let test = Some(network.measure(&splits.test)?);
    logger.finish(&last, test, network.parameters())?;

    let config = SweepConfig {
        schema: SCHEMA,
        model_name: model_name.clone(),
        command,
        dtype: Dtype::F32,
        seeds: grid.seeds.clone(),
        selection: SELECTION.to_owned(),
        data: data.clone(),
        axes: Axis::of(&grid),
        hyperparameters: toml::Table::try_from(&grid.training)
            .context("cannot record the hyperparameters")?,
    };
    let summary = SweepSummary {
        schema: SCHEMA,
        status: Status::Finished,
        best: outcome.best.clone(),
        baseline: outcome.baseline.clone(),
        wall_seconds: started.elapsed().as_secs_f64(),
        machine: Machine::current(),
        program: program(),
    };
    let (runs, table) = (outcome.runs.clone(), outcome.table.clone());
    SweepRecord { config, runs, table, summary }.write(&place)?;
    for (name, plot) in sweep_plots(&grid, &outcome) {
        files::write(&place.join(name), plot.to_svg()?.as_bytes())?;
    }
    if !record.quiet {
        let seconds = started.elapsed().as_secs_f64();
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
