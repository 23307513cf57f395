//! A training: begun, or continued from a checkpoint.

use std::path::{Path, PathBuf};

use experiment::{BEST_CHECKPOINT, Config, LAST_CHECKPOINT, Logger, Program, ResumePoint};
use optim::Grouped;

use crate::run_state::RunState;
use crate::{
    Best, Checkpoint, Model, ModelSpec, Position, Provenance, RunConfig, TrainingError, checkpoint,
};

/// A training and its record, ready to [`run`](Self::run).
///
/// The record is the folder `root/<model_name>` of the crate [`experiment`]; the checkpoints are in
/// it, under the names [`LAST_CHECKPOINT`] and [`BEST_CHECKPOINT`].
#[derive(Debug)]
pub struct Training {
    pub(crate) model: Model,
    pub(crate) config: RunConfig,
    pub(crate) optimiser: Grouped<f32>,
    pub(crate) position: Position,
    pub(crate) best: Option<Best>,
    pub(crate) provenance: Provenance,
    pub(crate) logger: Logger,
}

impl Training {
    /// Begins a training and its record.
    ///
    /// # Errors
    /// [`TrainingError::Config`] or [`TrainingError::Optim`] for a configuration that is not valid or
    /// contradicts the record's or does not fit the model, before there is a record; otherwise as [`Logger::create`].
    pub fn begin(
        root: &Path,
        record: &Config,
        program: Program,
        overwrite: bool,
        model: Model,
        config: RunConfig,
    ) -> Result<Self, TrainingError> {
        check(record, &config)?;
        let optimiser = optimiser_of(&model, &config)?;
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
        let (position, best) = (Position::default(), None);
        Ok(Self { model, config, optimiser, position, best, provenance, logger })
    }

    /// Continues the training in this folder where its last checkpoint was written.
    ///
    /// Everything but the number of epochs must be as it was, and that too if a schedule has an end,
    /// be it of the run or of a parameter group.
    ///
    /// # Errors
    /// [`TrainingError::Differs`] with every field of the model or the configuration that is
    /// another, [`TrainingError::Epochs`] if the number of epochs cannot be this one, and as
    /// [`Checkpoint::load`] and [`Logger::resume`]. Nothing is changed then.
    pub fn resume(
        directory: &Path,
        record: &Config,
        program: Program,
        spec: &ModelSpec,
        config: RunConfig,
    ) -> Result<Self, TrainingError> {
        check(record, &config)?;
        let file = directory.join(LAST_CHECKPOINT);
        let checkpoint = Checkpoint::load(&file)?;
        let Some(planned) = checkpoint.run_config().cloned() else {
            return Err(TrainingError::Checkpoint {
                file: file.display().to_string(),
                expected: "a checkpoint that a training can be continued from".to_owned(),
                got: "weights only".to_owned(),
            });
        };
        checkpoint.check_spec(spec)?;
        check_epochs(&file, &planned, &config)?;
        let same_epochs = RunConfig { epochs: config.epochs, ..planned };
        checkpoint.check("the configuration", &same_epochs, &config)?;

        let (model, provenance, state) = checkpoint.into_parts();
        let RunState { position, best, wall_seconds, metrics_sha256, velocities, .. } =
            state.expect("it has a configuration, so it has a state");
        if position.epochs >= config.epochs {
            let remedy = match config.ending_schedule() {
                None => "ask for more with --epochs to go on",
                Some(_) => {
                    "its learning rate has come to the end of its schedule, so there is nothing to \
                     continue; train anew with another number of --epochs under another name or \
                     with --overwrite"
                }
            };
            let reason = format!("it has completed {} epochs already; {remedy}", position.epochs);
            return Err(epochs_error(&file, config.epochs, reason));
        }
        let mut optimiser = optimiser_of(&model, &config)?;
        for (name, velocity) in velocities {
            optimiser.set_velocity(&name, velocity);
        }
        let Position { epochs, iteration, .. } = position;
        let point = ResumePoint { epochs, iteration, wall_seconds, metrics_sha256 };
        let logger = Logger::resume(directory, record, program.clone(), &point)?;
        let provenance = Provenance { program, test: None, ..provenance };
        Ok(Self { model, config, optimiser, position, best, provenance, logger })
    }

    /// Measures from now on where the time of the steps goes; [`run`](Self::run) says it at the end.
    pub fn profile(&mut self) {
        self.model.network_mut().profiler_mut().switch_on();
    }

    /// The model as it is now.
    #[must_use]
    pub fn model(&self) -> &Model {
        &self.model
    }

    /// How far the training has come.
    #[must_use]
    pub fn position(&self) -> Position {
        self.position
    }

    /// The best epoch so far, if there is a validation set.
    #[must_use]
    pub fn best(&self) -> Option<Best> {
        self.best
    }

    /// The optimiser, whose velocities are part of what is continued.
    #[must_use]
    pub fn optimiser(&self) -> &Grouped<f32> {
        &self.optimiser
    }

    /// The folder of the record.
    #[must_use]
    pub fn directory(&self) -> &Path {
        self.logger.directory()
    }

    /// Where the newest checkpoint is.
    #[must_use]
    pub fn last_checkpoint(&self) -> PathBuf {
        self.directory().join(LAST_CHECKPOINT)
    }

    /// Where the checkpoint of the best epoch is, if there is one.
    #[must_use]
    pub fn best_checkpoint(&self) -> Option<PathBuf> {
        self.best.map(|_| self.directory().join(BEST_CHECKPOINT))
    }

    pub(crate) fn save(&self, path: &Path) -> Result<(), TrainingError> {
        let state = RunState {
            config: self.config.clone(),
            position: self.position,
            best: self.best,
            wall_seconds: self.logger.wall_seconds(),
            metrics_sha256: self.logger.history().sha256(),
            velocities: self
                .optimiser
                .velocities()
                .map(|(name, velocity)| (name.to_owned(), velocity.clone()))
                .collect(),
        };
        checkpoint::write(path, &self.model, &self.provenance, Some(&state))
    }
}

/// Checks the configuration, and that the record says the same.
fn check(record: &Config, config: &RunConfig) -> Result<(), TrainingError> {
    config.validate()?;
    for (what, expected, got) in [
        ("the seed of the record", config.seed.to_string(), record.seed.to_string()),
        (
            "the SHA-256 of the record's data",
            config.data_sha256.clone(),
            record.data.sha256.clone(),
        ),
        ("the number type of the record", "f32".to_owned(), record.dtype.to_string()),
    ] {
        if expected != got {
            return Err(TrainingError::Config { what, expected, got });
        }
    }
    Ok(())
}

/// The optimiser at rest, if its groups are made for the model.
fn optimiser_of(model: &Model, config: &RunConfig) -> Result<Grouped<f32>, TrainingError> {
    let optimiser = config.optimiser()?;
    let parameters: Vec<_> = model.network().parameters().collect();
    let shapes = parameters.iter().map(|(name, parameter)| (name.as_str(), parameter.shape()));
    optimiser.check_parameters(shapes)?;
    Ok(optimiser)
}

fn check_epochs(file: &Path, planned: &RunConfig, now: &RunConfig) -> Result<(), TrainingError> {
    match planned.ending_schedule() {
        Some(steps) if now.epochs != planned.epochs => {
            let reason = format!(
                "its learning rate follows a schedule of {steps} steps, which was made for {} \
                 epochs and is part of every step already taken; only a constant or exponential \
                 schedule can go on for longer",
                planned.epochs
            );
            Err(epochs_error(file, now.epochs, reason))
        }
        _ => Ok(()),
    }
}

fn epochs_error(file: &Path, asked: u64, reason: String) -> TrainingError {
    TrainingError::Epochs { file: file.display().to_string(), asked, reason }
}
