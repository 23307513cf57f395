//! The probability of each class, for each image.

use activations::Activation;
use anyhow::{Error, Result, anyhow};
use clap::ValueEnum;
use datasets::{DatasetError, ImageSet, argmax, moved};
use experiment::Evaluation;
use ndarray::{Array2, ArrayView1, ArrayView2, ArrayView4, Axis, s};
use serde::{Deserialize, Serialize};
use training::{Model, TrainingError};

/// The images that a prediction is made of. The first lines are the help of the command line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "snake_case")]
pub(crate) enum TestTimeAugmentation {
    /// The image as it is
    #[default]
    None,
    /// The mean of the probabilities of an image and its mirror image
    ///
    /// Training shows the network both, and the classes of CIFAR-10 look the same from the other side.
    Mirror,
    /// The mean of the logits of an image and of two moved by a pixel, all with their mirror images
    ///
    /// One is moved up and left, the other down and right, and what comes in at an edge is reflected; either
    /// weighs 1/4. Jordan, "94% on CIFAR-10 in 3.29 seconds on a single GPU", arXiv 2404.00498 (2024).
    Shifts,
    /// Shifts for the least certain quarter of the images, the others as they are
    ///
    /// Least certain is the smallest difference of the two largest logits. It takes 2.5 times as long as
    /// [`Self::None`], not 6 times.
    Selective,
}

impl TestTimeAugmentation {
    /// The images that a prediction is the mean of, to be appended to a line; empty if it is of one.
    pub(crate) fn description(self) -> &'static str {
        match self {
            Self::None => "",
            Self::Mirror => ", each image and its mirror image",
            Self::Shifts => ", each image and two moved by a pixel, all with their mirror images",
            Self::Selective => {
                ", the least certain quarter with two moved by a pixel, all with their mirror images"
            }
        }
    }
}

/// The probability of each class for each image: the same bits for every number of threads.
///
/// # Shapes
/// images `(n, rows, cols, channels)`, result `(n, classes)`
///
/// # Errors
/// If the images do not fit the model, or with the first image, counted from 1, for which the output of the
/// network is not finite.
pub(crate) fn predict(
    model: &Model,
    images: ArrayView4<'_, u8>,
    augmentation: TestTimeAugmentation,
) -> Result<Array2<f32>> {
    let logits = |images: ArrayView4<'_, u8>| model.logits(images);
    let logits = match augmentation {
        TestTimeAugmentation::None => return model.predict(images).map_err(named),
        TestTimeAugmentation::Mirror => {
            let mut probabilities = model.predict(images).map_err(named)?;
            let mirrored = model.predict(mirrored(images)).map_err(named)?;
            probabilities.zip_mut_with(&mirrored, |p, &q| *p = 0.5 * (*p + q));
            return Ok(probabilities);
        }
        TestTimeAugmentation::Shifts => mean_over_shifts(images, logits)?,
        TestTimeAugmentation::Selective => mean_of_least_certain(images, logits)?,
    };
    argmax(logits.view()).map_err(|error| named(error.into()))?;
    Ok(Activation::SoftMax.forward(&logits))
}

/// The error with the number of the image as the competition counts, if it is about one.
fn named(error: TrainingError) -> Error {
    match error {
        TrainingError::Dataset(DatasetError::NotFinite { row, got, .. }) => {
            let image = row + 1;
            anyhow!(
                "the predictions: expected finite numbers, but got {got} for image {image}; name other \
                 weights by --checkpoint"
            )
        }
        other => other.into(),
    }
}

/// Loss and error on labelled images, and the probability of each class for each of them.
pub(crate) fn evaluate(
    model: &Model,
    set: &ImageSet,
    augmentation: TestTimeAugmentation,
) -> Result<(Evaluation, Array2<f32>)> {
    if augmentation == TestTimeAugmentation::None {
        return model.evaluate(set).map_err(named);
    }
    model.check_set(set)?;
    let probabilities = predict(model, set.images().view(), augmentation)?;
    let truth = || probabilities.outer_iter().zip(set.labels());
    // A probability that underflows is taken as the least one that there is.
    let loss = |(p, &label): (ArrayView1<'_, f32>, &u8)| {
        -f64::from(p[usize::from(label)].max(f32::MIN_POSITIVE)).ln()
    };
    let mean = truth().map(loss).sum::<f64>() / set.len() as f64;
    let predicted = argmax(probabilities.view())?;
    let wrong = predicted.iter().zip(set.labels()).filter(|&(&p, &label)| p != usize::from(label));
    let evaluation = Evaluation::classification(mean, wrong.count(), set.len());
    Ok((evaluation, probabilities))
}

// ANCHOR: shifts
/// `1/4 f(X) + 1/4 f(mirrored X) + 1/8 Σ [f(moved X) + f(mirrored moved X)]` over both moves.
fn mean_over_shifts(
    images: ArrayView4<'_, u8>,
    f: impl Fn(ArrayView4<'_, u8>) -> Result<Array2<f32>, TrainingError>,
) -> Result<Array2<f32>, TrainingError> {
    let both = |images: ArrayView4<'_, u8>| -> Result<Array2<f32>, TrainingError> {
        Ok((f(images)? + f(mirrored(images))?) * 0.5)
    };
    let (up_left, down_right) = (moved(images, (-1, -1)), moved(images, (1, 1)));
    Ok(both(images)? * 0.5 + (both(up_left.view())? + both(down_right.view())?) * 0.25)
}

fn mirrored(images: ArrayView4<'_, u8>) -> ArrayView4<'_, u8> {
    images.slice_move(s![.., .., ..;-1, ..])
}
// ANCHOR_END: shifts

// ANCHOR: selective
/// `f(X)`, and the mean over shifts in the rows of the least certain quarter.
fn mean_of_least_certain(
    images: ArrayView4<'_, u8>,
    f: impl Fn(ArrayView4<'_, u8>) -> Result<Array2<f32>, TrainingError>,
) -> Result<Array2<f32>, TrainingError> {
    let mut logits = f(images)?;
    let few = least_certain(logits.view());
    let means = mean_over_shifts(images.select(Axis(0), &few).view(), f)?;
    for (&row, mean) in few.iter().zip(means.outer_iter()) {
        logits.row_mut(row).assign(&mean);
    }
    Ok(logits)
}

/// A quarter of the rows: those whose two largest numbers are closest; of equals, the first.
fn least_certain(logits: ArrayView2<'_, f32>) -> Vec<usize> {
    let margin = |row: usize| {
        let [mut first, mut second] = [f32::NEG_INFINITY; 2];
        for &z in logits.row(row) {
            (first, second) = if z > first { (z, first) } else { (first, second.max(z)) };
        }
        first - second
    };
    let mut rows: Vec<usize> = (0..logits.nrows()).collect();
    rows.sort_by(|&a, &b| margin(a).total_cmp(&margin(b)));
    rows.truncate(logits.nrows().div_ceil(4));
    rows
}
// ANCHOR_END: selective

#[cfg(test)]
mod tests {
    use ndarray::{Array4, array};
    use numerics::Rng;

    use super::*;

    fn random_images(n: usize) -> Array4<u8> {
        let mut rng = Rng::new(7);
        Array4::from_shape_simple_fn((n, 5, 6, 3), || rng.below(256) as u8)
    }

    /// Two linear functions of the pixels, with whole numbers, so that nothing rounds.
    fn linear(images: ArrayView4<'_, u8>) -> Result<Array2<f32>, TrainingError> {
        let (n, rows, cols, channels) = images.dim();
        let w = |r, q, c, class| ((7 * r + 3 * q + 5 * c + 2 * class) % 11) as f32 - 4.0;
        let cells = || (0..rows).flat_map(move |r| (0..cols).map(move |q| (r, q)));
        Ok(Array2::from_shape_fn((n, 2), |(i, class)| {
            let of_cell = |(r, q): (usize, usize)| -> f32 {
                (0..channels).map(|c| w(r, q, c, class) * f32::from(images[[i, r, q, c]])).sum()
            };
            cells().map(of_cell).sum()
        }))
    }

    fn averaged(images: &Array4<u8>) -> Array2<f32> {
        mean_over_shifts(images.view(), linear).unwrap()
    }

    #[test]
    fn the_mean_is_that_of_six_predictions_with_their_weights() {
        let images = random_images(4);
        let (n, rows, cols, channels) = images.dim();
        let mut expected = Array2::<f32>::zeros((n, 2));
        for (weight, by) in [(0.5, 0_isize), (0.25, 1), (0.25, -1)] {
            for mirror in [false, true] {
                let seen = Array4::from_shape_fn((n, rows, cols, channels), |(i, r, q, c)| {
                    let q = if mirror { cols - 1 - q } else { q };
                    let at = |x: usize, length: usize| {
                        let x = (x as isize + by).unsigned_abs();
                        if x == length { length - 2 } else { x }
                    };
                    images[[i, at(r, rows), at(q, cols), c]]
                });
                expected = expected + linear(seen.view()).unwrap() * (0.5 * weight);
            }
        }
        assert_eq!(averaged(&images), expected);
    }

    #[test]
    fn a_quarter_has_the_smallest_margins() {
        let logits = array![
            [9.0, 1.0, 8.0],
            [-1.0, 3.0, 3.0],
            [5.0, 0.0, 2.0],
            [7.0, 6.0, 7.5],
            [f32::NEG_INFINITY, 0.0, 0.5],
            [0.0, 9.0, 1.0],
        ];
        // Their margins: 1, 0, 3, 0.5, 0.5, 8.
        assert_eq!(least_certain(logits.view()), [1, 3]);
        assert_eq!(least_certain(logits.slice(s![2..5, ..])), [1]);
    }

    #[test]
    fn only_the_least_certain_are_averaged() {
        let images = random_images(9);
        let plain = linear(images.view()).unwrap();
        let few = least_certain(plain.view());
        assert_eq!(few.len(), 3);
        let selective = mean_of_least_certain(images.view(), linear).unwrap();
        let all = averaged(&images);
        for row in 0..9 {
            let expected = if few.contains(&row) { &all } else { &plain };
            assert_eq!(selective.row(row), expected.row(row), "{row}");
        }
        assert_ne!(selective, plain, "a mean that changes nothing would prove nothing");
    }
}
