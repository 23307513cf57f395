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
