//! Layers of a program.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use layers::{Layer, LayerError, LayerState, Parameters};
use ndarray::{ArrayD, IxDyn};
use numerics::Scalar;
use serde_json::json;
use subject::{Array, Message, SubjectError};

use super::program::{Program, Shared, array, ask, of_shape, remark, sent, stop};
use crate::layer::{Built, Spec};

/// A layer of a program. The harness keeps its parameters too, and sends them where they changed.
#[derive(Debug)]
struct ProgramLayer<T> {
    process: Shared,
    /// The number by which the program knows it.
    handle: u64,
    state: LayerState<T>,
    /// The shape that each parameter has in the program.
    shapes: Vec<Vec<usize>>,
    /// Whether the program has these parameters.
    known: AtomicBool,
}

/// Layers of a process that can be alive at once: the next one replaces the oldest.
const HANDLES: u64 = 64;

static BUILT: AtomicU64 = AtomicU64::new(0);

/// The number of a new layer or network.
pub(super) fn handle() -> u64 {
    BUILT.fetch_add(1, Ordering::Relaxed) % HANDLES
}

/// The layer that the program builds for a specification; `real` is our own, which knows what parameters there
/// have to be.
pub(crate) fn build<T: Scalar>(program: &Program, spec: &Spec, real: Built<T>) -> Built<T> {
    let real = real?;
    let mut state = real.state().clone();
    let (process, class) = (program.process(), spec.room.name);
    let handle = handle();
    let mut reply = ask(
        &process,
        Message::new(json!({
            "op": "layer.build",
            "layer": handle,
            "class": class,
            "config": spec.config.fields(),
            "input_shape": spec.input_shape,
        })),
    );
    let mut shapes = Vec::new();
    for (name, parameter) in real.parameters().iter() {
        let Some(own) = reply.take(name) else {
            stop(SubjectError::Refused(format!(
                "layer.build of {class} gives no parameter {name}"
            )));
        };
        shapes.push(own.shape().to_vec());
        let own =
            fitted(&process, own, name, parameter.shape()).unwrap_or_else(|error| stop(error));
        state = state.with(name, own);
    }
    if let Some((name, _)) = reply.arrays.first() {
        let what = format!("{class} has a parameter {name}, which it is declared without");
        stop(SubjectError::Refused(what));
    }
    let known = AtomicBool::new(true);
    Ok(Box::new(ProgramLayer { process, handle, state, shapes, known }))
}

/// A parameter or its gradient in the shape `(1, n)`, for which the course takes `(n,)` as well.
fn fitted<T: Scalar>(
    process: &Shared,
    got: Array,
    what: &str,
    expected: &[usize],
) -> Result<ArrayD<T>, SubjectError> {
    if let (&[1, n], &[own]) = (expected, got.shape())
        && own == n
    {
        let what = what.split(' ').map(|word| word.rsplit('.').next().unwrap_or(word));
        let what = what.collect::<Vec<_>>().join(" ");
        process.convention(format!("{what} has shape (n,), which stands for (1, n)"));
    } else if got.shape() != expected {
        return Err(SubjectError::Refused(of_shape(what, got.shape(), expected)));
    }
    let got = got.into_double().mapv_into_any(T::of);
    Ok(got.into_shape_with_order(IxDyn(expected)).expect("it has as many elements"))
}

/// The gradient of a parameter; NaN, and remarked upon, if it is missing or of another shape.
pub(super) fn fitted_or_nan<T: Scalar>(
    process: &Shared,
    got: Option<Array>,
    name: &str,
    parameter: &ArrayD<T>,
) -> ArrayD<T> {
    let got = match got {
        Some(got) => fitted(process, got, &format!("the gradient of {name}"), parameter.shape()),
        None => Err(SubjectError::Refused(format!("backward stores no gradient of {name}"))),
    };
    got.unwrap_or_else(|error| {
        remark(error.to_string());
        parameter.mapv(|_| T::nan())
    })
}

impl<T: Scalar> ProgramLayer<T> {
    fn ask(&self, op: &str, name: &str, value: &ArrayD<T>) -> Message {
        let request = Message::new(json!({ "op": op, "layer": self.handle, "class": self.kind() }));
        let mut request = request.with(name, sent(value));
        if op != "layer.backward" && !self.known.swap(true, Ordering::Relaxed) {
            for ((name, value), shape) in self.parameters().iter().zip(&self.shapes) {
                let value = value.to_shape(IxDyn(shape)).expect("it has as many elements");
                request = request.with(name, sent(&value.into_owned()));
            }
        }
        let reply = ask(&self.process, request);
        let changed =
            reply.texts("changed").into_iter().find(|n| self.parameters().get(n).is_some());
        if let Some(name) = changed {
            stop(SubjectError::Refused(format!(
                "{op} of {} changes the parameter {name}",
                self.kind()
            )));
        }
        reply
    }
}

impl<T: Scalar> Layer<T> for ProgramLayer<T> {
    fn state(&self) -> &LayerState<T> {
        &self.state
    }

    fn state_mut(&mut self) -> &mut LayerState<T> {
        self.known = AtomicBool::new(false);
        &mut self.state
    }

    fn forward(&mut self, x: ArrayD<T>) -> Result<ArrayD<T>, LayerError> {
        let shape = [&x.shape()[..1], self.output_shape()].concat();
        Ok(array(&mut self.ask("layer.forward", "X", &x), "Y", Some(&shape)))
    }

    fn backward(&mut self, dl_dy: ArrayD<T>) -> Result<ArrayD<T>, LayerError> {
        let shape = [&dl_dy.shape()[..1], self.input_shape()].concat();
        let mut reply = self.ask("layer.backward", "dY", &dl_dy);
        let mut gradients = Vec::new();
        for (name, parameter) in self.parameters().iter() {
            gradients.push((name, fitted_or_nan(&self.process, reply.take(name), name, parameter)));
        }
        self.state.set_gradients(Parameters::new(gradients))?;
        // Checks of other results go on.
        match reply.take("dX") {
            Some(dl_dx) if dl_dx.shape() != shape => {
                remark(of_shape("dX", dl_dx.shape(), &shape));
                Ok(ArrayD::from_elem(shape, T::nan()))
            }
            Some(dl_dx) => Ok(dl_dx.into_double().mapv_into_any(T::of)),
            None => Ok(array(&mut reply, "dX", None)),
        }
    }

    fn predict(&self, x: &ArrayD<T>) -> Result<ArrayD<T>, LayerError> {
        let shape = [&x.shape()[..1], self.output_shape()].concat();
        Ok(array(&mut self.ask("layer.predict", "X", x), "Y", Some(&shape)))
    }
}

/// Builds the layers of a program.
pub(crate) fn wide(program: &Arc<Program>) -> crate::layer::Build {
    let program = Arc::clone(program);
    Box::new(move |spec, rng| build(&program, spec, spec.build(rng)))
}
