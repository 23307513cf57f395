//! Wrong layers: the real ones, with a bug in what is around their formulas.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use layers::{Layer, LayerError, LayerState, Parameters};
use ndarray::{ArrayD, Axis, IxDyn};
use numerics::Rng;

use crate::{LayerClass, LayerSpec, LayerSubject, Real, Subject};

#[derive(Clone, Copy, Debug, PartialEq)]
enum Bug {
    PredictsSomethingElse,
    ForgivesMissingForward,
    StartsWithGradients,
    Accumulates,
    ChangesParameters,
    KeepsTheFirstCache,
    CachesOnPredict,
    DrawsDifferentlyEachTime,
    ReadsMemoryOrder,
    CountsExamples,
    DividesGradientByM,
    MixesExamples,
    SquaresUpstream,
    AcceptsAnyInput,
    AcceptsAnyGradient,
    AcceptsAnyConfiguration,
    AcceptsAnyParameter,
    DecaysEverything,
    CountsColumns,
    FlipsTheImage,
    AddsOne,
    RotatesChannels,
    HidesNan,
    LosesGradient,
}

struct Wrong(Bug, AtomicU64);

impl LayerSubject<f64> for Wrong {
    fn build(&self, spec: &LayerSpec, rng: &mut Rng) -> Result<Box<dyn Layer<f64>>, LayerError> {
        let mut inner = match (Real.build(spec, rng), self.0) {
            (Err(_), Bug::AcceptsAnyConfiguration) => {
                Real.build(&LayerSpec::Flatten { input_shape: vec![1] }, rng)
            }
            (built, _) => built,
        }?;
        if self.0 == Bug::DrawsDifferentlyEachTime {
            let again = Rng::new(self.1.fetch_add(1, Ordering::Relaxed));
            inner = Real.build(spec, &mut again.clone())?;
        }
        if self.0 == Bug::StartsWithGradients {
            let ones = inner.parameters().iter().map(|(n, p)| (n, ArrayD::ones(p.raw_dim())));
            let ones = Parameters::new(ones.collect::<Vec<_>>());
            inner.state_mut().set_gradients(ones)?;
        }
        let (forwards, predicted) = (0, AtomicBool::new(false));
        Ok(Box::new(WrongLayer { inner, bug: self.0, forwards, predicted, m: None }))
    }
}

#[derive(Debug)]
struct WrongLayer {
    inner: Box<dyn Layer<f64>>,
    bug: Bug,
    forwards: usize,
    predicted: AtomicBool,
    m: Option<usize>,
}

impl WrongLayer {
    fn output(&self, x: &ArrayD<f64>, y: ArrayD<f64>) -> ArrayD<f64> {
        let axis = Axis(y.ndim() - 1);
        let along = |axis: usize| ArrayD::from_shape_fn(y.raw_dim(), |at| at[axis] as f64);
        match self.bug {
            Bug::CountsExamples => &y + &along(0),
            Bug::CountsColumns if y.ndim() == 4 => &y + &along(2),
            Bug::MixesExamples => &y + x.sum() * 0.1,
            Bug::AddsOne => y + 1.0,
            Bug::HidesNan => y.mapv(|y| if y.is_nan() { 0.0 } else { y }),
            Bug::RotatesChannels => {
                let n = y.len_of(axis);
                let order: Vec<usize> = (0..n).map(|c| (c + 1) % n).collect();
                let factor = ArrayD::from_shape_fn(y.raw_dim(), |at| 1.0 + at[axis.index()] as f64);
                y.select(axis, &order) * factor
            }
            _ => y,
        }
    }

    fn input(&self, mut x: ArrayD<f64>) -> ArrayD<f64> {
        match self.bug {
            Bug::ReadsMemoryOrder => {
                let elements = x.as_slice_memory_order().map(<[f64]>::to_vec);
                let shape = x.raw_dim();
                ArrayD::from_shape_vec(shape, elements.unwrap_or_default()).unwrap_or(x)
            }
            Bug::FlipsTheImage if x.ndim() == 4 => {
                x.invert_axis(Axis(1));
                x.invert_axis(Axis(2));
                x
            }
            _ => x,
        }
    }
}

impl Layer<f64> for WrongLayer {
    fn state(&self) -> &LayerState<f64> {
        self.inner.state()
    }

    fn state_mut(&mut self) -> &mut LayerState<f64> {
        self.inner.state_mut()
    }

    fn forward(&mut self, x: ArrayD<f64>) -> Result<ArrayD<f64>, LayerError> {
        self.forwards += 1;
        self.predicted.store(false, Ordering::Relaxed);
        if self.bug == Bug::AcceptsAnyInput && self.inner.predict(&x).is_err() {
            return Ok(x);
        }
        self.m = Some(x.shape()[0]);
        let x = self.input(x);
        let y = if self.bug == Bug::KeepsTheFirstCache && self.forwards == 3 {
            self.inner.predict(&x)?
        } else {
            self.inner.forward(x.clone())?
        };
        Ok(self.output(&x, y))
    }

    fn backward(&mut self, mut dl_dy: ArrayD<f64>) -> Result<ArrayD<f64>, LayerError> {
        if self.bug == Bug::SquaresUpstream {
            dl_dy.mapv_inplace(|g| g * g);
        }
        let x_shape = [&[dl_dy.shape()[0]], self.inner.input_shape()].concat();
        let old = self.gradients().clone();
        let result = self.inner.backward(dl_dy);
        let (bug, m) = (self.bug, self.m.unwrap_or(1) as f64);
        let mut dl_dx = match (result, bug) {
            (Err(LayerError::BackwardBeforeForward { .. }), Bug::ForgivesMissingForward)
            | (Err(LayerError::Gradient { .. }), Bug::AcceptsAnyGradient) => {
                return Ok(ArrayD::zeros(IxDyn(&x_shape)));
            }
            (result, _) => result?,
        };
        if bug == Bug::LosesGradient {
            dl_dx *= 0.5;
        }
        if bug == Bug::CachesOnPredict && self.predicted.load(Ordering::Relaxed) {
            dl_dx += 1.0;
        }
        let mut gradients = self.gradients().clone();
        for ((_, new), (_, old)) in gradients.iter_mut().zip(old.iter()) {
            match bug {
                Bug::Accumulates => *new += old,
                Bug::DividesGradientByM => *new /= m,
                _ => {}
            }
        }
        self.state_mut().set_gradients(gradients)?;
        if bug == Bug::ChangesParameters {
            let (parameters, _) = self.parameters_and_gradients();
            parameters.iter_mut().for_each(|(_, parameter)| *parameter *= 0.5);
        }
        Ok(dl_dx)
    }

    fn predict(&self, x: &ArrayD<f64>) -> Result<ArrayD<f64>, LayerError> {
        self.predicted.store(true, Ordering::Relaxed);
        let x = self.input(x.clone());
        let y = self.inner.predict(&x)?;
        let off = if self.bug == Bug::PredictsSomethingElse { 1e-12 } else { 0.0 };
        Ok(self.output(&x, y) + off)
    }

    fn clear_cache(&mut self) {
        self.inner.clear_cache();
    }

    fn decaying_parameters(&self) -> Vec<&'static str> {
        if self.bug == Bug::DecaysEverything {
            return self.parameters().names().collect();
        }
        self.inner.decaying_parameters()
    }

    fn set_parameter(&mut self, name: &str, value: &ArrayD<f64>) -> Result<(), LayerError> {
        match (self.inner.set_parameter(name, value), self.bug) {
            (Err(_), Bug::AcceptsAnyParameter) => Ok(()),
            (result, _) => result,
        }
    }
}

pub(super) fn wrong() -> Vec<Subject<f64>> {
    let wrong = |class, bug| Subject::Layer(class, Arc::new(Wrong(bug, AtomicU64::new(0))));
    let of_dense = [
        Bug::PredictsSomethingElse,
        Bug::ForgivesMissingForward,
        Bug::StartsWithGradients,
        Bug::Accumulates,
        Bug::ChangesParameters,
        Bug::KeepsTheFirstCache,
        Bug::CachesOnPredict,
        Bug::DrawsDifferentlyEachTime,
        Bug::ReadsMemoryOrder,
        Bug::CountsExamples,
        Bug::DividesGradientByM,
        Bug::MixesExamples,
        Bug::SquaresUpstream,
        Bug::AcceptsAnyInput,
        Bug::AcceptsAnyGradient,
        Bug::AcceptsAnyConfiguration,
        Bug::AcceptsAnyParameter,
        Bug::DecaysEverything,
    ];
    let of_images = [
        Bug::CountsColumns,
        Bug::FlipsTheImage,
        Bug::AddsOne,
        Bug::RotatesChannels,
        Bug::HidesNan,
        Bug::LosesGradient,
    ];
    let dense = of_dense.map(|bug| wrong(LayerClass::FullyConnected, bug));
    let conv = of_images.map(|bug| wrong(LayerClass::Conv2D, bug));
    let pool = of_images.map(|bug| wrong(LayerClass::Pool2D, bug));
    let global = of_images.map(|bug| wrong(LayerClass::GlobalAveragePool2D, bug));
    let norm = of_images.map(|bug| wrong(LayerClass::BatchNorm, bug));
    let drop = [Bug::AddsOne, Bug::HidesNan, Bug::LosesGradient, Bug::MixesExamples]
        .map(|bug| wrong(LayerClass::Dropout, bug));
    let flat = [Bug::ReadsMemoryOrder, Bug::AddsOne, Bug::LosesGradient]
        .map(|bug| wrong(LayerClass::Flatten, bug));
    dense
        .into_iter()
        .chain(conv)
        .chain(pool)
        .chain(global)
        .chain(norm)
        .chain(drop)
        .chain(flat)
        .collect()
}
