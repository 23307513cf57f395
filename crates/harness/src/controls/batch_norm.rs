//! Bugs of batch normalisation.

use std::sync::Arc;

use layers::{Layer, LayerError, LayerState, Parameters};
use ndarray::{ArrayD, Axis};
use numerics::Rng;

use super::Control;
use crate::Kind::{Formula, Gradient, Oracle, Property};
use crate::{Kind, LayerClass, LayerSpec, LayerSubject, Real, Subject};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Bug {
    None,
    ConstantStatistics,
    ConstantVariance,
    PredictsWithTheBatch,
    MomentumSwapped,
    StatisticsOfImages,
    StatisticsNeverMove,
    ActivationForgottenInBackward,
    ScaleKept,
    OffsetLostWithScale,
}

struct BatchNorms(Bug);

impl LayerSubject<f64> for BatchNorms {
    fn build(&self, spec: &LayerSpec, rng: &mut Rng) -> Result<Box<dyn Layer<f64>>, LayerError> {
        // The real layer validates the specification and makes parameters and buffers.
        let real: Box<dyn Layer<f64>> = match self.0 {
            Bug::ScaleKept => Real.build(&spec.clone().with(true), rng)?,
            _ => Real.build(spec, rng)?,
        };
        let &LayerSpec::BatchNorm { eps, momentum, .. } = spec else {
            panic!("a batch-norm subject builds batch normalisations")
        };
        Ok(Box::new(Naive { state: real.state().clone(), eps, momentum, bug: self.0, cache: None }))
    }
}

#[derive(Debug)]
struct Naive {
    state: LayerState<f64>,
    eps: f64,
    momentum: f64,
    bug: Bug,
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
        if self.bug == Bug::StatisticsOfImages { 1 } else { x.ndim() - 1 }
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
        let lost = self.bug == Bug::OffsetLostWithScale && self.parameters().get("gamma").is_none();
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
            Bug::MomentumSwapped => 1.0 - self.momentum,
            Bug::StatisticsNeverMove => 0.0,
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
            Bug::ActivationForgottenInBackward => dl_dy,
            _ => self.activation().backward(z, &dl_dy)?,
        };
        let axes = self.axes(x);
        let x_hat = self.standardised(x);
        let (_, variance) = self.statistics(x);
        let along = &dl_dz * &x_hat;
        let through_mean = mean(&dl_dz, axes);
        let through_variance = &x_hat * &mean(&along, axes);
        let inner = match self.bug {
            Bug::ConstantStatistics => dl_dz.clone(),
            Bug::ConstantVariance => &dl_dz - &through_mean,
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
        let x_hat = if self.bug == Bug::PredictsWithTheBatch {
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

fn subject(bug: Bug) -> Subject<f64> {
    Subject::Layer(LayerClass::BatchNorm, Arc::new(BatchNorms(bug)))
}

pub(super) fn without_bugs() -> Vec<Subject<f64>> {
    vec![subject(Bug::None)]
}

pub(super) fn controls() -> Vec<Control> {
    let control = |id, bug, what, expected: &'static [Kind]| Control {
        id,
        bug: what,
        expected,
        subject: subject(bug),
    };
    vec![
        control(
            "constant-statistics",
            Bug::ConstantStatistics,
            "backward takes mean and variance for constants",
            &[Oracle, Gradient, Formula, Property],
        ),
        control(
            "constant-variance",
            Bug::ConstantVariance,
            "backward follows the mean and takes the variance for a constant",
            &[Oracle, Gradient, Formula],
        ),
        control(
            "predicts-with-the-batch",
            Bug::PredictsWithTheBatch,
            "predict standardises by the batch it is given",
            &[Oracle, Formula, Property],
        ),
        control(
            "momentum-swapped",
            Bug::MomentumSwapped,
            "the running statistics keep the share that the batch should get",
            &[Oracle, Formula, Property],
        ),
        control(
            "statistics-never-move",
            Bug::StatisticsNeverMove,
            "forward leaves the running statistics as they began",
            &[Oracle, Formula, Property],
        ),
        control(
            "statistics-of-pixels",
            Bug::StatisticsOfImages,
            "each pixel of an image has statistics of its own, forward and backward alike",
            &[Oracle, Formula],
        ),
        control(
            "activation-forgotten",
            Bug::ActivationForgottenInBackward,
            "backward passes the gradient by the activation",
            &[Gradient, Property],
        ),
        control(
            "scale-kept",
            Bug::ScaleKept,
            "a layer that is declared without a scale has one",
            &[Formula],
        ),
        control(
            "offset-lost-with-scale",
            Bug::OffsetLostWithScale,
            "without the scale the offset is left out as well",
            &[Gradient, Formula],
        ),
    ]
}
