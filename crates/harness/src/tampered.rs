//! For the tests of the checks: the real implementations with one result off by a little.

use std::sync::Arc;

use activations::{Activation, ActivationError};
use layers::{Layer, LayerError, LayerState, Parameters};
use losses::{Loss, LossError};
use ndarray::{Array2, ArrayD};
use numerics::Rng;

use crate::{ActivationSubject, LayerClass, LayerSpec, LayerSubject, LossSubject, Real, Subject};

/// Which result is changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    Forward,
    Backward,
    Gradients,
    OutputShape,
}

/// Ten times the largest bound of the checks of formulas.
const LITTLE: f64 = 1e-11;

/// Every implementation with the result `target` off by a little, or with one row too many.
pub(crate) fn all(target: Target) -> Vec<Subject<f64>> {
    let activations =
        Activation::ALL.map(|a| Subject::Activation(a, Arc::new(Tampered { inner: a, target })));
    let layers = LayerClass::ALL
        .map(|class| Subject::Layer(class, Arc::new(Tampered { inner: Real, target })));
    let losses =
        Loss::ALL.map(|loss| Subject::Loss(loss, Arc::new(Tampered { inner: loss, target })));
    activations.into_iter().chain(layers).chain(losses).collect()
}

struct Tampered<I> {
    inner: I,
    target: Target,
}

impl<I> Tampered<I> {
    /// The last element off by a little: the first one may be the only one that is right.
    fn tamper(&self, target: Target, mut array: ArrayD<f64>) -> ArrayD<f64> {
        if target == self.target
            && let Some(last) = array.iter_mut().last()
        {
            *last += LITTLE;
        }
        if self.target == Target::OutputShape && target == Target::Forward {
            array = ndarray::concatenate![ndarray::Axis(1), array, array];
        }
        array
    }
}

impl ActivationSubject<f64> for Tampered<Activation> {
    fn forward(&self, z: &ArrayD<f64>) -> ArrayD<f64> {
        self.tamper(Target::Forward, self.inner.forward(z))
    }

    fn backward(
        &self,
        z: &ArrayD<f64>,
        dl_dy: &ArrayD<f64>,
    ) -> Result<ArrayD<f64>, ActivationError> {
        Ok(self.tamper(Target::Backward, self.inner.backward(z, dl_dy)?))
    }
}

impl LossSubject<f64> for Tampered<Loss> {
    fn forward(&self, target: &Array2<f64>, output: &Array2<f64>) -> Result<f64, LossError> {
        let off = if self.target == Target::Forward { LITTLE } else { 0.0 };
        Ok(self.inner.forward(target.view(), output.view())? + off)
    }

    fn backward(
        &self,
        target: &Array2<f64>,
        output: &Array2<f64>,
    ) -> Result<Array2<f64>, LossError> {
        let gradient = self.inner.backward(target.view(), output.view())?.into_dyn();
        let gradient = self.tamper(Target::Backward, gradient);
        Ok(gradient.into_dimensionality().expect("a matrix stays a matrix"))
    }
}

impl LayerSubject<f64> for Tampered<Real> {
    fn build(&self, spec: &LayerSpec, rng: &mut Rng) -> Result<Box<dyn Layer<f64>>, LayerError> {
        let layer = Real.build(spec, rng)?;
        Ok(Box::new(TamperedLayer(Tampered { inner: layer, target: self.target })))
    }
}

struct TamperedLayer(Tampered<Box<dyn Layer<f64>>>);

impl std::fmt::Debug for TamperedLayer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.inner.fmt(f)
    }
}

impl Layer<f64> for TamperedLayer {
    fn state(&self) -> &LayerState<f64> {
        self.0.inner.state()
    }

    fn state_mut(&mut self) -> &mut LayerState<f64> {
        self.0.inner.state_mut()
    }

    fn forward(&mut self, x: ArrayD<f64>) -> Result<ArrayD<f64>, LayerError> {
        let y = self.0.inner.forward(x)?;
        Ok(self.0.tamper(Target::Forward, y))
    }

    fn backward(&mut self, dl_dy: ArrayD<f64>) -> Result<ArrayD<f64>, LayerError> {
        let dl_dx = self.0.inner.backward(dl_dy)?;
        let arrays = self.gradients().iter().map(|(name, g)| (name, g.clone()));
        let gradients: Vec<_> =
            arrays.map(|(name, g)| (name, self.0.tamper(Target::Gradients, g))).collect();
        self.state_mut().set_gradients(Parameters::new(gradients))?;
        Ok(self.0.tamper(Target::Backward, dl_dx))
    }

    fn predict(&self, x: &ArrayD<f64>) -> Result<ArrayD<f64>, LayerError> {
        Ok(self.0.tamper(Target::Forward, self.0.inner.predict(x)?))
    }

    fn clear_cache(&mut self) {
        self.0.inner.clear_cache();
    }
}

/// The names of the checks that fail on these subjects.
pub(crate) fn caught(
    checks: impl Fn(&Subject<f64>) -> Vec<crate::Check>,
    subjects: Vec<Subject<f64>>,
) -> Vec<String> {
    let failing = |subject| {
        let checks = checks(&subject).into_iter();
        checks.filter(|check| !check.outcome(&context()).passed()).map(|check| check.id())
    };
    subjects.into_iter().flat_map(failing).collect()
}

/// Asserts that every check passes.
pub(crate) fn assert_all_pass(checks: Vec<crate::Check>) {
    assert!(!checks.is_empty());
    for check in checks {
        let outcome = check.outcome(&context());
        assert!(outcome.passed() && outcome.cases > 0, "{}: {}", check.id(), outcome.detail);
    }
}

/// The context of checks that read no files.
pub(crate) fn context() -> crate::Context {
    crate::Context { fixtures: "".into(), course_data: None, seed: 1, case: None }
}
