//! The matrix products of the fully-connected network 784-256-128-10.

use bench::{Pass, Subject, Work};
use ndarray::Array2;
use numerics::{Rng, matmul};

use crate::rounds::{Case, timed};

/// Inputs and outputs of each layer.
const LAYERS: [(usize, usize); 3] = [(784, 256), (256, 128), (128, 10)];

/// The three products of each layer: `X W`, `dL/dZ Wᵀ`, `Xᵀ dL/dZ`.
pub(crate) fn product_cases(batch: usize, threads: usize) -> Vec<Case> {
    let of_layer = |(n_in, n_out)| Pass::ALL.map(|pass| case(n_in, n_out, pass, batch, threads));
    LAYERS.into_iter().flat_map(of_layer).collect()
}

fn case(n_in: usize, n_out: usize, pass: Pass, batch: usize, threads: usize) -> Case {
    let mut rng = Rng::new(0);
    let mut random = |rows, cols| -> Array2<f32> { rng.normal_array((rows, cols), 0.0, 1.0) };
    let (x, w, dl_dz) = (random(batch, n_in), random(n_in, n_out), random(batch, n_out));
    let (rows, inner, cols) = match pass {
        Pass::Forward => (batch, n_in, n_out),
        Pass::BackwardData => (batch, n_out, n_in),
        Pass::BackwardWeights => (n_in, batch, n_out),
    };
    let once = move || {
        let (_, time) = timed(|| match pass {
            Pass::Forward => matmul(x.view(), w.view()),
            Pass::BackwardData => matmul(dl_dz.view(), w.t()),
            Pass::BackwardWeights => matmul(x.t(), dl_dz.view()),
        });
        Ok(time)
    };
    let name = format!("product/{n_in}-{n_out}/{pass}/ours");
    let work = Work::Flop((2 * rows * inner * cols) as u64);
    Case::new(name, Subject::Product { rows, inner, cols, pass }, batch, threads, work, once)
}
