//! Bugs of dropout.

use std::sync::Arc;

use layers::{Layer, LayerError, LayerState};
use ndarray::{ArrayD, Axis};
use numerics::Rng;

use super::Control;
use crate::Kind::{Adjoint, Formula, Gradient, Oracle, Property};
use crate::{Kind, LayerClass, LayerSpec, LayerSubject, Real, Subject};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Bug {
    None,
    NotScaled,
    BackwardNotScaled,
    FreshMaskInBackward,
    BackwardWithoutMask,
    PredictsWithAMask,
    RateKept,
    SameMaskEveryStep,
    OneMaskForTheBatch,
    StepIsNoBuffer,
}

struct Dropouts(Bug);

impl LayerSubject<f64> for Dropouts {
    fn build(&self, spec: &LayerSpec, rng: &mut Rng) -> Result<Box<dyn Layer<f64>>, LayerError> {
        // The real layer validates the specification and draws the seed.
        let real: Box<dyn Layer<f64>> = Real.build(spec, rng)?;
        let &LayerSpec::Dropout { rate, .. } = spec else {
            panic!("a dropout subject builds dropouts")
        };
        let state = real.state().clone();
        Ok(Box::new(Naive { state, rate, bug: self.0, steps: 0, mask: None }))
    }
}

#[derive(Debug)]
struct Naive {
    state: LayerState<f64>,
    rate: f64,
    bug: Bug,
    /// Where one of the bugs counts its steps.
    steps: u64,
    mask: Option<ArrayD<f64>>,
}

fn number(limbs: &ArrayD<f64>) -> u64 {
    (0..4).map(|k| limbs[k] as u64 * 65_536_u64.pow(k as u32)).sum()
}

impl Naive {
    fn step(&self) -> u64 {
        match self.bug {
            Bug::SameMaskEveryStep => 0,
            Bug::StepIsNoBuffer => self.steps,
            _ => number(&self.buffers()["step"]),
        }
    }

    fn take_step(&mut self) {
        if self.bug == Bug::StepIsNoBuffer {
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

    /// What the elements that are kept are multiplied by.
    fn scale(&self) -> f64 {
        match self.bug {
            Bug::NotScaled => 1.0,
            Bug::RateKept => 1.0 / self.rate,
            _ => 1.0 / (1.0 - self.rate),
        }
    }

    fn mask(&self, shape: &[usize]) -> ArrayD<f64> {
        let dropped = if self.bug == Bug::RateKept { 1.0 - self.rate } else { self.rate };
        let (threshold, scale) = ((dropped * 4_294_967_296.0).floor(), self.scale());
        let mut rng = Rng::with_stream(number(&self.buffers()["seed"]), self.step());
        let mut mask = ArrayD::from_shape_simple_fn(shape, || {
            let mut word = [0];
            rng.fill_words(&mut word);
            if f64::from(word[0]) < threshold { 0.0 } else { scale }
        });
        if self.bug == Bug::OneMaskForTheBatch {
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
            Bug::BackwardNotScaled => dl_dy * mask / self.scale(),
            Bug::BackwardWithoutMask => dl_dy,
            Bug::FreshMaskInBackward => {
                // The step has been taken, so this is the mask of the next one.
                let fresh = self.mask(dl_dy.shape());
                dl_dy * fresh
            }
            _ => dl_dy * mask,
        })
    }

    fn predict(&self, x: &ArrayD<f64>) -> Result<ArrayD<f64>, LayerError> {
        self.state.check_input(x)?;
        Ok(match self.bug {
            Bug::PredictsWithAMask => x * self.mask(x.shape()),
            _ => x.clone(),
        })
    }

    fn clear_cache(&mut self) {
        self.mask = None;
    }
}

fn subject(bug: Bug) -> Subject<f64> {
    Subject::Layer(LayerClass::Dropout, Arc::new(Dropouts(bug)))
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
            "dropout-not-scaled",
            Bug::NotScaled,
            "what is kept is not divided by the probability of keeping it, forward and backward alike",
            &[Oracle, Formula, Property],
        ),
        control(
            "dropout-backward-not-scaled",
            Bug::BackwardNotScaled,
            "backward drops and does not scale",
            &[Oracle, Gradient, Formula, Adjoint, Property],
        ),
        control(
            "dropout-fresh-mask",
            Bug::FreshMaskInBackward,
            "backward draws a mask of its own",
            &[Oracle, Gradient, Formula, Adjoint, Property],
        ),
        control(
            "dropout-no-mask-in-backward",
            Bug::BackwardWithoutMask,
            "backward takes the layer for the identity",
            &[Oracle, Gradient, Formula, Adjoint, Property],
        ),
        control(
            "dropout-in-predict",
            Bug::PredictsWithAMask,
            "predict drops as forward does",
            &[Oracle, Formula, Property],
        ),
        control(
            "dropout-rate-kept",
            Bug::RateKept,
            "the rate is taken for the probability of keeping an element, forward and backward alike",
            &[Oracle, Formula, Property],
        ),
        control(
            "dropout-same-mask-every-step",
            Bug::SameMaskEveryStep,
            "every step has the mask of the first one",
            &[Oracle, Formula, Property],
        ),
        control(
            "dropout-one-mask-for-the-batch",
            Bug::OneMaskForTheBatch,
            "all examples of a mini-batch have the same mask",
            &[Oracle, Formula, Property],
        ),
        control(
            "dropout-step-is-no-buffer",
            Bug::StepIsNoBuffer,
            "the steps are counted outside the buffers, so that a restored layer begins anew",
            &[Oracle, Gradient, Property],
        ),
    ]
}
