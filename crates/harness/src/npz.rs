//! Reading the course's `.npz` archives of numbered test entries.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{BufReader, Cursor, Read};
use std::path::{Path, PathBuf};

use datasets::{modern_npy_header, npy_header_problem};
use ndarray::{ArrayD, Dimension};
use ndarray_npy::npy::header::Header;
use ndarray_npy::{ReadNpyExt, ReadableElement};
use zip::ZipArchive;
use zip::result::ZipError;

use crate::{HarnessError, Result};

/// An archive of arrays with the keys `{i}input`, `{i}output` and so on, where `i` counts from 0.
///
/// Members may be stored or deflated, in C or Fortran order, of `<f8` or `<f4`. Arrays are read when
/// they are asked for; nothing is allocated that the file does not fill.
#[derive(Debug)]
pub(crate) struct Npz {
    pub(crate) file: PathBuf,
    archive: ZipArchive<BufReader<File>>,
}

/// The element types that test data may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dtype {
    /// `f32`.
    F4,
    /// `f64`.
    F8,
}

/// What the course's archives hold for each entry. Other keys are none of the course's, so they do
/// not count as entries.
const NAMES: [&str; 6] = ["input", "output", "upstream_grad", "backward", "W", "b"];

impl Npz {
    /// Opens an archive and reads its directory.
    pub(crate) fn open(file: &Path) -> Result<Self> {
        let invalid = |what: String| HarnessError::file(file, what);
        let reader = File::open(file).map_err(|error| {
            invalid(format!("expected a file of test data, but it cannot be opened: {error}"))
        })?;
        let archive = ZipArchive::new(BufReader::new(reader)).map_err(|error| {
            invalid(format!(
                "expected a complete .npz archive, but it cannot be read as one ({error}); it may be \
                 truncated, copy it again"
            ))
        })?;
        Ok(Self { file: file.to_owned(), archive })
    }

    /// The number of entries: one more than the largest number in front of a key.
    pub(crate) fn entries(&self) -> Result<usize> {
        let number_of = |key: &str| {
            let name = key.trim_start_matches(|c: char| c.is_ascii_digit());
            let number = key[..key.len() - name.len()].parse::<usize>().ok();
            number.filter(|_| NAMES.contains(&name))
        };
        let numbers: BTreeSet<usize> = self.keys().filter_map(number_of).collect();
        if numbers.is_empty() {
            let others: Vec<&str> = self.keys().take(5).collect();
            let got =
                if others.is_empty() { "no member".to_owned() } else { others.join(", ") + " …" };
            let what = "expected arrays 0input, 0output and so on, but the archive has";
            return Err(HarnessError::file(&self.file, format!("{what} {got}")));
        }
        // In order: an entry that is missing altogether shows as a gap.
        for (expected, &number) in numbers.iter().enumerate() {
            let input = key(expected, "input");
            if number != expected || !self.keys().any(|key| key == input) {
                return Err(self.missing(expected, "input"));
            }
        }
        Ok(numbers.len())
    }

    /// The element type of an array.
    pub(crate) fn dtype(&mut self, index: usize, name: &str) -> Result<Dtype> {
        Ok(self.read(index, name)?.0)
    }

    /// An array as `f64`, in the order in memory that it has in the file.
    pub(crate) fn array(&mut self, index: usize, name: &str) -> Result<ArrayD<f64>> {
        let (_, array) = self.read(index, name)?;
        match array.indexed_iter().find(|(_, x)| !x.is_finite()) {
            None => Ok(array),
            Some((at, got)) => {
                let (key, at) = (key(index, name), at.slice());
                let what = format!("expected finite numbers in {key}, but {at:?} is {got}");
                Err(HarnessError::file(&self.file, what))
            }
        }
    }

    fn keys(&self) -> impl Iterator<Item = &str> {
        self.archive.file_names().map(|name| name.strip_suffix(".npy").unwrap_or(name))
    }

    fn missing(&self, index: usize, name: &str) -> HarnessError {
        let of_entry = |key: &&str| {
            let rest = key.strip_prefix(&index.to_string());
            rest.is_some_and(|rest| !rest.starts_with(|c: char| c.is_ascii_digit()))
        };
        let mut keys: Vec<&str> = self.keys().filter(of_entry).collect();
        keys.sort_unstable();
        let got = if keys.is_empty() { "no array".to_owned() } else { keys.join(", ") };
        let key = key(index, name);
        let what = format!("expected an array {key}, but there is none; the entry has {got}");
        HarnessError::file(&self.file, what)
    }

    fn read(&mut self, index: usize, name: &str) -> Result<(Dtype, ArrayD<f64>)> {
        let (file, key) = (self.file.clone(), key(index, name));
        let invalid = |what: String| HarnessError::file(&file, what);
        let damaged = |reason: String| {
            invalid(format!("array {key} is damaged: {reason}; copy the file again"))
        };
        let Some(member) = self.archive.index_for_name(&format!("{key}.npy")) else {
            return Err(self.missing(index, name));
        };
        let mut bytes = Vec::new();
        self.archive
            .by_index(member)
            .and_then(|mut member| Ok(member.read_to_end(&mut bytes)?))
            .map_err(|error| match error {
                ZipError::UnsupportedArchive(reason) => invalid(format!(
                    "array {key} cannot be read ({reason}): arrays must be stored or deflated, as \
                     numpy.savez and numpy.savez_compressed write them; save them again so"
                )),
                error => damaged(error.to_string()),
            })?;
        let bytes = modern_npy_header(&bytes);
        let mut data = Cursor::new(&*bytes);
        let header =
            Header::from_reader(&mut data).map_err(|error| damaged(npy_header_problem(&error)))?;
        let data = bytes.len() - data.position() as usize;
        let descriptor = header.type_descriptor.to_string();
        let array = match descriptor.trim_matches(['\'', '"']) {
            "<f8" => elements(&bytes, &header, data).map(|array| (Dtype::F8, array)),
            "<f4" => elements::<f32>(&bytes, &header, data)
                .map(|array| (Dtype::F4, array.mapv(f64::from))),
            got => {
                return Err(invalid(format!(
                    "expected {key} to be of dtype <f8 or <f4, but it is {got}"
                )));
            }
        };
        array.map_err(damaged)
    }
}

/// The key of an array of an entry, as NumPy shows it.
pub(crate) fn key(index: usize, name: &str) -> String {
    format!("{index}{name}")
}

/// The elements of a `.npy` file with this header and so many bytes of data. What the header declares is
/// believed only if it is there.
fn elements<E: ReadableElement>(
    bytes: &[u8],
    Header { shape, .. }: &Header,
    data: usize,
) -> Result<ArrayD<E>, String> {
    let declared = shape.iter().try_fold(size_of::<E>(), |bytes, &n| bytes.checked_mul(n));
    match declared.filter(|&bytes| isize::try_from(bytes).is_ok()) {
        None => Err(format!("its header declares the impossible shape {shape:?}")),
        Some(declared) if declared != data => {
            let got = if data > declared { "more".to_owned() } else { data.to_string() };
            Err(format!("shape {shape:?} takes {declared} bytes, but there are {got}"))
        }
        Some(_) => ArrayD::read_npy(bytes).map_err(|error| error.to_string()),
    }
}
