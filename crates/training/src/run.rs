//! A training of images with its record: begun, interrupted, continued from a checkpoint, finished.

use std::num::NonZeroU64;
use std::path::{Path, PathBuf};

use experiment::{
    BEST_CHECKPOINT, CHECKPOINTS, Config, EpochMetrics, Evaluation, ExperimentError,
    LAST_CHECKPOINT, Logger, MetricsSink, Program, ResumePoint, Status, Summary,
};

use crate::difference::differences;
use crate::progress::{Progress, result};
use crate::run_state::RunState;
use crate::{
    BatchSource, Best, Checkpoint, Event, Interrupt, Learner, Model, ModelSpec, Monitor, Position,
    Provenance, RunConfig, StepTable, TrainingError, checkpoint,
};

/// A training and its record, ready to [`train`](Self::train).
///
/// The record is the folder `root/<model_name>` of the crate [`experiment`]; the checkpoints are in
/// it, under the names [`LAST_CHECKPOINT`] and [`BEST_CHECKPOINT`].
#[derive(Debug)]
pub struct Run {
    learner: Learner<Model>,
    best: Option<Best>,
    provenance: Provenance,
    logger: Logger,
    /// The steps from one checkpoint to the next, besides those of the epochs.
    checkpoint_every: Option<NonZeroU64>,
}

/// A training that ran all its epochs. Its record is complete after [`finish`](Self::finish).
#[derive(Debug)]
pub struct Finished {
    /// The training, after its last epoch.
    pub run: Run,
    last: EpochMetrics,
}

/// Where the settings are that a training is compared with.
const CHECKPOINT: &str = "the checkpoint";

impl Run {
    /// Begins a training and its record, which has the seed and the data of `config`.
    ///
    /// # Errors
    /// [`TrainingError::Refused`] or [`TrainingError::Optim`] for a configuration that is not valid or
    /// does not fit the model, before there is a record; otherwise as [`Logger::create`].
    pub fn begin(
        root: &Path,
        record: &Config,
        program: Program,
        overwrite: bool,
        model: Model,
        config: RunConfig,
    ) -> Result<Self, TrainingError> {
        let learner = Learner::new(model, config)?;
        let provenance = Provenance {
            command: record.command.clone(),
            seed: record.seed,
            program: program.clone(),
            data: record.data.clone(),
            epochs: 0,
            iterations: 0,
            train: None,
            validation: None,
            test: None,
        };
        let logger = Logger::create(root, record, program, overwrite)?;
        // Not created again by a checkpoint: where somebody removed or moved the record, the rest of it is missing.
        let checkpoints = logger.directory().join(CHECKPOINTS);
        system::create_folder(&checkpoints).map_err(ExperimentError::io("create", &checkpoints))?;
        Ok(Self { learner, best: None, provenance, logger, checkpoint_every: None })
    }

    /// Continues the training in this folder where its last checkpoint was written.
    ///
    /// Everything but the number of epochs must be as it was, and that too if a schedule has an end,
    /// be it of the run or of a parameter group.
    ///
    /// # Errors
    /// [`TrainingError::Refused`] with every field of the model or the configuration that is
    /// another, or if the number of epochs cannot be this one, and as [`Checkpoint::load`] and
    /// [`Logger::resume`]. Nothing is changed then.
    ///
    /// After the last epoch there is nothing to train, but a record may have to be completed, if the process died
    /// then.
    pub fn resume(
        directory: &Path,
        record: &Config,
        program: Program,
        spec: &ModelSpec,
        config: RunConfig,
    ) -> Result<Self, TrainingError> {
        let path = directory.join(LAST_CHECKPOINT);
        let file = path.display();
        let Checkpoint { model, provenance, state, .. } = Checkpoint::load(&path)?;
        let Some(state) = state else {
            let expected = "a checkpoint that a training can be continued from";
            return Err(TrainingError::checkpoint(&file.to_string(), expected, "weights only"));
        };
        let RunState { config: planned, position, best, wall_seconds, metrics_sha256, velocities } =
            state;
        let check = |what: &str, differences: Vec<String>| match differences.is_empty() {
            true => Ok(()),
            false => Err(TrainingError::Refused(format!(
                "{file} cannot be continued, because {what} is another one:\n  {}\nGive the same \
                 settings as before, or begin anew under another name or with --overwrite",
                differences.join("\n  ")
            ))),
        };
        check("the model", differences(model.spec(), spec, CHECKPOINT))?;
        // A schedule with an end was made for a number of epochs, and is part of every step already taken.
        let epochs = if planned.schedules_end() { planned.epochs } else { config.epochs };
        check(
            "the configuration",
            differences(&RunConfig { epochs, ..planned }, &config, CHECKPOINT),
        )?;
        let Position { epochs, iteration, .. } = position;
        let is_over = match experiment::status(directory)? {
            Some(Status::Running | Status::Interrupted) => epochs > config.epochs,
            _ => epochs >= config.epochs,
        };
        if is_over {
            return Err(TrainingError::Refused(format!(
                "{file} cannot be continued: it has completed {epochs} epochs already; ask for more with \
                 --epochs, which only a constant or exponential schedule can go on for, or train anew \
                 under another name or with --overwrite"
            )));
        }

        let mut learner = Learner::new(model, config)?;
        learner.measured = position != Position::default();
        learner.position = position;
        for (name, velocity) in velocities {
            learner.optimiser.set_velocity(&name, velocity);
        }
        let point = ResumePoint { epochs, iteration, wall_seconds, metrics_sha256 };
        let logger = Logger::resume(directory, record, program.clone(), &point)?;
        let provenance = Provenance { program, test: None, ..provenance };
        Ok(Self { learner, best, provenance, logger, checkpoint_every: None })
    }

    /// Measures from now on where the time of the steps goes; [`train`](Self::train) says it at the end.
    pub fn profile(&mut self) {
        self.learner.model.network_mut().profiler_mut().switch_on();
    }

    /// Writes a checkpoint after so many steps too, counted through all epochs, not only after an epoch: of a
    /// process that dies, the steps after the last one are lost.
    pub fn checkpoint_every(&mut self, steps: NonZeroU64) {
        self.checkpoint_every = Some(steps);
    }

    /// The model as it is now.
    pub fn model(&self) -> &Model {
        &self.learner.model
    }

    /// The folder of the record.
    pub fn directory(&self) -> &Path {
        self.logger.directory()
    }

    /// The file of the newest checkpoint.
    pub fn last_checkpoint(&self) -> PathBuf {
        self.directory().join(LAST_CHECKPOINT)
    }

    /// Trains until all epochs are done, or until `interrupt` asks to stop: nothing is returned then, and
    /// the training can be continued from its last checkpoint.
    ///
    /// Each step is a mini-batch of `source`, in training mode. Loss and error of the images of
    /// `monitor` are measured before training and after each epoch, in inference mode. The newest
    /// checkpoint is written then, and when the training is interrupted, which it is after the
    /// current step; the best one is written when the validation error is smaller than ever before.
    ///
    /// # Errors
    /// [`TrainingError::Diverged`] as soon as a loss is not finite: the log is kept, and so are the
    /// checkpoints of the epochs before. Otherwise errors of the record, the network or the source.
    pub fn train(
        mut self,
        source: &dyn BatchSource,
        monitor: &Monitor,
        interrupt: &Interrupt,
        progress: &mut Progress,
    ) -> Result<Option<Finished>, TrainingError> {
        let ended = self.epochs(source, monitor, interrupt, progress);
        progress.clear();
        if let Some(table) = StepTable::new(&self.model().spec().layers, self.model().network()) {
            progress.say(&table.to_string());
        }
        match ended {
            Ok(Some(last)) => {
                self.say_checkpoints(&last, progress);
                Ok(Some(Finished { run: self, last }))
            }
            Ok(None) => {
                let file = self.last_checkpoint();
                self.save(&file)?;
                let Position { epochs, step, .. } = self.learner.position;
                let (epoch, all) = (epochs + 1, self.learner.config.epochs);
                self.logger.interrupt()?;
                let file = file.display();
                progress.notify(&format!(
                    "interrupted; {file} is after {step} steps of epoch {epoch} of {all}"
                ));
                progress.notify("the same command with --resume continues from there");
                Ok(None)
            }
            Err(TrainingError::Diverged { divergence, .. }) => {
                let directory = Some(self.directory().to_owned());
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
        let steps = source.per_epoch();
        let mut last = self.completed();
        while !self.learner.is_over() {
            if self.learner.measured && interrupt.is_requested() {
                return Ok(None);
            }
            progress.next(&self.learner, steps);
            match self.learner.advance(source, &monitor.train, monitor.validation.as_ref())? {
                Event::Step(step) => {
                    self.provenance.iterations = step.metrics.iteration;
                    self.logger.iteration(&step.metrics)?;
                    progress.step(&step)?;
                    if self.checkpoint_every.is_some_and(|n| step.metrics.iteration % n == 0) {
                        self.save(&self.last_checkpoint())?;
                    }
                }
                Event::Epoch(metrics) => {
                    self.complete_epoch(&metrics)?;
                    progress.end_epoch(&metrics);
                    last = Some(metrics);
                }
            }
        }
        Ok(last)
    }
    // ANCHOR_END: epochs

    /// The metrics of the last epoch, if it is over already.
    fn completed(&mut self) -> Option<EpochMetrics> {
        let Position { epochs: epoch, iteration, .. } = self.learner.position;
        let Provenance { train, validation, .. } = self.provenance;
        let train = train.filter(|_| self.learner.is_over())?;
        let weight_norm = self.learner.model.network_mut().weight_norm();
        Some(EpochMetrics { epoch, iteration, train, validation, weight_norm })
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
        self.save(&self.last_checkpoint())
    }

    fn save(&self, path: &Path) -> Result<(), TrainingError> {
        self.logger.sync()?;
        let Learner { model, config, optimiser, position, .. } = &self.learner;
        let velocities = optimiser.velocities();
        let state = RunState {
            config: config.clone(),
            position: *position,
            best: self.best,
            wall_seconds: self.logger.wall_seconds(),
            metrics_sha256: self.logger.history().sha256(),
            velocities: velocities.map(|(name, v)| (name.to_owned(), v.clone())).collect(),
        };
        checkpoint::write(path, model, &self.provenance, Some(&state), false)
    }

    /// Says which checkpoint is which.
    fn say_checkpoints(&self, last: &EpochMetrics, progress: &mut Progress) {
        let EpochMetrics { epoch, train, validation, .. } = last;
        let measured = match validation {
            Some(validation) => format!("validation {}", result(validation)),
            None => format!("training {}", result(train)),
        };
        let path = self.last_checkpoint();
        progress.say(&format!("last: {} (epoch {epoch}, {measured})", path.display()));
        if let Some(Best { epoch, validation }) = &self.best {
            let (path, measured) = (self.directory().join(BEST_CHECKPOINT), result(validation));
            let path = path.display();
            progress.say(&format!("best: {path} (epoch {epoch}, validation {measured})"));
        }
    }
}

impl Finished {
    /// Completes the record; `test` is the result of the last epoch's model on the test set, which
    /// its checkpoint then names too.
    pub fn finish(self, test: Option<Evaluation>) -> Result<(Model, Summary), TrainingError> {
        let Self { mut run, last } = self;
        if test.is_some() {
            run.provenance.test = test;
            run.save(&run.last_checkpoint())?;
        }
        let model = run.learner.into_model();
        let summary = run.logger.finish(&last, test, model.network().parameters())?;
        Ok((model, summary))
    }
}
