//! `parameters.npz`: the learned parameters, one array for each name.
//!
//! Names are the program's; `ffnn` writes `"{layer}.{parameter}"`, the layer counted from 0. The
//! archive is NumPy's own and is not compressed: `numpy.load("parameters.npz")["0.W"]`.

use std::fs::File;
use std::io::Cursor;
use std::path::Path;

use ndarray::{ArrayD, IxDyn, OwnedRepr};
use ndarray_npy::{NpzReader, NpzWriter, ReadNpzError, ReadableElement, WritableElement};
use numerics::Scalar;

use crate::{ExperimentError, atomic};

/// Writes the arrays by name, each as `f4` or `f8` as `T` is.
///
/// # Errors
/// [`ExperimentError::Io`], or [`ExperimentError::Invalid`] if an array cannot be written.
pub fn write<'a, T: Scalar>(
    path: &Path,
    arrays: impl IntoIterator<Item = (String, &'a ArrayD<T>)>,
) -> Result<(), ExperimentError> {
    // In memory first, so that the file is there completely or not at all.
    let mut npz = NpzWriter::new(Cursor::new(Vec::new()));
    for (name, array) in arrays {
        if T::DTYPE == f32::DTYPE {
            add(&mut npz, path, name, &array.mapv(|x| x.as_f64() as f32))?;
        } else {
            add(&mut npz, path, name, &array.mapv(T::as_f64))?;
        }
    }
    let bytes = npz
        .finish()
        .map_err(|error| ExperimentError::invalid(path, "arrays to write", error.to_string()))?;
    atomic::write(path, &bytes.into_inner())
}

fn add<E: WritableElement>(
    npz: &mut NpzWriter<Cursor<Vec<u8>>>,
    path: &Path,
    name: String,
    array: &ArrayD<E>,
) -> Result<(), ExperimentError> {
    npz.add_array(name, array)
        .map_err(|error| ExperimentError::invalid(path, "arrays to write", error.to_string()))
}

/// Reads the arrays in the order in which they were written; they must be of type `T`.
///
/// # Errors
/// [`ExperimentError::Io`] if there is no such file, [`ExperimentError::Invalid`] if it is damaged,
/// an array has another type or is not finite.
pub fn read<T: Scalar>(path: &Path) -> Result<Vec<(String, ArrayD<T>)>, ExperimentError> {
    let file = File::open(path).map_err(ExperimentError::io("read", path))?;
    let damaged = |error: ReadNpzError| {
        let expected = format!("an .npz archive of {} arrays", T::DTYPE);
        ExperimentError::invalid(path, expected, error.to_string())
    };
    let mut npz = NpzReader::new(file).map_err(damaged)?;
    let names = npz.names().map_err(damaged)?;
    let mut arrays = Vec::with_capacity(names.len());
    for name in names {
        let array = if T::DTYPE == f32::DTYPE {
            element::<f32>(&mut npz, &name).map_err(damaged)?.mapv(|x| T::of(f64::from(x)))
        } else {
            element::<f64>(&mut npz, &name).map_err(damaged)?.mapv(T::of)
        };
        if let Some(got) = array.iter().find(|x| !x.is_finite()) {
            let expected = format!("finite numbers in {name}");
            return Err(ExperimentError::invalid(path, expected, got.to_string()));
        }
        arrays.push((name, array));
    }
    Ok(arrays)
}

fn element<E: ReadableElement>(
    npz: &mut NpzReader<File>,
    name: &str,
) -> Result<ArrayD<E>, ReadNpzError> {
    npz.by_name::<OwnedRepr<E>, IxDyn>(name)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use ndarray::array;

    use super::*;

    #[test]
    fn parameters_read_back_as_they_were() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("parameters.npz");
        let w = array![[1.0_f32, -2.5], [0.1, 3e-30]].into_dyn();
        let b = array![[0.0_f32, 7.0]].into_dyn();
        write(&path, [("0.W".to_owned(), &w), ("0.b".to_owned(), &b)]).unwrap();
        let arrays = read::<f32>(&path).unwrap();
        assert_eq!(arrays, [("0.W".to_owned(), w), ("0.b".to_owned(), b)]);
        let left: Vec<_> = fs::read_dir(directory.path()).unwrap().collect();
        assert_eq!(left.len(), 1, "only the archive is left: {left:?}");
    }

    #[test]
    fn another_type_or_a_damaged_archive_is_an_error() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("parameters.npz");
        write(&path, [("0.W".to_owned(), &array![1.0_f64].into_dyn())]).unwrap();
        assert!(matches!(read::<f32>(&path), Err(ExperimentError::Invalid { .. })));
        assert!(read::<f64>(&path).is_ok());
        let bytes = fs::read(&path).unwrap();
        fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
        assert!(matches!(read::<f64>(&path), Err(ExperimentError::Invalid { .. })));
        assert!(matches!(read::<f64>(&path.join("x")), Err(ExperimentError::Io { .. })));
    }
}
