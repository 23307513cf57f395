//! On which smooth piece of a piecewise smooth layer an input lies.

use activations::Activation;
use cnn::{Pad, PoolMode};
use ndarray::ArrayD;
use numerics::Rng;

use crate::{LayerSpec, LayerSubject, Real};

/// Which side of the kink each ReLU is on, and which cell wins each maximum; empty for layers that
/// are smooth everywhere.
///
/// It is computed by the real layers and by loops of its own, whatever implementation is under test.
///
/// # Panics
/// If input and parameters do not fit `spec`.
#[must_use]
pub(crate) fn piece(spec: &LayerSpec, x: &ArrayD<f64>, parameters: &[ArrayD<f64>]) -> Vec<u32> {
    match spec {
        LayerSpec::FullyConnected { activation: Activation::ReLU, .. }
        | LayerSpec::Conv2D { activation: Activation::ReLU, .. }
        | LayerSpec::BatchNorm { activation: Activation::ReLU, .. } => {
            pre_activation(spec, x, parameters).iter().map(|&z| u32::from(z >= 0.0)).collect()
        }
        LayerSpec::Pool2D { mode: PoolMode::Max, kernel_shape, stride, pad, .. } => {
            winners(x, *kernel_shape, *stride, *pad)
        }
        _ => vec![],
    }
}

/// Z, as the output of the same layer with a linear activation.
fn pre_activation(spec: &LayerSpec, x: &ArrayD<f64>, parameters: &[ArrayD<f64>]) -> ArrayD<f64> {
    let mut spec = spec.clone();
    if let LayerSpec::FullyConnected { activation, .. }
    | LayerSpec::Conv2D { activation, .. }
    | LayerSpec::BatchNorm { activation, .. } = &mut spec
    {
        *activation = Activation::Linear;
    }
    let mut layer =
        Real.build(&spec, &mut Rng::new(0)).expect("the specification was built before");
    let (own, _) = layer.parameters_and_gradients();
    for ((_, own), value) in own.iter_mut().zip(parameters) {
        own.assign(value);
    }
    // Training mode, which is what backward differentiates.
    layer.forward(x.clone()).expect("the input went through the layer before")
}

fn winners(x: &ArrayD<f64>, (k1, k2): (usize, usize), stride: usize, pad: Pad) -> Vec<u32> {
    let &[m, rows, cols, channels] = x.shape() else { panic!("images have four axes") };
    let (p1, p2) = pad.cells((k1, k2));
    let cell = |n, row: usize, col: usize, c| {
        let inside = row >= p1 && col >= p2 && row - p1 < rows && col - p2 < cols;
        if inside { x[[n, row - p1, col - p2, c]] } else { 0.0 }
    };
    let mut winners = Vec::new();
    for n in 0..m {
        for top in (0..=rows + 2 * p1 - k1).step_by(stride) {
            for left in (0..=cols + 2 * p2 - k2).step_by(stride) {
                for c in 0..channels {
                    let mut winner = (0, 0);
                    for i in 0..k1 {
                        for j in 0..k2 {
                            let best = cell(n, top + winner.0, left + winner.1, c);
                            if cell(n, top + i, left + j, c) > best {
                                winner = (i, j);
                            }
                        }
                    }
                    winners.push((winner.0 * k2 + winner.1) as u32);
                }
            }
        }
    }
    winners
}
