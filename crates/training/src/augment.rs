//! Changing training images at random.

use std::fmt::Debug;

use ndarray::{ArrayView3, ArrayViewMut3};

/// A random change of a training image.
pub trait Augment: Debug + Send + Sync {
    /// What it does, with its numbers: a run is only continued with the same words.
    fn description(&self) -> String;

    /// Writes the image that is shown in place of `image` to `out`, which has zeros.
    ///
    /// The result must depend on the epoch (from 1), the index of the example in its data set and
    /// the image alone, so that a training that is continued sees what it would have seen, whatever
    /// the number of threads: draw from an [`Rng`](numerics::Rng) of a seed and these two.
    ///
    /// # Shapes
    /// `image` and `out`: `(rows, cols, channels)`.
    fn augment(
        &self,
        epoch: u64,
        example: usize,
        image: ArrayView3<'_, u8>,
        out: ArrayViewMut3<'_, u8>,
    );
}

/// Shows every image as it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NoAugmentation;

impl Augment for NoAugmentation {
    fn description(&self) -> String {
        "none".to_owned()
    }

    fn augment(
        &self,
        _epoch: u64,
        _example: usize,
        image: ArrayView3<'_, u8>,
        mut out: ArrayViewMut3<'_, u8>,
    ) {
        out.assign(&image);
    }
}
