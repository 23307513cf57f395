//! The checksums that the data of a record can have.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use datasets::{CIFAR10_FILES, FASHION_MNIST_FILES, Splits, combined_sha256};
use experiment::Data;

/// The checksums of each data set that this workspace can read, by its name.
#[derive(Clone, Debug)]
pub(crate) struct DataChecksums(BTreeMap<String, Vec<String>>);

impl DataChecksums {
    /// The checksums of Iris as it ships, and of Fashion-MNIST and CIFAR-10 as published: all files, or
    /// those for training alone.
    ///
    /// # Errors
    /// If the data that ships with the workspace is damaged.
    pub(crate) fn known() -> Result<Self> {
        let iris = Splits::iris().context("the Iris data of the repository is damaged")?;
        let published = [
            ("fashion-mnist", &FASHION_MNIST_FILES[..], &FASHION_MNIST_FILES[..2]),
            ("cifar-10", &CIFAR10_FILES[..], &CIFAR10_FILES[..5]),
        ];
        let mut checksums = BTreeMap::from([(iris.name, vec![iris.sha256])]);
        for (name, all, train) in published {
            checksums.insert(name.to_owned(), vec![combined_sha256(all), combined_sha256(train)]);
        }
        Ok(Self(checksums))
    }

    /// Whether the data of a record is known.
    ///
    /// # Errors
    /// Why the record is refused.
    pub(crate) fn check(&self, data: &Data) -> Result<(), String> {
        match self.0.get(&data.name) {
            Some(known) if known.contains(&data.sha256) => Ok(()),
            Some(known) => Err(format!(
                "it was made from other data ({} with SHA-256 {}; now it is {}): make the record \
                 again with this version",
                data.name,
                data.sha256,
                known.join(" or ")
            )),
            None => Err(format!(
                "nothing says what the checksum of its data, {}, should be; known are {}",
                data.name,
                self.0.keys().cloned().collect::<Vec<_>>().join(", ")
            )),
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    impl DataChecksums {
        /// One data set with one checksum.
        pub(crate) fn of(name: &str, sha256: &str) -> Self {
            Self(BTreeMap::from([(name.to_owned(), vec![sha256.to_owned()])]))
        }
    }

    fn check(name: &str, sha256: String) -> Result<(), String> {
        let data = Data { name: name.to_owned(), sha256, train: 1, validation: 1, test: 1 };
        DataChecksums::known().unwrap().check(&data)
    }

    #[test]
    fn published_data_is_known_with_and_without_its_test_files() {
        assert_eq!(check("cifar-10", combined_sha256(&CIFAR10_FILES)), Ok(()));
        assert_eq!(check("cifar-10", combined_sha256(&CIFAR10_FILES[..5])), Ok(()));
        assert_eq!(check("fashion-mnist", combined_sha256(&FASHION_MNIST_FILES)), Ok(()));
    }

    #[test]
    fn other_data_is_refused() {
        let error = check("cifar-10", combined_sha256(&CIFAR10_FILES[..4])).unwrap_err();
        assert!(error.contains("made from other data (cifar-10 with SHA-256"), "{error}");
        let error = check("cifar-10", combined_sha256(&FASHION_MNIST_FILES)).unwrap_err();
        assert!(error.contains("made from other data"), "{error}");
        let error = check("mnist", combined_sha256(&FASHION_MNIST_FILES)).unwrap_err();
        assert!(error.contains("known are cifar-10, fashion-mnist, iris"), "{error}");
    }
}
