//! Fashion-MNIST from Debian's package, unpacked without being installed: no root is needed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::error::file_error;
use crate::{AcquireError, Clients, Reporter, client};

/// Lets APT fetch the package to an empty folder; returns the `.deb`.
pub(crate) fn fetch(
    package: &str,
    folder: &Path,
    clients: &Clients,
    reporter: &Reporter,
) -> Result<PathBuf, AcquireError> {
    let mut download = Command::new(&clients.apt_get);
    download.args(["download", package]).current_dir(folder);
    match client::run(&mut download, reporter) {
        Err(error @ AcquireError::Client { .. }) => {
            // Containers come without package lists, and only root may write those of the system.
            reporter.say(&format!("{error}\nfetching package lists of our own"));
            let own = own_folders(folder)?;
            client::run(Command::new(&clients.apt_get).args(&own).arg("update"), reporter)?;
            let mut download = Command::new(&clients.apt_get);
            download.args(&own).args(["download", package]).current_dir(folder);
            client::run(&mut download, reporter)?;
        }
        other => other?,
    }
    find(folder).ok_or_else(|| AcquireError::Contents {
        path: folder.to_owned(),
        expected: format!("the package {package} that `apt-get download` writes"),
        got: "no .deb file".to_owned(),
    })
}

/// The options with which APT keeps its lists in this folder.
fn own_folders(folder: &Path) -> Result<[String; 4], AcquireError> {
    for part in ["lists/partial", "cache/archives/partial"] {
        let path = folder.join(part);
        fs::create_dir_all(&path).map_err(file_error("create the folder", &path))?;
    }
    let option = |name: &str, part: &str| format!("{name}={}", folder.join(part).display());
    Ok([
        "-o".to_owned(),
        option("Dir::State::Lists", "lists"),
        "-o".to_owned(),
        option("Dir::Cache", "cache"),
    ])
}

fn find(folder: &Path) -> Option<PathBuf> {
    let mut paths = disk::entries(folder).ok()?.into_iter().map(|entry| entry.path());
    paths.find(|path| path.extension().is_some_and(|extension| extension == "deb"))
}

/// Unpacks a `.deb` into a folder.
pub(crate) fn unpack(
    package: &Path,
    to: &Path,
    clients: &Clients,
    reporter: &Reporter,
) -> Result<(), AcquireError> {
    client::run(Command::new(&clients.dpkg_deb).arg("-x").args([package, to]), reporter)
}
