//! The checksums that the data of a record can have.

use std::collections::BTreeMap;

use datasets::{CIFAR10_FILES, FASHION_MNIST_FILES, Splits, combined_sha256};
use experiment::Data;

/// Refuses the data of a record unless it is Iris as it ships, or Fashion-MNIST or CIFAR-10 as
/// published: all files, or those for training alone.
pub(crate) fn check_data(data: &Data) -> Result<(), String> {
    let iris = Splits::iris()
        .map_err(|error| format!("the Iris data of the repository is damaged: {error}"))?;
    let published = [
        ("fashion-mnist", &FASHION_MNIST_FILES[..], &FASHION_MNIST_FILES[..2]),
        ("cifar-10", &CIFAR10_FILES[..], &CIFAR10_FILES[..5]),
    ];
    let mut checksums = BTreeMap::from([(iris.name, vec![iris.sha256])]);
    for (name, all, train) in published {
        checksums.insert(name.to_owned(), vec![combined_sha256(all), combined_sha256(train)]);
    }
    match checksums.get(&data.name) {
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
            checksums.into_keys().collect::<Vec<_>>().join(", ")
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_data_is_known_with_and_without_its_test_files_and_other_data_is_refused() {
        let other = "made from other data (cifar-10 with SHA-256";
        for (name, sha256, expected) in [
            ("cifar-10", combined_sha256(&CIFAR10_FILES), ""),
            ("cifar-10", combined_sha256(&CIFAR10_FILES[..5]), ""),
            ("fashion-mnist", combined_sha256(&FASHION_MNIST_FILES), ""),
            ("cifar-10", combined_sha256(&CIFAR10_FILES[..4]), other),
            ("cifar-10", combined_sha256(&FASHION_MNIST_FILES), other),
            ("mnist", String::new(), "known are cifar-10, fashion-mnist, iris"),
        ] {
            let data = Data { name: name.to_owned(), sha256, train: 1, validation: 1, test: 1 };
            match check_data(&data) {
                Ok(()) => assert!(expected.is_empty(), "{expected}"),
                Err(error) => {
                    assert!(!expected.is_empty() && error.contains(expected), "{error}");
                }
            }
        }
    }
}
