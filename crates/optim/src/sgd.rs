//! Stochastic gradient descent.

use ndarray::ArrayD;
use numerics::{Scalar, for_each_of_three};
use serde::{Deserialize, Serialize};

use crate::OptimError;
use crate::error::{check, check_learning_rate, check_shape};
use crate::norm::l2_norm;
use crate::velocities::{Velocities, velocity_of};

/// Declares an [`Sgd`]; by default plain gradient descent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SgdConfig {
    /// The share of the last velocity that is kept, in `[0, 1)`.
    pub momentum: f64,
    /// Whether the gradients are those of the point where the momentum leads; needs a momentum.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub nesterov: bool,
    /// The factor λ of `λ/2 ‖W‖²`, which is added to the loss for every weight tensor W; at least 0.
    #[serde(skip_serializing_if = "is_zero")]
    pub weight_decay: f64,
    /// The largest L2 norm of the gradient of one parameter tensor, above 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clip_norm: Option<f64>,
}

impl SgdConfig {
    /// The optimiser, at rest.
    ///
    /// # Errors
    /// [`OptimError::Hyperparameter`] if a number is out of range, or if `nesterov` is set without a
    /// momentum.
    pub fn build<T: Scalar>(self) -> Result<Sgd<T>, OptimError> {
        let Self { momentum, nesterov, weight_decay, clip_norm } = self;
        check("the momentum", "in [0, 1)", momentum, (0.0..1.0).contains(&momentum))?;
        check("the momentum of Nesterov's form", "above 0", momentum, !nesterov || momentum > 0.0)?;
        let valid = weight_decay.is_finite() && weight_decay >= 0.0;
        check("the weight decay", "finite and at least 0", weight_decay, valid)?;
        if let Some(norm) = clip_norm {
            let valid = norm.is_finite() && norm > 0.0;
            check("the norm to clip gradients to", "finite and above 0", norm, valid)?;
        }
        Ok(Sgd { config: self, velocities: Velocities::new() })
    }
}

fn is_zero(number: &f64) -> bool {
    *number == 0.0
}

/// A step, apart from its gradient.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Step {
    /// The learning rate, which a schedule gives; an exponential one may have decayed to 0.
    pub lr: f64,
    /// Whether weight decay acts on this parameter: it does on weights, and not on biases or on the
    /// scale and offset of a normalisation.
    pub decays: bool,
}

/// Gradient descent with momentum μ: `v ← μ v + lr g`, then `p ← p - v`.
///
/// The velocity v of a parameter tensor starts at 0. As in the course, the learning rate is part of
/// v, so that a change of the rate acts on new gradients only, unlike in PyTorch. In Nesterov's form the step is
/// `p ← p - (μ v + lr g)` with the new v: p is the point where the momentum leads, and g its gradient there.
///
/// With clipping, a gradient whose L2 norm exceeds the bound c is scaled to norm c: each parameter tensor on its own,
/// as in the course. Then weight decay adds `λ p`, which is not clipped, but has the learning rate and the momentum
/// of any other gradient.
///
/// Questions 5 and 7.
#[derive(Clone, Debug, PartialEq)]
pub struct Sgd<T> {
    config: SgdConfig,
    /// By the name of their parameter: with the step number, all the state there is.
    pub velocities: Velocities<T>,
}

impl<T: Scalar> Sgd<T> {
    /// One step for the parameter tensor of this name.
    ///
    /// # Errors
    /// [`OptimError::Shape`] if the shapes of `parameter`, `gradient` and the velocity of this name
    /// differ, [`OptimError::Hyperparameter`] if the learning rate is negative or not finite. Nothing
    /// is changed then.
    // ANCHOR: step
    pub fn update(
        &mut self,
        name: &str,
        parameter: &mut ArrayD<T>,
        gradient: &ArrayD<T>,
        Step { lr, decays }: Step,
    ) -> Result<(), OptimError> {
        check_learning_rate(lr)?;
        check_shape("the gradient", name, parameter, gradient)?;
        let SgdConfig { momentum, nesterov, weight_decay, .. } = self.config;
        let momentum = T::of(momentum);
        let scale = T::of(lr * self.clipping(gradient));
        let shrink = T::of(if decays { lr * weight_decay } else { 0.0 });
        let v = velocity_of(&mut self.velocities, name, parameter)?;
        for_each_of_three(parameter, v, gradient, |p, v, g| {
            let lr_g = scale * g + shrink * *p;
            *v = momentum * *v + lr_g;
            *p -= if nesterov { momentum * *v + lr_g } else { *v };
        });
        Ok(())
    }
    // ANCHOR_END: step

    // ANCHOR: clip
    /// The factor that brings the norm of `gradient` within the bound, 1 if it is.
    fn clipping(&self, gradient: &ArrayD<T>) -> f64 {
        let Some(bound) = self.config.clip_norm else { return 1.0 };
        let norm = l2_norm(gradient);
        // A norm that is NaN or infinite has no direction to keep: the loss will report it.
        if norm > bound && norm.is_finite() { bound / norm } else { 1.0 }
    }
    // ANCHOR_END: clip
}

#[cfg(test)]
mod tests {
    use approx::assert_relative_eq;
    use ndarray::array;

    use super::*;

    const PLAIN: SgdConfig =
        SgdConfig { momentum: 0.0, nesterov: false, weight_decay: 0.0, clip_norm: None };

    fn weight(lr: f64) -> Step {
        Step { lr, decays: true }
    }

    #[test]
    fn a_gradient_whose_squares_overflow_is_clipped_and_what_is_not_finite_shows() {
        let clipped = |g: [f64; 2]| {
            let (mut p, g) = (array![0.0, 0.0].into_dyn(), ndarray::arr1(&g).into_dyn());
            let mut sgd = SgdConfig { clip_norm: Some(1.0), ..PLAIN }.build().unwrap();
            sgd.update("W", &mut p, &g, weight(1.0)).unwrap();
            p
        };
        let expected = array![-0.6, -0.8].into_dyn();
        assert_relative_eq!(clipped([3e200, 4e200]), expected, max_relative = 1e-15);
        for bad in [f64::NAN, f64::INFINITY] {
            assert!(!clipped([bad, 1.0])[[0]].is_finite());
        }
    }

    #[test]
    fn shapes_and_rates_that_do_not_fit_change_nothing() {
        let mut sgd = PLAIN.build().unwrap();
        let mut p = array![1.0, 2.0].into_dyn();
        let (g, short) = (array![1.0, 1.0].into_dyn(), array![1.0].into_dyn());
        let error = sgd.update("W", &mut p, &short, weight(0.1)).unwrap_err();
        let expected = "the gradient of parameter W must have its shape [2], but has [1]";
        assert_eq!(error.to_string(), expected);
        for lr in [-0.1, f64::NAN, f64::INFINITY] {
            assert!(sgd.update("W", &mut p, &g, weight(lr)).is_err());
        }
        sgd.velocities.insert("W".to_owned(), short);
        assert!(sgd.update("W", &mut p, &g, weight(0.1)).is_err());
        assert_eq!(p, array![1.0, 2.0].into_dyn());
    }

    #[test]
    fn what_is_off_is_not_written() {
        let momentum = SgdConfig { momentum: 0.5, ..PLAIN };
        assert_eq!(toml::to_string(&momentum).unwrap(), "momentum = 0.5\n");
        let all =
            SgdConfig { momentum: 0.5, nesterov: true, weight_decay: 0.25, clip_norm: Some(2.0) };
        for config in [momentum, all] {
            let text = toml::to_string(&config).unwrap();
            assert_eq!(toml::from_str::<SgdConfig>(&text).unwrap(), config);
        }
    }
}
