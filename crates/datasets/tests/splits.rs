//! Data in the course's layout, as it comes from a user's disk.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;

use datasets::{Preprocess, Splits};
use ndarray::{ArrayD, array};
use ndarray_npy::write_npy;
use tempfile::TempDir;

/// A valid folder of which one file is replaced.
fn folder_with(file: &str, array: &ArrayD<f64>) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let data = array![[1.0, 10.0], [3.0, 10.0]];
    let labels = array![[1.0, 0.0], [0.0, 1.0]];
    for split in ["train", "val", "test"] {
        write_npy(folder.path().join(format!("toy_{split}_data.npy")), &data).unwrap();
        write_npy(folder.path().join(format!("toy_{split}_labels.npy")), &labels).unwrap();
    }
    write_npy(folder.path().join(file), array).unwrap();
    folder
}

#[test]
fn the_scaler_is_fitted_on_the_training_split_only() {
    let folder = folder_with("toy_val_data.npy", &array![[5.0, 12.0], [2.0, 10.0]].into_dyn());
    let splits = Splits::from_directory(folder.path(), "toy").unwrap();
    let scaled = splits.preprocess::<f64>(Preprocess::Standardise).unwrap();
    // Training: mean 2 and deviation 1; the second feature is constant there, 10.
    assert_eq!(*scaled.train.features(), array![[-1.0, 0.0], [1.0, 0.0]].into_dyn());
    assert_eq!(*scaled.validation.features(), array![[3.0, 2.0], [0.0, 0.0]].into_dyn());
    assert_eq!(scaled.scaler.unwrap().shift, [2.0, 10.0]);
}

#[test]
fn what_cannot_be_used_is_refused_by_file_and_row() {
    let zeros = |shape: [usize; 2]| ArrayD::zeros(&shape[..]);
    for (file, array, expected) in [
        (
            "toy_val_labels.npy",
            array![[0.0, 1.0], [0.5, 0.5]].into_dyn(),
            "toy_val_labels.npy: row 1 must be one-hot",
        ),
        (
            "toy_test_data.npy",
            array![[1.0, 2.0], [f64::INFINITY, 2.0]].into_dyn(),
            "toy_test_data.npy: expected finite numbers, but got inf in row 1 (from 0)",
        ),
        (
            "toy_train_labels.npy",
            zeros([3, 3]),
            "toy_train_labels.npy: expected one-hot labels of shape (2, classes), a row for each row of \
             the data, but got shape [3, 3]",
        ),
        // Class indices.
        (
            "toy_val_labels.npy",
            array![0.0, 1.0].into_dyn(),
            "toy_val_labels.npy: expected one-hot labels of shape (2, classes)",
        ),
        (
            "toy_test_data.npy",
            zeros([2, 5]),
            "an example of each split must have shape [2], as in training, but has [5]",
        ),
        (
            "toy_val_labels.npy",
            array![[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]].into_dyn(),
            "a label of each split must have shape [2], as in training, but has [3]",
        ),
        (
            "toy_train_data.npy",
            zeros([0, 2]),
            "toy_train_data.npy: expected an array of shape (n, ...) with n >= 1",
        ),
    ] {
        let folder = folder_with(file, &array);
        let error = Splits::from_directory(folder.path(), "toy").unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
        fs::remove_file(folder.path().join(file)).unwrap();
        let error = Splits::from_directory(folder.path(), "toy").unwrap_err().to_string();
        assert!(error.starts_with("cannot read ") && error.contains(file), "{error}");
    }
}
