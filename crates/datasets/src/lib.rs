//! Labelled data: loading and checking it, scaling it, and cutting it into mini-batches.
//!
//! A [`Dataset`] is features `(n, ...)` and targets `(n, k)`. Their scaling is fitted on the training
//! split and applied to all three ([`Splits::preprocess`]). [`Batches`] shuffles the examples anew in
//! each epoch, by seed and epoch alone, so that epoch 7 is the same whether or not epochs 1 to 6 ran.
//!
//! Images come as an [`ImageSet`] of bytes, from the formats in which they are published: IDX
//! ([`read_fashion_mnist_train`]), the binary form of CIFAR-10 ([`read_cifar10_train`]) and `.npy`
//! ([`read_cifar10_npy`]). A published file is read only if its checksum is right ([`KnownFile`]).
//! Nothing here fetches anything: that is the crate `acquire`.
//!
//! ```
//! use datasets::{Batches, Preprocess, Splits};
//!
//! let iris = Splits::iris()?.preprocess::<f32>(Preprocess::Standardise)?;
//! let batches = Batches::new(&iris.train, 32, 0)?;
//! let sizes: Vec<_> = batches.epoch(1).map(|batch| batch.targets.nrows()).collect();
//! assert_eq!(sizes, [32, 32, 32, 4]);
//! # Ok::<(), datasets::DatasetError>(())
//! ```

mod augment;
mod batches;
mod cifar10;
mod cifar10_npy;
mod dataset;
mod error;
mod fashion_mnist;
mod idx;
mod image_set;
mod iris;
mod known_file;
mod labels;
mod npy;
mod preprocess;
mod splits;

pub use augment::{Augmentation, Flip, moved};
pub use batches::{Batch, Batches, epoch_order};
pub use cifar10::{
    CIFAR10_CLASSES, CIFAR10_FILES, CIFAR10_RECORD, cifar10_sample, read_cifar10_test,
    read_cifar10_train,
};
pub use cifar10_npy::read_cifar10_npy;
pub use dataset::Dataset;
pub use error::DatasetError;
pub use fashion_mnist::{
    FASHION_MNIST_CLASSES, FASHION_MNIST_FILES, read_fashion_mnist_test, read_fashion_mnist_train,
};
pub use image_set::ImageSet;
pub use iris::IRIS_SHA256;
pub use known_file::{KnownFile, combined_sha256};
pub use labels::{argmax, check_one_hot, one_hot};
pub use npy::{npy_elements, npy_header_problem};
pub use preprocess::Preprocess;
pub use splits::Splits;
