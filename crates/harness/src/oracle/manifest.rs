//! What `fixtures/manifest.toml` says of the entries of a file.

use std::fs;
use std::path::Path;

use activations::Activation;
use cnn::{Pad, PoolMode};
use losses::Loss;
use optim::ScheduleConfig;
use serde::Deserialize;

use crate::npz::Npz;
use crate::{HarnessError, LayerClass, LayerSpec};

/// What one entry was computed with.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(super) enum Config {
    Activation {
        activation: Activation,
    },
    FullyConnected {
        n_out: usize,
        activation: Activation,
    },
    Flatten,
    Conv2d {
        n_out: usize,
        activation: Activation,
        kernel_shape: (usize, usize),
        stride: usize,
        pad: PadValue,
    },
    Pool2d {
        mode: PoolMode,
        kernel_shape: (usize, usize),
        stride: usize,
        pad: PadValue,
    },
    #[serde(rename = "global_average_pool2d")]
    GlobalAveragePool2d,
    BatchNorm {
        eps: f64,
        momentum: f64,
    },
    Dropout {
        rate: f64,
    },
    CrossEntropy,
    L2,
    SoftmaxCrossEntropy,
    Sgd {
        momentum: f64,
        clip_norm: Option<f64>,
        schedule: ScheduleConfig,
    },
    SgdTraining {
        momentum: f64,
        nesterov: bool,
        weight_decay: f64,
        decays: bool,
        clip_norm: Option<f64>,
        schedule: ScheduleConfig,
    },
    Muon {
        momentum: f64,
        newton_schulz_steps: u32,
        schedule: ScheduleConfig,
    },
    Schedule {
        schedule: ScheduleConfig,
    },
    LabelSmoothing {
        eps: f64,
    },
    Network {
        layers: Vec<Config>,
        loss: Loss,
        momentum: f64,
        clip_norm: Option<f64>,
        schedule: ScheduleConfig,
        steps: u64,
    },
}

/// Padding as the course writes it: a name, a number or a pair.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(untagged)]
pub(super) enum PadValue {
    Named(Pad),
    Both(usize),
    Each(usize, usize),
}

impl From<PadValue> for Pad {
    fn from(value: PadValue) -> Self {
        match value {
            PadValue::Named(pad) => pad,
            PadValue::Both(cells) => Self::Cells(cells, cells),
            PadValue::Each(rows, cols) => Self::Cells(rows, cols),
        }
    }
}

impl Config {
    pub(super) fn class(&self) -> Option<LayerClass> {
        match self {
            Self::FullyConnected { .. } => Some(LayerClass::FullyConnected),
            Self::Flatten => Some(LayerClass::Flatten),
            Self::Conv2d { .. } => Some(LayerClass::Conv2D),
            Self::Pool2d { .. } => Some(LayerClass::Pool2D),
            Self::BatchNorm { .. } => Some(LayerClass::BatchNorm),
            Self::Dropout { .. } => Some(LayerClass::Dropout),
            Self::GlobalAveragePool2d => Some(LayerClass::GlobalAveragePool2D),
            _ => None,
        }
    }

    /// The layer for examples of this shape; nothing if there is none.
    pub(super) fn spec(&self, example: &[usize]) -> Option<LayerSpec> {
        match *self {
            Self::FullyConnected { n_out, activation } => {
                let &[n_in] = example else { return None };
                Some(LayerSpec::FullyConnected { n_in, n_out, activation, bias: true })
            }
            Self::Flatten => Some(LayerSpec::Flatten { input_shape: example.to_vec() }),
            Self::Conv2d { n_out, activation, kernel_shape, stride, pad } => {
                let input_shape = example.try_into().ok()?;
                let pad = pad.into();
                Some(LayerSpec::Conv2D {
                    input_shape,
                    n_out,
                    kernel_shape,
                    stride,
                    pad,
                    activation,
                    bias: true,
                })
            }
            Self::Pool2d { mode, kernel_shape, stride, pad } => {
                let input_shape = example.try_into().ok()?;
                let pad = pad.into();
                Some(LayerSpec::Pool2D { input_shape, mode, kernel_shape, stride, pad })
            }
            Self::BatchNorm { eps, momentum } => {
                let (input_shape, activation) = (example.to_vec(), Activation::Linear);
                Some(LayerSpec::BatchNorm { input_shape, eps, momentum, activation, scale: true })
            }
            Self::Dropout { rate } => {
                Some(LayerSpec::Dropout { input_shape: example.to_vec(), rate })
            }
            Self::GlobalAveragePool2d => {
                let input_shape = example.try_into().ok()?;
                Some(LayerSpec::GlobalAveragePool2D { input_shape })
            }
            _ => None,
        }
    }
}

#[derive(Deserialize)]
struct Manifest {
    file: Vec<File>,
}

#[derive(Deserialize)]
struct File {
    path: String,
    /// Other files have other entries, or none.
    #[serde(default)]
    entry: Vec<toml::Table>,
}

/// The configurations of the entries of a file, whose path is relative to the repository.
pub(super) fn entries(fixtures: &Path, path: &str) -> Result<Vec<Config>, HarnessError> {
    let manifest = fixtures.join("manifest.toml");
    let text = fs::read_to_string(&manifest).map_err(|error| HarnessError::File {
        file: manifest.clone(),
        operation: "be read",
        reason: error.to_string(),
    })?;
    let invalid = |reason: String| HarnessError::Manifest { file: manifest.clone(), reason };
    let parsed: Manifest = toml::from_str(&text).map_err(|error| invalid(error.to_string()))?;
    let file = parsed.file.into_iter().find(|file| file.path == path);
    let file = file.ok_or_else(|| invalid(format!("expected a [[file]] with path {path:?}")))?;
    let config = |(index, entry): (usize, toml::Table)| {
        let misplaced = entry.get("index").and_then(toml::Value::as_integer) != Some(index as i64);
        if misplaced {
            return Err(invalid(format!("{path}: expected entry {index} at its place")));
        }
        let config = Config::deserialize(entry);
        config.map_err(|error| invalid(format!("{path}, entry {index}: {error}")))
    };
    file.entry.into_iter().enumerate().map(config).collect()
}

/// An error if the archive has not as many entries as the manifest lists.
pub(super) fn check_count(npz: &Npz, listed: usize) -> Result<(), HarnessError> {
    let got = npz.entries()?;
    if got == listed {
        return Ok(());
    }
    let reason = format!("expected the {listed} entries of the manifest, but there are {got}");
    Err(HarnessError::Manifest { file: npz.file().to_owned(), reason })
}

/// The error for an entry of a kind that has no place in its file.
pub(super) fn unexpected(fixtures: &Path, file: &str, index: usize) -> HarnessError {
    let reason = format!("{file}.npz, entry {index}: a kind that has no place in this file");
    HarnessError::Manifest { file: fixtures.join("manifest.toml"), reason }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::course::configurations;

    fn fixtures() -> std::path::PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures")
    }

    #[test]
    fn the_manifest_and_the_course_agree_on_the_configurations() {
        for (class, example) in [
            (LayerClass::FullyConnected, &[7][..]),
            (LayerClass::Conv2D, &[9, 6, 2]),
            (LayerClass::Pool2D, &[9, 7, 2]),
            (LayerClass::Flatten, &[3, 5, 2]),
        ] {
            let file = format!("fixtures/course/Test{}.npz", class.name());
            let entries = entries(&fixtures(), &file).unwrap();
            let table = configurations(class, example).unwrap();
            let per_configuration = entries.len() / table.len();
            for (index, entry) in entries.iter().enumerate() {
                let mut spec = entry.spec(example).unwrap();
                if let LayerSpec::Pool2D { pad: pad @ Pad::Cells(0, 0), .. } = &mut spec {
                    *pad = Pad::Valid;
                }
                assert_eq!(spec, table[index / per_configuration], "{class:?} {index}");
            }
        }
    }

    #[test]
    fn a_manifest_that_says_something_else_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let read = |text: &str| {
            fs::write(folder.path().join("manifest.toml"), text).unwrap();
            entries(folder.path(), "a.npz").unwrap_err().to_string()
        };
        assert!(read("file = 3").contains("manifest.toml"));
        assert!(read("[[file]]\npath = \"b.npz\"").contains("a [[file]] with path \"a.npz\""));
        let entry = |rest| format!("[[file]]\npath = \"a.npz\"\n[[file.entry]]\n{rest}");
        assert!(read(&entry("index = 1\nkind = \"l2\"")).contains("expected entry 0"));
        assert!(read(&entry("index = 0\nkind = \"l3\"")).contains("entry 0: unknown variant"));
    }
}
