//! Reading the course's `.npz` archives of numbered test entries.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufReader, Cursor, Read};
use std::path::{Path, PathBuf};

use datasets::{modern_npy_header, npy_header_problem};
use ndarray::{ArrayD, IxDyn, ShapeBuilder};
use ndarray_npy::ReadableElement;
use ndarray_npy::npy::header::Header;
use zip::ZipArchive;
use zip::result::ZipError;

use crate::HarnessError;

/// An archive of arrays with the keys `{i}input`, `{i}output` and so on, where `i` counts from 0.
///
/// Members may be stored or deflated, in C or Fortran order, of `<f8` or `<f4`. Arrays are read when
/// they are asked for; nothing is allocated that the file does not fill.
#[derive(Debug)]
pub(crate) struct Npz {
    file: PathBuf,
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

/// So many bytes have the whole header of an array that a test could have, and of most arrays more.
const HEADER: u64 = 128;

/// What the course's archives hold for each entry. Other keys are none of the course's, so they do
/// not count as entries.
const NAMES: [&str; 6] = ["input", "output", "upstream_grad", "backward", "W", "b"];

impl Npz {
    /// Opens an archive and reads its directory.
    pub(crate) fn open(file: &Path) -> Result<Self, HarnessError> {
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

    /// The path of the archive.
    #[must_use]
    pub(crate) fn file(&self) -> &Path {
        &self.file
    }

    /// The number of entries: one more than the largest number in front of a key.
    pub(crate) fn entries(&self) -> Result<usize, HarnessError> {
        let mut keys = BTreeMap::<usize, Vec<&str>>::new();
        for key in self.keys() {
            let name = key.trim_start_matches(|c: char| c.is_ascii_digit());
            let number = key[..key.len() - name.len()].parse();
            if let (Ok(number), true) = (number, NAMES.contains(&name)) {
                keys.entry(number).or_default().push(name);
            }
        }
        if keys.is_empty() {
            let others: Vec<&str> = self.keys().take(5).collect();
            let got =
                if others.is_empty() { "no member".to_owned() } else { others.join(", ") + " …" };
            let what = "expected arrays 0input, 0output and so on, but the archive has";
            return Err(HarnessError::file(&self.file, format!("{what} {got}")));
        }
        // Keys in order: an entry that is missing altogether shows as a gap.
        for (expected, (&number, names)) in keys.iter().enumerate() {
            let complete = number == expected && names.contains(&"input");
            if !complete {
                return Err(self.missing(expected, "input"));
            }
        }
        Ok(keys.len())
    }

    /// The element type of an array.
    pub(crate) fn dtype(&mut self, index: usize, name: &str) -> Result<Dtype, HarnessError> {
        self.read(index, name, |header, _| dtype(header))
    }

    /// An array as `f64`, in the order in memory that it has in the file.
    pub(crate) fn array(&mut self, index: usize, name: &str) -> Result<ArrayD<f64>, HarnessError> {
        let array = self.read(index, name, |header, reader| match dtype(header)? {
            Dtype::F8 => elements::<f64>(header, reader),
            Dtype::F4 => Ok(elements::<f32>(header, reader)?.mapv(f64::from)),
        })?;
        match array.indexed_iter().find(|(_, x)| !x.is_finite()) {
            None => Ok(array),
            Some((at, &got)) => {
                let (key, index) = (key(index, name), ndarray::Dimension::slice(&at));
                let what = format!("expected finite numbers in {key}, but {index:?} is {got}");
                Err(HarnessError::file(&self.file, what))
            }
        }
    }

    fn keys(&self) -> impl Iterator<Item = &str> {
        self.archive.file_names().map(|name| name.strip_suffix(".npy").unwrap_or(name))
    }

    fn missing(&self, index: usize, name: &str) -> HarnessError {
        let mut keys: Vec<&str> = self
            .keys()
            .filter(|key| {
                let rest = key.strip_prefix(&index.to_string());
                rest.is_some_and(|rest| !rest.starts_with(|c: char| c.is_ascii_digit()))
            })
            .collect();
        keys.sort_unstable();
        let got = if keys.is_empty() { "no array".to_owned() } else { keys.join(", ") };
        let key = key(index, name);
        let what = format!("expected an array {key}, but there is none; the entry has {got}");
        HarnessError::file(&self.file, what)
    }

    fn read<R>(
        &mut self,
        index: usize,
        name: &str,
        f: impl FnOnce(&Header, &mut dyn Read) -> Result<R, Unreadable>,
    ) -> Result<R, HarnessError> {
        let (file, key) = (self.file.clone(), key(index, name));
        let damaged = |reason: String| {
            HarnessError::file(
                &file,
                format!("array {key} is damaged: {reason}; copy the file again"),
            )
        };
        let Some(member) = self.archive.index_for_name(&format!("{key}.npy")) else {
            return Err(self.missing(index, name));
        };
        let opened = self.archive.by_index(member);
        let mut member = opened.map_err(|error| match error {
            ZipError::UnsupportedArchive(reason) => HarnessError::file(
                &file,
                format!(
                    "array {key} cannot be read ({reason}): arrays must be stored or deflated, as \
                     numpy.savez and numpy.savez_compressed write them; save them again so"
                ),
            ),
            error => damaged(error.to_string()),
        })?;
        let mut start = Vec::new();
        let read = (&mut member).take(HEADER).read_to_end(&mut start);
        read.map_err(|error| damaged(error.to_string()))?;
        let mut array = Cursor::new(modern_npy_header(&start)).chain(member);
        let header =
            Header::from_reader(&mut array).map_err(|error| damaged(npy_header_problem(&error)))?;
        f(&header, &mut array).map_err(|error| match error {
            Unreadable::Dtype(got) => HarnessError::file(
                &file,
                format!("expected {key} to be of dtype <f8 or <f4, but it is {got}"),
            ),
            Unreadable::Damaged(reason) => damaged(reason),
        })
    }
}

/// The key of an array of an entry, as NumPy shows it.
pub(crate) fn key(index: usize, name: &str) -> String {
    format!("{index}{name}")
}

/// Why an array cannot be read; [`Npz::read`] adds which one.
enum Unreadable {
    Dtype(String),
    Damaged(String),
}

fn dtype(header: &Header) -> Result<Dtype, Unreadable> {
    let descriptor = header.type_descriptor.to_string();
    match descriptor.trim_matches(['\'', '"']) {
        "<f8" => Ok(Dtype::F8),
        "<f4" => Ok(Dtype::F4),
        other => Err(Unreadable::Dtype(other.to_owned())),
    }
}

fn elements<E: ReadableElement>(
    header: &Header,
    reader: &mut dyn Read,
) -> Result<ArrayD<E>, Unreadable> {
    let damaged = |reason: String| Unreadable::Damaged(reason);
    let shape = &header.shape;
    let bytes = shape
        .iter()
        .try_fold(size_of::<E>(), |bytes, &length| bytes.checked_mul(length))
        .filter(|&bytes| isize::try_from(bytes).is_ok())
        .ok_or_else(|| damaged(format!("its header declares the impossible shape {shape:?}")))?;
    // What the header declares is believed only as far as there are bytes.
    let mut data = Vec::new();
    reader
        .take(bytes as u64 + 1)
        .read_to_end(&mut data)
        .map_err(|error| damaged(error.to_string()))?;
    if data.len() != bytes {
        let got = if data.len() > bytes { "more".to_owned() } else { data.len().to_string() };
        return Err(damaged(format!("shape {shape:?} takes {bytes} bytes, but there are {got}")));
    }
    let count = bytes / size_of::<E>();
    let data = E::read_to_end_exact_vec(Cursor::new(data), &header.type_descriptor, count)
        .map_err(|error| damaged(error.to_string()))?;
    ArrayD::from_shape_vec(IxDyn(shape).set_f(header.layout.is_fortran()), data)
        .map_err(|error| damaged(error.to_string()))
}
