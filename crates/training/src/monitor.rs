//! The images on which a training is measured.

use datasets::ImageSet;
use numerics::Rng;

use crate::TrainingError;

/// The images on which a model is evaluated after each epoch, in inference mode: not augmented, with
/// running statistics, without dropout.
#[derive(Clone, Debug)]
pub struct Monitor {
    /// A fixed random subset of the training images, as large as the validation set: to evaluate all
    /// of them would take as long as the forward passes of an epoch.
    pub train: ImageSet,
    /// The validation set.
    pub validation: Option<ImageSet>,
}

/// The number of training images that are watched if there is no validation set to compare them with.
const WITHOUT_VALIDATION: usize = 5000;
/// The random stream that chooses the subset; weights are stream 0, and epochs begin at 2³².
const STREAM: u64 = 1;

impl Monitor {
    /// A subset of `train` chosen by the seed, and the validation set.
    ///
    /// # Errors
    /// None for image sets as they are: at least one image is chosen.
    pub fn new(
        train: &ImageSet,
        validation: Option<&ImageSet>,
        seed: u64,
    ) -> Result<Self, TrainingError> {
        let size = validation.map_or(WITHOUT_VALIDATION, ImageSet::len).min(train.len());
        let mut chosen: Vec<usize> = (0..train.len()).collect();
        Rng::with_stream(seed, STREAM).shuffle(&mut chosen);
        chosen.truncate(size);
        Ok(Self { train: train.select(&chosen)?, validation: validation.cloned() })
    }
}
