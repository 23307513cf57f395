//! Training: the loop of every network, image classifiers with a description from which they are built again, checkpoints.
//!
//! A [`Learner`] is the loop: it takes a network, or anything [`Trainable`], from event to event, with
//! mini-batches from a [`BatchSource`].
//!
//! For images there is more around it. A [`ModelSpec`] describes a model; [`Model::build`] draws its
//! weights. A [`Run`] begins or continues a training and its record, and [`Run::train`] goes on until all
//! epochs are done or an [`Interrupt`] asks to stop. The result has the same bits for any number of
//! threads, and however often it was interrupted and continued.
//!
//! ```
//! use datasets::{Augmentation, CIFAR10_CLASSES, cifar10_sample};
//! use experiment::{Config, Data, Dtype, Program};
//! use layers::FullyConnectedConfig;
//! use numerics::Rng;
//! use optim::{Schedule, SgdConfig};
//! use training::{
//!     Checkpoint, ImageBatches, Interrupt, LayerSpec, Model, ModelSpec, Monitor, Progress, Run, RunConfig,
//! };
//!
//! # let folder = tempfile::tempdir()?;
//! # let root = folder.path();
//! let (set, sha256, seed) = (cifar10_sample()?, "0".repeat(64), 0);
//! let spec = ModelSpec {
//!     name: "softmax regression".to_owned(),
//!     input_shape: [32, 32, 3],
//!     class_names: CIFAR10_CLASSES.map(str::to_owned).to_vec(),
//!     mean: vec![0.5; 3],
//!     std: vec![0.25; 3],
//!     layers: vec![
//!         LayerSpec::Flatten,
//!         LayerSpec::FullyConnected(FullyConnectedConfig::new(10)),
//!     ],
//! };
//! let config = RunConfig {
//!     epochs: 1,
//!     batch_size: 20,
//!     seed,
//!     sgd: SgdConfig { momentum: 0.9, ..SgdConfig::default() },
//!     schedule: Schedule::Constant { lr: 1e-3 },
//!     groups: vec![],
//!     label_smoothing: 0.1,
//!     augmentation: Augmentation::default().to_string(),
//!     data_sha256: sha256.clone(),
//! };
//! let data = Data { name: "sample".into(), sha256, train: set.len(), validation: 0, test: 0 };
//! let record = Config::new("example".parse()?, "command", seed, Dtype::F32, data, &config)?;
//! let program = Program { name: "example".into(), version: "1".into(), revision: None };
//!
//! let model = Model::build(spec, &mut Rng::new(seed))?;
//! let source = ImageBatches::new(&set, &model, config.batch_size, seed, Augmentation::default())?;
//! let monitor = Monitor::new(&set, None, seed)?;
//! let run = Run::begin(root, &record, program, false, model, config)?;
//! // A program takes Interrupt::on_ctrl_c() and Progress::new(quiet).
//! let (interrupt, mut progress) = (Interrupt::default(), Progress::new(true));
//! let finished = run.train(&source, &monitor, &interrupt, &mut progress)?.expect("nobody interrupts");
//! let path = finished.run.last_checkpoint();
//! finished.finish(None)?;
//! let model = Checkpoint::load(&path)?.model;
//! assert_eq!(model.predict(set.images().view())?.dim(), (set.len(), 10));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod airbench;
mod batch_source;
mod checkpoint;
mod command_line;
mod difference;
mod error;
mod evaluation;
mod interrupt;
mod layer_spec;
mod learner;
mod model;
mod model_spec;
mod monitor;
mod progress;
mod run;
mod run_config;
mod run_state;
mod step_table;
mod tensor_file;

pub use airbench::airbench_layers;
pub use batch_source::{BatchSource, ImageBatches};
pub use checkpoint::Checkpoint;
pub use command_line::{UsageError, command_line};
pub use error::TrainingError;
pub use interrupt::{INTERRUPTED, Interrupt};
pub use layer_spec::LayerSpec;
pub use learner::{Event, Learner, Step, Trainable};
pub use model::Model;
pub use model_spec::ModelSpec;
pub use monitor::Monitor;
pub use progress::Progress;
pub use run::{Finished, Run};
pub use run_config::RunConfig;
pub use run_state::{Best, Position, Provenance};
pub use step_table::{StepRow, StepTable};
