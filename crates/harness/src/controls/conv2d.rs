//! Bugs of convolution.

use std::sync::Arc;

use layers::Parameters;
use ndarray::{Array2, Array4, ArrayD, ArrayView4, Ix4};

use super::Control;
use super::naive_layer::{Model, Naive, StateBug};
use crate::Kind::{Adjoint, Course, Formula, Gradient, Oracle, Property};
use crate::{Kind, LayerClass, LayerSpec, Subject};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Bug {
    None,
    KernelFlipped,
    PadOffByOne,
    BackwardPadOffByOne,
    BackwardIgnoresStride,
    BiasGradientNotOverSpace,
    BiasGradientNotOverBatch,
    InputGradientAssigned,
    InputGradientKernelFlipped,
    WeightGradientLastWindow,
    KernelAxesExchanged,
    ChannelsReversed,
}

/// A convolution by loops over every index.
#[derive(Debug)]
struct Conv2D {
    output_shape: [usize; 2],
    stride: usize,
    pad: (usize, usize),
    bug: Bug,
}

impl Conv2D {
    fn of(spec: &LayerSpec, bug: Bug) -> Self {
        let &LayerSpec::Conv2D { input_shape, kernel_shape: (k1, k2), stride, pad, .. } = spec
        else {
            panic!("a convolution subject builds convolutions")
        };
        let (p1, p2) = pad.cells((k1, k2));
        let size =
            |input: usize, kernel: usize, pad: usize| (input + 2 * pad - kernel) / stride + 1;
        let output_shape = [size(input_shape[0], k1, p1), size(input_shape[1], k2, p2)];
        let pad = if bug == Bug::PadOffByOne { (p1 + 1, p2) } else { (p1, p2) };
        Self { output_shape, stride, pad, bug }
    }

    /// Calls `visit([r, q], [i, j], [row, col])` for each output cell and each kernel cell that sees
    /// a cell of the image.
    fn for_each(
        &self,
        stride: usize,
        pad: (usize, usize),
        image: [usize; 2],
        kernel: [usize; 2],
        mut visit: impl FnMut([usize; 2], [usize; 2], [usize; 2]),
    ) {
        for r in 0..self.output_shape[0] {
            for q in 0..self.output_shape[1] {
                for i in 0..kernel[0] {
                    for j in 0..kernel[1] {
                        let (row, col) = (r * stride + i, q * stride + j);
                        if row >= pad.0
                            && col >= pad.1
                            && row - pad.0 < image[0]
                            && col - pad.1 < image[1]
                        {
                            visit([r, q], [i, j], [row - pad.0, col - pad.1]);
                        }
                    }
                }
            }
        }
    }
}

fn images(array: &ArrayD<f64>) -> ArrayView4<'_, f64> {
    array.view().into_dimensionality::<Ix4>().expect("images have four axes")
}

impl Model for Conv2D {
    fn forward(&self, x: &ArrayD<f64>, parameters: &Parameters<f64>) -> ArrayD<f64> {
        let (x, w) = (images(x), parameters.kernel("W"));
        let (m, rows, cols, channels) = x.dim();
        let (k1, k2, _, filters) = w.dim();
        let [r1, r2] = self.output_shape;
        let mut z = Array4::from_shape_fn((m, r1, r2, filters), |(.., f)| {
            parameters.get("b").map_or(0.0, |b| b[[0, f]])
        });
        self.for_each(
            self.stride,
            self.pad,
            [rows, cols],
            [k1, k2],
            |[r, q], [i, j], [row, col]| {
                let (wi, wj) = match self.bug {
                    Bug::KernelFlipped => (k1 - 1 - i, k2 - 1 - j),
                    Bug::KernelAxesExchanged => (j.min(k1 - 1), i.min(k2 - 1)),
                    _ => (i, j),
                };
                for n in 0..m {
                    for c in 0..channels {
                        let wc =
                            if self.bug == Bug::ChannelsReversed { channels - 1 - c } else { c };
                        for f in 0..filters {
                            z[[n, r, q, f]] += w[[wi, wj, wc, f]] * x[[n, row, col, c]];
                        }
                    }
                }
            },
        );
        z.into_dyn()
    }

    fn backward(
        &self,
        x: &ArrayD<f64>,
        parameters: &Parameters<f64>,
        dl_dz: &ArrayD<f64>,
    ) -> (ArrayD<f64>, Parameters<f64>) {
        let (x, w, dl_dz) = (images(x), parameters.kernel("W"), images(dl_dz));
        let (m, rows, cols, channels) = x.dim();
        let (k1, k2, _, filters) = w.dim();
        let mut dl_dx = Array4::<f64>::zeros(x.raw_dim());
        let mut dl_dw = Array4::<f64>::zeros(w.raw_dim());
        let mut dl_db = Array2::<f64>::zeros((1, filters));
        for ((n, r, q, f), &g) in dl_dz.indexed_iter() {
            let counts = match self.bug {
                Bug::BiasGradientNotOverSpace => r == 0 && q == 0,
                Bug::BiasGradientNotOverBatch => n == 0,
                _ => true,
            };
            if counts {
                dl_db[[0, f]] += g;
            }
        }
        let stride = if self.bug == Bug::BackwardIgnoresStride { 1 } else { self.stride };
        let pad = match self.bug {
            Bug::BackwardPadOffByOne => (self.pad.0, self.pad.1 + 1),
            _ => self.pad,
        };
        self.for_each(stride, pad, [rows, cols], [k1, k2], |[r, q], [i, j], [row, col]| {
            for n in 0..m {
                for c in 0..channels {
                    for f in 0..filters {
                        let g = dl_dz[[n, r, q, f]];
                        let dw = g * x[[n, row, col, c]];
                        if self.bug == Bug::WeightGradientLastWindow {
                            dl_dw[[i, j, c, f]] = dw;
                        } else {
                            dl_dw[[i, j, c, f]] += dw;
                        }
                        let w = match self.bug {
                            Bug::InputGradientKernelFlipped => w[[k1 - 1 - i, k2 - 1 - j, c, f]],
                            _ => w[[i, j, c, f]],
                        };
                        if self.bug == Bug::InputGradientAssigned && f == 0 {
                            dl_dx[[n, row, col, c]] = g * w;
                        } else {
                            dl_dx[[n, row, col, c]] += g * w;
                        }
                    }
                }
            }
        });
        let b = parameters.get("b").map(|_| ("b", dl_db.into_dyn()));
        (dl_dx.into_dyn(), Parameters::new([("W", dl_dw.into_dyn())].into_iter().chain(b)))
    }
}

fn subject(bug: Bug, state_bug: StateBug) -> Subject<f64> {
    let model = move |spec: &LayerSpec| Conv2D::of(spec, bug);
    Subject::Layer(LayerClass::Conv2D, Arc::new(Naive { model, bug: state_bug }))
}

pub(super) fn without_bugs() -> Vec<Subject<f64>> {
    vec![subject(Bug::None, StateBug::None)]
}

pub(super) fn controls() -> Vec<Control> {
    let control = |id, bug, what, expected: &'static [Kind]| Control {
        id,
        bug: what,
        expected,
        subject: subject(bug, StateBug::None),
    };
    let state = |id, bug, what, expected: &'static [Kind]| Control {
        id,
        bug: what,
        expected,
        subject: subject(Bug::None, bug),
    };
    vec![
        control(
            "kernel-flipped",
            Bug::KernelFlipped,
            "forward flips the kernel: convolution in the mathematical sense",
            &[Course, Gradient, Formula, Adjoint],
        ),
        control(
            "pad-off-by-one",
            Bug::PadOffByOne,
            "the image is padded by one row too many at the top, forward and backward alike",
            &[Course, Formula],
        ),
        control(
            "backward-pad-off-by-one",
            Bug::BackwardPadOffByOne,
            "backward pads by one column more than forward",
            &[Course, Gradient, Formula, Adjoint],
        ),
        control(
            "backward-stride",
            Bug::BackwardIgnoresStride,
            "backward ignores the stride",
            &[Course, Gradient, Formula, Adjoint],
        ),
        control(
            "bias-gradient-space",
            Bug::BiasGradientNotOverSpace,
            "dL/db is not summed over rows and columns",
            &[Oracle, Gradient, Formula],
        ),
        control(
            "bias-gradient-batch",
            Bug::BiasGradientNotOverBatch,
            "dL/db is not summed over the examples",
            &[Oracle, Gradient, Formula],
        ),
        control(
            "input-gradient-assigned",
            Bug::InputGradientAssigned,
            "dL/dX is assigned, not added, where windows overlap",
            &[Course, Gradient, Formula, Adjoint],
        ),
        control(
            "input-gradient-flipped",
            Bug::InputGradientKernelFlipped,
            "dL/dX uses the kernel flipped once too often",
            &[Course, Gradient, Formula, Adjoint],
        ),
        control(
            "weight-gradient-last",
            Bug::WeightGradientLastWindow,
            "dL/dW keeps only the last window of the last image",
            &[Oracle, Gradient, Formula, Adjoint],
        ),
        control(
            "kernel-axes",
            Bug::KernelAxesExchanged,
            "forward exchanges rows and columns of the kernel",
            &[Course, Gradient, Formula, Adjoint],
        ),
        control(
            "channels-reversed",
            Bug::ChannelsReversed,
            "forward meets blue with the weights of red",
            &[Course, Gradient, Formula, Adjoint],
        ),
        state(
            "bias-kept",
            StateBug::KeepsBias,
            "a layer that is declared without a bias has one",
            &[Formula, Property],
        ),
        state(
            "gradients-left-without-bias",
            StateBug::LeavesGradientsWithoutBias,
            "backward fills the gradients only where there is a bias",
            &[Gradient, Formula],
        ),
    ]
}
