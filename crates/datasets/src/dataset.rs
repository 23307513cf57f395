//! Features and targets.

use ndarray::{Array2, ArrayD, ArrayViewD, Axis};
use numerics::Scalar;

use crate::DatasetError;

/// Examples in rows: what a network sees, and what it should say.
///
/// All numbers are finite and there is at least one example.
///
/// # Shapes
/// features `(n, ...)`, such as `(n, 4)` or `(n, rows, cols, channels)`; targets `(n, k)`.
#[derive(Clone, Debug, PartialEq)]
pub struct Dataset<T> {
    features: ArrayD<T>,
    targets: Array2<T>,
}

impl<T: Scalar> Dataset<T> {
    /// The data set of these arrays.
    ///
    /// Targets may be any finite numbers; those loaded as class labels are one-hot
    /// ([`check_one_hot`](crate::check_one_hot)).
    ///
    /// # Errors
    /// [`DatasetError::Refused`] if the rows differ in number, there are none, or an axis is empty;
    /// [`DatasetError::NotFinite`].
    pub fn new(features: ArrayD<T>, targets: Array2<T>) -> Result<Self, DatasetError> {
        let shape = features.shape();
        if shape.len() < 2 || features.is_empty() {
            let expected = "(n, ...) with n >= 1 and no empty axis";
            return Err(DatasetError::shape("features", expected, shape));
        }
        if targets.nrows() != shape[0] || targets.ncols() == 0 {
            let expected = format!("({}, k) with k >= 1, a row for each row of features", shape[0]);
            return Err(DatasetError::shape("targets", expected, targets.shape()));
        }
        check_finite("features", features.view())?;
        check_finite("targets", targets.view().into_dyn())?;
        Ok(Self { features, targets })
    }

    /// The features, of shape `(n, ...)`.
    pub fn features(&self) -> &ArrayD<T> {
        &self.features
    }

    /// The targets, of shape `(n, k)`.
    pub fn targets(&self) -> &Array2<T> {
        &self.targets
    }

    /// The number of examples, at least 1.
    #[expect(clippy::len_without_is_empty, reason = "a data set is never empty")]
    pub fn len(&self) -> usize {
        self.targets.nrows()
    }

    /// The shape of the features of one example.
    pub fn example_shape(&self) -> &[usize] {
        &self.features.shape()[1..]
    }

    /// The number of targets of one example: of classes, where these are labels.
    pub fn n_out(&self) -> usize {
        self.targets.ncols()
    }

    /// Features and targets of these rows, in this order.
    ///
    /// # Panics
    /// If a row is not below [`len`](Self::len).
    pub fn select(&self, rows: &[usize]) -> (ArrayD<T>, Array2<T>) {
        (self.features.select(Axis(0), rows), self.targets.select(Axis(0), rows))
    }
}

fn check_finite<T: Scalar>(
    what: &'static str,
    array: ArrayViewD<'_, T>,
) -> Result<(), DatasetError> {
    for (row, example) in array.axis_iter(Axis(0)).enumerate() {
        if let Some(x) = example.iter().find(|x| !x.is_finite()) {
            return Err(DatasetError::NotFinite { what, row, got: x.as_f64() });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    #[test]
    fn rows_are_selected_with_their_targets() {
        let features = array![[[1.0], [2.0]], [[3.0], [4.0]], [[5.0], [6.0]]].into_dyn();
        let targets = array![[1.0, 0.0], [0.0, 1.0], [1.0, 0.0]];
        let data = Dataset::new(features, targets).unwrap();
        assert_eq!((data.len(), data.example_shape(), data.n_out()), (3, &[2, 1][..], 2));
        let (x, y) = data.select(&[2, 1]);
        assert_eq!(x, array![[[5.0], [6.0]], [[3.0], [4.0]]].into_dyn());
        assert_eq!(y, array![[1.0, 0.0], [0.0, 1.0]]);
    }

    #[test]
    fn arrays_that_do_not_fit_or_are_not_finite_are_refused() {
        for (features, targets, expected) in [
            (vec![2, 3], (3, 2), "targets must have shape (2, k)"),
            (vec![2, 3], (2, 0), "targets must have shape (2, k)"),
            (vec![0, 3], (0, 2), "features must have shape (n, ...)"),
            (vec![2, 0], (2, 2), "features must have shape (n, ...)"),
            (vec![2], (2, 2), "features must have shape (n, ...)"),
        ] {
            let result = Dataset::<f64>::new(ArrayD::zeros(features), Array2::zeros(targets));
            let error = result.unwrap_err().to_string();
            assert!(error.starts_with(expected), "{error}");
        }
        let bad = array![[0.0], [f32::NAN]];
        let good = Array2::zeros((2, 1));
        let error = Dataset::new(bad.clone().into_dyn(), good.clone()).unwrap_err().to_string();
        assert_eq!(error, "features, row 1: expected finite numbers, but got NaN");
        let error = Dataset::new(good.into_dyn(), bad).unwrap_err().to_string();
        assert_eq!(error, "targets, row 1: expected finite numbers, but got NaN");
    }
}
