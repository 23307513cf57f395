//! The training loop.

use std::fmt;
use std::path::PathBuf;

use datasets::{DatasetError, argmax};
use experiment::{
    BEST_CHECKPOINT, Divergence, EpochMetrics, Evaluation, IterationMetrics, LAST_CHECKPOINT,
    MetricsSink, Results, Summary,
};
use ffnn::Part;
use losses::smooth_labels;

use crate::progress::{Progress, result};
use crate::{
    BatchSource, Best, InitialLoss, Interrupt, Model, Monitor, Position, StepTable, Training,
    TrainingError,
};

/// How a training ended.
#[derive(Debug)]
pub enum Ended {
    /// It ran all its epochs.
    Finished(Box<Finished>),
    /// It was interrupted, and can be continued.
    Interrupted(Box<Interrupted>),
}

/// A training that ran all its epochs. Its record is complete after [`finish`](Self::finish).
#[derive(Debug)]
pub struct Finished {
    training: Training,
    last: EpochMetrics,
}

/// Where a training was interrupted.
#[derive(Clone, Debug, PartialEq)]
pub struct Interrupted {
    /// How far it had come.
    pub position: Position,
    /// The checkpoint.
    pub checkpoint: PathBuf,
    /// What the record says.
    pub summary: Summary,
}

impl Training {
    /// Trains until all epochs are done or `interrupt` asks to stop.
    ///
    /// Each step is a mini-batch of `source`, in training mode. Loss and error of the images of
    /// `monitor` are measured before training and after each epoch, in inference mode. The newest
    /// checkpoint is written then, and when the training is interrupted, which it is after the
    /// current step; the best one is written when the validation error is smaller than ever before.
    ///
    /// # Errors
    /// [`TrainingError::Diverged`] as soon as a loss is not finite: the log is kept, and so are the
    /// checkpoints of the epochs before. [`TrainingError::Config`] if the schedule was made for
    /// another number of steps; otherwise what the record, the network or the source say.
    pub fn run(
        mut self,
        source: &dyn BatchSource,
        monitor: &Monitor,
        interrupt: &Interrupt,
        progress: &mut Progress,
    ) -> Result<Ended, TrainingError> {
        self.check_source(source, monitor)?;
        if let Some(warning) = self.logger.warning() {
            progress.warn(&warning);
        }
        let ended = self.epochs(source, monitor, interrupt, progress);
        progress.clear();
        if let Some(table) = StepTable::new(&self.model.spec().layers, self.model.network()) {
            progress.say(&table.to_string());
        }
        match ended {
            Ok(Some(last)) => {
                let finished = Finished { training: self, last };
                finished.describe_checkpoints().iter().for_each(|line| progress.say(line));
                Ok(Ended::Finished(Box::new(finished)))
            }
            Ok(None) => {
                let (position, checkpoint) = (self.position, self.last_checkpoint());
                self.save(&checkpoint)?;
                let epochs = self.config.epochs;
                let summary = self.logger.interrupt()?;
                let interrupted = Interrupted { position, checkpoint, summary };
                progress.notify(&format!("{interrupted} of {epochs}"));
                progress.notify("the same command with --resume continues from there");
                Ok(Ended::Interrupted(Box::new(interrupted)))
            }
            Err(TrainingError::Diverged { divergence, directory }) => {
                self.logger.diverge(divergence.clone())?;
                Err(TrainingError::Diverged { divergence, directory })
            }
            Err(error) => Err(error),
        }
    }

    /// The metrics of the last epoch, or `None` if the training was interrupted.
    // ANCHOR: epochs
    fn epochs(
        &mut self,
        source: &dyn BatchSource,
        monitor: &Monitor,
        interrupt: &Interrupt,
        progress: &mut Progress,
    ) -> Result<Option<EpochMetrics>, TrainingError> {
        let (epochs, steps) = (self.config.epochs, source.per_epoch());
        if self.position == Position::default() {
            progress.begin_epoch(0, epochs, 0, 0);
            let before = self.measure(monitor)?;
            self.complete_epoch(&before)?;
            progress.end_epoch(&before);
        }
        loop {
            let epoch = self.position.epochs + 1;
            progress.begin_epoch(epoch, epochs, self.position.step, steps);
            while self.position.step < steps {
                if interrupt.is_requested() {
                    return Ok(None);
                }
                self.step(source, epoch, progress)?;
            }
            if interrupt.is_requested() {
                return Ok(None);
            }
            progress.evaluating();
            let metrics = self.measure(monitor)?;
            self.position = Position { epochs: epoch, step: 0, ..self.position };
            self.complete_epoch(&metrics)?;
            progress.end_epoch(&metrics);
            if epoch == epochs {
                return Ok(Some(metrics));
            }
        }
    }
    // ANCHOR_END: epochs

    // ANCHOR: step
    fn step(
        &mut self,
        source: &dyn BatchSource,
        epoch: u64,
        progress: &mut Progress,
    ) -> Result<(), TrainingError> {
        let Position { step, iteration, .. } = self.position;
        let profiler = self.model.network_mut().profiler_mut();
        profiler.begin_step();
        let batch = profiler.time(Part::Data, || source.batch(epoch, step))?;
        let lr = self.optimiser.lr(iteration);
        let labels = argmax(batch.targets.view())?;
        let targets = smooth_labels(batch.targets.view(), self.config.label_smoothing)?;

        let network = self.model.network_mut();
        let out = network.forward(batch.features)?;
        let first = network.first_trained(|name| !self.optimiser.at_rest(name, iteration));
        let loss = f64::from(network.backward_to(first, targets.view(), out.view())?);
        if !loss.is_finite() {
            return Err(self.diverged("the loss of the mini-batch", loss, iteration + 1));
        }
        self.model.network_mut().update_each(|name, parameter, gradient, decays| {
            self.optimiser.update(name, parameter, gradient, decays, iteration)
        })?;
        self.model.network_mut().profiler_mut().end_step(labels.len());
        let iteration = iteration + 1;

        self.position.step += 1;
        self.position.iteration = iteration;
        self.provenance.iterations = iteration;
        self.logger.iteration(&IterationMetrics { epoch, iteration, lr, batch_loss: loss })?;
        let correct = argmax(out.view())?.iter().zip(&labels).filter(|(a, b)| a == b).count();
        progress.step(loss, correct, labels.len());
        if iteration == 1 {
            let initial = InitialLoss::new(loss, self.model.spec().class_names.len());
            if initial.is_off() {
                progress.warn(&initial.to_string());
            }
        }
        Ok(())
    }
    // ANCHOR_END: step

    fn measure(&self, monitor: &Monitor) -> Result<EpochMetrics, TrainingError> {
        let Position { epochs, iteration, .. } = self.position;
        let test = |what: &str, set| -> Result<Evaluation, TrainingError> {
            match self.model.evaluate(set) {
                Ok((evaluation, _)) if evaluation.loss.is_finite() => Ok(evaluation),
                Ok((Evaluation { loss: value, .. }, _))
                | Err(TrainingError::Dataset(DatasetError::NotFinite { got: value, .. })) => {
                    Err(self.diverged(what, value, iteration))
                }
                Err(error) => Err(error),
            }
        };
        let train = test("the loss of the training set", &monitor.train)?;
        let validation = match &monitor.validation {
            Some(set) => Some(test("the loss of the validation set", set)?),
            None => None,
        };
        let epoch = if iteration == 0 { 0 } else { epochs + 1 };
        Ok(EpochMetrics { epoch, iteration, train, validation })
    }

    /// Logs the epoch and writes the checkpoints: the best first, so that the last one never speaks
    /// of a best one that is not there.
    fn complete_epoch(&mut self, metrics: &EpochMetrics) -> Result<(), TrainingError> {
        let EpochMetrics { epoch, train, validation, .. } = *metrics;
        self.logger.epoch(metrics)?;
        self.provenance.epochs = epoch;
        self.provenance.train = Some(train);
        self.provenance.validation = validation;
        if let Some(validation) = validation
            && epoch > 0
            && self.best.is_none_or(|best| validation.error < best.validation.error)
        {
            self.best = Some(Best { epoch, validation });
            self.save(&self.directory().join(BEST_CHECKPOINT))?;
        }
        self.save(&self.directory().join(LAST_CHECKPOINT))
    }

    fn check_source(
        &self,
        source: &dyn BatchSource,
        monitor: &Monitor,
    ) -> Result<(), TrainingError> {
        for set in [Some(&monitor.train), monitor.validation.as_ref()].into_iter().flatten() {
            self.model.check_set(set)?;
        }
        let steps = source.per_epoch();
        let Position { epochs, step, iteration } = self.position;
        let done = epochs.checked_mul(steps).and_then(|whole| whole.checked_add(step));
        if steps == 0 || step > steps || done != Some(iteration) {
            return Err(TrainingError::Config {
                what: "the number of mini-batches in an epoch",
                expected: format!(
                    "at least 1 and the one with which {epochs} epochs and {step} steps were \
                     {iteration} iterations"
                ),
                got: steps.to_string(),
            });
        }
        self.config.check_schedules(steps)
    }

    fn diverged(&self, what: &str, value: f64, iteration: u64) -> TrainingError {
        let epoch = if iteration == 0 { 0 } else { self.position.epochs + 1 };
        let (quantity, value) = (what.to_owned(), value.to_string());
        let divergence = Divergence { epoch, iteration, quantity, value };
        TrainingError::Diverged { divergence, directory: self.directory().to_owned() }
    }
}

impl Finished {
    /// The training, after its last epoch.
    #[must_use]
    pub fn training(&self) -> &Training {
        &self.training
    }

    /// The metrics of the last epoch.
    #[must_use]
    pub fn last(&self) -> &EpochMetrics {
        &self.last
    }

    /// Completes the record; `test` is the result of the last epoch's model on the test set, which
    /// its checkpoint then names too.
    ///
    /// # Errors
    /// If a file of the record cannot be written.
    pub fn finish(self, test: Option<Evaluation>) -> Result<(Model, Summary), TrainingError> {
        let Self { mut training, last: EpochMetrics { train, validation, .. } } = self;
        if test.is_some() {
            training.provenance.test = test;
            training.save(&training.last_checkpoint())?;
        }
        let Training { mut model, logger, .. } = training;
        for layer in model.network_mut().layers_mut() {
            layer.clear_cache();
        }
        let results = Results { train, validation, test };
        let summary = logger.finish(results, model.network().parameters())?;
        Ok((model, summary))
    }

    /// Which checkpoint is what.
    fn describe_checkpoints(&self) -> Vec<String> {
        let EpochMetrics { epoch, train, validation, .. } = &self.last;
        let measured = match validation {
            Some(validation) => format!("validation {}", result(validation)),
            None => format!("training {}", result(train)),
        };
        let last = self.training.last_checkpoint();
        let mut lines = vec![format!("last: {} (epoch {epoch}, {measured})", last.display())];
        if let (Some(Best { epoch, validation }), Some(path)) =
            (self.training.best(), self.training.best_checkpoint())
        {
            let measured = result(&validation);
            let path = path.display();
            lines.push(format!("best: {path} (epoch {epoch}, validation {measured})"));
        }
        lines
    }
}

impl fmt::Display for Interrupted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Position { epochs, step, .. } = self.position;
        let checkpoint = self.checkpoint.display();
        write!(f, "interrupted; {checkpoint} is after {step} steps of epoch {}", epochs + 1)
    }
}
