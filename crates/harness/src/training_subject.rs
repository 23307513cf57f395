//! What is checked of the parts that train a network: the optimisers, schedules, label smoothing.

use losses::{LossError, smooth_labels};
use ndarray::{Array2, ArrayD};
use numerics::Scalar;
use optim::{Muon, MuonConfig, OptimError, ScheduleConfig, Sgd, SgdConfig, Step, orthogonalise};

/// Builds the optimiser under test.
pub trait SgdSubject<T>: Send + Sync {
    /// The optimiser of this configuration, at rest.
    ///
    /// # Errors
    /// As [`SgdConfig::build`].
    fn build(&self, config: SgdConfig) -> Result<Box<dyn Optimiser<T>>, OptimError>;
}

/// Builds Muon under test, and has its orthogonalisation.
pub trait MuonSubject<T>: Send + Sync {
    /// The optimiser of this configuration, at rest. It takes nothing of a [`Step`] but the rate.
    ///
    /// # Errors
    /// As [`MuonConfig::build`].
    fn build(&self, config: MuonConfig) -> Result<Box<dyn Optimiser<T>>, OptimError>;

    /// As [`orthogonalise`].
    fn orthogonalise(&self, g: &Array2<T>, steps: u32) -> Array2<T>;
}

/// An optimiser under test.
pub trait Optimiser<T> {
    /// One step for the parameter of this name.
    ///
    /// # Errors
    /// As [`Sgd::update`].
    fn update(
        &mut self,
        name: &str,
        parameter: &mut ArrayD<T>,
        gradient: &ArrayD<T>,
        step: Step,
    ) -> Result<(), OptimError>;
}

/// A schedule under test.
pub trait ScheduleSubject: Send + Sync {
    /// The learning rate of a step.
    ///
    /// # Errors
    /// As [`ScheduleConfig::build`].
    fn lr(&self, config: ScheduleConfig, step: u64) -> Result<f64, OptimError>;
}

/// Label smoothing under test.
pub trait SmoothingSubject<T>: Send + Sync {
    /// The smoothed target.
    ///
    /// # Errors
    /// As [`smooth_labels`].
    fn smooth(&self, target: &Array2<T>, eps: f64) -> Result<Array2<T>, LossError>;
}

/// What users train with.
#[derive(Clone, Copy, Debug)]
pub struct RealTraining;

impl<T: Scalar> SgdSubject<T> for RealTraining {
    fn build(&self, config: SgdConfig) -> Result<Box<dyn Optimiser<T>>, OptimError> {
        Ok(Box::new(config.build::<T>()?))
    }
}

impl<T: Scalar> Optimiser<T> for Sgd<T> {
    fn update(
        &mut self,
        name: &str,
        parameter: &mut ArrayD<T>,
        gradient: &ArrayD<T>,
        step: Step,
    ) -> Result<(), OptimError> {
        Self::update(self, name, parameter, gradient, step)
    }
}

impl<T: Scalar> MuonSubject<T> for RealTraining {
    fn build(&self, config: MuonConfig) -> Result<Box<dyn Optimiser<T>>, OptimError> {
        Ok(Box::new(config.build::<T>()?))
    }

    fn orthogonalise(&self, g: &Array2<T>, steps: u32) -> Array2<T> {
        orthogonalise(g.view(), steps)
    }
}

impl<T: Scalar> Optimiser<T> for Muon<T> {
    fn update(
        &mut self,
        name: &str,
        parameter: &mut ArrayD<T>,
        gradient: &ArrayD<T>,
        step: Step,
    ) -> Result<(), OptimError> {
        Self::update(self, name, parameter, gradient, step.lr)
    }
}

impl ScheduleSubject for RealTraining {
    fn lr(&self, config: ScheduleConfig, step: u64) -> Result<f64, OptimError> {
        Ok(config.build()?.lr(step))
    }
}

impl<T: Scalar> SmoothingSubject<T> for RealTraining {
    fn smooth(&self, target: &Array2<T>, eps: f64) -> Result<Array2<T>, LossError> {
        smooth_labels(target.view(), eps)
    }
}
