//! `parameters.npz`: the learned parameters, one array for each name.
//!
//! Names are the program's; `ffnn` writes `"{layer}.{parameter}"`, the layer counted from 0. The
//! archive is NumPy's own and is not compressed: `numpy.load("parameters.npz")["0.W"]`.

use std::io::Cursor;
use std::path::Path;

use ndarray::ArrayD;
use ndarray_npy::{NpzWriter, WriteNpzError};
use numerics::Scalar;

use crate::{ExperimentError, files};

/// Writes the arrays by name, each as `f4` or `f8` as `T` is.
pub(crate) fn write<'a, T: Scalar>(
    path: &Path,
    arrays: impl IntoIterator<Item = (String, &'a ArrayD<T>)>,
) -> Result<(), ExperimentError> {
    let failed =
        |error: WriteNpzError| ExperimentError::invalid(path, "arrays to write", error.to_string());
    // In memory first, so that the file is there completely or not at all.
    let mut npz = NpzWriter::new(Cursor::new(Vec::new()));
    for (name, array) in arrays {
        match T::DTYPE == f32::DTYPE {
            true => npz.add_array(name, &array.mapv(|x| x.as_f64() as f32)),
            false => npz.add_array(name, &array.mapv(T::as_f64)),
        }
        .map_err(failed)?;
    }
    files::write(path, &npz.finish().map_err(failed)?.into_inner())
}
