//! Wrong layers: the real ones, with a bug in what is around their formulas.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use layers::{Layer, LayerError, LayerState, Parameters};
use ndarray::{ArrayD, Axis, IxDyn};
use numerics::Rng;

use super::Target;
use crate::Check;
use crate::layer::{Build, LayerRoom};
use crate::rooms::{
    batch_norm, conv2d, dropout, flatten, fully_connected, global_average_pool2d, pool2d,
};

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Bug {
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
    /// One result is off by a little.
    Off(Target),
}

/// Builds layers with the bug.
pub(super) fn wrong(bug: Bug) -> Build {
    let built = AtomicU64::new(0);
    Box::new(move |spec, rng| {
        let mut inner = match (spec.build(rng), bug) {
            (Err(_), Bug::AcceptsAnyConfiguration) => flatten::spec(&[1]).build(rng),
            (built, _) => built,
        }?;
        if bug == Bug::DrawsDifferentlyEachTime {
            inner = spec.build(&mut Rng::new(built.fetch_add(1, Ordering::Relaxed)))?;
        }
        if bug == Bug::StartsWithGradients {
            let ones = inner.parameters().iter().map(|(n, p)| (n, ArrayD::ones(p.raw_dim())));
            let ones = Parameters::new(ones.collect::<Vec<_>>());
            inner.state_mut().set_gradients(ones)?;
        }
        let (forwards, predicted) = (0, AtomicBool::new(false));
        Ok(Box::new(WrongLayer { inner, bug, forwards, predicted, m: None }))
    })
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
            Bug::Off(target) => target.tamper(Target::Forward, y),
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
        match bug {
            Bug::LosesGradient => dl_dx *= 0.5,
            Bug::Off(target) => dl_dx = target.tamper(Target::Backward, dl_dx),
            _ => {}
        }
        if bug == Bug::CachesOnPredict && self.predicted.load(Ordering::Relaxed) {
            dl_dx += 1.0;
        }
        let mut gradients = self.gradients().clone();
        for ((_, new), (_, old)) in gradients.iter_mut().zip(old.iter()) {
            match bug {
                Bug::Accumulates => *new += old,
                Bug::DividesGradientByM => *new /= m,
                Bug::Off(target) => *new = target.tamper(Target::Gradients, new.clone()),
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

/// The checks of layers that break what layers promise.
pub(super) fn all() -> Vec<Vec<Check>> {
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
    let of_dropout = [Bug::AddsOne, Bug::HidesNan, Bug::LosesGradient, Bug::MixesExamples];
    let of_flatten = [Bug::ReadsMemoryOrder, Bug::AddsOne, Bug::LosesGradient];
    let rooms: [(&'static LayerRoom, &[Bug]); 7] = [
        (&fully_connected::ROOM, &of_dense),
        (&conv2d::ROOM, &of_images),
        (&pool2d::ROOM, &of_images),
        (&global_average_pool2d::ROOM, &of_images),
        (&batch_norm::ROOM, &of_images),
        (&dropout::ROOM, &of_dropout),
        (&flatten::ROOM, &of_flatten),
    ];
    let of_room = |(room, bugs): (&'static LayerRoom, &[Bug])| {
        bugs.iter().map(|&bug| room.checks_of(wrong(bug))).collect::<Vec<_>>()
    };
    rooms.into_iter().flat_map(of_room).collect()
}
