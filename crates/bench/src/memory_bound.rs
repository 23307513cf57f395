//! Layers that do little with each number, so that the memory decides how fast they are.

use std::sync::Arc;
use std::time::Duration;

use activations::Activation;
use anyhow::Result;
use bench::{Pass, Subject, Work};
use cnn::{Pool2DConfig, PoolMode};
use layers::{BatchNormConfig, Layer};
use ndarray::ArrayD;
use numerics::{Rng, recycle, reused};

use crate::rounds::{Case, timed};

/// The tensors of the "air" network, and those of its layers that meet them.
const SHAPES: [([usize; 3], &[&str]); 4] = [
    ([31, 31, 64], &["GELU", "BatchNorm", "MaxPool"]),
    ([15, 15, 64], &["GELU", "BatchNorm"]),
    ([15, 15, 256], &["GELU", "BatchNorm", "MaxPool"]),
    ([7, 7, 256], &["GELU", "BatchNorm", "MaxPool"]),
];

/// Bytes that a pass over `f32` has to read and write at least: forward the input and the output,
/// backward the gradients of both and the input. Max pooling by 2 has a quarter of the outputs, and
/// backward needs which cell won, a byte each, instead of the input.
fn traffic(layer: &str, [rows, cols, channels]: [usize; 3], batch: usize, pass: Pass) -> u64 {
    let inputs = batch * rows * cols * channels;
    let outputs = batch * (rows / 2) * (cols / 2) * channels;
    let bytes = match (layer, pass) {
        ("MaxPool", _) => 4 * (inputs + outputs) + outputs,
        (_, Pass::Forward) => 4 * 2 * inputs,
        (_, _) => 4 * 3 * inputs,
    };
    bytes as u64
}

/// GELU, batch normalisation and max pooling, forward and backward.
pub(crate) fn memory_bound_cases(batch: usize, threads: usize) -> Result<Vec<Case>> {
    let mut cases = Vec::new();
    for (shape, layers) in SHAPES {
        let [rows, cols, channels] = shape;
        let x = Rng::new(0).normal_array((batch, rows, cols, channels), 0.0, 1.0).into_dyn();
        let x = Arc::new(x);
        for &layer in layers {
            for pass in [Pass::Forward, Pass::BackwardData] {
                let x = Arc::clone(&x);
                let once = match layer {
                    "GELU" => gelu(x, pass),
                    "BatchNorm" => {
                        let layer = BatchNormConfig::default().build(&shape)?;
                        passes(Box::new(layer), x, pass)?
                    }
                    _ => {
                        let layer = Pool2DConfig::new(PoolMode::Max, (2, 2), 2).build(&shape)?;
                        passes(Box::new(layer), x, pass)?
                    }
                };
                let name = format!("memory/{layer}-{rows}x{cols}x{channels}/{pass}/ours");
                let subject = Subject::MemoryBound { layer: layer.to_owned(), shape, pass };
                let work = Work::Bytes(traffic(layer, shape, batch, pass));
                cases.push(Case::new(name, subject, batch, threads, work, once));
            }
        }
    }
    Ok(cases)
}

type Once = Box<dyn FnMut() -> Result<Duration> + Send>;

fn gelu(z: Arc<ArrayD<f32>>, pass: Pass) -> Once {
    Box::new(move || {
        let dl_dy = copied(&z);
        let (result, time) = timed(|| match pass {
            Pass::Forward => Ok(Activation::GELU.forward(&z)),
            _ => Activation::GELU.backward_owned(&z, dl_dy),
        });
        recycle(result?);
        Ok(time)
    })
}

/// A pass of a layer, which takes its input as its own: the copy is not part of the time.
///
/// As in a training, the memory of what is made goes to the next call.
fn passes(mut layer: Box<dyn Layer<f32>>, x: Arc<ArrayD<f32>>, pass: Pass) -> Result<Once> {
    let dl_dy = match pass {
        Pass::Forward => None,
        _ => Some(layer.forward(copied(&x))?),
    };
    Ok(Box::new(move || {
        let input = copied(dl_dy.as_ref().unwrap_or(&x));
        let (result, time) = timed(|| match pass {
            Pass::Forward => layer.forward(input),
            _ => layer.backward(input),
        });
        recycle(result?);
        Ok(time)
    }))
}

fn copied(x: &ArrayD<f32>) -> ArrayD<f32> {
    let mut copy = reused(x.raw_dim());
    copy.assign(x);
    copy
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_by_hand() {
        // 2 images of 4 x 4 x 3: 96 numbers.
        let bytes = |layer, pass| traffic(layer, [4, 4, 3], 2, pass);
        assert_eq!(bytes("GELU", Pass::Forward), 96 * 8);
        assert_eq!(bytes("BatchNorm", Pass::BackwardData), 96 * 12);
        // 24 outputs, and a byte for each.
        assert_eq!(bytes("MaxPool", Pass::Forward), 96 * 4 + 24 * 5);
        assert_eq!(bytes("MaxPool", Pass::BackwardData), 24 * 5 + 96 * 4);
        // An odd row is not pooled: 31 becomes 15.
        assert_eq!(traffic("MaxPool", [31, 31, 1], 1, Pass::Forward), 961 * 4 + 225 * 5);
    }
}
