//! The images of a training: some to learn from, some to choose by, some to report.

use acquire::{CIFAR_10, FASHION_MNIST, Found, Request, ensure};
use anyhow::Result;
use datasets::{
    ImageSet, combined_sha256, read_cifar10_test, read_cifar10_train, read_fashion_mnist_test,
    read_fashion_mnist_train,
};
use experiment::Data;
use numerics::Rng;

/// A data set of labelled images.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Images {
    /// 60,000 pictures of clothes.
    FashionMnist,
    /// 50,000 photographs for training and 10,000 for testing.
    Cifar10,
}

/// The images of a training. Those of validation are held out of the training set; the test set is
/// the official one, which nothing is chosen by.
#[derive(Clone, Debug)]
pub(crate) struct TrainingImages {
    /// To learn from.
    pub(crate) train: ImageSet,
    /// To choose by; `None` if all training images are learned from.
    pub(crate) validation: Option<ImageSet>,
    /// To report.
    pub(crate) test: ImageSet,
    pub(crate) data: Data,
    pub(crate) found: Found,
}

/// The number of images that are held out of the training set for validation.
pub(crate) const HELD_OUT: usize = 5000;

/// Training, validation and test images of a smoke test.
const SMOKE: [usize; 3] = [2000, 500, 500];

/// The seed that decides which images are held out: the same in every run, so that runs can be
/// compared.
const SPLIT_SEED: u64 = 189;

impl Images {
    /// Finds or fetches the data set and splits it.
    pub(crate) fn split(
        self,
        validate: bool,
        smoke: bool,
        request: &Request,
    ) -> Result<TrainingImages> {
        let data_set = match self {
            Self::FashionMnist => &FASHION_MNIST,
            Self::Cifar10 => &CIFAR_10,
        };
        let found = ensure(data_set, request)?;
        let folder = &found.folder;
        let (all, mut test) = match self {
            Self::FashionMnist => {
                (read_fashion_mnist_train(folder)?, read_fashion_mnist_test(folder)?)
            }
            Self::Cifar10 => (read_cifar10_train(folder)?, read_cifar10_test(folder)?),
        };
        let mut order: Vec<usize> = (0..all.len()).collect();
        Rng::new(SPLIT_SEED).shuffle(&mut order);
        let (held_out, mut learned) = order.split_at(if validate { HELD_OUT } else { 0 });
        let mut validation = validate.then(|| all.select(held_out)).transpose()?;
        if smoke {
            let [train_size, validation_size, test_size] = SMOKE;
            learned = &learned[..train_size];
            let first = |set: &ImageSet, n| set.select(&(0..n).collect::<Vec<_>>());
            validation = validation.map(|set| first(&set, validation_size)).transpose()?;
            test = first(&test, test_size)?;
        }
        let train = all.select(learned)?;
        let data = Data {
            name: data_set.name.to_owned(),
            sha256: combined_sha256(data_set.files),
            train: train.len(),
            validation: validation.as_ref().map_or(0, ImageSet::len),
            test: test.len(),
        };
        Ok(TrainingImages { train, validation, test, data, found })
    }
}
