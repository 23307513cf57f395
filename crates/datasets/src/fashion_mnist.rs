//! Fashion-MNIST (Xiao, Rasul and Vollgraf 2017): 70,000 grey images of clothes, 28 x 28, 10 classes.

use std::path::Path;

use ndarray::{Axis, Ix1, Ix3};

use crate::{DatasetError, ImageSet, KnownFile, parse_idx};

/// The four IDX files, decompressed; the gzipped ones differ between places that offer them.
///
/// The checksums are those of the files in Debian's package `dataset-fashion-mnist`
/// (0.0~git20200523.55506a9-1), a copy of <https://github.com/zalandoresearch/fashion-mnist>.
pub const FASHION_MNIST_FILES: [KnownFile; 4] = [
    KnownFile {
        name: "train-images-idx3-ubyte",
        bytes: 47_040_016,
        sha256: "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
    },
    KnownFile {
        name: "train-labels-idx1-ubyte",
        bytes: 60_008,
        sha256: "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
    },
    KnownFile {
        name: "t10k-images-idx3-ubyte",
        bytes: 7_840_016,
        sha256: "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
    },
    KnownFile {
        name: "t10k-labels-idx1-ubyte",
        bytes: 10_008,
        sha256: "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
    },
];

/// The names of classes 0 to 9, from the data set's page.
pub const FASHION_MNIST_CLASSES: [&str; 10] = [
    "T-shirt/top",
    "trouser",
    "pullover",
    "dress",
    "coat",
    "sandal",
    "shirt",
    "sneaker",
    "bag",
    "ankle boot",
];

/// The 60,000 training images of a folder with the published files, plain or gzipped.
///
/// # Shapes
/// images `(60000, 28, 28, 1)`
///
/// # Errors
/// [`DatasetError::Io`] if a file is missing, [`DatasetError::Checksum`] if it is not the published
/// one.
pub fn read_fashion_mnist_train(directory: &Path) -> Result<ImageSet, DatasetError> {
    read(directory, &FASHION_MNIST_FILES[0], &FASHION_MNIST_FILES[1])
}

/// The 10,000 test images.
///
/// # Shapes
/// images `(10000, 28, 28, 1)`
///
/// # Errors
/// As [`read_fashion_mnist_train`].
pub fn read_fashion_mnist_test(directory: &Path) -> Result<ImageSet, DatasetError> {
    read(directory, &FASHION_MNIST_FILES[2], &FASHION_MNIST_FILES[3])
}

fn read(
    directory: &Path,
    images: &KnownFile,
    labels: &KnownFile,
) -> Result<ImageSet, DatasetError> {
    let image_bytes = images.read(directory)?;
    let label_bytes = labels.read(directory)?;
    parse(images.name, &image_bytes, labels.name, &label_bytes)
}

/// The images and labels of two IDX files that belong together.
fn parse(
    image_file: &str,
    image_bytes: &[u8],
    label_file: &str,
    label_bytes: &[u8],
) -> Result<ImageSet, DatasetError> {
    let shape = |error: ndarray::ShapeError| DatasetError::File {
        file: image_file.to_owned(),
        expected: "images in three axes and labels in one".to_owned(),
        got: error.to_string(),
    };
    let images = parse_idx(image_file, image_bytes, 3)?;
    let images = images.into_dimensionality::<Ix3>().map_err(shape)?.insert_axis(Axis(3));
    let labels = parse_idx(label_file, label_bytes, 1)?;
    let labels = labels.into_dimensionality::<Ix1>().map_err(shape)?.to_vec();
    if labels.len() != images.len_of(Axis(0)) {
        return Err(DatasetError::Bytes {
            file: label_file.to_owned(),
            offset: 4,
            expected: format!("{} labels, one for each image", images.len_of(Axis(0))),
            got: labels.len().to_string(),
        });
    }
    let classes = FASHION_MNIST_CLASSES.len();
    if let Some(row) = labels.iter().position(|&label| usize::from(label) >= classes) {
        return Err(DatasetError::Bytes {
            file: label_file.to_owned(),
            offset: 8 + row as u64,
            expected: format!("a label below {classes}"),
            got: labels[row].to_string(),
        });
    }
    ImageSet::new(images, labels, &FASHION_MNIST_CLASSES)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two images of 1 x 2 pixels.
    const IMAGES: [u8; 20] = [0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2, 1, 2, 3, 4];

    fn with_labels(labels: &[u8]) -> Result<ImageSet, String> {
        let header = [0, 0, 8, 1, 0, 0, 0, labels.len().try_into().unwrap()];
        parse("images", &IMAGES, "labels", &[&header, labels].concat()).map_err(|e| e.to_string())
    }

    #[test]
    fn images_get_one_channel_and_their_labels() {
        let set = with_labels(&[9, 0]).unwrap();
        assert_eq!((set.images().dim(), set.labels()), ((2, 1, 2, 1), &[9, 0][..]));
        assert_eq!(set.image(1)[[0, 1, 0]], 4);
    }

    #[test]
    fn labels_that_do_not_fit_are_refused_where_they_stand() {
        let expected = "labels, byte 4: expected 2 labels, one for each image, but got 3";
        assert_eq!(with_labels(&[1, 2, 3]).unwrap_err(), expected);
        let expected = "labels, byte 9: expected a label below 10, but got 10";
        assert_eq!(with_labels(&[1, 10]).unwrap_err(), expected);
    }

    #[test]
    fn another_file_under_the_published_name_is_not_used() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("train-images-idx3-ubyte");
        std::fs::write(&path, IMAGES).unwrap();
        let error = read_fashion_mnist_train(folder.path()).unwrap_err();
        assert!(matches!(error, DatasetError::Checksum { .. }), "{error}");
        std::fs::remove_file(path).unwrap();
        let error = read_fashion_mnist_train(folder.path()).unwrap_err();
        assert!(matches!(error, DatasetError::Io { .. }), "{error}");
    }
}
