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

const OF_DENSE: &str = "predicts-something-else forgives-missing-forward starts-with-gradients accumulates \
    changes-parameters keeps-the-first-cache caches-on-predict draws-differently-each-time \
    reads-memory-order counts-examples divides-gradient-by-m mixes-examples squares-upstream \
    accepts-any-input accepts-any-gradient accepts-any-configuration accepts-any-parameter \
    decays-everything";
const OF_IMAGES: &str =
    "counts-columns flips-the-image adds-one rotates-channels hides-nan loses-gradient";

/// The checks of layers that break what layers promise.
pub(super) fn all() -> Vec<Vec<Check>> {
    let rooms: [(&'static LayerRoom, &str); 7] = [
        (&fully_connected::ROOM, OF_DENSE),
        (&conv2d::ROOM, OF_IMAGES),
        (&pool2d::ROOM, OF_IMAGES),
        (&global_average_pool2d::ROOM, OF_IMAGES),
        (&batch_norm::ROOM, OF_IMAGES),
        (&dropout::ROOM, "adds-one hides-nan loses-gradient mixes-examples"),
        (&flatten::ROOM, "reads-memory-order adds-one loses-gradient"),
    ];
    let of_room = |(room, bugs): (&'static LayerRoom, &'static str)| {
        bugs.split_whitespace().map(|bug| room.checks_of(wrong(bug, None)))
    };
    rooms.into_iter().flat_map(of_room).collect()
}

/// Builds layers with the bug, or with one result off by a little.
pub(super) fn wrong(bug: &'static str, off: Option<Target>) -> Build {
    let built = AtomicU64::new(0);
    Box::new(move |spec, rng| {
        let mut inner = match (spec.build(rng), bug) {
            (Err(_), "accepts-any-configuration") => flatten::spec(&[1]).build(rng),
            (built, _) => built,
        }?;
        if bug == "draws-differently-each-time" {
            inner = spec.build(&mut Rng::new(built.fetch_add(1, Ordering::Relaxed)))?;
        }
        if bug == "starts-with-gradients" {
            let ones = inner.parameters().iter().map(|(n, p)| (n, ArrayD::ones(p.raw_dim())));
            let ones = Parameters::new(ones.collect::<Vec<_>>());
            inner.state_mut().set_gradients(ones)?;
        }
        let (forwards, predicted) = (0, AtomicBool::new(false));
        Ok(Box::new(WrongLayer { inner, bug, off, forwards, predicted, m: 1 }))
    })
}

#[derive(Debug)]
struct WrongLayer {
    inner: Box<dyn Layer<f64>>,
    bug: &'static str,
    off: Option<Target>,
    forwards: usize,
    predicted: AtomicBool,
    /// Examples of the last forward pass.
    m: usize,
}

impl WrongLayer {
    fn tamper(&self, result: Target, array: ArrayD<f64>) -> ArrayD<f64> {
        match self.off {
            Some(target) => target.tamper(result, array),
            None => array,
        }
    }

    fn output(&self, x: &ArrayD<f64>, y: ArrayD<f64>) -> ArrayD<f64> {
        let last = y.ndim() - 1;
        let along = |axis: usize| ArrayD::from_shape_fn(y.raw_dim(), |at| at[axis] as f64);
        match self.bug {
            "counts-examples" => &y + &along(0),
            "counts-columns" if y.ndim() == 4 => &y + &along(2),
            "mixes-examples" => &y + x.sum() * 0.1,
            "adds-one" => y + 1.0,
            "hides-nan" => y.mapv(|y| if y.is_nan() { 0.0 } else { y }),
            "rotates-channels" => {
                let n = y.shape()[last];
                let order: Vec<usize> = (0..n).map(|c| (c + 1) % n).collect();
                y.select(Axis(last), &order) * (along(last) + 1.0)
            }
            _ => self.tamper(Target::Forward, y),
        }
    }

    fn input(&self, mut x: ArrayD<f64>) -> ArrayD<f64> {
        match self.bug {
            "reads-memory-order" => super::in_order_of_memory(&x),
            "flips-the-image" if x.ndim() == 4 => {
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
        if self.bug == "accepts-any-input" && self.inner.predict(&x).is_err() {
            return Ok(x);
        }
        self.m = x.shape()[0];
        let x = self.input(x);
        let y = match self.bug {
            "keeps-the-first-cache" if self.forwards == 3 => self.inner.predict(&x)?,
            _ => self.inner.forward(x.clone())?,
        };
        Ok(self.output(&x, y))
    }

    fn backward(&mut self, mut dl_dy: ArrayD<f64>) -> Result<ArrayD<f64>, LayerError> {
        if self.bug == "squares-upstream" {
            dl_dy.mapv_inplace(|g| g * g);
        }
        let x_shape = [&[dl_dy.shape()[0]], self.inner.input_shape()].concat();
        let old = self.gradients().clone();
        let mut dl_dx = match (self.inner.backward(dl_dy), self.bug) {
            (Err(LayerError::BackwardBeforeForward { .. }), "forgives-missing-forward")
            | (Err(LayerError::Gradient { .. }), "accepts-any-gradient") => {
                return Ok(ArrayD::zeros(IxDyn(&x_shape)));
            }
            (result, _) => result?,
        };
        if self.bug == "loses-gradient" {
            dl_dx *= 0.5;
        }
        if self.bug == "caches-on-predict" && self.predicted.load(Ordering::Relaxed) {
            dl_dx += 1.0;
        }
        let mut gradients = self.gradients().clone();
        for ((_, new), (_, old)) in gradients.iter_mut().zip(old.iter()) {
            match self.bug {
                "accumulates" => *new += old,
                "divides-gradient-by-m" => *new /= self.m as f64,
                _ => *new = self.tamper(Target::Gradients, new.clone()),
            }
        }
        self.state_mut().set_gradients(gradients)?;
        if self.bug == "changes-parameters" {
            let (parameters, _) = self.parameters_and_gradients();
            parameters.iter_mut().for_each(|(_, parameter)| *parameter *= 0.5);
        }
        Ok(self.tamper(Target::Backward, dl_dx))
    }

    fn predict(&self, x: &ArrayD<f64>) -> Result<ArrayD<f64>, LayerError> {
        self.predicted.store(true, Ordering::Relaxed);
        let x = self.input(x.clone());
        let y = self.inner.predict(&x)?;
        let off = if self.bug == "predicts-something-else" { 1e-12 } else { 0.0 };
        Ok(self.output(&x, y) + off)
    }

    fn decaying_parameters(&self) -> Vec<&'static str> {
        if self.bug == "decays-everything" {
            return self.parameters().names().collect();
        }
        self.inner.decaying_parameters()
    }

    fn set_parameter(&mut self, name: &str, value: &ArrayD<f64>) -> Result<(), LayerError> {
        match (self.inner.set_parameter(name, value), self.bug) {
            (Err(_), "accepts-any-parameter") => Ok(()),
            (result, _) => result,
        }
    }
}
