//! Data in the course's layout, as it comes from a user's disk.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::Path;

use datasets::{DatasetError, Preprocess, Splits};
use ndarray::{Array1, Array2, array};
use ndarray_npy::write_npy;

fn write_valid(directory: &Path) {
    let data = array![[1.0, 10.0], [3.0, 10.0]];
    let labels = array![[1.0, 0.0], [0.0, 1.0]];
    for split in ["train", "val", "test"] {
        write_npy(directory.join(format!("toy_{split}_data.npy")), &data).unwrap();
        write_npy(directory.join(format!("toy_{split}_labels.npy")), &labels).unwrap();
    }
}

/// The message for a valid folder whose one file has been replaced.
fn message_with(file: &str, array: &Array2<f64>) -> String {
    let directory = tempfile::tempdir().unwrap();
    write_valid(directory.path());
    write_npy(directory.path().join(file), array).unwrap();
    message(directory.path())
}

fn message(directory: &Path) -> String {
    Splits::from_directory(directory, "toy").unwrap_err().to_string()
}

#[test]
fn the_scaler_is_fitted_on_the_training_split_only() {
    let directory = tempfile::tempdir().unwrap();
    write_valid(directory.path());
    let validation = directory.path().join("toy_val_data.npy");
    write_npy(validation, &array![[5.0, 12.0], [2.0, 10.0]]).unwrap();
    let splits = Splits::from_directory(directory.path(), "toy").unwrap();
    let scaled = splits.preprocess::<f64>(Preprocess::Standardise).unwrap();
    // Training: mean 2 and deviation 1; the second feature is constant there, 10.
    assert_eq!(*scaled.train.features(), array![[-1.0, 0.0], [1.0, 0.0]].into_dyn());
    assert_eq!(*scaled.validation.features(), array![[3.0, 2.0], [0.0, 0.0]].into_dyn());
    assert_eq!(scaled.scaler.unwrap().shift(), [2.0, 10.0]);
}

#[test]
fn an_offset_that_all_numbers_share_is_subtracted_before_they_are_rounded() {
    let scaled = |offset: f64, factor: f64| {
        let directory = tempfile::tempdir().unwrap();
        write_valid(directory.path());
        for split in ["train", "val", "test"] {
            let data = array![[1.0, 10.0], [3.0, 10.0]].mapv(|x| factor * x + offset);
            write_npy(directory.path().join(format!("toy_{split}_data.npy")), &data).unwrap();
        }
        let splits = Splits::from_directory(directory.path(), "toy").unwrap();
        splits.preprocess::<f32>(Preprocess::Standardise).unwrap().test.features().clone()
    };
    // Single precision holds every 128th integer there, and no number as large as 1e39.
    for (offset, factor) in [(1.7e9, 1.0), (0.0, 1e39)] {
        assert_eq!(scaled(offset, factor), array![[-1.0, 0.0], [1.0, 0.0]].into_dyn());
    }
}

#[test]
fn labels_that_name_no_class_are_refused_by_file_and_row() {
    for bad in [[0.5, 0.5], [0.0, 0.0], [f64::NAN, 1.0]] {
        let error = message_with("toy_val_labels.npy", &array![[0.0, 1.0], bad]);
        assert!(error.contains("toy_val_labels.npy: row 1 must be one-hot"), "{error}");
    }
}

#[test]
fn features_that_are_not_finite_are_refused_by_file_and_row() {
    let error = message_with("toy_test_data.npy", &array![[1.0, 2.0], [f64::INFINITY, 2.0]]);
    let expected = "toy_test_data.npy: expected finite numbers, but got inf in row 1 (from 0)";
    assert!(error.ends_with(expected), "{error}");
}

#[test]
fn rows_and_shapes_must_agree() {
    let error = message_with("toy_train_labels.npy", &Array2::eye(3));
    let expected = "toy_train_labels.npy: expected one-hot labels of shape (2, classes), a row for \
                    each row of the data, but got shape [3, 3]";
    assert!(error.ends_with(expected), "{error}");
    let error = message_with("toy_test_data.npy", &Array2::zeros((2, 5)));
    assert_eq!(error, "an example of each split must have shape [2], as in training, but has [5]");
    let three = array![[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]];
    let error = message_with("toy_val_labels.npy", &three);
    assert_eq!(error, "a label of each split must have shape [2], as in training, but has [3]");
    let error = message_with("toy_train_data.npy", &Array2::zeros((0, 2)));
    assert!(error.contains("expected an array of shape (n, ...) with n >= 1"), "{error}");
}

#[test]
fn class_indices_in_place_of_one_hot_labels_are_refused() {
    let directory = tempfile::tempdir().unwrap();
    write_valid(directory.path());
    write_npy(directory.path().join("toy_val_labels.npy"), &Array1::from(vec![0_i64, 1])).unwrap();
    let error = message(directory.path());
    assert!(error.contains("expected one-hot labels of shape (2, classes)"), "{error}");
}

#[test]
fn a_missing_file_is_named() {
    let directory = tempfile::tempdir().unwrap();
    write_valid(directory.path());
    fs::remove_file(directory.path().join("toy_test_labels.npy")).unwrap();
    let error = Splits::from_directory(directory.path(), "toy").unwrap_err();
    assert!(matches!(error, DatasetError::Io { .. }));
    assert!(error.to_string().contains("toy_test_labels.npy"), "{error}");
}
