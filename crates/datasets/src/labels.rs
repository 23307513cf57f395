//! Class labels: one-hot rows and class indices.

use ndarray::{Array2, ArrayView1, ArrayView2};
use numerics::Scalar;

use crate::DatasetError;

/// The one-hot row of each class: 1 in the column of the class, 0 elsewhere.
///
/// # Errors
/// [`DatasetError::Refused`] if a class is not below `classes`.
///
/// ```
/// use ndarray::array;
/// assert_eq!(datasets::one_hot::<f64>(&[2, 0], 3)?, array![[0.0, 0.0, 1.0], [1.0, 0.0, 0.0]]);
/// # Ok::<(), datasets::DatasetError>(())
/// ```
pub fn one_hot<T: Scalar>(labels: &[usize], classes: usize) -> Result<Array2<T>, DatasetError> {
    let mut targets = Array2::zeros((labels.len(), classes));
    for (row, &class) in labels.iter().enumerate() {
        if class >= classes {
            return Err(DatasetError::class(row, classes, class));
        }
        targets[[row, class]] = T::one();
    }
    Ok(targets)
}

/// The column of the largest number of each row: the predicted class, or that of a one-hot row. Of
/// equal numbers the first counts.
///
/// # Errors
/// [`DatasetError::NotFinite`] at the first row of which there is no softmax: one with a NaN, or with a
/// largest number that is infinite.
pub fn argmax<T: Scalar>(rows: ArrayView2<'_, T>) -> Result<Vec<usize>, DatasetError> {
    let largest = |(row, numbers): (usize, ArrayView1<'_, T>)| {
        let refused = |x: T| DatasetError::NotFinite { what: "predictions", row, got: x.as_f64() };
        let mut best = (0, T::neg_infinity());
        for (column, &x) in numbers.iter().enumerate() {
            if x.is_nan() {
                return Err(refused(x));
            }
            if x > best.1 {
                best = (column, x);
            }
        }
        let (column, x) = best;
        if x.is_finite() { Ok(column) } else { Err(refused(x)) }
    };
    rows.rows().into_iter().enumerate().map(largest).collect()
}

/// Checks that each row names one class; `file` is for the message.
///
/// # Errors
/// [`DatasetError::Refused`] at the first row that has not exactly one 1, or anything but zeros
/// besides.
pub fn check_one_hot<T: Scalar>(file: &str, labels: ArrayView2<'_, T>) -> Result<(), DatasetError> {
    for (row, label) in labels.rows().into_iter().enumerate() {
        let ones = label.iter().filter(|y| **y == T::one()).count();
        let zeros = label.iter().filter(|y| **y == T::zero()).count();
        if ones != 1 || ones + zeros != label.len() {
            return Err(DatasetError::Refused(format!(
                "{file}: row {row} must be one-hot (one 1, the rest 0), but is {label}; rows count from 0"
            )));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    #[test]
    fn argmax_undoes_one_hot_and_takes_the_first_of_equals() {
        let classes = [1, 0, 2, 2];
        assert_eq!(argmax(one_hot::<f32>(&classes, 3).unwrap().view()).unwrap(), classes);
        let rows = array![[1.0, 1.0, 0.0], [f64::NEG_INFINITY, -2.0, -1.0]];
        assert_eq!(argmax(rows.view()).unwrap(), [0, 2]);
        let error = one_hot::<f64>(&[0, 3], 3).unwrap_err().to_string();
        assert_eq!(error, "row 1: a class must be below 3, but is 3");
    }

    #[test]
    fn argmax_refuses_a_row_without_a_softmax() {
        let (inf, nan) = (f64::INFINITY, f64::NAN);
        for (bad, got) in [
            ([nan, 1.0], "NaN"),
            ([1.0, nan], "NaN"),
            ([inf, nan], "NaN"),
            ([0.0, inf], "inf"),
            ([-inf, -inf], "-inf"),
        ] {
            let error = argmax(array![[1.0, 0.0], bad].view()).unwrap_err().to_string();
            let expected = "predictions, row 1: expected finite numbers, but got ";
            assert_eq!(error, format!("{expected}{got}"));
        }
    }

    #[test]
    fn a_row_that_does_not_name_one_class_is_refused_with_what_it_is() {
        for bad in [[0.0, 0.0], [1.0, 1.0], [0.5, 0.5], [2.0, -1.0], [1.0, 1e-9], [f64::NAN, 1.0]] {
            let labels = array![[0.0, 1.0], bad];
            let error = check_one_hot("labels.npy", labels.view()).unwrap_err().to_string();
            assert!(error.starts_with("labels.npy: row 1 must be one-hot"), "{bad:?}: {error}");
        }
        let error = check_one_hot("l.npy", array![[0.5, 0.5]].view()).unwrap_err().to_string();
        let expected = "l.npy: row 0 must be one-hot (one 1, the rest 0), but is [0.5, 0.5]; rows count from 0";
        assert_eq!(error, expected);
        assert!(check_one_hot("l.npy", array![[0.0_f32, 1.0], [1.0, 0.0]].view()).is_ok());
    }
}
