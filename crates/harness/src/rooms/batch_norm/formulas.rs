//! The formulas as loops over the rows i and the features j.
//!
//! There are at most 64 rows, so `|x̂|` is at most 8, and `ε >= 0.05`, so `γ / √(v + ε)` is below 4.5.
//! Terms are below `4.5 (1 + 1 + 8) = 45`, sums of `g x̂` below 64; two computations of fewer than
//! 70 roundings each differ by less than `2 · 64 · 70 · 2⁻⁵³ = 1e-12`, the bound of sums.

use layers::{BatchNormConfig, Parameters};
use ndarray::{Array1, Array2, ArrayD, Axis, Ix2};

use super::{ROOM, with_scale};
use crate::cases::{Case, Verdict};
use crate::layer::transcribed::{Formula, Operands};
use crate::layer::window::SUMS;
use crate::layer::{Layers, Passed, Spec, gradient, parameter, pass};
use crate::room::Checks;
use crate::transcription::{array_of, sum};

pub(super) fn add(own: &mut Checks<Layers>) {
    let scaled = |case: &mut Case| drawn(true, case);
    let unscaled = |case: &mut Case| drawn(false, case);
    own.transcribe_all("batch-norm-forward", SUMS, scaled, &[Y]);
    own.transcribe_all("batch-norm-dx", SUMS, scaled, &[DL_DX]);
    own.transcribe_all("batch-norm-dgamma", SUMS, scaled, &[DL_DGAMMA]);
    own.transcribe_all("batch-norm-dbeta", SUMS, scaled, &[DL_DBETA]);
    own.transcribe_all("batch-norm-running", SUMS, scaled, &[MEAN, VARIANCE]);
    own.transcribe_all("batch-norm-predict", SUMS, scaled, &[PREDICTED]);
    // With γ = 1, and dL/dβ is the only gradient.
    own.transcribe_all(
        "batch-norm-without-scale",
        SUMS,
        unscaled,
        &[Y, DL_DX, DL_DBETA, PREDICTED],
    );
    own.formula("batch-norm-scale", ALONG_WEIGHTS, along_weights);
}

/// With at most 16 rows `|x̂| <= 4`, so terms of `dL/dX` are below `4.5 (1 + 1 + 4) = 27`; with `|x| <= 1`, 16 of
/// them, each rounded 30 times: `16 · 27 · 30 u = 1.4e-12`.
const ALONG_WEIGHTS: f64 = 2e-12;

/// `⟨wⱼ, dL/dwⱼ⟩ = γ[j] ε / (v[j] + ε) dL/dγ[j]` for the weights `wⱼ` that make feature j, `X = A W`.
fn along_weights(subject: &Layers, case: &mut Case) -> Verdict {
    let (spec, m) = loop {
        let (spec, m) = drawn(true, case);
        let pixels: usize = spec.input_shape.iter().rev().skip(1).product();
        if m * pixels <= 16 {
            break (spec, m);
        }
    };
    let features = spec.input_shape[spec.input_shape.len() - 1];
    let x_shape = [&[m], &*spec.input_shape].concat();
    let (rows, inputs) = (x_shape.iter().product::<usize>() / features, case.between(1, 4));
    case.describe(format!("{:?}, X {x_shape:?} = A W with {inputs} rows of W", spec.config));
    let a = case.array(&[rows, inputs]).into_dimensionality::<Ix2>()?;
    let w = case.array(&[inputs, features]).into_dimensionality::<Ix2>()? / inputs as f64;
    let x = a.dot(&w).into_shape_with_order(x_shape)?.into_dyn();
    let mut layer = subject.build(&spec, case)?;
    let Passed { dl_dx, .. } = pass(&mut *layer, &x, case)?;
    let dl_dw = a.t().dot(&dl_dx.into_shape_with_order((rows, features))?);
    let (gamma, dl_dgamma) = (parameter(&*layer, "gamma")?, gradient(&*layer, "gamma")?);
    let (x, eps) = (a.dot(&w), spec.config::<BatchNormConfig>().eps);
    for j in 0..features {
        let mean = sum(rows, |i| x[[i, j]]) / rows as f64;
        let variance = sum(rows, |i| (x[[i, j]] - mean).powi(2)) / rows as f64;
        let along = sum(inputs, |k| w[[k, j]] * dl_dw[[k, j]]);
        let expected = gamma[[0, j]] * eps / (variance + eps) * dl_dgamma[[0, j]];
        case.compare_numbers(&format!("⟨w, dL/dw⟩ of feature {j}"), along, expected);
    }
    Ok(())
}

/// At most 64 rows.
fn drawn(scale: bool, case: &mut Case) -> (Spec, usize) {
    loop {
        let (spec, m) = (ROOM.draw)(case);
        let pixels: usize = spec.input_shape.iter().rev().skip(1).product();
        if m * pixels <= 64 {
            return (with_scale(&spec, scale), m);
        }
    }
}

const Y: Formula = ("Y", |pass| Ok(rows(pass).y()));
const DL_DX: Formula = ("dL/dX", |pass| Ok(rows(pass).dl_dx()));
const DL_DGAMMA: Formula = ("dL/dgamma", |pass| Ok(as_row(rows(pass).dl_dgamma())));
const DL_DBETA: Formula = ("dL/dbeta", |pass| Ok(as_row(rows(pass).dl_dbeta())));

/// `r' = (1 - α) r + α s`, for the mean from 0.
const MEAN: Formula = ("running_mean", |pass| {
    let alpha = pass.spec.config::<BatchNormConfig>().momentum;
    Ok(as_row(rows(pass).mean.mapv(|s| alpha * s)))
});

/// For the variance from 1.
const VARIANCE: Formula = ("running_variance", |pass| {
    let alpha = pass.spec.config::<BatchNormConfig>().momentum;
    Ok(as_row(rows(pass).variance.mapv(|s| (1.0 - alpha) + alpha * s)))
});

/// `Y[i, j] = γ[j] (X[i, j] - r[j]) / √(w[j] + ε) + β[j]`, r and w the running statistics.
const PREDICTED: Formula = ("Y of predict", |pass| Ok(rows(pass).predicted(&pass.buffers)));

fn rows(pass: &Operands) -> Rows {
    let features = pass.x.shape()[pass.x.ndim() - 1];
    let eps = pass.spec.config::<BatchNormConfig>().eps;
    Rows::new(&pass.x, &pass.dl_dy, features, &pass.parameters, eps)
}

fn as_row(row: Array1<f64>) -> ArrayD<f64> {
    row.insert_axis(Axis(0)).into_dyn()
}

/// A mini-batch with a row for each example or pixel and a column for each feature, and its statistics.
pub(super) struct Rows {
    shape: Vec<usize>,
    x: Array2<f64>,
    /// `dL/dZ`.
    pub(super) g: Array2<f64>,
    pub(super) mean: Array1<f64>,
    pub(super) variance: Array1<f64>,
    eps: f64,
    pub(super) x_hat: Array2<f64>,
    /// `γ[j] / √(v[j] + ε)`, where γ is 1 if there is no scale.
    pub(super) factor: Array1<f64>,
    gamma: Vec<f64>,
    beta: Vec<f64>,
}

impl Rows {
    /// There may be more features than γ and β have; they are repeated then.
    pub(super) fn new(
        x: &ArrayD<f64>,
        g: &ArrayD<f64>,
        features: usize,
        parameters: &Parameters<f64>,
        eps: f64,
    ) -> Self {
        let shape = x.shape().to_vec();
        let [x, g] = [x, g].map(|array| {
            let rows = array.to_shape((array.len() / features, features));
            rows.expect("features are the last axes").into_owned()
        });
        let (n, n_out) = (x.nrows(), parameters["beta"].len());
        let mean = array_of(features, |j| sum(n, |i| x[[i, j]]) / n as f64);
        let variance = array_of(features, |j| sum(n, |i| (x[[i, j]] - mean[j]).powi(2)) / n as f64);
        let deviation = variance.mapv(|v| (v + eps).sqrt());
        let x_hat = array_of(x.dim(), |(i, j)| (x[[i, j]] - mean[j]) / deviation[j]);
        let [gamma, beta] = [("gamma", 1.0), ("beta", 0.0)].map(|(name, otherwise)| {
            let row = parameters.row_or(name, n_out, otherwise);
            row.iter().copied().cycle().take(features).collect::<Vec<_>>()
        });
        let factor = array_of(features, |j| gamma[j] / deviation[j]);
        Self { shape, x, g, mean, variance, eps, x_hat, factor, gamma, beta }
    }

    /// An array like X of these elements.
    pub(super) fn stacked(&self, element: impl Fn(usize, usize) -> f64) -> ArrayD<f64> {
        let rows = array_of(self.x.dim(), |(i, j)| element(i, j));
        rows.into_shape_with_order(&*self.shape).expect("as many elements as X has")
    }

    /// `Z[i, j] = γ[j] (X[i, j] - μ[j]) / √(v[j] + ε) + β[j]`.
    pub(super) fn y(&self) -> ArrayD<f64> {
        self.stacked(|i, j| self.gamma[j] * self.x_hat[[i, j]] + self.beta[j])
    }

    /// `dL/dX[i, j] = γ[j]/√(v[j] + ε) (G[i, j] - 1/N Σₖ G[k, j] - X̂[i, j]/N Σₖ G[k, j] X̂[k, j])`.
    pub(super) fn dl_dx(&self) -> ArrayD<f64> {
        let n = self.g.nrows() as f64;
        let (sums, along) = (self.dl_dbeta(), self.dl_dgamma());
        self.stacked(|i, j| {
            let inner = self.g[[i, j]] - sums[j] / n - self.x_hat[[i, j]] / n * along[j];
            self.factor[j] * inner
        })
    }

    /// `dL/dγ[j] = Σᵢ G[i, j] X̂[i, j]`.
    pub(super) fn dl_dgamma(&self) -> Array1<f64> {
        let (n, features) = self.g.dim();
        array_of(features, |j| sum(n, |i| self.g[[i, j]] * self.x_hat[[i, j]]))
    }

    /// `dL/dβ[j] = Σᵢ G[i, j]`.
    pub(super) fn dl_dbeta(&self) -> Array1<f64> {
        let (n, features) = self.g.dim();
        array_of(features, |j| sum(n, |i| self.g[[i, j]]))
    }

    /// The forward formula with the running statistics for μ and v.
    pub(super) fn predicted(&self, buffers: &Parameters<f64>) -> ArrayD<f64> {
        let (mean, variance) = (&buffers["running_mean"], &buffers["running_variance"]);
        self.stacked(|i, j| {
            let x_hat = (self.x[[i, j]] - mean[[0, j]]) / (variance[[0, j]] + self.eps).sqrt();
            self.gamma[j] * x_hat + self.beta[j]
        })
    }
}
