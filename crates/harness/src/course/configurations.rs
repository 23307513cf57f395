//! The layers that the course's files were computed with; the files themselves do not say.

use activations::Activation;
use cnn::{Pad, PoolMode};

use crate::{LayerClass, LayerSpec};

/// The course's configurations of a class of layers, for examples of this shape, in the order of
/// the files; nothing if examples of such a class have another number of axes, or the
/// course has no such class.
///
/// Entry `i` of a file has configuration number `i div (entries / configurations)`.
#[must_use]
pub fn configurations(class: LayerClass, example: &[usize]) -> Option<Vec<LayerSpec>> {
    match class {
        LayerClass::FullyConnected => {
            let &[n_in] = example else { return None };
            let layer = |(n_out, activation)| LayerSpec::FullyConnected {
                n_in,
                n_out,
                activation,
                bias: true,
            };
            Some(FULLY_CONNECTED.map(layer).into())
        }
        LayerClass::Flatten => (!example.is_empty())
            .then(|| vec![LayerSpec::Flatten { input_shape: example.to_vec() }]),
        LayerClass::Conv2D => {
            let input_shape = example.try_into().ok()?;
            let layer = |(n_out, activation, kernel_shape, stride)| LayerSpec::Conv2D {
                input_shape,
                n_out,
                kernel_shape,
                stride,
                pad: Pad::Same,
                activation,
                bias: true,
            };
            Some(CONV2D.map(layer).into())
        }
        LayerClass::Pool2D => {
            let input_shape = example.try_into().ok()?;
            let layer = |(mode, kernel_shape, stride, pad)| LayerSpec::Pool2D {
                input_shape,
                mode,
                kernel_shape,
                stride,
                pad,
            };
            Some(POOL2D.map(layer).into())
        }
        LayerClass::GlobalAveragePool2D | LayerClass::BatchNorm | LayerClass::Dropout => None,
    }
}

/// How many configurations a class has.
pub(super) fn count(class: LayerClass) -> usize {
    match class {
        LayerClass::FullyConnected => FULLY_CONNECTED.len(),
        LayerClass::Flatten => 1,
        LayerClass::Conv2D => CONV2D.len(),
        LayerClass::Pool2D => POOL2D.len(),
        LayerClass::GlobalAveragePool2D | LayerClass::BatchNorm | LayerClass::Dropout => 0,
    }
}

const FULLY_CONNECTED: [(usize, Activation); 3] =
    [(128, Activation::ReLU), (37, Activation::TanH), (256, Activation::TanH)];

/// Filters, activation, kernel and stride.
const CONV2D: [(usize, Activation, (usize, usize), usize); 5] = [
    (32, Activation::ReLU, (3, 3), 1),
    (32, Activation::ReLU, (3, 5), 1),
    (7, Activation::ReLU, (5, 5), 1),
    (7, Activation::ReLU, (5, 5), 2),
    (18, Activation::TanH, (3, 3), 3),
];

/// Mode, window, stride and padding.
const POOL2D: [(PoolMode, (usize, usize), usize, Pad); 5] = [
    (PoolMode::Max, (3, 3), 2, Pad::Valid),
    (PoolMode::Max, (2, 2), 2, Pad::Valid),
    (PoolMode::Average, (2, 2), 1, Pad::Valid),
    (PoolMode::Max, (3, 5), 4, Pad::Valid),
    (PoolMode::Average, (5, 5), 1, Pad::Cells(2, 2)),
];
