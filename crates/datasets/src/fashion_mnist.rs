//! Fashion-MNIST (Xiao, Rasul and Vollgraf 2017): 70,000 grey images of clothes, 28 x 28, 10 classes.

use std::path::Path;

use ndarray::{Axis, Ix1, Ix3};

use crate::idx::parse_idx;
use crate::{DatasetError, ImageSet, KnownFile};

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
    let pixels = parse_idx::<Ix3>(images.name, &images.read(directory)?)?;
    let classes = parse_idx::<Ix1>(labels.name, &labels.read(directory)?)?;
    ImageSet::new(pixels.insert_axis(Axis(3)), classes.to_vec(), &FASHION_MNIST_CLASSES)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use sha2::{Digest, Sha256};

    use super::*;

    #[test]
    fn images_get_one_channel_and_their_labels() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name, content: &[u8]| {
            fs::write(folder.path().join(name), content).unwrap();
            let sha256 = system::hex(&Sha256::digest(content)).leak();
            KnownFile { name, bytes: content.len() as u64, sha256 }
        };
        // Two images of 1 x 2 pixels.
        let images = file("images", &[0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2, 1, 2, 3, 4]);
        let labels =
            |labels: &[u8; 2]| file("labels", &[&[0, 0, 8, 1, 0, 0, 0, 2], &labels[..]].concat());
        let set = read(folder.path(), &images, &labels(&[9, 0])).unwrap();
        assert_eq!((set.images().dim(), set.labels()), ((2, 1, 2, 1), &[9, 0][..]));
        assert_eq!(set.image(1)[[0, 1, 0]], 4);
        let error = read(folder.path(), &images, &labels(&[1, 10])).unwrap_err().to_string();
        assert_eq!(error, "row 1: a class must be below 10, but is 10");
        // Neither is another file used under a name that is published.
        let published = labels(&[9, 0]);
        labels(&[1, 0]);
        let error = read(folder.path(), &images, &published).unwrap_err();
        assert!(matches!(error, DatasetError::Checksum { .. }), "{error}");
    }
}
