//! The einsum exercises: question 6.1.

use std::sync::Arc;

use einsum::EinsumError;
use einsum::by_einsum::{self, MATRIX_VECTOR, OUTER_PRODUCT, TRACE, contract};
use ndarray::{Array, Array1, Array2, Dimension, array};

use crate::foreign::{EXERCISES, Program, functions};
use crate::room::{Checks, PlainRoom, bugs};
use crate::transcription::{array_of, sum};
use crate::worked::Example;

/// The three exercises under test.
pub(crate) enum Exercises {
    /// Those of users.
    Ours,
    Strings([&'static str; 3]),
    Of(Arc<Program>),
}

impl Exercises {
    /// The exercises with a bug, or with none.
    pub(crate) fn with_bug(bug: &'static str) -> Self {
        Self::Strings(match bug {
            "einsum-sums-all" => ["ij->", MATRIX_VECTOR, OUTER_PRODUCT],
            "einsum-transposed-matrix" => [TRACE, "ij,i->j", OUTER_PRODUCT],
            "einsum-transposed-outer" => [TRACE, MATRIX_VECTOR, "i,j->ji"],
            _ => [TRACE, MATRIX_VECTOR, OUTER_PRODUCT],
        })
    }

    /// `Σᵢ A[i,i]`.
    pub(crate) fn trace(&self, a: &Array2<f64>) -> Result<f64, EinsumError> {
        match self {
            Self::Ours => by_einsum::trace(a.view()),
            Self::Strings([string, ..]) => Ok(contract(string, &[a])?.sum()),
            Self::Of(program) => {
                Ok(functions::einsum(program, "trace", &[("A", a.view().into_dyn())], &[]).sum())
            }
        }
    }

    /// `Σⱼ A[i,j] b[j]` for every i.
    pub(crate) fn matrix_vector(
        &self,
        a: &Array2<f64>,
        b: &Array1<f64>,
    ) -> Result<Array1<f64>, EinsumError> {
        match self {
            Self::Ours => by_einsum::matrix_vector(a.view(), b.view()),
            Self::Strings([_, string, _]) => Ok(of_rank(contract(string, &[a, b])?)),
            Self::Of(program) => {
                let arrays = [("A", a.view().into_dyn()), ("B", b.view().into_dyn())];
                Ok(of_rank(functions::einsum(program, "matrix_vector", &arrays, &[a.nrows()])))
            }
        }
    }

    /// `a[i] b[j]` for every i and j.
    pub(crate) fn outer_product(
        &self,
        a: &Array1<f64>,
        b: &Array1<f64>,
    ) -> Result<Array2<f64>, EinsumError> {
        match self {
            Self::Ours => by_einsum::outer_product(a.view(), b.view()),
            Self::Strings([.., string]) => Ok(of_rank(contract(string, &[a, b])?)),
            Self::Of(program) => {
                let arrays = [("A", a.view().into_dyn()), ("B", b.view().into_dyn())];
                let shape = [a.len(), b.len()];
                Ok(of_rank(functions::einsum(program, "outer_product", &arrays, &shape)))
            }
        }
    }
}

fn of_rank<D: Dimension>(result: ndarray::ArrayD<f64>) -> Array<f64, D> {
    result.into_dimensionality().expect("the string names as many axes")
}

/// Strings that are accepted and mean something else.
pub(super) static ROOM: PlainRoom<Exercises> = PlainRoom {
    name: "Einsum",
    question: "6.1",
    real: || Arc::new(Exercises::Ours),
    of_program: |program| {
        let offered = EXERCISES.iter().all(|exercise| program.offers("einsum", exercise));
        offered.then(|| Arc::new(Exercises::Of(Arc::clone(program))))
    },
    faulty: |bug| Arc::new(Exercises::with_bug(bug)),
    checks,
    free_checks: Vec::new,
    bugs: bugs! {
        "einsum-sums-all" [Formula] "the trace is ij->, which sums every element and not the diagonal"
        "einsum-transposed-matrix" [Formula] "the product is ij,i->j, with the transpose; a square matrix lets it pass"
        "einsum-transposed-outer" [Formula] "the outer product is i,j->ji, its own transpose"
    },
    examples: &[
        ("trace", trace),
        ("matrix-vector", matrix_vector),
        ("outer-product", outer_product),
    ],
};

/// Sums of at most 6 terms of magnitude at most 1.
const SUMS: f64 = 1e-12;

fn checks(own: &mut Checks<Exercises>) {
    // R[i] = Σⱼ A[i, j] B[j], for ij,j->i.
    own.formula("einsum", SUMS, |exercises, case| {
        let (rows, cols) = (case.between(1, 6), case.between(1, 6));
        case.describe(format!("A [{rows}, {cols}], B [{cols}]"));
        let a: Array2<f64> = case.rng.uniform_array((rows, cols), -1.0, 1.0);
        let b: Array1<f64> = case.rng.uniform_array(cols, -1.0, 1.0);
        let expected = array_of(rows, |i| sum(cols, |j| a[[i, j]] * b[j]));
        case.compare("R", &exercises.matrix_vector(&a, &b)?, &expected)
    });
    // R = Σᵢ A[i, i], for ii->.
    own.formula("einsum-trace", SUMS, |exercises, case| {
        let n = case.between(1, 6);
        case.describe(format!("A [{n}, {n}]"));
        let a: Array2<f64> = case.rng.uniform_array((n, n), -1.0, 1.0);
        case.compare_numbers("R", exercises.trace(&a)?, sum(n, |i| a[[i, i]]));
        Ok(())
    });
    // R[i, j] = A[i] B[j], for i,j->ij.
    own.formula("einsum-outer-product", 0.0, |exercises, case| {
        let (rows, cols) = (case.between(1, 6), case.between(1, 6));
        case.describe(format!("A [{rows}], B [{cols}]"));
        let [a, b] = [rows, cols].map(|n| case.rng.uniform_array(n, -1.0, 1.0));
        let expected = array_of((rows, cols), |(i, j)| a[i] * b[j]);
        case.compare("R", &exercises.outer_product(&a, &b)?, &expected)
    });
}

/// The trace of a matrix of two rows.
fn trace(example: &mut Example<'_>) {
    let a = array![[1.0, 2.0], [3.0, 4.0]];
    example.number("result", by_einsum::trace(a.view()).expect("the matrix is square"));
    example.array("a", &a);
}

/// The same matrix times a vector.
fn matrix_vector(example: &mut Example<'_>) {
    let (a, b) = (array![[1.0, 2.0], [3.0, 4.0]], array![10.0, -1.0]);
    let product = by_einsum::matrix_vector(a.view(), b.view());
    example.array("result", &product.expect("the matrix has a column for each element"));
    example.array("a", &a);
    example.array("b", &b);
}

/// The products of two vectors, each element with each.
fn outer_product(example: &mut Example<'_>) {
    let (a, b) = (array![1.0, 2.0, 3.0], array![10.0, -1.0]);
    let product = by_einsum::outer_product(a.view(), b.view());
    example.array("result", &product.expect("any two vectors have an outer product"));
    example.array("a", &a);
    example.array("b", &b);
}
