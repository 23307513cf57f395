//! Sources of mini-batches.

use std::sync::{Mutex, PoisonError};

use datasets::{Augmentation, Batch, Batches, DatasetError, ImageSet, epoch_order, one_hot};
use ndarray::Axis;
use numerics::{Scalar, reused};
use rayon::prelude::*;

use crate::model_spec::PixelScaling;
use crate::{Model, TrainingError};

/// The mini-batches of a training.
///
/// A mini-batch is a function of the epoch and its index alone, so that a training that is continued
/// sees what it would have seen.
pub trait BatchSource<T = f32> {
    /// The number of mini-batches in an epoch, at least 1.
    fn per_epoch(&self) -> u64;

    /// The mini-batch of this index, from 0, in this epoch, from 1: inputs as the network takes them,
    /// and a distribution over the classes for each.
    fn batch(&self, epoch: u64, index: u64) -> Result<Batch<T>, TrainingError>;
}

/// For data sets as small as Iris: the mini-batches before it are made and thrown away.
impl<T: Scalar> BatchSource<T> for Batches<'_, T> {
    fn per_epoch(&self) -> u64 {
        self.per_epoch() as u64
    }

    fn batch(&self, epoch: u64, index: u64) -> Result<Batch<T>, TrainingError> {
        Ok(self.epoch(epoch).nth(index as usize).expect("the index is below the number of batches"))
    }
}

/// Mini-batches of images, shuffled anew in each epoch, augmented and scaled.
///
/// The order of an epoch is that of [`Batches`] for the same seed.
#[derive(Debug)]
pub struct ImageBatches<'a> {
    set: &'a ImageSet,
    scaling: PixelScaling,
    augmentation: Augmentation,
    batch_size: usize,
    seed: u64,
    /// The epoch that was asked for last, and its order.
    order: Mutex<(u64, Vec<usize>)>,
}

impl<'a> ImageBatches<'a> {
    /// Mini-batches of this size for `model`; the seed is that of their order and of the augmentation.
    ///
    /// # Errors
    /// [`DatasetError::BatchSize`] if the size is 0 or larger than the set; [`TrainingError::Refused`] if
    /// the set is not made for the model.
    pub fn new(
        set: &'a ImageSet,
        model: &Model,
        batch_size: usize,
        seed: u64,
        augmentation: Augmentation,
    ) -> Result<Self, TrainingError> {
        model.check_set(set)?;
        if !(1..=set.len()).contains(&batch_size) {
            return Err(DatasetError::BatchSize { examples: set.len(), got: batch_size }.into());
        }
        let scaling = model.spec().pixel_scaling()?;
        // There is no epoch 0, so this order is never used.
        let order = Mutex::new((0, Vec::new()));
        Ok(Self { set, scaling, augmentation, batch_size, seed, order })
    }

    /// The examples of a mini-batch, by their index in the set.
    fn examples_of(&self, epoch: u64, index: u64) -> Vec<usize> {
        let mut order = self.order.lock().unwrap_or_else(PoisonError::into_inner);
        if order.0 != epoch {
            *order = (epoch, epoch_order(self.set.len(), self.seed, epoch));
        }
        let skipped = index as usize * self.batch_size;
        order.1.iter().skip(skipped).take(self.batch_size).copied().collect()
    }
}

impl BatchSource for ImageBatches<'_> {
    fn per_epoch(&self) -> u64 {
        self.set.len().div_ceil(self.batch_size) as u64
    }

    fn batch(&self, epoch: u64, index: u64) -> Result<Batch<f32>, TrainingError> {
        let examples = self.examples_of(epoch, index);
        let (_, rows, cols, channels) = self.set.images().dim();
        // The network gives this memory back when it is done with a mini-batch.
        let mut features = reused((examples.len(), rows, cols, channels));
        let pairs: Vec<_> = examples.iter().zip(features.axis_iter_mut(Axis(0))).collect();
        pairs.into_par_iter().for_each(|(&example, out)| {
            let image = self.set.image(example);
            let image = self.augmentation.apply(image, self.seed, epoch, example);
            self.scaling.scale(image.view(), out);
        });
        let labels: Vec<usize> =
            examples.iter().map(|&example| self.set.labels()[example].into()).collect();
        let targets = one_hot(&labels, self.set.class_names().len())?;
        Ok(Batch { features: features.into_dyn(), targets })
    }
}
