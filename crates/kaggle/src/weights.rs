//! Which model predicts: a checkpoint that is named, that of the last training, or the weights that
//! ship with the program.

use std::fmt;
use std::path::{Path, PathBuf};

use datasets::CIFAR10_CLASSES;
use experiment::{BEST_CHECKPOINT, LAST_CHECKPOINT};
use training::{Checkpoint, Model, ModelSpec, Provenance};

use crate::KaggleError;

/// The weights that ship with the program, as a checkpoint; none in a copy without them.
///
/// Where they come from stands in `weights/README.md` and in the checkpoint itself.
#[cfg(shipped_weights)]
pub const SHIPPED: Option<&[u8]> = Some(include_bytes!("../weights/cifar10.safetensors"));
/// The weights that ship with the program: none in this copy.
#[cfg(not(shipped_weights))]
pub const SHIPPED: Option<&[u8]> = None;

/// The value of `--checkpoint` that means [`SHIPPED`].
const SHIPPED_NAME: &str = "shipped";

/// The name of the record that `train --recipe plain` writes unless told otherwise.
pub const CIFAR10_RECORD: &str = "cifar10";
/// The name of the record that `train --recipe fast` writes unless told otherwise.
pub const CIFAR10_FAST_RECORD: &str = "cifar10-fast";
/// The name of the record that `train --recipe best` writes unless told otherwise.
pub const CIFAR10_BEST_RECORD: &str = "cifar10-best";

/// The records whose weights are used unasked, the most accurate first. Of each the best checkpoint is
/// used, or the last one if nothing was held out to choose by.
const RECORDS: [&str; 3] = [CIFAR10_BEST_RECORD, CIFAR10_RECORD, CIFAR10_FAST_RECORD];

const SHAPE: [usize; 3] = [32, 32, 3];

/// A model for CIFAR-10, and where it comes from.
#[derive(Debug)]
pub struct Weights {
    /// The model.
    pub model: Model,
    /// How it was trained.
    pub provenance: Provenance,
    /// Where it was taken from.
    pub source: WeightsSource,
}

/// Where weights are taken from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WeightsSource {
    /// A file that was named.
    Given(PathBuf),
    /// The record of the last training.
    Trained(PathBuf),
    /// The program itself.
    Shipped,
}

impl Weights {
    /// The checkpoint of `option` (`shipped` means those that ship with the program); without it, that
    /// of a training: of the first record in `experiments/` of those that `train` writes, `best` before
    /// `plain` before `fast`, the best checkpoint before the last; without that, those that ship. A
    /// checkpoint that is there but cannot be used is an error: no other takes its place unasked.
    ///
    /// # Errors
    /// [`KaggleError::NoWeights`], [`KaggleError::Model`] if the file cannot be read, is damaged or does
    /// not hold the tensors that its description asks for, [`KaggleError::OtherModel`] if it is a model
    /// for something else than CIFAR-10.
    pub fn choose(option: Option<&Path>) -> Result<Self, KaggleError> {
        let records = RECORDS.map(|record| Path::new("experiments").join(record));
        let trained = records
            .iter()
            .flat_map(|record| [BEST_CHECKPOINT, LAST_CHECKPOINT].map(|name| record.join(name)));
        let trained: Vec<PathBuf> = trained.collect();
        let found = trained.iter().find(|path| path.exists());
        let source = match option {
            Some(name) if name == Path::new(SHIPPED_NAME) => WeightsSource::Shipped,
            Some(path) => WeightsSource::Given(path.to_owned()),
            None => found.cloned().map_or(WeightsSource::Shipped, WeightsSource::Trained),
        };
        let checkpoint = match &source {
            WeightsSource::Given(path) | WeightsSource::Trained(path) => Checkpoint::load(path),
            WeightsSource::Shipped => {
                let missing = || KaggleError::NoWeights { looked_at: trained[0].clone() };
                Checkpoint::from_bytes(&source.to_string(), SHIPPED.ok_or_else(missing)?)
            }
        };
        let checkpoint = checkpoint?;
        check_purpose(checkpoint.spec(), &source)?;
        let provenance = checkpoint.provenance().clone();
        Ok(Self { model: checkpoint.into_model(), provenance, source })
    }
}

impl fmt::Display for WeightsSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Given(path) => write!(f, "{} (--checkpoint)", path.display()),
            Self::Trained(path) => write!(f, "{} (a training here)", path.display()),
            Self::Shipped => f.write_str("weights that ship with the program"),
        }
    }
}

/// Whether a model is for the images and the classes of CIFAR-10.
fn check_purpose(spec: &ModelSpec, source: &WeightsSource) -> Result<(), KaggleError> {
    if spec.input_shape == SHAPE && spec.class_names == CIFAR10_CLASSES {
        return Ok(());
    }
    let purpose = |[rows, columns, channels]: [usize; 3], classes: &str| {
        format!("images of {rows} x {columns} x {channels} in the classes {classes}")
    };
    Err(KaggleError::OtherModel {
        weights: source.to_string(),
        name: spec.name.clone(),
        expected: purpose(SHAPE, &CIFAR10_CLASSES.join(", ")),
        got: purpose(spec.input_shape, &spec.class_names.join(", ")),
        remedy: "name a checkpoint of a CIFAR-10 training with --checkpoint",
    })
}
