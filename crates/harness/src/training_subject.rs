//! What is checked of the parts that train a network: the optimiser, schedules, label smoothing.

use losses::{LossError, smooth_labels};
use ndarray::{Array2, ArrayD};
use numerics::Scalar;
use optim::{OptimError, ScheduleConfig, Sgd, SgdConfig, Step};

/// Builds the optimiser under test.
pub trait SgdSubject<T>: Send + Sync {
    /// The optimiser of this configuration, at rest.
    ///
    /// # Errors
    /// As [`SgdConfig::build`].
    fn build(&self, config: SgdConfig) -> Result<Box<dyn Optimiser<T>>, OptimError>;
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
