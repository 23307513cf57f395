//! Dropout in plain products, with a bug or with none.

use layers::{Layer, LayerError, LayerState};
use ndarray::{ArrayD, Axis};
use numerics::Rng;

use super::{number, rate};
use crate::layer::Build;

pub(super) fn build(bug: &'static str) -> Build {
    Box::new(move |spec, rng| {
        // The real layer validates the specification and draws the seed.
        let state = spec.build(rng)?.state().clone();
        Ok(Box::new(Naive { state, rate: rate(spec), bug, steps: 0, mask: None }))
    })
}

#[derive(Debug)]
struct Naive {
    state: LayerState<f64>,
    rate: f64,
    bug: &'static str,
    /// The steps as one of the bugs counts them.
    steps: u64,
    mask: Option<ArrayD<f64>>,
}

impl Naive {
    fn step(&self) -> u64 {
        match self.bug {
            "dropout-same-mask-every-step" => 0,
            "dropout-step-is-no-buffer" => self.steps,
            _ => number(&self.buffers()["step"]),
        }
    }

    fn take_step(&mut self) {
        if self.bug == "dropout-step-is-no-buffer" {
            self.steps += 1;
            return;
        }
        let limbs = self.state.buffers_mut().get_mut("step").expect("the real layer has it");
        for limb in limbs {
            *limb += 1.0;
            if *limb < 65_536.0 {
                break;
            }
            *limb = 0.0;
        }
    }

    /// The factor of the elements that are kept.
    fn scale(&self) -> f64 {
        match self.bug {
            "dropout-not-scaled" => 1.0,
            "dropout-rate-kept" => 1.0 / self.rate,
            _ => 1.0 / (1.0 - self.rate),
        }
    }

    fn mask(&self, shape: &[usize]) -> ArrayD<f64> {
        let dropped = if self.bug == "dropout-rate-kept" { 1.0 - self.rate } else { self.rate };
        let (threshold, scale) = ((dropped * 4_294_967_296.0).floor(), self.scale());
        let mut rng = Rng::with_stream(number(&self.buffers()["seed"]), self.step());
        let mut mask = ArrayD::from_shape_simple_fn(shape, || {
            let mut word = [0];
            rng.fill_words(&mut word);
            if f64::from(word[0]) < threshold { 0.0 } else { scale }
        });
        if self.bug == "dropout-one-mask-for-the-batch" {
            let first = mask.index_axis(Axis(0), 0).to_owned();
            mask.assign(&first);
        }
        mask
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
        let mask = self.mask(x.shape());
        self.take_step();
        let y = x * &mask;
        self.mask = Some(mask);
        Ok(y)
    }

    fn backward(&mut self, dl_dy: ArrayD<f64>) -> Result<ArrayD<f64>, LayerError> {
        let Some(mask) = &self.mask else {
            return Err(LayerError::BackwardBeforeForward { layer: self.kind() });
        };
        self.state.check_gradient(mask.shape(), &dl_dy)?;
        Ok(match self.bug {
            "dropout-backward-not-scaled" => dl_dy * mask / self.scale(),
            "dropout-no-mask-in-backward" => dl_dy,
            // The step has been taken, so this is the mask of the next one.
            "dropout-fresh-mask" => self.mask(dl_dy.shape()) * dl_dy,
            _ => dl_dy * mask,
        })
    }

    fn predict(&self, x: &ArrayD<f64>) -> Result<ArrayD<f64>, LayerError> {
        self.state.check_input(x)?;
        Ok(match self.bug {
            "dropout-in-predict" => x * self.mask(x.shape()),
            _ => x.clone(),
        })
    }

    fn clear_cache(&mut self) {
        self.mask = None;
    }
}
