//! Labelled images.

use ndarray::{Array4, ArrayView3, Axis};

use crate::DatasetError;

/// Images of bytes with the class of each, as published: nothing is scaled.
///
/// There is at least one image, and each label is below the number of classes.
///
/// # Shapes
/// images `(n, rows, cols, channels)`, labels `n`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageSet {
    images: Array4<u8>,
    labels: Vec<u8>,
    class_names: &'static [&'static str],
}

impl ImageSet {
    /// The set of these images; class `c` is called `class_names[c]`.
    ///
    /// # Errors
    /// [`DatasetError::Refused`] if there is no image, or not one label for each, or a label has no name.
    pub fn new(
        images: Array4<u8>,
        labels: Vec<u8>,
        class_names: &'static [&'static str],
    ) -> Result<Self, DatasetError> {
        let n = images.len_of(Axis(0));
        if images.is_empty() {
            let expected = "(n, rows, cols, channels) with no empty axis";
            return Err(DatasetError::shape("images", expected, images.shape()));
        }
        if labels.len() != n {
            let expected = format!("({n}), one for each image");
            return Err(DatasetError::shape("labels", expected, &[labels.len()]));
        }
        let classes = class_names.len();
        if let Some(row) = labels.iter().position(|&label| usize::from(label) >= classes) {
            return Err(DatasetError::class(row, classes, labels[row].into()));
        }
        Ok(Self { images, labels, class_names })
    }

    /// The images, of shape `(n, rows, cols, channels)`.
    pub fn images(&self) -> &Array4<u8> {
        &self.images
    }

    /// The class of each image.
    pub fn labels(&self) -> &[u8] {
        &self.labels
    }

    /// The names of the classes.
    pub fn class_names(&self) -> &'static [&'static str] {
        self.class_names
    }

    /// The number of images, at least 1.
    #[expect(clippy::len_without_is_empty, reason = "there is at least one image")]
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// One image, of shape `(rows, cols, channels)`.
    ///
    /// # Panics
    /// If `index` is not below [`len`](Self::len).
    pub fn image(&self, index: usize) -> ArrayView3<'_, u8> {
        self.images.index_axis(Axis(0), index)
    }

    /// The images and labels of these indices, in this order.
    ///
    /// # Errors
    /// [`DatasetError::Refused`] if there are none.
    ///
    /// # Panics
    /// If an index is not below [`len`](Self::len).
    pub fn select(&self, indices: &[usize]) -> Result<Self, DatasetError> {
        let labels = indices.iter().map(|&index| self.labels[index]).collect();
        Self::new(self.images.select(Axis(0), indices), labels, self.class_names)
    }

    /// These images followed by those of other sets with the same classes.
    ///
    /// # Errors
    /// [`DatasetError::Refused`] if the images differ in size.
    pub fn concatenate(sets: &[Self]) -> Result<Self, DatasetError> {
        let views: Vec<_> = sets.iter().map(|set| set.images.view()).collect();
        let images = ndarray::concatenate(Axis(0), &views).map_err(|error| {
            let got = sets.last().map_or(&[][..], |set| set.images.shape());
            DatasetError::shape("images", format!("the same size in each set ({error})"), got)
        })?;
        let labels = sets.iter().flat_map(|set| set.labels.iter().copied()).collect();
        Self::new(images, labels, sets.first().map_or(&[], |set| set.class_names))
    }
}

#[cfg(test)]
mod tests {
    use ndarray::Array;

    use super::*;

    const NAMES: &[&str] = &["cat", "dog"];

    /// Three images of 1 x 2 pixels and one channel.
    fn example() -> ImageSet {
        let images = Array::from_shape_vec((3, 1, 2, 1), vec![0, 51, 102, 153, 204, 255]).unwrap();
        ImageSet::new(images, vec![1, 0, 1], NAMES).unwrap()
    }

    #[test]
    fn images_keep_their_labels_when_selected_and_joined() {
        let set = example();
        let two = set.select(&[2, 1]).unwrap();
        assert_eq!((two.labels(), two.image(0)[[0, 1, 0]]), (&[1, 0][..], 255));
        let five = ImageSet::concatenate(&[set, two]).unwrap();
        assert_eq!(five.labels(), [1, 0, 1, 1, 0]);
        assert_eq!(five.image(3)[[0, 0, 0]], 204);
        assert_eq!(five.class_names(), NAMES);
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let message = |n: usize, labels: Vec<u8>| {
            let images = Array4::zeros((n, 1, 2, 1));
            ImageSet::new(images, labels, NAMES).unwrap_err().to_string()
        };
        assert!(message(0, vec![]).starts_with("images must have shape (n, rows"));
        let expected = "labels must have shape (2), one for each image, but has [1]";
        assert_eq!(message(2, vec![0]), expected);
        assert_eq!(message(2, vec![0, 2]), "row 1: a class must be below 2, but is 2");
        assert!(ImageSet::concatenate(&[]).is_err());
        assert!(example().select(&[]).is_err());
        let wide = ImageSet::new(Array4::zeros((1, 1, 3, 1)), vec![0], NAMES).unwrap();
        let error = ImageSet::concatenate(&[example(), wide]).unwrap_err().to_string();
        assert!(error.starts_with("images must have shape the same size in each set"), "{error}");
    }
}
