//! Random layers to check: shapes, and parameters in which nothing is zero by accident.

use std::fmt;

use activations::Activation;
use cnn::{Pad, PoolMode};
use layers::{Layer, LayerError, Parameters};
use ndarray::ArrayD;

use crate::cases::{Case, Failure};
use crate::{LayerClass, LayerSpec, LayerSubject};

/// A batch of images and a window that slides over them, with index arithmetic of its own: the
/// formulas of the book are transcribed in terms of it, and share no code with the layers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Geometry {
    pub(crate) m: usize,
    pub(crate) rows: usize,
    pub(crate) cols: usize,
    pub(crate) channels: usize,
    pub(crate) kernel: (usize, usize),
    pub(crate) stride: usize,
    pub(crate) pad: Pad,
}

impl Geometry {
    /// The most output cells in a drawn batch: a sum over them has at most so many terms.
    pub(crate) const MOST_OUTPUT_CELLS: usize = 64;

    /// A small batch and a window that fits: kernels up to 4x4, strides up to 3, every kind of
    /// padding.
    pub(crate) fn draw(case: &mut Case) -> Self {
        loop {
            let pad = match case.between(0, 3) {
                0 => Pad::Valid,
                1 => Pad::Same,
                _ => Pad::Cells(case.between(0, 2), case.between(0, 2)),
            };
            let geometry = Self {
                m: case.between(1, 3),
                rows: case.between(1, 7),
                cols: case.between(1, 7),
                channels: case.between(1, 3),
                kernel: (case.between(1, 4), case.between(1, 4)),
                stride: case.between(1, 3),
                pad,
            };
            if geometry.fits() {
                return geometry;
            }
        }
    }

    /// As [`draw`](Self::draw), with this stride and padding.
    pub(crate) fn draw_with(case: &mut Case, stride: usize, pad: Pad) -> Self {
        loop {
            let geometry = Self { stride, pad, ..Self::draw(case) };
            if geometry.fits() {
                return geometry;
            }
        }
    }

    fn fits(&self) -> bool {
        let ((p1, p2), (k1, k2)) = (self.padding(), self.kernel);
        let fits = k1 <= self.rows + 2 * p1 && k2 <= self.cols + 2 * p2;
        fits && self.m * self.output().0 * self.output().1 <= Self::MOST_OUTPUT_CELLS
    }

    /// Padded rows and columns on each side: `(k - 1) / 2`, rounded down, for "same".
    pub(crate) fn padding(&self) -> (usize, usize) {
        match self.pad {
            Pad::Valid => (0, 0),
            Pad::Same => ((self.kernel.0 - 1) / 2, (self.kernel.1 - 1) / 2),
            Pad::Cells(rows, cols) => (rows, cols),
        }
    }

    /// Rows and columns of the output: `floor((n + 2 pad - kernel) / stride) + 1`.
    pub(crate) fn output(&self) -> (usize, usize) {
        let size = |n: usize, pad: usize, kernel: usize| (n + 2 * pad - kernel) / self.stride + 1;
        let (p1, p2) = self.padding();
        (size(self.rows, p1, self.kernel.0), size(self.cols, p2, self.kernel.1))
    }

    /// What cell `(i, j)` of the window sees from output cell `(r, q)`: a cell of the image, or
    /// nothing where there is padding.
    pub(crate) fn cell(&self, r: usize, q: usize, i: usize, j: usize) -> Option<(usize, usize)> {
        let (p1, p2) = self.padding();
        let row = (r * self.stride + i).checked_sub(p1)?;
        let col = (q * self.stride + j).checked_sub(p2)?;
        (row < self.rows && col < self.cols).then_some((row, col))
    }

    /// The value there, with padding as zero.
    pub(crate) fn value(
        &self,
        x: &ArrayD<f64>,
        [n, c]: [usize; 2],
        [r, q]: [usize; 2],
        [i, j]: [usize; 2],
    ) -> f64 {
        self.cell(r, q, i, j).map_or(0.0, |(row, col)| x[[n, row, col, c]])
    }

    /// How many cells of the image the window sees from output cell `(r, q)`.
    pub(crate) fn visible(&self, r: usize, q: usize) -> usize {
        let cells = (0..self.kernel.0).flat_map(|i| (0..self.kernel.1).map(move |j| (i, j)));
        cells.filter(|&(i, j)| self.cell(r, q, i, j).is_some()).count()
    }

    /// The shape of the batch of images.
    pub(crate) fn x_shape(&self) -> [usize; 4] {
        [self.m, self.rows, self.cols, self.channels]
    }

    /// The shape of the output with so many channels.
    pub(crate) fn y_shape(&self, n_out: usize) -> [usize; 4] {
        let (r1, r2) = self.output();
        [self.m, r1, r2, n_out]
    }

    pub(crate) fn conv(&self, n_out: usize, activation: Activation) -> LayerSpec {
        LayerSpec::Conv2D {
            input_shape: [self.rows, self.cols, self.channels],
            n_out,
            kernel_shape: self.kernel,
            stride: self.stride,
            pad: self.pad,
            activation,
            bias: true,
        }
    }

    pub(crate) fn pool(&self, mode: PoolMode) -> LayerSpec {
        LayerSpec::Pool2D {
            input_shape: [self.rows, self.cols, self.channels],
            mode,
            kernel_shape: self.kernel,
            stride: self.stride,
            pad: self.pad,
        }
    }
}

impl fmt::Display for Geometry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kernel: (k1, k2), stride, pad, .. } = self;
        write!(f, "X {:?}, kernel {k1}x{k2}, stride {stride}, pad {pad}", self.x_shape())
    }
}

/// A random layer of a class and a batch for it: the specification and the shape of the batch.
pub(crate) fn draw_spec(class: LayerClass, case: &mut Case) -> (LayerSpec, Vec<usize>) {
    let activation = Activation::ALL[case.between(0, Activation::ALL.len() - 1)];
    let m = case.between(1, 4);
    let spec = match class {
        LayerClass::FullyConnected => LayerSpec::FullyConnected {
            n_in: case.between(1, 6),
            n_out: case.between(1, 6),
            activation,
            bias: true,
        },
        LayerClass::Flatten => {
            let axes = case.between(1, 3);
            LayerSpec::Flatten { input_shape: case.shape(axes, 4) }
        }
        LayerClass::Conv2D => Geometry::draw(case).conv(case.between(1, 3), activation),
        LayerClass::Pool2D => {
            let mode = [PoolMode::Max, PoolMode::Average][case.between(0, 1)];
            Geometry::draw(case).pool(mode)
        }
        LayerClass::GlobalAveragePool2D => LayerSpec::GlobalAveragePool2D {
            input_shape: [case.between(1, 6), case.between(1, 6), case.between(1, 4)],
        },
        LayerClass::BatchNorm => {
            let axes = [1, 3][case.between(0, 1)];
            LayerSpec::BatchNorm {
                input_shape: case.shape(axes, 4),
                eps: 0.05 + 0.45 * case.rng.uniform(),
                momentum: 1.0 - case.rng.uniform(),
                activation: Activation::Linear,
                scale: true,
            }
        }
        LayerClass::Dropout => {
            let axes = case.between(1, 3);
            LayerSpec::Dropout {
                input_shape: case.shape(axes, 4),
                rate: [0.0, 0.5, 0.9 * case.rng.uniform()][case.between(0, 2)],
            }
        }
    };
    // One in four has no bias, or no scale.
    let spec = spec.with(case.between(0, 3) > 0);
    let x_shape = [&[m], &*spec.input_shape()].concat();
    case.describe(format!("{spec:?}, X {x_shape:?}"));
    (spec, x_shape)
}

/// The layer that `spec` declares, with every parameter drawn from `[-1, 1)`, biases too.
pub(crate) fn build(
    implementation: &dyn LayerSubject<f64>,
    spec: &LayerSpec,
    case: &mut Case,
) -> Result<Box<dyn Layer<f64>>, Failure> {
    let mut layer = implementation.build(spec, &mut case.rng)?;
    let shapes: Vec<_> =
        layer.parameters().iter().map(|(name, array)| (name, array.shape().to_vec())).collect();
    for (name, shape) in shapes {
        layer.set_parameter(name, &case.array(&shape))?;
    }
    Ok(layer)
}

/// Sets the buffers back, so that a forward pass is a function of its input and the parameters again:
/// dropout takes another step of its masks with each.
pub(crate) fn rewind(
    layer: &mut dyn Layer<f64>,
    buffers: &Parameters<f64>,
) -> Result<(), LayerError> {
    buffers.iter().try_for_each(|(name, value)| layer.set_buffer(name, value))
}

/// A parameter of the layer.
pub(crate) fn parameter(layer: &dyn Layer<f64>, name: &str) -> Result<ArrayD<f64>, Failure> {
    let found = layer.parameters().get(name).cloned();
    found.ok_or_else(|| Failure::new(format!("the layer has no parameter {name}")))
}

/// A gradient of the layer.
pub(crate) fn gradient(layer: &dyn Layer<f64>, name: &str) -> Result<ArrayD<f64>, Failure> {
    let found = layer.gradients().get(name).cloned();
    found.ok_or_else(|| Failure::new(format!("the layer has no gradient {name}")))
}
