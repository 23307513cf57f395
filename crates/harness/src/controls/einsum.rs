//! Bugs of the einsum exercises: strings that are accepted and mean something else.

use std::sync::Arc;

use einsum::EinsumError;
use einsum::by_einsum::{MATRIX_VECTOR, OUTER_PRODUCT, TRACE, contract};
use ndarray::{Array1, Array2, ArrayD, ArrayView1, ArrayView2, Dimension, Ix0, Ix1, Ix2};

use super::Control;
use crate::Kind::Formula;
use crate::{EinsumSubject, Subject};

/// The strings of the three exercises.
#[derive(Clone, Copy, Debug)]
struct Strings {
    trace: &'static str,
    matrix_vector: &'static str,
    outer_product: &'static str,
}

const RIGHT: Strings =
    Strings { trace: TRACE, matrix_vector: MATRIX_VECTOR, outer_product: OUTER_PRODUCT };

impl EinsumSubject for Strings {
    fn trace(&self, a: ArrayView2<'_, f64>) -> Result<f64, EinsumError> {
        Ok(of_rank::<Ix0>(contract(self.trace, &[&a])?).into_scalar())
    }

    fn matrix_vector(
        &self,
        a: ArrayView2<'_, f64>,
        b: ArrayView1<'_, f64>,
    ) -> Result<Array1<f64>, EinsumError> {
        Ok(of_rank::<Ix1>(contract(self.matrix_vector, &[&a, &b])?))
    }

    fn outer_product(
        &self,
        a: ArrayView1<'_, f64>,
        b: ArrayView1<'_, f64>,
    ) -> Result<Array2<f64>, EinsumError> {
        Ok(of_rank::<Ix2>(contract(self.outer_product, &[&a, &b])?))
    }
}

fn of_rank<D: Dimension>(result: ArrayD<f64>) -> ndarray::Array<f64, D> {
    result.into_dimensionality().expect("the string names as many axes")
}

pub(super) fn without_bugs() -> Vec<Subject<f64>> {
    vec![Subject::Einsum(Arc::new(RIGHT))]
}

pub(super) fn controls() -> Vec<Control> {
    let control = |id, bug, strings: Strings| Control {
        id,
        bug,
        expected: &[Formula],
        subject: Subject::Einsum(Arc::new(strings)),
    };
    vec![
        control(
            "einsum-sums-all",
            "the trace is ij->, which sums every element and not the diagonal",
            Strings { trace: "ij->", ..RIGHT },
        ),
        control(
            "einsum-transposed-matrix",
            "the product is ij,i->j, with the transpose; a square matrix lets it pass",
            Strings { matrix_vector: "ij,i->j", ..RIGHT },
        ),
        control(
            "einsum-transposed-outer",
            "the outer product is i,j->ji, its own transpose",
            Strings { outer_product: "i,j->ji", ..RIGHT },
        ),
    ]
}
