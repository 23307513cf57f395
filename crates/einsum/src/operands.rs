//! What operands each exercise accepts, by either way.

use ndarray::{ArrayView1, ArrayView2};

use crate::EinsumError;

pub(crate) fn of_trace<T>(a: ArrayView2<'_, T>) -> Result<(), EinsumError> {
    let (rows, columns) = a.dim();
    require(
        rows == columns && rows > 0,
        "trace",
        "a square matrix (n, n) with n >= 1",
        &[a.shape()],
    )
}

pub(crate) fn of_matrix_vector<T>(
    a: ArrayView2<'_, T>,
    b: ArrayView1<'_, T>,
) -> Result<(), EinsumError> {
    let fits = a.ncols() == b.len() && !a.is_empty();
    let expected = "a matrix (p, n) and a vector (n) with p, n >= 1";
    require(fits, "matrix times vector", expected, &[a.shape(), b.shape()])
}

pub(crate) fn of_outer_product<T>(
    a: ArrayView1<'_, T>,
    b: ArrayView1<'_, T>,
) -> Result<(), EinsumError> {
    let fits = !a.is_empty() && !b.is_empty();
    require(fits, "outer product", "two vectors with elements", &[a.shape(), b.shape()])
}

fn require(
    fits: bool,
    operation: &'static str,
    expected: &'static str,
    shapes: &[&[usize]],
) -> Result<(), EinsumError> {
    if fits {
        return Ok(());
    }
    let got = shapes.iter().map(|shape| shape.to_vec()).collect();
    Err(EinsumError::Shape { operation, expected, got })
}

#[cfg(test)]
mod tests {
    use ndarray::{Array1, Array2};

    use crate::{EinsumError, by_einsum, directly};

    fn message<R: std::fmt::Debug>(result: Result<R, EinsumError>) -> String {
        result.unwrap_err().to_string()
    }

    #[test]
    fn operands_that_do_not_fit_are_refused_by_both_ways() {
        let matrix = Array2::<f64>::ones((2, 3));
        let vector = Array1::<f64>::ones(2);
        let nothing = Array1::<f64>::ones(0);
        for (einsum, direct, expected) in [
            (
                message(by_einsum::trace(matrix.view())),
                message(directly::trace(matrix.view())),
                "trace: expected a square matrix (n, n) with n >= 1, but got shapes [[2, 3]]",
            ),
            (
                message(by_einsum::matrix_vector(matrix.view(), vector.view())),
                message(directly::matrix_vector(matrix.view(), vector.view())),
                "matrix times vector: expected a matrix (p, n) and a vector (n) with p, n >= 1, \
                 but got shapes [[2, 3], [2]]",
            ),
            (
                message(by_einsum::outer_product(vector.view(), nothing.view())),
                message(directly::outer_product(vector.view(), nothing.view())),
                "outer product: expected two vectors with elements, but got shapes [[2], [0]]",
            ),
        ] {
            assert_eq!(einsum, expected);
            assert_eq!(direct, expected);
        }
        let empty = Array2::<f64>::ones((0, 0));
        assert!(message(by_einsum::trace(empty.view())).starts_with("trace: expected a square"));
    }
}
