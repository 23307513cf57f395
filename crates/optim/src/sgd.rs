//! Stochastic gradient descent.

use std::collections::BTreeMap;

use ndarray::{ArrayD, Zip};
use numerics::Scalar;
use serde::{Deserialize, Serialize};

use crate::OptimError;
use crate::error::check;

/// Declares an [`Sgd`]; by default without momentum and without clipping.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SgdConfig {
    /// The share of the last velocity that is kept, in `[0, 1)`.
    #[serde(default)]
    pub momentum: f64,
    /// The largest L2 norm of the gradient of one parameter tensor, above 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clip_norm: Option<f64>,
}

impl SgdConfig {
    /// The optimiser, at rest.
    ///
    /// # Errors
    /// [`OptimError::Hyperparameter`] if a number is out of range.
    pub fn build<T: Scalar>(self) -> Result<Sgd<T>, OptimError> {
        let Self { momentum, clip_norm } = self;
        check("the momentum", "in [0, 1)", momentum, (0.0..1.0).contains(&momentum))?;
        if let Some(norm) = clip_norm {
            let valid = norm.is_finite() && norm > 0.0;
            check("the norm to clip gradients to", "finite and above 0", norm, valid)?;
        }
        Ok(Sgd { config: self, velocities: BTreeMap::new() })
    }
}

/// Gradient descent with momentum μ: `v ← μ v + lr g`, then `p ← p - v`.
///
/// The velocity v of a parameter tensor starts at 0. As in the course, the learning rate is part of
/// v, so that a change of the rate acts on new gradients only; PyTorch has `v ← μ v + g` and
/// `p ← p - lr v`, which is the same while the rate is constant.
///
/// With clipping, a gradient whose L2 norm exceeds the bound c is scaled to norm c first: each
/// parameter tensor on its own, as in the course, not all of them as one vector.
///
/// Question 5.
#[derive(Clone, Debug, PartialEq)]
pub struct Sgd<T> {
    config: SgdConfig,
    velocities: BTreeMap<String, ArrayD<T>>,
}

impl<T: Scalar> Sgd<T> {
    /// One step for the parameter tensor of this name.
    ///
    /// `lr` is what a schedule says; an exponential one may have decayed to 0.
    ///
    /// # Errors
    /// [`OptimError::Shape`] if the shapes of `parameter`, `gradient` and the velocity of this name
    /// differ, [`OptimError::Hyperparameter`] if `lr` is negative or not finite. Nothing is changed
    /// then.
    // ANCHOR: step
    pub fn update(
        &mut self,
        name: &str,
        parameter: &mut ArrayD<T>,
        gradient: &ArrayD<T>,
        lr: f64,
    ) -> Result<(), OptimError> {
        check("the learning rate", "finite and at least 0", lr, lr.is_finite() && lr >= 0.0)?;
        check_shape("the gradient", name, parameter, gradient)?;
        let scale = T::of(lr * self.clipping(gradient));
        let momentum = T::of(self.config.momentum);
        let v = self.velocity_mut(name, parameter)?;
        Zip::from(parameter).and(v).and(gradient).for_each(|p, v, &g| {
            *v = momentum * *v + scale * g;
            *p -= *v;
        });
        Ok(())
    }
    // ANCHOR_END: step

    /// The hyperparameters.
    #[must_use]
    pub fn config(&self) -> SgdConfig {
        self.config
    }

    /// The velocities by the name of their parameter: with the step number, all the state there is.
    pub fn velocities(&self) -> impl Iterator<Item = (&str, &ArrayD<T>)> {
        self.velocities.iter().map(|(name, v)| (name.as_str(), v))
    }

    /// Sets a velocity, to continue where another optimiser of the same hyperparameters stopped.
    pub fn set_velocity(&mut self, name: impl Into<String>, velocity: ArrayD<T>) {
        self.velocities.insert(name.into(), velocity);
    }

    // ANCHOR: clip
    /// The factor that brings the norm of `gradient` within the bound, 1 if it is.
    fn clipping(&self, gradient: &ArrayD<T>) -> f64 {
        let Some(bound) = self.config.clip_norm else { return 1.0 };
        let norm = l2_norm(gradient);
        // A norm that is NaN or infinite has no direction to keep: the loss will report it.
        if norm > bound && norm.is_finite() { bound / norm } else { 1.0 }
    }
    // ANCHOR_END: clip

    fn velocity_mut(
        &mut self,
        name: &str,
        parameter: &ArrayD<T>,
    ) -> Result<&mut ArrayD<T>, OptimError> {
        if !self.velocities.contains_key(name) {
            self.velocities.insert(name.to_owned(), ArrayD::zeros(parameter.raw_dim()));
        }
        let v = self.velocities.get_mut(name).expect("it was there or has just been inserted");
        check_shape("the velocity", name, parameter, v)?;
        Ok(v)
    }
}

/// `√Σ g²`, summed in `f64` and relative to the largest element, so that no square overflows.
fn l2_norm<T: Scalar>(gradient: &ArrayD<T>) -> f64 {
    let largest = gradient.iter().fold(0.0_f64, |max, g| max.max(g.as_f64().abs()));
    if largest == 0.0 {
        return 0.0;
    }
    largest * gradient.iter().map(|g| (g.as_f64() / largest).powi(2)).sum::<f64>().sqrt()
}

fn check_shape<T>(
    what: &'static str,
    name: &str,
    parameter: &ArrayD<T>,
    tensor: &ArrayD<T>,
) -> Result<(), OptimError> {
    if tensor.shape() == parameter.shape() {
        return Ok(());
    }
    Err(OptimError::Shape {
        what,
        name: name.to_owned(),
        expected: parameter.shape().to_vec(),
        got: tensor.shape().to_vec(),
    })
}

#[cfg(test)]
mod tests {
    use approx::assert_relative_eq;
    use ndarray::array;

    use super::*;

    fn sgd(momentum: f64, clip_norm: Option<f64>) -> Sgd<f64> {
        SgdConfig { momentum, clip_norm }.build().unwrap()
    }

    #[test]
    fn without_momentum_a_step_goes_down_the_gradient() {
        let mut p = array![[1.0, 2.0]].into_dyn();
        sgd(0.0, None).update("W", &mut p, &array![[4.0, -8.0]].into_dyn(), 0.25).unwrap();
        assert_eq!(p, array![[0.0, 4.0]].into_dyn());
    }

    #[test]
    fn momentum_keeps_the_velocity_with_the_rate_it_was_made_with() {
        let mut sgd = sgd(0.5, None);
        let mut p = array![10.0].into_dyn();
        let g = array![4.0].into_dyn();
        // v = 1 * 4 = 4; then v = 0.5 * 4 + 0.25 * 4 = 3; then v = 0.5 * 3 + 0.25 * 4 = 2.5.
        for (lr, expected) in [(1.0, 6.0), (0.25, 3.0), (0.25, 0.5)] {
            sgd.update("W", &mut p, &g, lr).unwrap();
            assert_eq!(p, array![expected].into_dyn());
        }
        assert_eq!(sgd.velocities().collect::<Vec<_>>(), [("W", &array![2.5].into_dyn())]);
    }

    #[test]
    fn each_name_has_a_velocity_of_its_own() {
        let mut sgd = sgd(0.5, None);
        let (mut w, mut b) = (array![0.0].into_dyn(), array![0.0].into_dyn());
        let one = array![1.0].into_dyn();
        sgd.update("W", &mut w, &one, 1.0).unwrap();
        sgd.update("b", &mut b, &one, 1.0).unwrap();
        assert_eq!((w, b), (array![-1.0].into_dyn(), array![-1.0].into_dyn()));
    }

    #[test]
    fn a_gradient_longer_than_the_bound_is_shortened_to_it() {
        // (3, 4) has norm 5: clipped to 1 it is (0.6, 0.8).
        let mut p = array![0.0, 0.0].into_dyn();
        sgd(0.0, Some(1.0)).update("W", &mut p, &array![3.0, 4.0].into_dyn(), 1.0).unwrap();
        assert_relative_eq!(p, array![-0.6, -0.8].into_dyn(), max_relative = 1e-15);
        let mut p = array![0.0, 0.0].into_dyn();
        sgd(0.0, Some(5.0)).update("W", &mut p, &array![3.0, 4.0].into_dyn(), 1.0).unwrap();
        assert_eq!(p, array![-3.0, -4.0].into_dyn());
    }

    #[test]
    fn clipping_survives_gradients_whose_squares_overflow() {
        let mut p = array![0.0, 0.0].into_dyn();
        sgd(0.0, Some(1.0)).update("W", &mut p, &array![3e200, 4e200].into_dyn(), 1.0).unwrap();
        assert_relative_eq!(p, array![-0.6, -0.8].into_dyn(), max_relative = 1e-15);
    }

    #[test]
    fn a_gradient_that_is_not_finite_is_not_hidden_by_clipping() {
        for bad in [f64::NAN, f64::INFINITY] {
            let mut p = array![0.0, 0.0].into_dyn();
            sgd(0.0, Some(1.0)).update("W", &mut p, &array![bad, 1.0].into_dyn(), 1.0).unwrap();
            assert!(!p[[0]].is_finite());
        }
    }

    #[test]
    fn a_restored_velocity_continues_the_training() {
        let g = array![1.0, -2.0].into_dyn();
        let mut through = sgd(0.9, None);
        let mut p = array![0.5, 0.5].into_dyn();
        through.update("W", &mut p, &g, 0.1).unwrap();

        let mut restored = sgd(0.9, None);
        for (name, v) in through.velocities() {
            restored.set_velocity(name, v.clone());
        }
        let mut p_restored = p.clone();
        through.update("W", &mut p, &g, 0.1).unwrap();
        restored.update("W", &mut p_restored, &g, 0.1).unwrap();
        assert_eq!(p, p_restored);
        assert_eq!(through, restored);
    }

    #[test]
    fn shapes_and_rates_that_do_not_fit_change_nothing() {
        let mut sgd = sgd(0.0, None);
        let mut p = array![1.0, 2.0].into_dyn();
        let error = sgd.update("W", &mut p, &array![1.0].into_dyn(), 0.1).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the gradient of parameter W must have its shape [2], but has [1]"
        );
        for lr in [-0.1, f64::NAN, f64::INFINITY] {
            assert!(sgd.update("W", &mut p, &array![1.0, 1.0].into_dyn(), lr).is_err());
        }
        sgd.set_velocity("W", array![1.0].into_dyn());
        assert!(sgd.update("W", &mut p, &array![1.0, 1.0].into_dyn(), 0.1).is_err());
        assert_eq!(p, array![1.0, 2.0].into_dyn());
    }

    #[test]
    fn hyperparameters_out_of_range_build_nothing() {
        for (momentum, clip_norm) in [
            (1.0, None),
            (-0.1, None),
            (f64::NAN, None),
            (0.0, Some(0.0)),
            (0.0, Some(-1.0)),
            (0.0, Some(f64::NAN)),
            (0.0, Some(f64::INFINITY)),
        ] {
            let result = SgdConfig { momentum, clip_norm }.build::<f32>();
            assert!(matches!(result, Err(OptimError::Hyperparameter { .. })));
        }
    }
}
