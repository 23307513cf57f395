//! Convolution as question 6.2 asks for it: stride 1, no padding, everything zero outside of its
//! bounds. The letters are those of the general formulas.

use std::sync::Arc;

use activations::Activation;
use cnn::Pad;
use layers::Layer;
use ndarray::{ArrayD, IxDyn};

use super::{SUMS, formula};
use crate::cases::{Case, Failure};
use crate::random_layer::{Geometry, build, gradient, parameter};
use crate::{Check, LayerSubject};

type Implementation = Arc<dyn LayerSubject<f64>>;

pub(super) fn checks(implementation: &Implementation) -> Vec<Check> {
    let of_pass = |name, one: fn(&mut Case, &mut Pass) -> Result<(), Failure>| {
        let implementation = Arc::clone(implementation);
        formula("6.2", name, SUMS, move |case| {
            let mut pass = Pass::draw(implementation.as_ref(), case)?;
            one(case, &mut pass)
        })
    };
    vec![
        of_pass("conv-plain", |case, pass| {
            let got = pass.layer.forward(pass.x.clone())?;
            case.compare("Z", &got, &pass.z())
        }),
        of_pass("conv-a", |case, pass| {
            let (g, _) = pass.backward(case)?;
            case.compare("dL/db", &gradient(&*pass.layer, "b")?, &pass.dl_db(&g))
        }),
        of_pass("conv-b", |case, pass| {
            let (g, _) = pass.backward(case)?;
            case.compare("dL/dW", &gradient(&*pass.layer, "W")?, &pass.dl_dw(&g))
        }),
        of_pass("conv-c", |case, pass| {
            let (g, got) = pass.backward(case)?;
            case.compare("dL/dX by output cells", &got, &pass.dl_dx_by_outputs(&g))?;
            case.compare("dL/dX by filter cells", &got, &pass.dl_dx_by_weights(&g))
        }),
    ]
}

/// A layer and a mini-batch.
struct Pass {
    layer: Box<dyn Layer<f64>>,
    x: ArrayD<f64>,
    w: ArrayD<f64>,
    b: ArrayD<f64>,
}

impl Pass {
    fn draw(implementation: &dyn LayerSubject<f64>, case: &mut Case) -> Result<Self, Failure> {
        let geometry = Geometry::draw_with(case, 1, Pad::Valid);
        let n_out = case.between(1, 3);
        case.describe(format!("{geometry}, {n_out} filters"));
        let layer = build(implementation, &geometry.conv(n_out, Activation::Linear), case)?;
        let (w, b) = (parameter(&*layer, "W")?, parameter(&*layer, "b")?);
        Ok(Self { layer, x: case.array(&geometry.x_shape()), w, b })
    }

    fn backward(&mut self, case: &mut Case) -> Result<(ArrayD<f64>, ArrayD<f64>), Failure> {
        let z = self.layer.forward(self.x.clone())?;
        let g = case.array(z.shape());
        let dl_dx = self.layer.backward(g.clone())?;
        Ok((g, dl_dx))
    }

    /// Rows and columns of the output: as many as there are places for the filter.
    fn output(&self) -> (usize, usize) {
        let (x, w) = (self.x.shape(), self.w.shape());
        (x[1] - w[0] + 1, x[2] - w[1] + 1)
    }

    /// `Z[n, r, q, f] = b[f] + Σᵢ Σⱼ Σc W[i, j, c, f] X[n, r + i, q + j, c]`.
    fn z(&self) -> ArrayD<f64> {
        let (r1, r2) = self.output();
        let shape = [self.x.shape()[0], r1, r2, self.b.len()];
        ArrayD::from_shape_fn(IxDyn(&shape), |at| {
            let (n, r, q, f) = (at[0], at[1], at[2], at[3]);
            let mut sum = self.b[[0, f]];
            for (weight, w) in self.w.indexed_iter().filter(|(weight, _)| weight[3] == f) {
                let (i, j, c) = (weight[0], weight[1], weight[2]);
                sum += w * self.x[[n, r + i, q + j, c]];
            }
            sum
        })
    }

    /// (a) `dL/db[f] = Σₙ Σᵣ Σ_q G[n, r, q, f]`.
    fn dl_db(&self, g: &ArrayD<f64>) -> ArrayD<f64> {
        ArrayD::from_shape_fn(self.b.raw_dim(), |at| {
            g.indexed_iter().filter(|(z, _)| z[3] == at[1]).map(|(_, g)| g).sum()
        })
    }

    /// (b) `dL/dW[i, j, c, f] = Σₙ Σᵣ Σ_q G[n, r, q, f] X[n, r + i, q + j, c]`.
    fn dl_dw(&self, g: &ArrayD<f64>) -> ArrayD<f64> {
        ArrayD::from_shape_fn(self.w.raw_dim(), |at| {
            let (i, j, c, f) = (at[0], at[1], at[2], at[3]);
            let of_filter = g.indexed_iter().filter(|(z, _)| z[3] == f);
            of_filter.map(|(z, g)| g * self.x[[z[0], z[1] + i, z[2] + j, c]]).sum()
        })
    }

    /// (c) `dL/dX[n, x, y, c] = Σᵣ Σ_q Σ_f G[n, r, q, f] W[x - r, y - q, c, f]`.
    fn dl_dx_by_outputs(&self, g: &ArrayD<f64>) -> ArrayD<f64> {
        ArrayD::from_shape_fn(self.x.raw_dim(), |at| {
            let (n, x, y, c) = (at[0], at[1], at[2], at[3]);
            let of_image = g.indexed_iter().filter(|(z, _)| z[0] == n);
            of_image
                .map(|(z, g)| {
                    let cell = (x.checked_sub(z[1]), y.checked_sub(z[2]));
                    let (Some(i), Some(j)) = cell else { return 0.0 };
                    g * self.w.get(IxDyn(&[i, j, c, z[3]])).copied().unwrap_or(0.0)
                })
                .sum()
        })
    }

    /// (c) `dL/dX[n, x, y, c] = Σᵢ Σⱼ Σ_f G[n, x - i, y - j, f] W[i, j, c, f]`.
    fn dl_dx_by_weights(&self, g: &ArrayD<f64>) -> ArrayD<f64> {
        ArrayD::from_shape_fn(self.x.raw_dim(), |at| {
            let (n, x, y, c) = (at[0], at[1], at[2], at[3]);
            let of_channel = self.w.indexed_iter().filter(|(weight, _)| weight[2] == c);
            of_channel
                .map(|(weight, w)| {
                    let cell = (x.checked_sub(weight[0]), y.checked_sub(weight[1]));
                    let (Some(r), Some(q)) = cell else { return 0.0 };
                    w * g.get(IxDyn(&[n, r, q, weight[3]])).copied().unwrap_or(0.0)
                })
                .sum()
        })
    }
}
