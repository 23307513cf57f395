//! `ffnn train`.

use std::time::Instant;

use anyhow::Context;
use clap::Args;
use experiment::{
    Config, Dtype, EpochMetrics, ExperimentError, IterationMetrics, Logger, MetricsSink, ModelName,
    Results,
};
use ffnn::{FfnnError, Hidden, IrisConfig};
use numerics::Scalar;
use stdio::{eprintln, println};

use crate::cli::{self, RecordArguments, TrainingArguments, percent};
use crate::failure::Failure;

#[derive(Args, Debug)]
pub(crate) struct TrainArguments {
    /// Learning rate
    #[arg(long, default_value_t = 0.1, allow_negative_numbers = true)]
    lr: f64,
    /// Sizes of the hidden layers, separated by commas, or none
    #[arg(long, value_name = "SIZES", default_value = "8", allow_negative_numbers = true)]
    hidden: Hidden,
    /// Seed of the weights and of the order of the examples
    #[arg(long, default_value_t = 0, allow_negative_numbers = true)]
    #[arg(value_parser = clap::value_parser!(u64).range(0..=i64::MAX as u64))]
    seed: u64,
    /// Name of the record's folder
    #[arg(long, value_name = "NAME", default_value = "iris", value_parser = cli::model_name)]
    model_name: ModelName,
    /// Evaluate the test set too; choose hyperparameters without it
    #[arg(long)]
    test: bool,
    #[command(flatten)]
    training: TrainingArguments,
    #[command(flatten)]
    record: RecordArguments,
}

pub(crate) fn execute(arguments: &TrainArguments) -> Result<(), Failure> {
    let config = IrisConfig {
        lr: arguments.lr,
        hidden: arguments.hidden.clone(),
        training: arguments.training.training(),
    };
    config.validate().map_err(Failure::usage)?;
    match arguments.record.dtype {
        Dtype::F32 => train::<f32>(arguments, &config),
        Dtype::F64 => train::<f64>(arguments, &config),
    }
}

fn train<T: Scalar>(arguments: &TrainArguments, config: &IrisConfig) -> Result<(), Failure> {
    let started = Instant::now();
    let TrainArguments { seed, model_name, record, .. } = arguments;
    let splits = record.load::<T>(config.training.preprocess)?;
    // Whatever can be refused is refused before there is a record.
    config.shapes(&splits).map_err(Failure::usage)?;
    let network = config.network(&splits, *seed)?;
    let parameters: usize = network.parameters().map(|(_, array)| array.len()).sum();
    datasets::Batches::new(&splits.train, config.training.batch_size, *seed)
        .map_err(Failure::usage)?;

    let data = cli::describe(&splits);
    let sizes = format!(
        "{}: {} training, {} validation, {} test examples; {parameters} parameters, seed {seed}",
        data.name, data.train, data.validation, data.test
    );
    let run =
        Config::new(model_name.clone(), cli::command_line(), *seed, record.dtype, data, config)?;
    let logger = Logger::create(&record.output, &run, cli::program(), record.overwrite)?;
    if let Some(warning) = logger.warning() {
        eprintln!("warning: {warning}");
    }
    let directory = logger.directory().display().to_string();
    let epochs = config.training.epochs;
    let mut progress = Progress { logger, quiet: record.quiet, every: epochs.div_ceil(10) };
    progress.say(|| sizes);
    progress.say(|| "epoch  train loss  train error  val loss  val error".to_owned());

    let outcome = match config.run(&splits, *seed, &mut progress) {
        Err(FfnnError::Diverged(divergence)) => {
            let error = FfnnError::Diverged(divergence.clone());
            progress.logger.diverge(divergence)?;
            let kept = format!("the log is kept in {directory}");
            return Err(Failure::Failed(anyhow::Error::new(error).context(kept)));
        }
        outcome => outcome?,
    };
    let test = if arguments.test { Some(outcome.test(&splits)?) } else { None };
    if let Some(test) = test {
        progress.say(|| {
            let wrong = test.wrong.map_or(String::new(), |wrong| format!(", {wrong} wrong"));
            format!(
                "test: loss {:.4}, error {}{wrong} of {}",
                test.loss,
                percent(test.error),
                test.examples
            )
        });
    }
    let (train, validation) = (outcome.last.train, outcome.last.validation);
    let Progress { logger, quiet, .. } = progress;
    logger
        .finish(Results { train, validation, test }, outcome.network.parameters())
        .with_context(|| format!("the record in {directory} is not complete"))?;
    if !quiet {
        println!("record: {directory} ({:.1} s)", started.elapsed().as_secs_f64());
    }
    Ok(())
}

/// Passes metrics on to the logger and prints some of them.
struct Progress {
    logger: Logger,
    quiet: bool,
    /// One line for as many epochs, and one for the first ten.
    every: u64,
}

impl Progress {
    fn say(&self, line: impl FnOnce() -> String) {
        if !self.quiet {
            println!("{}", line());
        }
    }
}

impl MetricsSink for Progress {
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
            self.say(|| {
                format!("{epoch:>5}  {train_loss:>10.4}  {train_error:>11}  {loss:>8}  {error:>9}")
            });
        }
        Ok(())
    }
}
