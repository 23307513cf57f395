//! Muon: momentum, orthogonalised by Newton-Schulz steps.

use ndarray::{ArrayD, ArrayRef2, Ix2};
use numerics::{Scalar, for_each_of_three};
use serde::{Deserialize, Serialize};

use crate::error::{check, check_learning_rate, check_shape};
use crate::norm::l2_norm;
use crate::velocities::{Velocities, velocity_of};
use crate::{OptimError, orthogonalise};

/// Declares a [`Muon`]; by default with the momentum and the steps of airbench94.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MuonConfig {
    /// The share of the last velocity that is kept, in `[0, 1)`.
    pub momentum: f64,
    /// The number of Newton-Schulz steps, at least 1.
    pub newton_schulz_steps: u32,
}

impl Default for MuonConfig {
    fn default() -> Self {
        Self { momentum: 0.6, newton_schulz_steps: 3 }
    }
}

impl MuonConfig {
    /// The optimiser, at rest.
    ///
    /// # Errors
    /// [`OptimError::Hyperparameter`] if a number is out of range.
    pub fn build<T: Scalar>(self) -> Result<Muon<T>, OptimError> {
        let Self { momentum, newton_schulz_steps: steps } = self;
        check("the momentum", "in [0, 1)", momentum, (0.0..1.0).contains(&momentum))?;
        check("the number of Newton-Schulz steps", "at least 1", steps.into(), steps >= 1)?;
        Ok(Muon { config: self, velocities: Velocities::new() })
    }
}

/// Momentum whose step is orthogonalised (Jordan, 2024): every direction in which the gradients of a
/// weight matrix point is followed about equally far.
///
/// With momentum μ, for a weight W and its gradient g, both read as matrices of shape
/// `(rest, n_out)`:
///
/// 1. `W ← W √n_out / ‖W‖`, where `‖W‖ = √Σ w²`;
/// 2. `v ← μ v + g`, where v starts at 0;
/// 3. `W ← W - lr O(g + μ v)`, where O is [`orthogonalise`].
///
/// The learning rate is not part of v, unlike in [`Sgd`](crate::Sgd). The first of the three is done at a rate of 0
/// too, but not with a weight that is 0. NaN is passed on, and the loss will report it.
///
/// # Shapes
/// A parameter has at least two axes, the last of which is n_out: a kernel
/// `(kernel_rows, kernel_cols, n_in, n_out)` is a matrix `(kernel_rows kernel_cols n_in, n_out)`. At
/// least two rows must come of it, so a bias `(1, n_out)` is refused: it belongs to another optimiser.
///
/// Question 7.
#[derive(Clone, Debug, PartialEq)]
pub struct Muon<T> {
    config: MuonConfig,
    /// By the name of their parameter: with the step number, all the state there is.
    pub velocities: Velocities<T>,
}

impl<T: Scalar> Muon<T> {
    /// One step for the parameter tensor of this name.
    ///
    /// # Errors
    /// [`OptimError::NoMatrix`] if the parameter is no matrix, [`OptimError::Shape`] if the shapes of
    /// `parameter`, `gradient` and the velocity of this name differ, [`OptimError::Hyperparameter`] if
    /// the learning rate is negative or not finite. Nothing is changed then.
    // ANCHOR: step
    pub fn update(
        &mut self,
        name: &str,
        parameter: &mut ArrayD<T>,
        gradient: &ArrayD<T>,
        lr: f64,
    ) -> Result<(), OptimError> {
        let shape = matrix_shape(name, parameter.shape())?;
        check_learning_rate(lr)?;
        check_shape("the gradient", name, parameter, gradient)?;
        let MuonConfig { momentum, newton_schulz_steps } = self.config;
        let v = velocity_of(&mut self.velocities, name, parameter)?;
        let mut ahead = ArrayD::zeros(gradient.raw_dim());
        let momentum = T::of(momentum);
        for_each_of_three(v, &mut ahead, gradient, |v, ahead, g| {
            *v = momentum * *v + g;
            *ahead = g + momentum * *v;
        });
        let ahead = ahead.into_shape_with_order(shape).expect("a matrix of as many elements");
        let direction = orthogonalise(ahead.view(), newton_schulz_steps);
        descend(parameter, &direction, lr);
        Ok(())
    }
    // ANCHOR_END: step
}

// ANCHOR: descend
/// `W ← W √n_out / ‖W‖ - lr X`; a weight that is 0 is not rescaled.
fn descend<T: Scalar>(parameter: &mut ArrayD<T>, direction: &ArrayRef2<T>, lr: f64) {
    let norm = l2_norm(parameter);
    let scale = if norm == 0.0 { 1.0 } else { (direction.ncols() as f64).sqrt() / norm };
    let (scale, lr) = (T::of(scale), T::of(lr));
    parameter.iter_mut().zip(direction).for_each(|(w, &x)| *w = scale * *w - lr * x);
}
// ANCHOR_END: descend

/// The shape of a parameter as a matrix: all axes but the last make its rows.
///
/// # Errors
/// [`OptimError::NoMatrix`] unless there are at least two rows.
pub(crate) fn matrix_shape(name: &str, shape: &[usize]) -> Result<Ix2, OptimError> {
    match shape {
        [rest @ .., n_out] if rest.iter().product::<usize>() >= 2 => {
            Ok(Ix2(rest.iter().product(), *n_out))
        }
        _ => Err(OptimError::NoMatrix { name: name.to_owned(), got: shape.to_vec() }),
    }
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    #[test]
    fn shapes_and_rates_that_do_not_fit_change_nothing() {
        let mut muon = MuonConfig::default().build::<f64>().unwrap();
        let g = array![[1.0, 1.0], [2.0, 1.0]].into_dyn();
        let mut p = array![[1.0, 2.0], [3.0, 4.0]].into_dyn();
        let (before, column) = (p.clone(), array![[1.0], [1.0]].into_dyn());
        let error = muon.update("W", &mut p, &column, 0.1).unwrap_err();
        let expected = "the gradient of parameter W must have its shape [2, 2], but has [2, 1]";
        assert_eq!(error.to_string(), expected);
        for lr in [-0.1, f64::NAN, f64::INFINITY] {
            assert!(muon.update("W", &mut p, &g, lr).is_err());
        }
        assert!(muon.velocities.is_empty());
        muon.velocities.insert("W".to_owned(), column);
        assert!(muon.update("W", &mut p, &g, 0.1).is_err());
        assert_eq!(p, before);
    }
}
