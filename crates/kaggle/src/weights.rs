//! The weights that predict: a checkpoint that is named, that of the most accurate training, or the weights
//! that ship with the program.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use acquire::CIFAR_10;
use anyhow::{Result, bail, ensure};
use datasets::CIFAR10_CLASSES;
use experiment::{BEST_CHECKPOINT, LAST_CHECKPOINT, Record, Status};
use training::{Checkpoint, Model, ModelSpec, Provenance};

use crate::prediction::TestTimeAugmentation;
use crate::training_images::HELD_OUT;

/// The weights that ship with the program, as a checkpoint; none in a copy without them.
///
/// Their origin stands in `weights/README.md` and in the checkpoint itself.
#[cfg(shipped_weights)]
pub(crate) const SHIPPED: Option<&[u8]> = Some(include_bytes!("../weights/cifar10.safetensors"));
/// The weights that ship with the program: none in this copy.
#[cfg(not(shipped_weights))]
pub(crate) const SHIPPED: Option<&[u8]> = None;

/// The value of `--checkpoint` that means [`SHIPPED`], and their place in words.
const SHIPPED_NAME: &str = "shipped";
const SHIPPED_ORIGIN: &str = "weights that ship with the program";

/// The fraction of the official test batch that [`SHIPPED`] recognises, as `evaluate` measures it.
pub(crate) fn shipped_accuracy(augmentation: TestTimeAugmentation) -> f64 {
    match augmentation {
        TestTimeAugmentation::None => 0.9310,
        TestTimeAugmentation::Mirror => 0.9367,
        TestTimeAugmentation::Shifts | TestTimeAugmentation::Selective => 0.9401,
    }
}

const SHAPE: [usize; 3] = [32, 32, 3];

/// The number of images of the official test batch.
const TEST_BATCH: usize = 10_000;

/// A model for CIFAR-10, and its origin.
#[derive(Debug)]
pub(crate) struct Weights {
    pub(crate) model: Model,
    pub(crate) provenance: Provenance,
    /// The file that it was taken from; none for the weights that ship.
    pub(crate) file: Option<PathBuf>,
    pub(crate) why: String,
    /// The others that there were to choose from, a line each.
    pub(crate) others: Vec<String>,
}

impl Weights {
    /// The checkpoint of `option` (`shipped` means those that ship with the program); without it, that of
    /// the most accurate of the trainings with a record in the folder `experiments` and of the weights that
    /// ship. A training counts if it is finished and was measured on all images of the validation set or of
    /// the official test batch. Its accuracy is compared with that of the weights that ship in the same form
    /// of test-time augmentation. A checkpoint that is chosen but cannot be used is an error: no other takes
    /// its place unasked.
    pub(crate) fn choose(option: Option<&Path>, experiments: &Path) -> Result<Self> {
        let (file, why, others) = match option {
            Some(path) => {
                let file = (path != Path::new(SHIPPED_NAME)).then(|| path.to_owned());
                (file, "--checkpoint".to_owned(), vec![])
            }
            None => most_accurate(experiments),
        };
        let checkpoint = match (&file, SHIPPED) {
            (Some(file), _) => Checkpoint::load(file)?,
            (None, Some(bytes)) => Checkpoint::from_bytes(SHIPPED_ORIGIN, bytes)?,
            (None, None) => {
                let others: String = others.iter().map(|other| format!("\n  {other}")).collect();
                bail!(
                    "there are no weights: none ship with this copy of the program, and in {} there is no \
                     finished training whose accuracy is known; train some with `cargo run -p kaggle -- \
                     train`, or name a file with --checkpoint{others}",
                    experiments.display()
                );
            }
        };
        let Checkpoint { model, provenance, .. } = checkpoint;
        let weights = Self { model, provenance, file, why, others };
        weights.check_purpose()?;
        Ok(weights)
    }

    /// The place that they were taken from, in words.
    pub(crate) fn origin(&self) -> String {
        let file = self.file.as_ref().map(|file| file.display().to_string());
        file.unwrap_or(SHIPPED_ORIGIN.to_owned())
    }

    /// Checks that the model is for the images and the classes of CIFAR-10.
    fn check_purpose(&self) -> Result<()> {
        let ModelSpec { name, input_shape, class_names, .. } = self.model.spec();
        let purpose = |[rows, columns, channels]: [usize; 3], classes: &str| {
            format!("images of {rows} x {columns} x {channels} in the classes {classes}")
        };
        let expected = purpose(SHAPE, &CIFAR10_CLASSES.join(", "));
        let got = purpose(*input_shape, &class_names.join(", "));
        ensure!(
            *input_shape == SHAPE && *class_names == CIFAR10_CLASSES,
            "{}: expected a model for {expected}, but {name} is for {got}; name a checkpoint of a CIFAR-10 \
             training with --checkpoint",
            self.origin()
        );
        Ok(())
    }
}

/// The weights of a finished training, with an accuracy on images that it did not learn from.
struct Candidate {
    checkpoint: PathBuf,
    accuracy: f64,
    augmentation: TestTimeAugmentation,
    /// The set of images that it was measured on.
    set: String,
}

impl Candidate {
    /// The candidate in the folder of a record, or why there is none; nothing where it is no record of a
    /// training on CIFAR-10.
    fn find(directory: &Path) -> Option<Result<Self, String>> {
        if !directory.join("config.toml").exists() {
            return None;
        }
        match Record::read(directory) {
            Ok(record) if record.config.data.name != CIFAR_10.name => None,
            Ok(record) => Some(Self::of(&record)),
            Err(error) => Some(Err(format!("not readable: {error}"))),
        }
    }

    fn of(record: &Record) -> Result<Self, String> {
        let Record { directory, config, history, summary, .. } = record;
        if summary.status != Status::Finished {
            return Err(format!("not finished: {}", summary.status));
        }
        // The accuracy on validation images, which is there to choose by, is that of single images.
        let single = TestTimeAugmentation::None;
        let epochs = history.rows().iter().filter(|row| row.epoch > 0);
        let validation = epochs.filter_map(|row| row.val_error).min_by(f64::total_cmp);
        let (name, error, augmentation, examples, what, all) = match (validation, summary.test) {
            (Some(error), _) => {
                let examples = config.data.validation;
                (BEST_CHECKPOINT, error, single, examples, "validation", HELD_OUT)
            }
            (None, Some(test)) => {
                let form = config.hyperparameters.get("test_time_augmentation");
                let form = form.map_or(Ok(single), |form| form.clone().try_into());
                let form = form.map_err(|error| format!("not readable: {error}"))?;
                (LAST_CHECKPOINT, test.error, form, test.examples, "test", TEST_BATCH)
            }
            (None, None) => {
                return Err("not measured: no images were held out, nor tested".to_owned());
            }
        };
        if examples < all {
            return Err(format!("measured on {examples} {what} images only"));
        }
        let checkpoint = directory.join(name);
        if !checkpoint.exists() {
            return Err(format!("no {name}"));
        }
        let set = format!("{examples} {what} images");
        Ok(Self { checkpoint, accuracy: 1.0 - error, augmentation, set })
    }

    /// The accuracy that it has more than the weights that ship, measured in the same way.
    fn lead(&self) -> f64 {
        self.accuracy - shipped_accuracy(self.augmentation)
    }
}

impl fmt::Display for Candidate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { accuracy, augmentation, set, .. } = self;
        let averaged = augmentation.description();
        write!(f, "{:.2} % of {set}{averaged}", 100.0 * accuracy)?;
        if SHIPPED.is_some() {
            let shipped = 100.0 * shipped_accuracy(*augmentation);
            write!(f, "; so measured, the weights that ship have {shipped:.2} %")?;
        }
        Ok(())
    }
}

/// The best weights that there are without being named, none for those that ship; why they are, and what else
/// there is.
fn most_accurate(experiments: &Path) -> (Option<PathBuf>, String, Vec<String>) {
    let entries = fs::read_dir(experiments).into_iter().flatten().flatten();
    let mut directories: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    directories.sort();
    let (mut candidates, mut others) = (Vec::new(), Vec::new());
    for directory in directories {
        match Candidate::find(&directory) {
            Some(Ok(candidate)) => candidates.push(candidate),
            Some(Err(why)) => others.push(format!("{} ({why})", directory.display())),
            None => {}
        }
    }
    // Stable: among equals, in the order of their names.
    candidates.sort_by(|a, b| b.lead().total_cmp(&a.lead()));
    let wins = |first: &Candidate| SHIPPED.is_none() || first.lead() > 0.0;
    let best = candidates.first().is_some_and(wins).then(|| candidates.remove(0));
    let passed_over = candidates.iter().map(|c| format!("{} ({c})", c.checkpoint.display()));
    others.splice(0..0, passed_over);
    let why = match &best {
        Some(best) => format!("the best: {best}"),
        None if others.is_empty() => format!("there is no training in {}", experiments.display()),
        None => "no finished training is known to be better".to_owned(),
    };
    (best.map(|best| best.checkpoint), why, others)
}

#[cfg(all(test, shipped_weights))]
mod tests {
    use clap::ValueEnum;
    use sha2::{Digest, Sha256};

    use super::*;

    #[test]
    fn those_that_ship_are_small_and_described_beside_them() {
        let bytes = SHIPPED.unwrap();
        assert!(bytes.len() <= 8_000_000, "{} bytes", bytes.len());
        let readme = include_str!("../weights/README.md");
        assert!(readme.contains(&system::hex(&Sha256::digest(bytes))));
        for form in TestTimeAugmentation::value_variants() {
            let (name, percent) =
                (form.to_possible_value().unwrap(), 100.0 * shipped_accuracy(*form));
            let expected = format!("`--tta {}` {percent:.2} %", name.get_name());
            assert!(readme.contains(&expected), "weights/README.md does not say {expected}");
        }
    }
}
