//! The predictions of a classifier of images, as files of a record.

use std::path::Path;

use ndarray::{ArrayView1, ArrayView2, ArrayView4, ArrayViewD, Axis};

use crate::filters::filter_grid;
use crate::image_grid::{Caption, GridCell, ImageGrid};
use crate::logger::remove;
use crate::{ConfusedPair, Confusion, ExperimentError, files};

/// The files that [`Predictions::write`] writes.
pub(crate) const CONFUSION: &str = "confusion.csv";
pub(crate) const FILES: [&str; 6] =
    [CONFUSION, "confusion.svg", "samples.svg", "confused.svg", "mistakes.svg", "filters.svg"];

/// Pictures in a row, and rows.
const COLUMNS: usize = 5;
const ROWS: usize = 4;
/// Pairs of classes among the most frequent mistakes.
const PAIRS: usize = 5;

/// Images, their classes, and the probabilities that a classifier gave to each class.
///
/// There is at least one image, and what is predicted for it is the class with the largest
/// probability, the first of several.
///
/// # Shapes
/// images `(n, rows, cols, 1 or 3)`, labels `n`, probabilities `(n, classes)`.
#[derive(Clone, Debug)]
pub struct Predictions<'a> {
    images: ArrayView4<'a, u8>,
    labels: &'a [u8],
    probabilities: ArrayView2<'a, f32>,
    confusion: Confusion,
    predicted: Vec<usize>,
}

impl<'a> Predictions<'a> {
    /// The predictions for these images.
    ///
    /// # Errors
    /// If there is no image, or a label has no name.
    ///
    /// # Panics
    /// If the shapes are not as the type says.
    pub fn new<S: AsRef<str>>(
        images: ArrayView4<'a, u8>,
        labels: &'a [u8],
        probabilities: ArrayView2<'a, f32>,
        class_names: &[S],
    ) -> Result<Self, ExperimentError> {
        let n = images.len_of(Axis(0));
        assert_eq!((labels.len(), probabilities.dim()), (n, (n, class_names.len())));
        let predicted: Vec<usize> = probabilities.outer_iter().map(largest).collect();
        let names = class_names.iter().map(|name| name.as_ref().to_owned()).collect();
        let truths = labels.iter().map(|&label| usize::from(label));
        let confusion = Confusion::of_predictions(names, truths.zip(predicted.iter().copied()))?;
        Ok(Self { images, labels, probabilities, confusion, predicted })
    }

    /// Which class was taken for which.
    pub fn confusion(&self) -> &Confusion {
        &self.confusion
    }

    /// The first images, whatever was predicted for them.
    fn samples(&self) -> ImageGrid {
        let shown: Vec<_> = (0..self.labels.len()).take(COLUMNS * ROWS).collect();
        self.grid(format!("The first {} images", shown.len()), &shown)
    }

    /// The most frequent mistakes, each with its first images.
    fn most_confused(&self) -> ImageGrid {
        let names = self.confusion.class_names();
        let row = |pair: &ConfusedPair| {
            let of: u64 = self.confusion.counts().row(pair.truth).sum();
            let (truth, predicted) = (&names[pair.truth], &names[pair.predicted]);
            let heading = format!("{truth} taken for {predicted}: {} of {of}", pair.count);
            let is_one = |&index: &usize| {
                self.truth(index) == pair.truth && self.predicted[index] == pair.predicted
            };
            let shown: Vec<_> = (0..self.labels.len()).filter(is_one).take(COLUMNS).collect();
            (Some(heading), self.cells(&shown))
        };
        let pairs = self.confusion.most_confused(PAIRS);
        ImageGrid {
            title: "The most frequent mistakes".to_owned(),
            description: "a row for each: how often it happened, and the first images that it \
                          happened to"
                .to_owned(),
            rows: pairs.iter().map(row).collect(),
        }
    }

    /// The mistakes that the classifier was surest of.
    fn worst_mistakes(&self) -> ImageGrid {
        let wrong = |&index: &usize| self.truth(index) != self.predicted[index];
        let mut shown: Vec<_> = (0..self.labels.len()).filter(wrong).collect();
        // Stable: among equals, in the order of the set.
        shown.sort_by(|&a, &b| self.probability(b).total_cmp(&self.probability(a)));
        shown.truncate(COLUMNS * ROWS);
        self.grid("The surest of the mistakes".to_owned(), &shown)
    }

    /// Writes `confusion.csv`, `confusion.svg`, `samples.svg`, `confused.svg`, `mistakes.svg` and,
    /// given the weights of the first layer, of a convolution or of a fully-connected layer on the
    /// images, `filters.svg` into the folder of a record. A picture that there is nothing for is removed.
    ///
    /// To be called before [`Logger::finish`](crate::Logger::finish), with the predictions for the
    /// test set if the run is tested, else for the validation set: that is what
    /// [`Record::read`](crate::Record::read) compares the matrix with.
    ///
    /// # Errors
    /// If a picture cannot be drawn, or a file cannot be written.
    pub fn write(
        &self,
        directory: &Path,
        first_layer: Option<ArrayViewD<'_, f32>>,
    ) -> Result<(), ExperimentError> {
        let (_, rows, cols, channels) = self.images.dim();
        let filters = first_layer.map(|w| filter_grid(w, [rows, cols, channels])).transpose()?;
        let examples = self.confusion.examples();
        let matrix = self.confusion.to_svg(&format!("Confusion matrix of {examples} images"));
        let grids = [self.samples(), self.most_confused(), self.worst_mistakes()].map(Some);
        // All are drawn before the first is written.
        let mut drawings = vec![Some(matrix)];
        for grid in grids.into_iter().chain([filters]) {
            let grid = grid.filter(|grid| !grid.rows.is_empty());
            drawings.push(grid.map(|grid| grid.to_svg()).transpose()?);
        }
        self.confusion.write(&directory.join(CONFUSION))?;
        for (name, drawing) in FILES[1..].iter().zip(drawings) {
            match drawing {
                Some(svg) => files::write(&directory.join(name), svg.as_bytes())?,
                None => remove(directory, [name])?,
            }
        }
        Ok(())
    }

    fn truth(&self, index: usize) -> usize {
        usize::from(self.labels[index])
    }

    /// The probability of the class that was predicted.
    fn probability(&self, index: usize) -> f32 {
        self.probabilities[[index, self.predicted[index]]]
    }

    fn cells(&self, indices: &[usize]) -> Vec<GridCell> {
        let names = self.confusion.class_names();
        let cell = |&index: &usize| {
            let caption = Caption {
                truth: names[self.truth(index)].clone(),
                predicted: names[self.predicted[index]].clone(),
                probability: f64::from(self.probability(index)),
            };
            let picture = self.images.index_axis(Axis(0), index).to_owned();
            GridCell { picture, caption: Some(caption) }
        };
        indices.iter().map(cell).collect()
    }

    fn grid(&self, title: String, indices: &[usize]) -> ImageGrid {
        let right = indices.iter().filter(|&&i| self.truth(i) == self.predicted[i]).count();
        let all = self.labels.len();
        let description = format!(
            "{} of {all} images, each with its class and, below, the prediction and its \
             probability; {right} are right",
            indices.len()
        );
        ImageGrid::new(title, description, COLUMNS, &self.cells(indices))
    }
}

/// The index of the largest value, the first of several.
fn largest(row: ArrayView1<'_, f32>) -> usize {
    // `max_by` takes the last of several.
    let largest = row.iter().enumerate().rev().max_by(|a, b| a.1.total_cmp(b.1));
    largest.map_or(0, |(index, _)| index)
}

#[cfg(test)]
mod tests {
    use ndarray::{Array2, Array4, array};

    use super::*;
    use crate::picture::tests::decode;

    const NAMES: [&str; 3] = ["cat", "dog", "<frog>"];
    const LABELS: [u8; 6] = [0, 1, 0, 0, 2, 0];

    /// Six images, each of the grey of its index.
    fn images() -> Array4<u8> {
        Array4::from_shape_fn((6, 2, 2, 1), |(index, ..)| index as u8)
    }

    /// Right; right; dog; dog, surely; right; frog, on equal terms with dog.
    fn probabilities() -> Array2<f32> {
        array![
            [0.5, 0.3, 0.2],
            [0.1, 0.8, 0.1],
            [0.3, 0.6, 0.1],
            [0.0, 1.0, 0.0],
            [0.2, 0.2, 0.6],
            [0.2, 0.4, 0.4],
        ]
    }

    /// The greys of the pictures in a drawing.
    fn greys(svg: &str) -> Vec<u8> {
        decode(svg).iter().map(|picture| picture[[0, 0, 0]]).collect()
    }

    #[test]
    fn pictures_show_the_first_images_and_the_mistakes() {
        let (images, probabilities) = (images(), probabilities());
        let predictions =
            Predictions::new(images.view(), &LABELS, probabilities.view(), &NAMES).unwrap();
        assert_eq!(predictions.predicted, [0, 1, 1, 1, 2, 1], "of equals the first");
        let svg = predictions.samples().to_svg().unwrap();
        assert_eq!(svg.matches("<g>").count(), 6);
        assert_eq!(greys(&svg), [0, 1, 2, 3, 4, 5]);
        assert!(svg.contains("6 of 6 images") && svg.contains("; 3 are right</desc>"), "{svg}");
        assert!(svg.contains("<title>&lt;frog&gt;; predicted: &lt;frog&gt; 60\u{a0}%; right"));
        let svg = predictions.worst_mistakes().to_svg().unwrap();
        assert_eq!(greys(&svg), [3, 2, 5], "the surest first");
        let svg = predictions.most_confused().to_svg().unwrap();
        assert!(svg.contains(">cat taken for dog: 3 of 4</text>"), "{svg}");
        assert_eq!(greys(&svg), [2, 3, 5], "in the order of the set");
    }

    #[test]
    fn all_files_are_written_and_old_ones_do_not_stay() {
        let folder = tempfile::tempdir().unwrap();
        let images = images();
        let write = |probabilities: &Array2<f32>, w: Option<Array4<f32>>| {
            let predictions =
                Predictions::new(images.view(), &LABELS, probabilities.view(), &NAMES).unwrap();
            predictions.write(folder.path(), w.as_ref().map(|w| w.view().into_dyn())).unwrap();
            let written = Confusion::read(&folder.path().join(CONFUSION)).unwrap();
            assert_eq!(&written, predictions.confusion());
            system::for_tests::names(folder.path())
        };
        let mut all = FILES.to_vec();
        all.sort_unstable();
        assert_eq!(write(&probabilities(), Some(Array4::ones((3, 3, 1, 8)))), all);
        let right = Array2::eye(3).select(Axis(0), &LABELS.map(usize::from));
        assert_eq!(write(&right, None), ["confusion.csv", "confusion.svg", "samples.svg"]);
    }
}
