//! Labelled data: loading and checking it, scaling it, and cutting it into mini-batches.
//!
//! A [`Dataset`] is features `(n, ...)` and targets `(n, k)`. A [`Scaler`] is fitted on the training
//! split and applied to all three ([`Splits::preprocess`]). [`Batches`] shuffles the examples anew in
//! each epoch, by seed and epoch alone, so that epoch 7 is the same whether or not epochs 1 to 6 ran.
//!
//! ```
//! use datasets::{Batches, Preprocess, Splits};
//!
//! let iris = Splits::<f32>::iris()?.preprocess(Preprocess::Standardise)?;
//! let batches = Batches::new(&iris.train, 32, 0)?;
//! let sizes: Vec<_> = batches.epoch(1).map(|batch| batch.targets.nrows()).collect();
//! assert_eq!(sizes, [32, 32, 32, 4]);
//! # Ok::<(), datasets::DatasetError>(())
//! ```

mod batches;
mod dataset;
mod error;
mod iris;
mod labels;
mod npy;
mod preprocess;
mod splits;

pub use batches::{Batch, Batches};
pub use dataset::Dataset;
pub use error::DatasetError;
pub use labels::{argmax, check_one_hot, one_hot};
pub use npy::{parse_npy, read_npy};
pub use preprocess::{Preprocess, Scaler};
pub use splits::{Split, Splits};
