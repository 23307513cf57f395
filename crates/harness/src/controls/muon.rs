//! Bugs of Muon and of its orthogonalisation.

use std::collections::BTreeMap;
use std::sync::Arc;

use ndarray::{Array2, ArrayD, IxDyn};
use optim::{MuonConfig, OptimError, Step};

use super::Control;
use crate::Kind::{Formula, Oracle, Property};
use crate::{Kind, MuonSubject, Optimiser, Subject};

/// A mistake in the orthogonalisation or in a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum MuonBug {
    None,
    NotNormalised,
    NormedByRows,
    NoEps,
    SwapsCoefficients,
    ReversesCoefficients,
    ForgetsSquare,
    OneStepFewer,
    ReshapesTall,
    OtherMatrix,
    NoNesterov,
    AveragedVelocity,
    RateInVelocity,
    WeightKeepsItsNorm,
    NormOfInputs,
    RescalesAfter,
    AcceptsAnything,
}

impl MuonSubject<f64> for MuonBug {
    fn build(&self, config: MuonConfig) -> Result<Box<dyn Optimiser<f64>>, OptimError> {
        if *self != Self::AcceptsAnything {
            config.build::<f64>()?;
        }
        Ok(Box::new(NaiveMuon { bug: *self, config, velocities: BTreeMap::new() }))
    }

    fn orthogonalise(&self, g: &Array2<f64>, steps: u32) -> Array2<f64> {
        let square = |x: &Array2<f64>| x.iter().map(|x| x * x).sum::<f64>();
        let mut x = match self {
            Self::NotNormalised => g.clone(),
            Self::NormedByRows => {
                let mut x = g.clone();
                for mut row in x.rows_mut() {
                    let norm = row.dot(&row).sqrt() + 1e-7;
                    row /= norm;
                }
                x
            }
            Self::NoEps => g / square(g).sqrt(),
            _ => g / (square(g).sqrt() + 1e-7),
        };
        let tall = x.nrows() > x.ncols();
        if tall {
            x = x.t().as_standard_layout().into_owned();
        }
        let [a, b, c] = match self {
            Self::SwapsCoefficients => [3.4445, 2.0315, -4.7750],
            Self::ReversesCoefficients => [2.0315, -4.7750, 3.4445],
            Self::ForgetsSquare => [3.4445, -4.7750, 0.0],
            _ => [3.4445, -4.7750, 2.0315],
        };
        for _ in 0..steps - u32::from(*self == Self::OneStepFewer) {
            let gram = x.dot(&x.t());
            let inner = &gram * b + gram.dot(&gram) * c;
            x = &x * a + inner.dot(&x);
        }
        if *self == Self::ReshapesTall {
            let numbers = x.iter().copied().collect();
            return Array2::from_shape_vec(g.dim(), numbers).expect("it has as many elements");
        }
        if tall { x.reversed_axes() } else { x }
    }
}

/// Muon in plain products.
struct NaiveMuon {
    bug: MuonBug,
    config: MuonConfig,
    velocities: BTreeMap<String, ArrayD<f64>>,
}

impl Optimiser<f64> for NaiveMuon {
    fn update(
        &mut self,
        name: &str,
        parameter: &mut ArrayD<f64>,
        gradient: &ArrayD<f64>,
        Step { lr, .. }: Step,
    ) -> Result<(), OptimError> {
        let bug = self.bug;
        let MuonConfig { momentum, newton_schulz_steps } = self.config;
        let shape = parameter.shape().to_vec();
        let n_out = *shape.last().unwrap_or(&1);
        let rows = parameter.len() / n_out;
        if rows < 2 && bug != MuonBug::AcceptsAnything {
            return Err(OptimError::NoMatrix { name: name.to_owned(), got: shape });
        }
        let old = self.velocities.get(name).cloned();
        let old = old.unwrap_or_else(|| ArrayD::zeros(IxDyn(&shape)));
        let g = if bug == MuonBug::RateInVelocity { gradient * lr } else { gradient.clone() };
        let v = match bug {
            MuonBug::AveragedVelocity => &old * momentum + &g * (1.0 - momentum),
            _ => &old * momentum + &g,
        };
        let ahead = if bug == MuonBug::NoNesterov { v.clone() } else { &g + &v * momentum };
        self.velocities.insert(name.to_owned(), v);
        let dim = match bug {
            MuonBug::OtherMatrix => (shape[0], parameter.len() / shape[0]),
            _ => (rows, n_out),
        };
        let matrix = Array2::from_shape_vec(dim, ahead.iter().copied().collect());
        let direction =
            bug.orthogonalise(&matrix.expect("as many elements"), newton_schulz_steps.max(1));
        let direction = ArrayD::from_shape_vec(shape, direction.iter().copied().collect());
        let step = direction.expect("as many elements") * lr;
        let target = if bug == MuonBug::NormOfInputs { rows } else { n_out };
        let rescale = |w: &mut ArrayD<f64>| {
            let norm = w.iter().map(|w| w * w).sum::<f64>().sqrt();
            if norm > 0.0 {
                *w *= (target as f64).sqrt() / norm;
            }
        };
        match bug {
            MuonBug::WeightKeepsItsNorm => *parameter -= &step,
            MuonBug::RescalesAfter => {
                *parameter -= &step;
                rescale(parameter);
            }
            _ => {
                rescale(parameter);
                *parameter -= &step;
            }
        }
        Ok(())
    }
}

pub(super) fn without_bugs() -> Vec<Subject<f64>> {
    vec![Subject::Muon(Arc::new(MuonBug::None))]
}

pub(super) fn controls() -> Vec<Control> {
    let control = |id, bug, expected: &'static [Kind], muon: MuonBug| Control {
        id,
        bug,
        expected,
        subject: Subject::Muon(Arc::new(muon)),
    };
    vec![
        control(
            "muon-not-normalised",
            "the gradient is not divided by its norm, so singular values may exceed 1",
            &[Oracle, Formula, Property],
            MuonBug::NotNormalised,
        ),
        control(
            "muon-normed-by-rows",
            "each row is divided by its own norm",
            &[Oracle, Formula, Property],
            MuonBug::NormedByRows,
        ),
        control(
            "muon-no-eps",
            "nothing is added to the norm, so that a gradient 0 becomes NaN",
            &[Property],
            MuonBug::NoEps,
        ),
        control(
            "muon-coefficients-swapped",
            "b and c are exchanged: c A + b A²",
            &[Oracle, Formula, Property],
            MuonBug::SwapsCoefficients,
        ),
        control(
            "muon-coefficients-reversed",
            "the coefficients are taken from the highest power down",
            &[Oracle, Formula, Property],
            MuonBug::ReversesCoefficients,
        ),
        control(
            "muon-cubic",
            "the term of the fifth power is left out",
            &[Oracle, Formula, Property],
            MuonBug::ForgetsSquare,
        ),
        control(
            "muon-step-fewer",
            "there is one Newton-Schulz step fewer than declared",
            &[Oracle, Formula],
            MuonBug::OneStepFewer,
        ),
        control(
            "muon-tall-reshaped",
            "a tall matrix is transposed, and reshaped instead of transposed back",
            &[Oracle, Formula, Property],
            MuonBug::ReshapesTall,
        ),
        control(
            "muon-other-matrix",
            "a kernel is read as (kernel_rows, rest), as it would be in PyTorch's order of axes",
            &[Oracle, Formula],
            MuonBug::OtherMatrix,
        ),
        control(
            "muon-no-nesterov",
            "the step follows v and not g + μ v",
            &[Oracle, Formula],
            MuonBug::NoNesterov,
        ),
        control(
            "muon-averaged-velocity",
            "v ← μ v + (1 - μ) g, whose scale does not matter but for g + μ v",
            &[Oracle, Formula],
            MuonBug::AveragedVelocity,
        ),
        control(
            "muon-rate-in-velocity",
            "the learning rate is inside the velocity, as in SGD: seen only when it changes",
            &[Oracle, Formula],
            MuonBug::RateInVelocity,
        ),
        control(
            "muon-weight-norm",
            "the weight is not rescaled",
            &[Oracle, Formula, Property],
            MuonBug::WeightKeepsItsNorm,
        ),
        control(
            "muon-norm-of-inputs",
            "the weight is rescaled to the root of its rows, not of n_out",
            &[Oracle, Formula, Property],
            MuonBug::NormOfInputs,
        ),
        control(
            "muon-rescaled-after",
            "the weight is rescaled after the step, not before it",
            &[Oracle, Formula],
            MuonBug::RescalesAfter,
        ),
        control(
            "muon-unchecked",
            "biases, a momentum of 1 and no Newton-Schulz step are accepted",
            &[Property],
            MuonBug::AcceptsAnything,
        ),
    ]
}
