//! A tiny network with everything that a checkpoint has to keep, and images that it can learn.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use activations::Activation;
use cnn::{Conv2DConfig, Pool2DConfig, PoolMode};
use datasets::{Augmentation, Batch, Flip, ImageSet};
use experiment::{Config, Data, Program};
use layers::{BatchNormConfig, FullyConnectedConfig, WeightInit};
use ndarray::{Array4, ArrayD, s};
use numerics::Rng;
use optim::{MuonConfig, OptimiserConfig, ParameterGroup, Schedule, SgdConfig};
use training::{
    BatchSource, Checkpoint, Finished, ImageBatches, Interrupt, LayerSpec, Model, ModelSpec,
    Monitor, Progress, Run, RunConfig, TrainingError,
};

pub(crate) const CLASSES: &[&str] = &["top", "bottom", "left"];
pub(crate) const SEED: u64 = 7;
pub(crate) const BATCH_SIZE: usize = 8;
/// 29 images make 4 mini-batches, the last of 5.
pub(crate) const STEPS: u64 = 4;

/// Noise, with one brighter half that gives the class away.
pub(crate) fn images(n: usize, seed: u64) -> ImageSet {
    let mut rng = Rng::new(seed);
    let mut images = Array4::from_shape_simple_fn((n, 6, 6, 2), || rng.below(96) as u8);
    let labels: Vec<u8> = (0..n).map(|_| rng.below(CLASSES.len()) as u8).collect();
    for (mut image, label) in images.outer_iter_mut().zip(&labels) {
        let mut half = match label {
            0 => image.slice_mut(s![..3, .., ..]),
            1 => image.slice_mut(s![3.., .., ..]),
            _ => image.slice_mut(s![.., ..3, ..]),
        };
        half += 100;
    }
    ImageSet::new(images, labels, CLASSES).unwrap()
}

pub(crate) fn spec() -> ModelSpec {
    ModelSpec {
        name: "tiny".to_owned(),
        input_shape: [6, 6, 2],
        class_names: CLASSES.iter().map(|&name| name.to_owned()).collect(),
        mean: vec![0.4, 0.35],
        std: vec![0.25, 0.2],
        layers: vec![
            LayerSpec::Conv2D(Conv2DConfig {
                activation: Activation::ReLU,
                weight_init: WeightInit::HeNormal,
                ..Conv2DConfig::new(4, (3, 3))
            }),
            LayerSpec::BatchNorm(BatchNormConfig::default()),
            LayerSpec::Pool2D(Pool2DConfig::new(PoolMode::Max, (2, 2), 2)),
            LayerSpec::Flatten,
            LayerSpec::FullyConnected(FullyConnectedConfig::new(CLASSES.len())),
        ],
    }
}

pub(crate) const AUGMENTATION: Augmentation = Augmentation { flip: Flip::Random, shift: 0 };

/// Filters by Muon, the last layer by SGD of another kind, and a bias that stays as it is.
pub(crate) fn groups() -> Vec<ParameterGroup> {
    let group = |parameters: &[&str], optimiser| {
        let parameters = parameters.iter().map(|&name| name.to_owned()).collect();
        ParameterGroup { parameters, optimiser, schedule: None }
    };
    let sgd = SgdConfig { momentum: 0.8, nesterov: true, weight_decay: 1e-2, clip_norm: None };
    vec![
        group(&["0.W"], OptimiserConfig::Muon(MuonConfig::default())),
        group(&["4.W", "4.b"], OptimiserConfig::Sgd(sgd)),
        group(&["0.b"], OptimiserConfig::Frozen),
    ]
}

/// A training and all that belongs to it.
pub(crate) struct Setup {
    pub(crate) root: tempfile::TempDir,
    pub(crate) train: ImageSet,
    pub(crate) validation: Option<ImageSet>,
    pub(crate) spec: ModelSpec,
    pub(crate) config: RunConfig,
    pub(crate) overwrite: bool,
    pub(crate) lines: Arc<Mutex<Vec<String>>>,
}

impl Setup {
    pub(crate) fn new(epochs: u64) -> Self {
        Self {
            root: tempfile::tempdir().unwrap(),
            train: images(29, 1),
            validation: Some(images(70, 2)),
            spec: spec(),
            config: RunConfig {
                epochs,
                batch_size: BATCH_SIZE,
                seed: SEED,
                sgd: SgdConfig { momentum: 0.9, weight_decay: 1e-3, ..SgdConfig::default() },
                schedule: Schedule::Exponential {
                    lr: 0.05,
                    decay: 0.5,
                    decay_steps: 10,
                    staircase: false,
                },
                groups: vec![],
                label_smoothing: 0.1,
                augmentation: AUGMENTATION.to_string(),
                data_sha256: "a".repeat(64),
            },
            overwrite: false,
            lines: Arc::default(),
        }
    }

    pub(crate) fn grouped(epochs: u64) -> Self {
        let mut setup = Self::new(epochs);
        setup.config.groups = groups();
        setup
    }

    pub(crate) fn record(&self) -> Config {
        let data = Data {
            name: "halves".to_owned(),
            sha256: self.config.data_sha256.clone(),
            train: self.train.len(),
            validation: self.validation.as_ref().map_or(0, ImageSet::len),
            test: 0,
        };
        let name = "tiny".parse().unwrap();
        let seed = self.config.seed;
        Config::new(name, "test", seed, data, &self.config).unwrap()
    }

    pub(crate) fn begin(&self) -> Result<Run, TrainingError> {
        let model = Model::build(self.spec.clone(), &mut Rng::new(SEED))?;
        let (root, record, config) = (self.root.path(), self.record(), self.config.clone());
        Run::begin(root, &record, program(), self.overwrite, model, config)
    }

    pub(crate) fn resume(&self) -> Result<Run, TrainingError> {
        let (record, config) = (self.record(), self.config.clone());
        Run::resume(&self.directory(), &record, program(), &self.spec, config)
    }

    pub(crate) fn run(&self, run: Run) -> Result<Option<Finished>, TrainingError> {
        self.run_until(run, u64::MAX)
    }

    /// Runs until this many mini-batches were taken, counted from this call.
    pub(crate) fn run_until(
        &self,
        run: Run,
        batches: u64,
    ) -> Result<Option<Finished>, TrainingError> {
        self.run_with(run, batches, false)
    }

    /// Runs until this many mini-batches were taken, and fails then, which leaves the record as a process does that
    /// is killed.
    pub(crate) fn crash_after(&self, run: Run, batches: u64) {
        let error = self.run_with(run, batches, true).unwrap_err().to_string();
        assert_eq!(error, KILLED);
    }

    fn run_with(
        &self,
        run: Run,
        batches: u64,
        crashes: bool,
    ) -> Result<Option<Finished>, TrainingError> {
        let images = ImageBatches::new(&self.train, run.model(), BATCH_SIZE, SEED, AUGMENTATION)?;
        let interrupt = Interrupt::default();
        let left = Mutex::new(batches);
        let source = Interrupting { images, left, interrupt: &interrupt, crashes };
        let monitor = Monitor::new(&self.train, self.validation.as_ref(), SEED)?;
        let mut progress = Progress::collecting(Arc::clone(&self.lines));
        run.train(&source, &monitor, &interrupt, &mut progress)
    }

    /// From the first to the last epoch, record and all.
    pub(crate) fn complete(&self) -> Model {
        finish(self.run(self.begin().unwrap()).unwrap())
    }

    pub(crate) fn directory(&self) -> PathBuf {
        self.root.path().join("tiny")
    }

    pub(crate) fn last(&self) -> Checkpoint {
        Checkpoint::load(&self.directory().join(experiment::LAST_CHECKPOINT)).unwrap()
    }

    pub(crate) fn metrics(&self) -> String {
        std::fs::read_to_string(self.directory().join("metrics.csv")).unwrap()
    }
}

pub(crate) fn program() -> Program {
    Program { name: "test".to_owned(), version: "1".to_owned(), revision: None }
}

pub(crate) fn finish(ended: Option<Finished>) -> Model {
    ended.expect("it is not interrupted").finish(None).unwrap().0
}

/// Parameters and buffers by name.
pub(crate) fn arrays(model: &Model) -> Vec<(String, ArrayD<f32>)> {
    let mut arrays = Vec::new();
    for (index, layer) in model.network().layers().iter().enumerate() {
        for (name, array) in layer.parameters().iter().chain(layer.buffers().iter()) {
            arrays.push((format!("{index}.{name}"), array.clone()));
        }
    }
    arrays
}

const KILLED: &str = "killed";

/// Asks to stop once it has given so many mini-batches, or fails then.
struct Interrupting<'a> {
    images: ImageBatches<'a>,
    left: Mutex<u64>,
    interrupt: &'a Interrupt,
    crashes: bool,
}

impl BatchSource for Interrupting<'_> {
    fn per_epoch(&self) -> u64 {
        self.images.per_epoch()
    }

    fn batch(&self, epoch: u64, index: u64) -> Result<Batch<f32>, TrainingError> {
        let mut left = self.left.lock().unwrap();
        if *left == 0 && self.crashes {
            return Err(TrainingError::Refused(KILLED.to_owned()));
        }
        *left -= 1;
        if *left == 0 && !self.crashes {
            self.interrupt.request();
        }
        self.images.batch(epoch, index)
    }
}
