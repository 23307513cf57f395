//! Shuffled mini-batches.

use ndarray::{Array2, ArrayD};
use numerics::{Rng, Scalar};

use crate::{Dataset, DatasetError};

/// Cuts a data set into mini-batches, in another random order in each epoch.
///
/// The order depends on the seed and the number of the epoch alone, so a training that is resumed
/// sees what it would have seen.
#[derive(Clone, Debug)]
pub struct Batches<'a, T> {
    data: &'a Dataset<T>,
    batch_size: usize,
    seed: u64,
}

/// One mini-batch.
#[derive(Clone, Debug, PartialEq)]
pub struct Batch<T> {
    /// The features, of shape `(m, ...)`.
    pub features: ArrayD<T>,
    /// The targets, of shape `(m, k)`.
    pub targets: Array2<T>,
}

/// The random streams of the epochs begin here, far from stream 0, which draws the weights.
const FIRST_STREAM: u64 = 1 << 32;

/// The order in which an epoch shows `n` examples: it depends on the seed and the epoch alone.
pub fn epoch_order(n: usize, seed: u64, epoch: u64) -> Vec<usize> {
    let mut order: Vec<usize> = (0..n).collect();
    Rng::with_stream(seed, FIRST_STREAM.wrapping_add(epoch)).shuffle(&mut order);
    order
}

impl<'a, T: Scalar> Batches<'a, T> {
    /// Mini-batches of this size.
    ///
    /// # Errors
    /// [`DatasetError::BatchSize`] if the size is 0 or larger than the data set.
    pub fn new(data: &'a Dataset<T>, batch_size: usize, seed: u64) -> Result<Self, DatasetError> {
        if (1..=data.len()).contains(&batch_size) {
            Ok(Self { data, batch_size, seed })
        } else {
            Err(DatasetError::BatchSize { examples: data.len(), got: batch_size })
        }
    }

    /// The number of mini-batches of an epoch, the last and perhaps smaller one included.
    pub fn per_epoch(&self) -> usize {
        self.data.len().div_ceil(self.batch_size)
    }

    /// The mini-batches of an epoch: together every example, once.
    pub fn epoch(&self, epoch: u64) -> impl Iterator<Item = Batch<T>> + use<'_, 'a, T> {
        let order = epoch_order(self.data.len(), self.seed, epoch);
        (0..self.per_epoch()).map(move |batch| {
            let start = batch * self.batch_size;
            let rows = &order[start..order.len().min(start + self.batch_size)];
            let (features, targets) = self.data.select(rows);
            Batch { features, targets }
        })
    }
}

#[cfg(test)]
mod tests {
    use ndarray::Array;

    use super::*;

    /// Example `i` has feature `i` and target `10 i`.
    fn numbered(n: usize) -> Dataset<f64> {
        let features = Array::from_iter((0..n).map(|i| i as f64)).into_shape_with_order((n, 1));
        let features = features.unwrap();
        Dataset::new(features.clone().into_dyn(), features * 10.0).unwrap()
    }

    fn order(batches: &Batches<'_, f64>, epoch: u64) -> Vec<f64> {
        batches.epoch(epoch).flat_map(|batch| batch.features.into_iter()).collect()
    }

    #[test]
    fn an_epoch_has_every_example_once_with_its_target() {
        let data = numbered(10);
        let batches = Batches::new(&data, 4, 1).unwrap();
        let sizes: Vec<_> = batches.epoch(1).map(|batch| batch.targets.nrows()).collect();
        assert_eq!(sizes, [4, 4, 2]);
        assert_eq!(batches.per_epoch(), 3);
        for batch in batches.epoch(1) {
            assert_eq!(
                (batch.features * 10.0).into_iter().collect::<Vec<_>>(),
                batch.targets.into_iter().collect::<Vec<_>>()
            );
        }
        let mut seen = order(&batches, 1);
        seen.sort_by(f64::total_cmp);
        assert_eq!(seen, (0..10).map(f64::from).collect::<Vec<_>>());
    }

    #[test]
    fn the_order_depends_on_seed_and_epoch_alone() {
        let data = numbered(50);
        let batches = Batches::new(&data, 50, 1).unwrap();
        let again = Batches::new(&data, 7, 1).unwrap();
        assert_eq!(order(&batches, 3), order(&again, 3));
        assert_ne!(order(&batches, 3), order(&batches, 4));
        let other = Batches::new(&data, 50, 2).unwrap();
        assert_ne!(order(&batches, 3), order(&other, 3));
    }
}
