//! Augmentation as the training loop asks for it.

use datasets::Augmentation;
use ndarray::{ArrayView3, ArrayViewMut3};
use training::Augment;

/// An augmentation with the seed of its chances.
#[derive(Clone, Copy, Debug)]
pub struct SeededAugmentation {
    /// What is done to images.
    pub augmentation: Augmentation,
    /// The seed.
    pub seed: u64,
}

impl Augment for SeededAugmentation {
    fn description(&self) -> String {
        self.augmentation.to_string()
    }

    fn augment(
        &self,
        epoch: u64,
        example: usize,
        image: ArrayView3<'_, u8>,
        mut out: ArrayViewMut3<'_, u8>,
    ) {
        out.assign(&self.augmentation.apply(image, self.seed, epoch, example));
    }
}
