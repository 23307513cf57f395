//! The worked examples of the book: small inputs, sent through the real implementations.
//!
//! An example is typed here and nowhere else, and what comes out of it is not typed at all: the
//! run of the harness records every tensor under a name, and the chapters refer to these names. So
//! a number of an example cannot be wrong without the code being wrong too.

mod chapters;

use std::collections::BTreeMap;

use ndarray::{Array2, Array4, ArrayRef, ArrayView4, Dimension};
use serde::Serialize;

use crate::rooms;

/// An array of an example.
#[derive(Debug, PartialEq, Serialize)]
pub(crate) struct Tensor {
    /// Empty for a single number.
    shape: Vec<usize>,
    /// In row-major order.
    values: Vec<f64>,
}

/// The arrays of all examples by name: `"fully-connected.dw"`.
///
/// # Panics
/// If an example does not fit the implementation that it is sent through, which the tests show.
pub(crate) fn all() -> BTreeMap<String, Tensor> {
    let mut tensors = BTreeMap::new();
    for (chapter, write) in examples() {
        write(&mut Example { chapter, tensors: &mut tensors });
    }
    tensors
}

/// A function that writes the tensors of one example.
pub(crate) type Write = fn(&mut Example<'_>);

/// Every example, by what the names of its tensors begin with.
fn examples() -> Vec<(&'static str, Write)> {
    let rooms = rooms::all();
    let of_rooms = rooms.iter().flat_map(|room| room.examples).copied();
    of_rooms.chain(BESIDE_ROOMS).collect()
}

/// The examples of chapters that are about no one implementation.
const BESIDE_ROOMS: [(&str, Write); 11] = [
    ("two-weights", chapters::two_weights),
    ("matrix-calculus", chapters::matrix_calculus),
    ("batch", chapters::batch),
    ("neuron", chapters::neuron),
    ("by-hand", chapters::by_hand),
    ("initialisation", chapters::initialisation),
    ("perceptron-sizes", chapters::perceptron_sizes),
    ("convolution-sizes", chapters::convolution_sizes),
    ("field-of-view", chapters::field_of_view),
    ("cubic", chapters::cubic),
    ("element-error", chapters::element_errors),
];

/// Takes the tensors of one example.
pub(crate) struct Example<'a> {
    chapter: &'static str,
    tensors: &'a mut BTreeMap<String, Tensor>,
}

impl Example<'_> {
    /// Records an array.
    pub(crate) fn array<D: Dimension>(&mut self, name: &str, array: &ArrayRef<f64, D>) {
        let (shape, values) = (array.shape().to_vec(), array.iter().copied().collect());
        let name = format!("{}.{name}", self.chapter);
        let before = self.tensors.insert(name.clone(), Tensor { shape, values });
        assert!(before.is_none(), "{name} is there twice");
    }

    /// Records a number.
    pub(crate) fn number(&mut self, name: &str, number: f64) {
        self.array(name, &ndarray::arr0(number));
    }

    /// Records the one channel of the one image of an array.
    pub(crate) fn image(&mut self, name: &str, array: &Array4<f64>) {
        self.array(name, &channel(array.view(), 0));
    }

    /// Records the slice of the one filter that belongs to the one channel.
    pub(crate) fn filter(&mut self, name: &str, array: &Array4<f64>) {
        self.array(name, &slice(array.view(), 0));
    }
}

/// Channel `c` of the one image of an array `(1, rows, cols, channels)`.
pub(crate) fn channel(array: ArrayView4<'_, f64>, c: usize) -> Array2<f64> {
    assert_eq!(array.dim().0, 1, "an example has one image");
    array.slice(ndarray::s![0, .., .., c]).to_owned()
}

/// Channel `c` of the one filter of an array `(rows, cols, channels, 1)`.
pub(crate) fn slice(array: ArrayView4<'_, f64>, c: usize) -> Array2<f64> {
    assert_eq!(array.dim().3, 1, "an example has one filter");
    array.slice(ndarray::s![.., .., c, 0]).to_owned()
}

/// An image of one channel.
pub(crate) fn image_of(cells: &Array2<f64>) -> Array4<f64> {
    let (rows, cols) = cells.dim();
    cells.to_shape((1, rows, cols, 1)).expect("a new axis of length 1 fits").into_owned()
}

/// A filter for one channel.
pub(crate) fn filter_of(cells: &Array2<f64>) -> Array4<f64> {
    let (rows, cols) = cells.dim();
    cells.to_shape((rows, cols, 1, 1)).expect("a new axis of length 1 fits").into_owned()
}

pub(crate) mod tests {
    use super::*;

    pub(crate) fn every_tensor_is_complete_and_finite_and_belongs_to_its_example() {
        let tensors = all();
        for (name, Tensor { shape, values }) in &tensors {
            assert_eq!(shape.iter().product::<usize>(), values.len(), "{name}");
            assert!(values.iter().all(|value| value.is_finite()), "{name}: {values:?}");
        }
        for (chapter, _) in examples() {
            let prefix = format!("{chapter}.");
            assert!(tensors.keys().any(|name| name.starts_with(&prefix)), "{chapter} is empty");
        }
        assert_eq!(all(), tensors, "the same bits come out again");
    }

    pub(crate) fn examples_that_were_worked_by_hand_come_out_so() {
        const ROUNDED: f64 = 1e-13;
        let tensors = all();
        for (name, bound, by_hand) in [
            ("relu.dz", 0.0, &[0.0, 0.0, 30.0, -40.0][..]),
            ("matrix-calculus.dx", 0.0, &[2.0, 7.0]),
            ("matrix-calculus.jacobian", 0.0, &[1.0, 3.0, 0.0, -1.0, 2.0, 1.0]),
            ("by-hand.dw", 0.0, &[0.0, 1.0, -2.0, -3.0]),
            ("by-hand.dx", 0.0, &[1.0, -1.0, 0.0, 5.0, 8.0, 12.0]),
            ("fully-connected.dw", 0.0, &[1.0, 6.0, 3.0, 2.0, -2.0, -1.0]),
            ("cross-entropy.dy-hat", 0.0, &[-1.0, 0.0, 0.0, -2.0]),
            ("convolution.z", 0.0, &[3.5, 7.5, 0.5, 2.5]),
            ("convolution.dx", 0.0, &[1.0, 0.0, 0.0, -1.0, 4.0, 0.0, 0.0, -2.0, 4.0]),
            ("average-pool-overlap.dx", 0.0, &[1.0, 3.0, 2.0, 1.0, 3.0, 2.0]),
            ("max-pool.winner", 0.0, &[2.0, 2.0, 1.0, 0.0]),
            ("batch-norm.dx", 0.0, &[3.0, -1.5, -1.5, 0.0]),
            ("momentum.p", 0.0, &[10.0, 6.0, 3.0, 0.5]),
            ("nesterov.p", 0.0, &[10.0, 7.0, 3.5, 1.25]),
            ("weight-decay.p", 0.0, &[8.0, 5.0, 1.25]),
            ("scale-invariance.z", 0.0, &[1.0, -1.0, 7.0, -7.0]),
            ("scale-invariance.s", 0.0, &[5.0]),
            ("scale-invariance.dw", ROUNDED, &[5.6, -4.2]),
            ("scale-invariance.dw-twice", ROUNDED, &[2.8, -2.1]),
            ("certain.composed", 0.0, &[0.0, 0.0]),
            ("certain.fused", 0.0, &[1.0, -1.0]),
            ("certain.composed-single", 0.0, &[0.0, 0.0]),
            ("certain.fused-single", 0.0, &[1.0, -1.0]),
            ("linear.rates", 0.0, &[2.0, 1.5, 1.0, 0.5, 0.0]),
            ("matrix-vector.result", 0.0, &[8.0, 26.0]),
            ("whitening.covariance", 0.0, &[2.0, 1.5, 1.5, 2.0]),
            ("dirac.w", 0.0, &[0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0]),
            ("perceptron.logits", 0.0, &[3.0, 0.0, -3.0]),
            ("perceptron-sizes.parameters", 0.0, &[401_920.0]),
            ("convolution-sizes.parameters", 0.0, &[896.0]),
            ("field-of-view.ways1", 0.0, &[1.0; 9]),
            // The softmax of logarithms has rational numbers.
            ("softmax.y", ROUNDED, &[0.125, 0.25, 0.625]),
            ("softmax.ds", ROUNDED, &[-0.625, -1.25, 1.875]),
            (
                "softmax.jacobian-times-64",
                ROUNDED,
                &[7.0, -2.0, -5.0, -2.0, 12.0, -10.0, -5.0, -10.0, 15.0],
            ),
            ("softmax-cross-entropy.dz", ROUNDED, &[0.125, 0.25, -0.375]),
            ("one-cycle.rates", ROUNDED, &[0.0, 1.0, 3.0, 4.0, 3.0, 2.0]),
            ("cubic.slope", ROUNDED, &[3.01]),
            ("whitening.values", ROUNDED, &[3.5, 0.5]),
            ("whitening.responses", ROUNDED, &[0.875, 0.0, 0.0, 0.5]),
        ] {
            let got = &tensors[name].values;
            let off = got.iter().zip(by_hand).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
            assert!(got.len() == by_hand.len() && off <= bound, "{name}: {got:?}");
        }
    }
}
