//! The convolutions of the "air" network, each pass by each algorithm.

use std::sync::Arc;

use anyhow::Result;
use cnn::{Conv2DAlgorithm, Pad, Window};
use ndarray::{Array2, Array4};
use numerics::{Rng, recycle};

use crate::rounds::timed;
use crate::{By, Case, Pass, Subject, Work};

/// A convolution of stride 1 of square images by square kernels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Convolution {
    /// Rows and columns of the input.
    pub side: usize,
    /// Channels of the input.
    pub channels: usize,
    /// Channels of the output.
    pub filters: usize,
    /// Rows and columns of the kernel.
    pub kernel: usize,
    /// The number of times that the network has it.
    pub times: usize,
}

/// The convolutions of [`BenchModel::air`](crate::BenchModel::air), in order. That of 2 by 2 has no
/// padding, the others keep the size.
pub const AIR_CONVOLUTIONS: [Convolution; 6] = [
    Convolution { side: 32, channels: 3, filters: 24, kernel: 2, times: 1 },
    Convolution { side: 31, channels: 24, filters: 64, kernel: 3, times: 1 },
    Convolution { side: 15, channels: 64, filters: 64, kernel: 3, times: 1 },
    Convolution { side: 15, channels: 64, filters: 256, kernel: 3, times: 1 },
    Convolution { side: 7, channels: 256, filters: 256, kernel: 3, times: 2 },
    Convolution { side: 3, channels: 256, filters: 256, kernel: 3, times: 1 },
];

impl Convolution {
    /// Its padding.
    #[must_use]
    pub fn pad(self) -> Pad {
        if self.kernel == 3 { Pad::Same } else { Pad::Valid }
    }

    /// Rows and columns of the output.
    #[must_use]
    pub fn output_side(self) -> usize {
        if self.kernel == 3 { self.side } else { self.side - self.kernel + 1 }
    }

    /// Floating-point operations of one pass over a batch by the definition: each output takes a
    /// multiplication and an addition for each weight of its filter. Each of the three passes computes
    /// as many products.
    #[must_use]
    pub fn flop(self, batch: usize) -> u64 {
        let outputs = batch * self.output_side().pow(2) * self.filters;
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
///
/// # Errors
/// If the window does not fit, which does not happen for [`AIR_CONVOLUTIONS`].
pub fn convolution_cases(
    convolution: Convolution,
    batch: usize,
    threads: usize,
) -> Result<Vec<Case>> {
    let Convolution { side, channels, filters, kernel, .. } = convolution;
    let window = Window::new("Conv2D", (side, side), (kernel, kernel), 1, convolution.pad())?;
    let out = convolution.output_side();
    let mut rng = Rng::new(0);
    let tensors = Arc::new(Tensors {
        window,
        x: rng.normal_array((batch, side, side, channels), 0.0, 1.0),
        w: rng.normal_array((kernel, kernel, channels, filters), 0.0, 0.1),
        b: Array2::zeros((1, filters)),
        dl_dz: rng.normal_array((batch, out, out, filters), 0.0, 1.0),
    });
    let chosen = cnn::conv2d_algorithm::<f32>(window, channels, filters);
    let mut cases = Vec::new();
    for pass in Pass::ALL {
        for (by, algorithm) in
            [(By::Im2col, Conv2DAlgorithm::Im2col), (By::Winograd, Conv2DAlgorithm::Winograd)]
        {
            if algorithm == Conv2DAlgorithm::Winograd && !cnn::winograd_applies(window) {
                continue;
            }
            let tensors = Arc::clone(&tensors);
            let once = move || {
                let (result, time) = timed(|| compute(&tensors, pass, algorithm));
                // As a training does, which makes the same arrays in the next step.
                recycle(result);
                Ok(time)
            };
            let chosen = chosen == algorithm;
            let subject = Subject::Convolution { side, channels, filters, kernel, pass, chosen };
            let name = format!("conv/{side}x{side}-{channels}-{filters}/{pass}/{by}");
            let work = Work::Flop(convolution.flop(batch));
            let mut case = Case::new(name, subject, batch, threads, work, once);
            case.measurement.by = by;
            cases.push(case);
        }
    }
    Ok(cases)
}

fn compute(tensors: &Tensors, pass: Pass, algorithm: Conv2DAlgorithm) -> Array4<f32> {
    let Tensors { window, x, w, b, dl_dz } = tensors;
    let (x, w, b, dl_dz, window) = (x.view(), w.view(), b.view(), dl_dz.view(), *window);
    match (pass, algorithm) {
        (Pass::Forward, Conv2DAlgorithm::Im2col) => cnn::im2col_forward(x, w, b, window),
        (Pass::Forward, Conv2DAlgorithm::Winograd) => cnn::winograd_forward(x, w, b, window),
        (Pass::BackwardData, Conv2DAlgorithm::Im2col) => {
            cnn::im2col_backward_data(w, dl_dz, window)
        }
        (Pass::BackwardData, Conv2DAlgorithm::Winograd) => {
            cnn::winograd_backward_data(w, dl_dz, window)
        }
        (Pass::BackwardWeights, Conv2DAlgorithm::Im2col) => {
            cnn::im2col_backward_weights(x, dl_dz, window)
        }
        (Pass::BackwardWeights, Conv2DAlgorithm::Winograd) => {
            cnn::winograd_backward_weights(x, dl_dz, window)
        }
    }
}

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

    #[test]
    fn a_training_image_takes_707_million_operations_in_convolutions_of_3_by_3() {
        // The figure of the table of anchors, counted over forward and both backward passes.
        let three = AIR_CONVOLUTIONS.iter().filter(|convolution| convolution.kernel == 3);
        let flop: u64 = three.map(|c| 3 * c.times as u64 * c.flop(1)).sum();
        assert_eq!(flop / 1_000_000, 707);
    }

    #[test]
    fn every_pass_is_timed_by_each_algorithm_that_applies() {
        assert_eq!(convolution_cases(AIR_CONVOLUTIONS[0], 1, 1).unwrap().len(), 3);
        let mut cases = convolution_cases(AIR_CONVOLUTIONS[5], 2, 1).unwrap();
        assert_eq!(cases.len(), 6);
        assert_eq!(cases[0].measurement.name, "conv/3x3-256-256/forward/im2col");
        assert_eq!(cases[5].measurement.name, "conv/3x3-256-256/backward-weights/winograd");
        for case in &mut cases {
            assert!((case.run)(1).unwrap().seconds > 0.0, "{}", case.measurement.name);
        }
    }
}
