//! The convolutions of the "air" network, each pass by each algorithm.

use std::sync::Arc;

use anyhow::Result;
use bench::{By, Pass, Subject, Work, output_side};
use cnn::{Conv2DAlgorithm, Pad, Window};
use ndarray::{Array2, Array4};
use numerics::{Rng, recycle};

use crate::rounds::{Case, timed};

/// A convolution of stride 1 of square images by square kernels.
#[derive(Clone, Copy)]
pub(crate) struct Convolution {
    /// Rows and columns of the input.
    pub(crate) side: usize,
    pub(crate) channels: usize,
    /// Channels of the output.
    pub(crate) filters: usize,
    /// Rows and columns of the kernel.
    pub(crate) kernel: usize,
}

/// The convolutions of [`BenchModel::air`](crate::models::BenchModel::air), in order; it has that of 7 by 7 twice.
pub(crate) const AIR_CONVOLUTIONS: [Convolution; 6] = [
    Convolution { side: 32, channels: 3, filters: 24, kernel: 2 },
    Convolution { side: 31, channels: 24, filters: 64, kernel: 3 },
    Convolution { side: 15, channels: 64, filters: 64, kernel: 3 },
    Convolution { side: 15, channels: 64, filters: 256, kernel: 3 },
    Convolution { side: 7, channels: 256, filters: 256, kernel: 3 },
    Convolution { side: 3, channels: 256, filters: 256, kernel: 3 },
];

impl Convolution {
    fn pad(self) -> Pad {
        if self.kernel == 3 { Pad::Same } else { Pad::Valid }
    }

    /// Floating-point operations of the direct convolution of a batch, multiplications and additions.
    fn flop(self, batch: usize) -> u64 {
        let outputs = batch * output_side(self.side, self.kernel).pow(2) * self.filters;
        (2 * outputs * self.kernel.pow(2) * self.channels) as u64
    }
}

/// The tensors that the passes of a layer share.
struct Tensors {
    window: Window,
    x: Array4<f32>,
    w: Array4<f32>,
    b: Array2<f32>,
    dl_dz: Array4<f32>,
}

/// The passes of a convolution by im2col, and by Winograd's algorithm where it applies.
pub(crate) fn convolution_cases(
    convolution: Convolution,
    batch: usize,
    threads: usize,
) -> Result<Vec<Case>> {
    let Convolution { side, channels, filters, kernel } = convolution;
    let window = Window::new("Conv2D", (side, side), (kernel, kernel), 1, convolution.pad())?;
    let out = output_side(side, kernel);
    let mut rng = Rng::new(0);
    let tensors = Arc::new(Tensors {
        window,
        x: rng.normal_array((batch, side, side, channels), 0.0, 1.0),
        w: rng.normal_array((kernel, kernel, channels, filters), 0.0, 0.1),
        b: Array2::zeros((1, filters)),
        dl_dz: rng.normal_array((batch, out, out, filters), 0.0, 1.0),
    });
    let chosen = match cnn::conv2d_algorithm::<f32>(window, channels, filters) {
        Conv2DAlgorithm::Im2col => By::Im2col,
        Conv2DAlgorithm::Winograd => By::Winograd,
    };
    let applies = |by| by == By::Im2col || cnn::winograd_applies(window);
    let cases = PASSES.iter().filter(|(_, by, _)| applies(*by)).map(|&(pass, by, compute)| {
        let tensors = Arc::clone(&tensors);
        let once = move || {
            let (result, time) = timed(|| compute(&tensors));
            // As a training does, which makes the same arrays in the next step.
            recycle(result);
            Ok(time)
        };
        let chosen = by == chosen;
        let subject = Subject::Convolution { side, channels, filters, kernel, pass, chosen };
        let name = format!("conv/{side}x{side}-{channels}-{filters}/{pass}/{by}");
        let work = Work::Flop(convolution.flop(batch));
        let mut case = Case::new(name, subject, batch, threads, work, once);
        case.measurement.by = by;
        case
    });
    Ok(cases.collect())
}

type Compute = fn(&Tensors) -> Array4<f32>;

const PASSES: [(Pass, By, Compute); 6] = [
    (Pass::Forward, By::Im2col, |t| {
        cnn::im2col_forward(t.x.view(), t.w.view(), t.b.view(), t.window)
    }),
    (Pass::Forward, By::Winograd, |t| {
        cnn::winograd_forward(t.x.view(), t.w.view(), t.b.view(), t.window)
    }),
    (Pass::BackwardData, By::Im2col, |t| {
        cnn::im2col_backward_data(t.w.view(), t.dl_dz.view(), t.window)
    }),
    (Pass::BackwardData, By::Winograd, |t| {
        cnn::winograd_backward_data(t.w.view(), t.dl_dz.view(), t.window)
    }),
    (Pass::BackwardWeights, By::Im2col, |t| {
        cnn::im2col_backward_weights(t.x.view(), t.dl_dz.view(), t.window)
    }),
    (Pass::BackwardWeights, By::Winograd, |t| {
        cnn::winograd_backward_weights(t.x.view(), t.dl_dz.view(), t.window)
    }),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operations_by_hand() {
        // 2 images, 31 * 31 cells, 64 filters, 9 * 24 weights, 2 operations.
        assert_eq!(AIR_CONVOLUTIONS[1].flop(2), 2 * 961 * 64 * 216 * 2);
        // Without padding 31 * 31 cells are left of 32 * 32; 24 filters of 4 * 3 weights.
        assert_eq!(AIR_CONVOLUTIONS[0].flop(1), 961 * 24 * 12 * 2);
    }
}
