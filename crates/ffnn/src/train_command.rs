//! `ffnn train`.

use std::time::Instant;

use anyhow::{Context, Result};
use clap::Args;
use clap::builder::{Resettable, Str};
use datasets::Batches;
use experiment::{
    Config, EpochMetrics, ExperimentError, History, IterationMetrics, Logger, MetricsSink,
    ModelName,
};
use ffnn::IrisConfig;
use training::{Progress, Trainable, TrainingError, UsageError, command_line};

use crate::record_arguments::{PROGRAM, RecordArguments, describe, percent, program};

/// The heading of the hyperparameters ends where other options follow.
const NO_HEADING: Resettable<Str> = Resettable::Reset;

#[derive(Args, Debug)]
pub(crate) struct TrainArguments {
    #[command(flatten)]
    config: IrisConfig,
    /// Seed of the weights and of the order of the examples
    #[arg(long, default_value_t = 0, allow_negative_numbers = true, help_heading = NO_HEADING)]
    #[arg(value_parser = clap::value_parser!(u64).range(0..=i64::MAX as u64))]
    seed: u64,
    /// Name of the record's folder
    #[arg(long, value_name = "NAME", default_value = "iris", help_heading = NO_HEADING)]
    model_name: ModelName,
    /// Evaluate the test set too; choose hyperparameters without it
    #[arg(long, help_heading = NO_HEADING)]
    test: bool,
    #[command(flatten)]
    record: RecordArguments,
}

pub(crate) fn execute(arguments: &TrainArguments) -> Result<()> {
    let started = Instant::now();
    let TrainArguments { config, seed, model_name, test, record } = arguments;
    config.validate().map_err(UsageError::new)?;
    let splits = record.load(config.training.preprocess)?;
    // Whatever can be refused is refused before there is a record.
    let network = config.network(&splits, *seed).map_err(UsageError::new)?;
    let parameters: usize = network.parameters().map(|(_, array)| array.len()).sum();
    Batches::new(&splits.train, config.training.batch_size, *seed).map_err(UsageError::new)?;
    // A step needs what a student may not have written yet, which ends the program. Errors come again.
    let mut one_epoch = config.clone();
    one_epoch.training.epochs = 1;
    let _ = one_epoch.run(&splits, *seed, &mut History::default());

    let data = describe(&splits);
    let sizes = format!(
        "{}: {} training, {} validation, {} test examples; {parameters} parameters, seed {seed}",
        data.name, data.train, data.validation, data.test
    );
    let command = command_line(PROGRAM);
    let run = Config::new(model_name.clone(), command, *seed, data, config)?;
    let logger = Logger::create(&record.output, &run, program(), record.overwrite)?;
    let mut progress = Progress::new(record.quiet);
    progress.say(&sizes);
    progress.say("epoch  train loss  train error  val loss  val error");
    let directory = logger.directory().display().to_string();
    let mut log = Log { logger, progress, every: config.training.epochs.div_ceil(10) };

    let (network, last) = match config.run(&splits, *seed, &mut log) {
        Err(TrainingError::Diverged { divergence, directory: None }) => {
            log.logger.diverge(divergence.clone())?;
            let error = TrainingError::Diverged { divergence, directory: None };
            return Err(error).context(format!("the log is kept in {directory}"));
        }
        outcome => outcome?,
    };
    let Log { logger, mut progress, .. } = log;
    let test = test.then(|| network.measure(&splits.test)).transpose()?;
    if let Some(test) = test {
        let wrong = test.wrong.map_or(String::new(), |wrong| format!(", {wrong} wrong"));
        let (loss, error, examples) = (test.loss, percent(test.error), test.examples);
        progress.say(&format!("test: loss {loss:.4}, error {error}{wrong} of {examples}"));
    }
    logger
        .finish(&last, test, network.parameters())
        .with_context(|| format!("the record in {directory} is not complete"))?;
    progress.say(&format!("record: {directory} ({:.1} s)", started.elapsed().as_secs_f64()));
    Ok(())
}

/// Passes metrics on to the logger and prints some of them.
struct Log {
    logger: Logger,
    progress: Progress,
    /// The number of epochs to a line, which makes about ten lines.
    every: u64,
}

impl MetricsSink for Log {
    fn iteration(&mut self, metrics: &IterationMetrics) -> Result<(), ExperimentError> {
        self.logger.iteration(metrics)
    }

    fn epoch(&mut self, metrics: &EpochMetrics) -> Result<(), ExperimentError> {
        self.logger.epoch(metrics)?;
        let EpochMetrics { epoch, train, validation, .. } = metrics;
        if epoch % self.every == 0 {
            let (loss, error) = validation.map_or((String::new(), String::new()), |validation| {
                (format!("{:.4}", validation.loss), percent(validation.error))
            });
            let (train_loss, train_error) = (train.loss, percent(train.error));
            self.progress.say(&format!(
                "{epoch:>5}  {train_loss:>10.4}  {train_error:>11}  {loss:>8}  {error:>9}"
            ));
        }
        Ok(())
    }
}
