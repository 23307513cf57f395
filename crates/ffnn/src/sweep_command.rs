//! `ffnn sweep`.

use std::path::PathBuf;
use std::time::Instant;

use anyhow::{Context, Result, bail, ensure};
use clap::Args;
use datasets::Batches;
use experiment::{Config, Dtype, Logger, Machine, ModelName, SCHEMA, Status, files};
use ffnn::{
    Agreement, Axis, Grid, Hyperparameters, IrisConfig, SweepConfig, SweepPlace, SweepRecord,
    SweepSummary, compare, sweep, sweep_plots,
};
use numerics::Scalar;
use system::{println, quoted};
use training::{Trainable, UsageError, command_line};

use crate::record_arguments::{PROGRAM, RecordArguments, describe, percent, program};
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
        value_parser = clap::value_parser!(u64).range(..=10_000)
    )]
    seeds: u64,
    /// Name of the record's folder
    #[arg(long, value_name = "NAME", default_value = "iris-sweep")]
    model_name: ModelName,
    /// Threads [default: as many as the machine runs at once]; the results do not depend on it
    #[arg(long, allow_negative_numbers = true)]
    #[arg(value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,
    /// Run the sweep of this record again, say whether it gives the same, and write nothing
    #[arg(
        long,
        value_name = "RECORD",
        conflicts_with_all = ["lr", "hidden", "seeds", "model_name", "output", "overwrite", "dtype"]
    )]
    check: Option<PathBuf>,
    #[command(flatten)]
    training: Hyperparameters,
    #[command(flatten)]
    record: RecordArguments,
}

/// The rule by which [`sweep`] chooses, in words.
pub(crate) const SELECTION: &str = "least mean validation error over the seeds; of equals, least mean \
                         validation loss; sets with a diverged run are out";

pub(crate) fn execute(arguments: &SweepArguments) -> Result<()> {
    rayon::ThreadPoolBuilder::new()
        .num_threads(arguments.threads.map_or(0, usize::from))
        .build_global()
        .context("cannot start the threads")?;
    if let Some(directory) = &arguments.check {
        let record = SweepRecord::read(directory)?;
        return match record.config.dtype {
            Dtype::F32 => check::<f32>(arguments, &record),
            Dtype::F64 => check::<f64>(arguments, &record),
        };
    }
    let grid = Grid {
        lrs: arguments.lr.clone(),
        hidden: arguments.hidden.clone(),
        seeds: (0..arguments.seeds).collect(),
        training: arguments.training.clone(),
    };
    grid.validate().map_err(UsageError::new)?;
    match arguments.record.dtype {
        Dtype::F32 => run::<f32>(arguments, &grid),
        Dtype::F64 => run::<f64>(arguments, &grid),
    }
}

fn run<T: Scalar>(arguments: &SweepArguments, grid: &Grid) -> Result<()> {
    let started = Instant::now();
    let SweepArguments { model_name, record, .. } = arguments;
    let splits = record.load::<T>(grid.training.preprocess)?;
    // Whatever can be refused is refused before there is a record.
    Batches::new(&splits.train, grid.training.batch_size, 0).map_err(UsageError::new)?;
    for set in grid.sets() {
        set.config.network(&splits, 0).map_err(UsageError::new)?;
    }
    let data = describe(&splits);
    let place = SweepPlace::claim(&record.output, model_name, record.overwrite)?;
    let outcome = sweep(grid, &splits)?;

    // The run of the best set with the first seed, logged like any other.
    let (best, seed) = (&grid.sets()[outcome.best.set].config, grid.seeds[0]);
    let command = train_command(best, seed, record);
    let config = Config::new("best".parse()?, command, seed, record.dtype, data.clone(), best)?;
    let mut logger = Logger::create(&place.folder(), &config, program(), false)?;
    let run = best.run(&splits, seed, &mut logger)?;
    let test = Some(run.network.measure(&splits.test)?);
    logger.finish(&run.last, test, run.network.parameters())?;

    let config = SweepConfig {
        schema: SCHEMA,
        model_name: model_name.clone(),
        command: command_line(PROGRAM),
        dtype: record.dtype,
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
        wall_seconds: started.elapsed().as_secs_f64(),
        machine: Machine::current(),
        program: program(),
    };
    let (grid, runs, table) = (grid.clone(), outcome.runs.clone(), outcome.table.clone());
    let whole = SweepRecord { config, grid, runs, table, summary };
    whole.write(&place.folder())?;
    for (name, plot) in sweep_plots(&whole.grid, &outcome) {
        files::write(&place.folder().join(name), plot.to_svg()?.as_bytes())?;
    }
    let directory = place.fill()?;
    if !record.quiet {
        let seconds = started.elapsed().as_secs_f64();
        let (table, place, runs) =
            (sweep_table::text(&outcome, &data), directory.display(), whole.runs.len());
        println!("{table}\nrecord: {place} ({runs} runs, {seconds:.1} s)");
    }
    Ok(())
}

/// Runs the sweep of a record again and compares.
fn check<T: Scalar>(arguments: &SweepArguments, record: &SweepRecord) -> Result<()> {
    let grid = &record.grid;
    let splits = arguments.record.load::<T>(grid.training.preprocess)?;
    let (expected, got) = (&record.config.data.sha256, &splits.sha256);
    ensure!(expected == got, "the record is of data with SHA-256 {expected}, these have {got}");
    let agreement = compare(record, &sweep(grid, &splits)?);
    let Agreement { largest_loss_difference: loss, largest_error_difference: error, differences } =
        &agreement;
    if !arguments.record.quiet {
        println!(
            "{} runs again: losses differ by at most {loss:.1e} (tolerance {:.0e}), errors by at \
             most {} (tolerance 0), {} other differences",
            record.runs.len(),
            Agreement::LOSS_TOLERANCE,
            percent(*error),
            differences.len()
        );
    }
    if agreement.holds() {
        return Ok(());
    }
    let reasons = match differences.is_empty() {
        true => format!("a loss differs by {loss:e}, an error by {}", percent(*error)),
        false => differences.join("; "),
    };
    bail!("the record is not reproduced: {reasons}")
}

/// The command that repeats one run of the sweep.
fn train_command(config: &IrisConfig, seed: u64, record: &RecordArguments) -> String {
    let IrisConfig { lr, hidden, training } = config;
    let mut command = format!(
        "{PROGRAM} train --lr {lr} --hidden {hidden} --activation {} --weight-init {} \
         --loss {} --preprocess {} --epochs {} --batch-size {} --momentum {}",
        training.activation,
        training.weight_init,
        training.loss,
        training.preprocess,
        training.epochs,
        training.batch_size,
        training.momentum
    );
    if let Some(norm) = training.clip_norm {
        command += &format!(" --clip-norm {norm}");
    }
    if let Some(decay) = training.decay {
        command += &format!(" --decay {} --decay-steps {}", decay.factor, decay.steps);
        command += if decay.staircase { " --staircase" } else { "" };
    }
    if let Some(directory) = &record.data_dir {
        command += &format!(" --data-dir {}", quoted(directory));
    }
    command + &format!(" --seed {seed} --dtype {} --model-name best --test", record.dtype)
}
