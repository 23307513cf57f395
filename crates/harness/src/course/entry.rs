//! One entry of a file of test data.

use ndarray::{ArrayD, Axis};
use numerics::Scalar;

use super::Tally;
use crate::npz::{Npz, key};
use crate::{HarnessError, Result};

/// Which results are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pass {
    /// What `forward` returns.
    Forward,
    /// What `backward` returns: the gradient with respect to the input.
    Backward,
    /// The gradients of the parameters, which the course does not test.
    Gradients,
    /// What `predict` returns after one forward pass, where that is something else.
    Predict,
}

impl Pass {
    /// The passes that the course tests.
    pub(crate) const BOTH: [Self; 2] = [Self::Forward, Self::Backward];

    pub(crate) fn test_name(self) -> &'static str {
        match self {
            Self::Forward => "test_forward",
            Self::Backward => "test_backward",
            Self::Gradients => "test_parameter_gradients",
            Self::Predict => "test_predict",
        }
    }
}

/// The same numbers as `T`, in the same order in memory.
pub(crate) fn cast<T: Scalar>(array: &ArrayD<f64>) -> ArrayD<T> {
    array.mapv(T::of)
}

/// Entry number `index` of an archive: arrays by name, of the shapes that belong together.
#[derive(Clone, Copy)]
pub(crate) struct Entry<'a> {
    pub(crate) npz: &'a Npz,
    pub(crate) index: usize,
}

impl Entry<'_> {
    /// The key of an array, as in `3output`.
    pub(crate) fn key(&self, name: &str) -> String {
        key(self.index, name)
    }

    pub(crate) fn array(&self, name: &str) -> Result<ArrayD<f64>> {
        self.npz.array(self.index, name)
    }

    /// An array that has to have this shape, but for leading axes of length 1: NumPy's broadcasting, and so
    /// the course, takes a bias `(n,)` for `(1, n)` and a loss `(1,)` for a number.
    pub(crate) fn shaped(&self, name: &str, shape: &[usize]) -> Result<ArrayD<f64>> {
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

    /// Compares a result with the array of this name, which has to have this shape.
    pub(crate) fn compare<T: Scalar>(
        &self,
        (name, shape): (&str, &[usize]),
        case: &str,
        result: &ArrayD<T>,
        tally: &mut Tally,
    ) -> Result<()> {
        let reference = self.shaped(name, shape)?;
        tally.add(&self.key(name), case, result, &reference);
        Ok(())
    }

    /// The arguments of `forward`, which the array `input` stacks on its first axis.
    pub(crate) fn inputs<const N: usize>(&self) -> Result<[ArrayD<f64>; N]> {
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
        HarnessError::file(&self.npz.file, what)
    }

    /// The implementation's refusal of what the entry asks of it.
    pub(crate) fn refused(&self, error: impl std::error::Error) -> HarnessError {
        let entry = self.index;
        HarnessError::Stopped(format!("{}, entry {entry}: {error}", self.npz.file.display()))
    }
}
