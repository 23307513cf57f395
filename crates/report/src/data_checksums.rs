//! The checksums that the data of a record can have.

use datasets::{CIFAR10_FILES, FASHION_MNIST_FILES, IRIS_SHA256, combined_sha256};
use experiment::Data;

/// Refuses the data of a record unless it is Iris as it ships, or Fashion-MNIST or CIFAR-10 as
/// published: all files, or those for training alone.
pub(crate) fn check_data(Data { name, sha256, .. }: &Data) -> Result<(), String> {
    let known = match name.as_str() {
        "iris" => vec![IRIS_SHA256.to_owned()],
        "fashion-mnist" => {
            vec![combined_sha256(&FASHION_MNIST_FILES), combined_sha256(&FASHION_MNIST_FILES[..2])]
        }
        "cifar-10" => vec![combined_sha256(&CIFAR10_FILES), combined_sha256(&CIFAR10_FILES[..5])],
        _ => {
            return Err(format!(
                "nothing says what the checksum of its data, {name}, should be; known are \
                 cifar-10, fashion-mnist, iris"
            ));
        }
    };
    match known.contains(sha256) {
        true => Ok(()),
        false => Err(format!(
            "it was made from other data ({name} with SHA-256 {sha256}; now it is {}): make the \
             record again with this version",
            known.join(" or ")
        )),
    }
}
