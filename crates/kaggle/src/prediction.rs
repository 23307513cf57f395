//! The probability of each class, for each image.

use ndarray::{Array2, ArrayView4, Zip, s};
use training::{Model, TrainingError};

/// What is done to an image before it is predicted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TestTimeAugmentation {
    /// Nothing.
    #[default]
    None,
    /// It is predicted as it is and mirrored left to right; the probabilities are averaged. The classes
    /// of CIFAR-10 look the same from the other side, and training shows the network both.
    Mirror,
}

/// The probability of each class for each image: the same bits for every number of threads.
///
/// # Shapes
/// images `(n, rows, cols, channels)`, result `(n, classes)`
///
/// # Errors
/// [`TrainingError`] if the images do not fit the model, or a probability is not a number.
pub fn predict(
    model: &Model,
    images: ArrayView4<'_, u8>,
    augmentation: TestTimeAugmentation,
) -> Result<Array2<f32>, TrainingError> {
    let mut probabilities = model.predict(images)?;
    if augmentation == TestTimeAugmentation::Mirror {
        let mirrored = model.predict(images.slice(s![.., .., ..;-1, ..]))?;
        Zip::from(&mut probabilities).and(&mirrored).for_each(|p, &q| *p = 0.5 * (*p + q));
    }
    Ok(probabilities)
}
