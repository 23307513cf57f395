//! The images that are to be predicted, from the first source that has them.

use std::fmt;
use std::path::{Path, PathBuf};

use acquire::{AcquireError, CIFAR_10, Found, Place, Request, ensure};
use anyhow::Result;
use datasets::{ImageSet, cifar10_sample, read_cifar10_npy, read_cifar10_test};
use ndarray::Array4;

/// The name under which the competition publishes its images.
pub(crate) const COMPETITION_FILE: &str = "cifar10_test_data_sp23.npy";

/// The beginning of the names of such files, whichever the semester.
const COMPETITION_PREFIX: &str = "cifar10_test_data";

/// The origin of images.
pub(crate) enum Source {
    /// A file that was named or found, and which of the two.
    File(PathBuf, &'static str),
    /// The official test batch of CIFAR-10, in its order, which need not be the competition's.
    OfficialTestBatch(Found),
    /// The sample that ships with the program, and the reason why there was nothing else.
    Sample(String),
}

/// The images of the file that is named; else of the competition's file, if it lies in the current
/// folder or in one of the data; else the official test batch, found or fetched; else, where that cannot
/// be had, the sample that ships with the program. A file that was named or found but cannot be used is
/// not passed over.
///
/// # Shapes
/// `(n, 32, 32, 3)` with at least one image
pub(crate) fn find_images(named: Option<&Path>, request: &Request) -> Result<(Array4<u8>, Source)> {
    let found = || competition_file(&request.places).map(|path| (path, "found"));
    if let Some((path, how)) = named.map(|path| (path.to_owned(), "--test-data")).or_else(found) {
        return Ok((read_cifar10_npy(&path)?, Source::File(path, how)));
    }
    let (set, source) = match labelled_test_batch(request) {
        Err(error) if error.is::<AcquireError>() => {
            (cifar10_sample()?, Source::Sample(error.to_string()))
        }
        found => found?,
    };
    Ok((set.images().clone(), source))
}

/// Whether a file has the competition's images, as far as its name tells; there is no other mark.
pub(crate) fn is_competition(file: &Path) -> bool {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    name.starts_with(COMPETITION_PREFIX)
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path, how) => write!(f, "{} ({how})", path.display()),
            Self::OfficialTestBatch(Found { folder, source }) => {
                write!(f, "official test batch of CIFAR-10, {} ({source})", folder.display())
            }
            Self::Sample(_) => f.write_str("sample of CIFAR-10 that ships with the program"),
        }
    }
}

/// The official test batch with its labels: found, or fetched unless the request is offline; an
/// [`AcquireError`] with what was tried if it is nowhere.
pub(crate) fn labelled_test_batch(request: &Request) -> Result<(ImageSet, Source)> {
    let found = ensure(&CIFAR_10, request)?;
    let set = read_cifar10_test(&found.folder)?;
    Ok((set, Source::OfficialTestBatch(found)))
}

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
