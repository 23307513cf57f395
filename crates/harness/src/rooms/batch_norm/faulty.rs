//! Batch normalisation into which a bug can be built.

use layers::{BatchNormConfig, Layer, LayerError, LayerState, Parameters};
use ndarray::{ArrayD, Axis};

use super::with_scale;
use crate::layer::Build;

/// Builds layers with a bug, or with none.
pub(super) fn build(bug: &'static str) -> Build {
    Box::new(move |spec, rng| {
        // The real layer validates the specification and makes parameters and buffers.
        let real = match bug {
            "scale-kept" => with_scale(spec, true).build(rng)?,
            _ => spec.build(rng)?,
        };
        let &BatchNormConfig { eps, momentum, .. } = spec.config();
        Ok(Box::new(Naive { state: real.state().clone(), eps, momentum, bug, cache: None }))
    })
}

#[derive(Debug)]
struct Naive {
    state: LayerState<f64>,
    eps: f64,
    momentum: f64,
    bug: &'static str,
    /// X, and Z, to which the activation was applied.
    cache: Option<(ArrayD<f64>, ArrayD<f64>)>,
}

/// The mean over all axes but the last, with axes of length 1 in their place.
fn mean(x: &ArrayD<f64>, axes: usize) -> ArrayD<f64> {
    let mut mean = x.clone();
    for axis in 0..axes {
        let n = mean.len_of(Axis(axis)) as f64;
        mean = mean.sum_axis(Axis(axis)).insert_axis(Axis(axis)) / n;
    }
    mean
}

impl Naive {
    /// How many of the first axes the statistics are taken over.
    fn axes(&self, x: &ArrayD<f64>) -> usize {
        if self.bug == "statistics-of-pixels" { 1 } else { x.ndim() - 1 }
    }

    fn statistics(&self, x: &ArrayD<f64>) -> (ArrayD<f64>, ArrayD<f64>) {
        let mu = mean(x, self.axes(x));
        let variance = mean(&(x - &mu).mapv(|d| d * d), self.axes(x));
        (mu, variance)
    }

    fn standardised(&self, x: &ArrayD<f64>) -> ArrayD<f64> {
        let (mu, variance) = self.statistics(x);
        (x - &mu) / variance.mapv(|v| (v + self.eps).sqrt())
    }

    /// A row of n numbers, shaped to stretch over a batch.
    fn row(&self, row: &ArrayD<f64>) -> ArrayD<f64> {
        row.index_axis(Axis(0), 0).to_owned()
    }

    /// γ, 1 if there is no scale.
    fn gamma(&self) -> ArrayD<f64> {
        let n = self.n_out();
        self.parameters().get("gamma").map_or_else(|| ArrayD::ones(vec![n]), |row| self.row(row))
    }

    /// β.
    fn beta(&self) -> ArrayD<f64> {
        let beta = self.row(&self.parameters()["beta"]);
        let lost = self.bug == "offset-lost-with-scale" && self.parameters().get("gamma").is_none();
        if lost { beta * 0.0 } else { beta }
    }
}

impl Layer<f64> for Naive {
    fn state(&self) -> &LayerState<f64> {
        &self.state
    }

    fn state_mut(&mut self) -> &mut LayerState<f64> {
        &mut self.state
    }

    fn forward(&mut self, x: ArrayD<f64>) -> Result<ArrayD<f64>, LayerError> {
        self.state.check_input(&x)?;
        let z = self.standardised(&x) * self.gamma() + self.beta();
        let y = self.activation().forward(&z);
        let (mu, variance) = self.statistics(&x);
        let axes = x.ndim() - 1;
        let alpha = match self.bug {
            "momentum-swapped" => 1.0 - self.momentum,
            "statistics-never-move" => 0.0,
            _ => self.momentum,
        };
        for (name, batch) in [("running_mean", mu), ("running_variance", variance)] {
            let batch = mean(&batch, axes);
            let running = self.state.buffers_mut().get_mut(name).expect("the real layer has it");
            for (r, &s) in running.iter_mut().zip(&batch) {
                *r = (1.0 - alpha) * *r + alpha * s;
            }
        }
        self.cache = Some((x, z));
        Ok(y)
    }

    fn backward(&mut self, dl_dy: ArrayD<f64>) -> Result<ArrayD<f64>, LayerError> {
        let Some((x, z)) = &self.cache else {
            return Err(LayerError::BackwardBeforeForward { layer: self.kind() });
        };
        self.state.check_gradient(x.shape(), &dl_dy)?;
        let dl_dz = match self.bug {
            "activation-forgotten" => dl_dy,
            _ => self.activation().backward(z, &dl_dy)?,
        };
        let axes = self.axes(x);
        let x_hat = self.standardised(x);
        let (_, variance) = self.statistics(x);
        let along = &dl_dz * &x_hat;
        let through_mean = mean(&dl_dz, axes);
        let through_variance = &x_hat * &mean(&along, axes);
        let inner = match self.bug {
            "constant-statistics" => dl_dz.clone(),
            "constant-variance" => &dl_dz - &through_mean,
            _ => &dl_dz - &through_mean - &through_variance,
        };
        let factor = self.gamma() / variance.mapv(|v| (v + self.eps).sqrt());
        let dl_dx = inner * factor;
        let row = |array: &ArrayD<f64>| {
            let mut sum = array.clone();
            while sum.ndim() > 1 {
                sum = sum.sum_axis(Axis(0));
            }
            sum.insert_axis(Axis(0))
        };
        let gamma = self.parameters().get("gamma").map(|_| ("gamma", row(&along)));
        let gradients = gamma.into_iter().chain([("beta", row(&dl_dz))]);
        self.state.set_gradients(Parameters::new(gradients))?;
        Ok(dl_dx)
    }

    fn predict(&self, x: &ArrayD<f64>) -> Result<ArrayD<f64>, LayerError> {
        self.state.check_input(x)?;
        let x_hat = if self.bug == "predicts-with-the-batch" {
            self.standardised(x)
        } else {
            let deviation =
                self.row(&self.buffers()["running_variance"]).mapv(|v| (v + self.eps).sqrt());
            (x - &self.row(&self.buffers()["running_mean"])) / deviation
        };
        Ok(self.activation().forward(&(x_hat * self.gamma() + self.beta())))
    }

    fn clear_cache(&mut self) {
        self.cache = None;
    }
}
