//! Batch normalisation: question 7, as loops over the rows i and the features j.
//!
//! There are at most 64 rows, so `|x̂|` is at most 8, and `ε >= 0.05`, so `γ / √(v + ε)` is below 4.5.
//! Terms are below `4.5 (1 + 1 + 8) = 45`, sums of `g x̂` below 64; two computations of fewer than
//! 70 roundings each differ by less than `2 · 64 · 70 · 2⁻⁵³ = 1e-12`, the bound of sums.

use std::sync::Arc;

use layers::Layer;
use ndarray::{Array1, Array2, ArrayD, Ix2};

use super::{SUMS, formula};
use crate::cases::{Case, Failure, claim};
use crate::random_layer::{build, draw_spec, gradient, parameter};
use crate::{Check, LayerClass, LayerSpec, LayerSubject};

type Implementation = Arc<dyn LayerSubject<f64>>;

pub(super) fn checks(implementation: &Implementation) -> Vec<Check> {
    let of = |scale, name, one: fn(&mut Case, &mut Pass) -> Result<(), Failure>| {
        let implementation = Arc::clone(implementation);
        formula("7", name, SUMS, move |case| {
            let mut pass = Pass::draw(implementation.as_ref(), scale, case)?;
            one(case, &mut pass)
        })
    };
    let check = |name, one| of(true, name, one);
    vec![
        // Y[i, j] = γ[j] (X[i, j] - μ[j]) / √(v[j] + ε) + β[j].
        check("batch-norm-forward", |case, pass| {
            let x_hat = pass.x_hat();
            let y = Array2::from_shape_fn(x_hat.dim(), |(i, j)| {
                pass.gamma[j] * x_hat[[i, j]] + pass.beta[j]
            });
            case.compare("Y", &rows(&pass.layer.forward(pass.x.clone())?), &y)
        }),
        // dL/dX[i, j] = γ[j]/√(v[j] + ε) (G[i, j] - 1/N Σₖ G[k, j] - X̂[i, j]/N Σₖ G[k, j] X̂[k, j]).
        check("batch-norm-dx", |case, pass| {
            let (g, dl_dx) = pass.backward(case)?;
            let (x_hat, deviation) = (pass.x_hat(), pass.deviation());
            let n = x_hat.nrows();
            let expected = Array2::from_shape_fn(x_hat.dim(), |(i, j)| {
                let (mut sum, mut dot) = (0.0, 0.0);
                for k in 0..n {
                    sum += g[[k, j]];
                    dot += g[[k, j]] * x_hat[[k, j]];
                }
                let n = n as f64;
                pass.gamma[j] / deviation[j] * (g[[i, j]] - sum / n - x_hat[[i, j]] / n * dot)
            });
            case.compare("dL/dX", &dl_dx, &expected)
        }),
        // dL/dγ[j] = Σᵢ G[i, j] X̂[i, j].
        check("batch-norm-dgamma", |case, pass| {
            let (g, _) = pass.backward(case)?;
            let x_hat = pass.x_hat();
            let expected = Array2::from_shape_fn((1, x_hat.ncols()), |(_, j)| {
                (0..x_hat.nrows()).map(|i| g[[i, j]] * x_hat[[i, j]]).sum()
            });
            case.compare("dL/dγ", &gradient(&*pass.layer, "gamma")?, &expected.into_dyn())
        }),
        // dL/dβ[j] = Σᵢ G[i, j].
        check("batch-norm-dbeta", |case, pass| {
            let (g, _) = pass.backward(case)?;
            let expected = Array2::from_shape_fn((1, g.ncols()), |(_, j)| {
                (0..g.nrows()).map(|i| g[[i, j]]).sum()
            });
            case.compare("dL/dβ", &gradient(&*pass.layer, "beta")?, &expected.into_dyn())
        }),
        // r' = (1 - α) r + α s, for the mean from 0 and for the variance from 1.
        check("batch-norm-running", |case, pass| {
            pass.layer.forward(pass.x.clone())?;
            let alpha = pass.momentum;
            for (name, first, batch) in
                [("running_mean", 0.0, pass.mean()), ("running_variance", 1.0, pass.variance())]
            {
                let expected = batch.mapv(|s| (1.0 - alpha) * first + alpha * s);
                let got = pass.buffer(name)?;
                case.compare(name, &got, &expected)?;
            }
            Ok(())
        }),
        // Y[i, j] = γ[j] (X[i, j] - r[j]) / √(w[j] + ε) + β[j], r and w the running statistics.
        check("batch-norm-predict", |case, pass| {
            pass.layer.forward(pass.x.clone())?;
            let (mean, variance) = (pass.buffer("running_mean")?, pass.buffer("running_variance")?);
            let x = case.array(pass.x.shape());
            let z = rows(&x);
            let y = Array2::from_shape_fn(z.dim(), |(i, j)| {
                let x_hat = (z[[i, j]] - mean[j]) / (variance[j] + pass.eps).sqrt();
                pass.gamma[j] * x_hat + pass.beta[j]
            });
            case.compare("Y", &rows(&pass.layer.predict(&x)?), &y)
        }),
        of(false, "batch-norm-without-scale", without_scale),
    ]
}

/// Y[i, j] = X̂[i, j] + β[j], and with s[j] = √(v[j] + ε)
/// dL/dX[i, j] = (G[i, j] - 1/N Σₖ G[k, j] - X̂[i, j]/N Σₖ G[k, j] X̂[k, j]) / s[j],
/// dL/dβ[j] = Σᵢ G[i, j], which is the only gradient; a prediction has r and w for μ and v.
fn without_scale(case: &mut Case, pass: &mut Pass) -> Result<(), Failure> {
    let (g, dl_dx) = pass.backward(case)?;
    let (x_hat, deviation) = (pass.x_hat(), pass.deviation());
    let n = x_hat.nrows();
    let expected = Array2::from_shape_fn(x_hat.dim(), |(i, j)| {
        let sum: f64 = (0..n).map(|k| g[[k, j]]).sum();
        let dot: f64 = (0..n).map(|k| g[[k, j]] * x_hat[[k, j]]).sum();
        (g[[i, j]] - sum / n as f64 - x_hat[[i, j]] / n as f64 * dot) / deviation[j]
    });
    case.compare("dL/dX", &dl_dx, &expected)?;
    let expected = Array2::from_shape_fn((1, g.ncols()), |(_, j)| (0..n).map(|i| g[[i, j]]).sum());
    case.compare("dL/dβ", &gradient(&*pass.layer, "beta")?, &expected.into_dyn())?;
    let gradients: Vec<_> = pass.layer.gradients().names().collect();
    claim(gradients == ["beta"], || format!("gradients of {gradients:?}"))?;

    let (mean, variance) = (pass.buffer("running_mean")?, pass.buffer("running_variance")?);
    let x = rows(&pass.x);
    let predicted = Array2::from_shape_fn(x.dim(), |(i, j)| {
        (x[[i, j]] - mean[j]) / (variance[j] + pass.eps).sqrt() + pass.beta[j]
    });
    case.compare("Y of predict", &rows(&pass.layer.predict(&pass.x)?), &predicted)?;
    let y = Array2::from_shape_fn(x_hat.dim(), |(i, j)| x_hat[[i, j]] + pass.beta[j]);
    case.compare("Y", &rows(&pass.layer.forward(pass.x.clone())?), &y)
}

/// A layer and a mini-batch, whose statistics are computed here by loops.
struct Pass {
    layer: Box<dyn Layer<f64>>,
    x: ArrayD<f64>,
    /// Empty if there is no scale.
    gamma: Array1<f64>,
    beta: Array1<f64>,
    eps: f64,
    momentum: f64,
}

impl Pass {
    fn draw(
        implementation: &dyn LayerSubject<f64>,
        scale: bool,
        case: &mut Case,
    ) -> Result<Self, Failure> {
        let (mut spec, mut x_shape) = draw_spec(LayerClass::BatchNorm, case);
        while rows(&ArrayD::zeros(x_shape.clone())).nrows() > 64 {
            (spec, x_shape) = draw_spec(LayerClass::BatchNorm, case);
        }
        let LayerSpec::BatchNorm { eps, momentum, .. } = spec else {
            unreachable!("a batch normalisation was drawn")
        };
        let layer = build(implementation, &spec.with(scale), case)?;
        let row = |name| Ok::<_, Failure>(parameter(&*layer, name)?.into_iter().collect());
        let gamma = if scale { row("gamma")? } else { Array1::default(0) };
        let beta = row("beta")?;
        Ok(Self { layer, x: case.array(&x_shape), gamma, beta, eps, momentum })
    }

    fn mean(&self) -> Array1<f64> {
        let x = rows(&self.x);
        let n = x.nrows();
        Array1::from_shape_fn(x.ncols(), |j| (0..n).map(|i| x[[i, j]]).sum::<f64>() / n as f64)
    }

    fn variance(&self) -> Array1<f64> {
        let (x, mean) = (rows(&self.x), self.mean());
        let n = x.nrows();
        Array1::from_shape_fn(x.ncols(), |j| {
            (0..n).map(|i| (x[[i, j]] - mean[j]).powi(2)).sum::<f64>() / n as f64
        })
    }

    fn deviation(&self) -> Array1<f64> {
        self.variance().mapv(|v| (v + self.eps).sqrt())
    }

    fn x_hat(&self) -> Array2<f64> {
        let (x, mean, deviation) = (rows(&self.x), self.mean(), self.deviation());
        Array2::from_shape_fn(x.dim(), |(i, j)| (x[[i, j]] - mean[j]) / deviation[j])
    }

    fn buffer(&self, name: &str) -> Result<Array1<f64>, Failure> {
        let found = self.layer.buffers().get(name).cloned();
        let found = found.ok_or_else(|| Failure::new(format!("the layer has no buffer {name}")))?;
        Ok(found.into_iter().collect())
    }

    /// The upstream gradient, and what backward returns for it, as rows.
    fn backward(&mut self, case: &mut Case) -> Result<(Array2<f64>, Array2<f64>), Failure> {
        let y = self.layer.forward(self.x.clone())?;
        let dl_dy = case.array(y.shape());
        let dl_dx = self.layer.backward(dl_dy.clone())?;
        Ok((rows(&dl_dy), rows(&dl_dx)))
    }
}

/// A row for each example or pixel, a column for each feature.
fn rows(x: &ArrayD<f64>) -> Array2<f64> {
    let n = x.shape().last().copied().unwrap_or(1);
    let elements: Vec<f64> = x.iter().copied().collect();
    let rows = ArrayD::from_shape_vec(vec![elements.len() / n, n], elements);
    rows.ok()
        .and_then(|rows| rows.into_dimensionality::<Ix2>().ok())
        .expect("features are the last axis")
}
