//! Reading the course's `.npz` archives of numbered test entries.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};

use datasets::{npy_elements, npy_header_problem};
use ndarray::{ArrayD, Dimension};
use ndarray_npy::ViewNpyError;
use zip::ZipArchive;
use zip::result::ZipError;

use crate::{HarnessError, Result};

/// An archive of arrays with the keys `{i}input`, `{i}output` and so on, where `i` counts from 0.
///
/// Members may be stored or deflated, in C or Fortran order, of `<f8` or `<f4`. Nothing is allocated that the
/// file does not fill.
#[derive(Debug)]
pub(crate) struct Npz {
    pub(crate) file: PathBuf,
    /// Each array, or what is wrong with it, by its key.
    arrays: BTreeMap<String, Result<(Dtype, ArrayD<f64>), String>>,
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
    /// Reads an archive.
    pub(crate) fn open(file: &Path) -> Result<Self> {
        let invalid = |what: String| HarnessError::file(file, what);
        let reader = File::open(file).map_err(|error| {
            invalid(format!("expected a file of test data, but it cannot be opened: {error}"))
        })?;
        let mut archive = ZipArchive::new(BufReader::new(reader)).map_err(|error| {
            invalid(format!(
                "expected a complete .npz archive, but it cannot be read as one ({error}); it may be \
                 truncated, copy it again"
            ))
        })?;
        let members: Vec<String> = archive.file_names().map(str::to_owned).collect();
        let array = |(member, name): (usize, String)| {
            let key = name.strip_suffix(".npy").unwrap_or(&name).to_owned();
            let array = read(&mut archive, member, &key);
            (key, array)
        };
        let arrays = members.into_iter().enumerate().map(array).collect();
        Ok(Self { file: file.to_owned(), arrays })
    }

    /// The number of entries: one more than the largest number in front of a key.
    pub(crate) fn entries(&self) -> Result<usize> {
        let number_of = |key: &String| {
            let name = key.trim_start_matches(|c: char| c.is_ascii_digit());
            let number = key[..key.len() - name.len()].parse::<usize>().ok();
            number.filter(|_| NAMES.contains(&name))
        };
        let numbers: BTreeSet<usize> = self.arrays.keys().filter_map(number_of).collect();
        if numbers.is_empty() {
            let others: Vec<&str> = self.arrays.keys().take(5).map(String::as_str).collect();
            let got =
                if others.is_empty() { "no member".to_owned() } else { others.join(", ") + " …" };
            let what = "expected arrays 0input, 0output and so on, but the archive has";
            return Err(HarnessError::file(&self.file, format!("{what} {got}")));
        }
        // In order: an entry that is missing altogether shows as a gap.
        for (expected, &number) in numbers.iter().enumerate() {
            if number != expected || !self.arrays.contains_key(&key(expected, "input")) {
                return Err(self.missing(expected, "input"));
            }
        }
        Ok(numbers.len())
    }

    /// The element type of an array.
    pub(crate) fn dtype(&self, index: usize, name: &str) -> Result<Dtype> {
        Ok(self.read(index, name)?.0)
    }

    /// An array as `f64`, in the order in memory that it has in the file.
    pub(crate) fn array(&self, index: usize, name: &str) -> Result<ArrayD<f64>> {
        let (_, array) = self.read(index, name)?;
        match array.indexed_iter().find(|(_, x)| !x.is_finite()) {
            None => Ok(array.clone()),
            Some((at, got)) => {
                let (key, at) = (key(index, name), at.slice());
                let what = format!("expected finite numbers in {key}, but {at:?} is {got}");
                Err(HarnessError::file(&self.file, what))
            }
        }
    }

    fn read(&self, index: usize, name: &str) -> Result<&(Dtype, ArrayD<f64>)> {
        let array = self.arrays.get(&key(index, name)).ok_or_else(|| self.missing(index, name))?;
        array.as_ref().map_err(|what| HarnessError::file(&self.file, what))
    }

    fn missing(&self, index: usize, name: &str) -> HarnessError {
        let of_entry = |key: &&str| {
            let rest = key.strip_prefix(&index.to_string());
            rest.is_some_and(|rest| !rest.starts_with(|c: char| c.is_ascii_digit()))
        };
        let keys: Vec<&str> = self.arrays.keys().map(String::as_str).filter(of_entry).collect();
        let got = if keys.is_empty() { "no array".to_owned() } else { keys.join(", ") };
        let key = key(index, name);
        let what = format!("expected an array {key}, but there is none; the entry has {got}");
        HarnessError::file(&self.file, what)
    }
}

/// A member of an archive, or what is wrong with it.
fn read(
    archive: &mut ZipArchive<BufReader<File>>,
    member: usize,
    key: &str,
) -> Result<(Dtype, ArrayD<f64>), String> {
    let damaged = |reason| format!("array {key} is damaged: {reason}; copy the file again");
    let mut bytes = Vec::new();
    let member = archive.by_index(member);
    member.and_then(|mut member| Ok(member.read_to_end(&mut bytes)?)).map_err(|e| match e {
        ZipError::UnsupportedArchive(reason) => format!(
            "array {key} cannot be read ({reason}): arrays must be stored or deflated, as \
             numpy.savez and numpy.savez_compressed write them; save them again so"
        ),
        error => damaged(error.to_string()),
    })?;
    let array = match npy_elements(&bytes, |&x: &f64| x) {
        Err(ViewNpyError::WrongDescriptor(_)) => {
            npy_elements(&bytes, |&x: &f32| f64::from(x)).map(|array| (Dtype::F4, array))
        }
        array => array.map(|array| (Dtype::F8, array)),
    };
    array.map_err(|error| match error {
        ViewNpyError::WrongDescriptor(got) => {
            let got = got.to_string();
            let got = got.trim_matches(['\'', '"']);
            format!("expected {key} to be of dtype <f8 or <f4, but it is {got}")
        }
        error => damaged(npy_header_problem(&error)),
    })
}

/// The key of an array of an entry, as NumPy shows it.
pub(crate) fn key(index: usize, name: &str) -> String {
    format!("{index}{name}")
}
