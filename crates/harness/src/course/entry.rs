//! One entry of a file of test data.

use std::path::Path;

use ndarray::{ArrayD, Axis};

use crate::HarnessError;
use crate::npz::{Npz, key};

/// Entry number `index` of an archive: arrays by name, of the shapes that belong together.
pub(crate) struct Entry<'a> {
    npz: &'a mut Npz,
    index: usize,
}

impl<'a> Entry<'a> {
    pub(crate) fn new(npz: &'a mut Npz, index: usize) -> Self {
        Self { npz, index }
    }

    pub(crate) fn file(&self) -> &Path {
        self.npz.file()
    }

    /// The key of an array, as in `3output`.
    pub(crate) fn key(&self, name: &str) -> String {
        key(self.index, name)
    }

    pub(crate) fn array(&mut self, name: &str) -> Result<ArrayD<f64>, HarnessError> {
        self.npz.array(self.index, name)
    }

    /// An array that has to have this shape, but for leading axes of length 1: NumPy's broadcasting, and so
    /// the course, takes a bias `(n,)` for `(1, n)` and a loss `(1,)` for a number.
    pub(crate) fn shaped(
        &mut self,
        name: &str,
        shape: &[usize],
    ) -> Result<ArrayD<f64>, HarnessError> {
        let mut array = self.array(name)?;
        let got = array.shape().to_vec();
        while array.ndim() > shape.len() && array.shape()[0] == 1 {
            array.index_axis_inplace(Axis(0), 0);
        }
        while array.ndim() < shape.len() {
            array.insert_axis_inplace(Axis(0));
        }
        if array.shape() == shape {
            return Ok(array);
        }
        Err(self.wrong_shape(name, format!("{shape:?}"), &got))
    }

    /// The arguments of `forward`, which the array `input` stacks on its first axis.
    pub(crate) fn inputs<const N: usize>(&mut self) -> Result<[ArrayD<f64>; N], HarnessError> {
        let stacked = self.array("input")?;
        if stacked.ndim() < 2 || stacked.shape()[0] != N {
            return Err(self.wrong_shape("input", format!("({N}, m, ...)"), stacked.shape()));
        }
        // `to_owned` keeps the order in memory, so that both orders reach the implementation.
        Ok(std::array::from_fn(|i| stacked.index_axis(Axis(0), i).to_owned()))
    }

    pub(crate) fn wrong_shape(&self, name: &str, expected: String, got: &[usize]) -> HarnessError {
        let key = self.key(name);
        let what = format!("expected {key} to have shape {expected}, but it has {got:?}");
        HarnessError::file(self.file(), what)
    }

    /// The implementation's refusal of what the entry asks of it.
    pub(crate) fn refused(&self, error: impl std::error::Error) -> HarnessError {
        let entry = self.index;
        HarnessError::Stopped(format!("{}, entry {entry}: {error}", self.file().display()))
    }
}
