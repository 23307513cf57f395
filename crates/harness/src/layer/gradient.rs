//! The function that finite differences see: `dL/dX` and the gradient of every parameter.

use layers::{Layer, Parameters};
use ndarray::ArrayD;

use super::{Layers, Spec, pass, rewind, set_parameters};
use crate::cases::{Case, Failure};
use crate::finite_difference::{Evaluation, Problem};

/// A pinned layer with two examples or a random one; inputs and parameters are from `[-2, 2)`.
pub(super) fn problem(subject: &Layers, case: &mut Case) -> Result<Box<dyn Problem>, Failure> {
    let (spec, x_shape) = match case.pinned() {
        Some(number) => {
            let spec = (subject.room.pinned)().swap_remove(number);
            let x_shape = [&[2], &*spec.input_shape].concat();
            case.describe(format!("{:?}, X {x_shape:?}", spec.config));
            (spec, x_shape)
        }
        None => subject.draw_by(subject.room.draw_smooth, case),
    };
    let mut layer = subject.new_layer(&spec, &mut case.rng)?;
    let mut names = vec!["X".to_owned()];
    let mut values = vec![case.array(&x_shape) * 2.0];
    set_parameters(&mut *layer, |name, shape| {
        names.push(name.to_owned());
        values.push(case.array(shape) * 2.0);
        values[values.len() - 1].clone()
    })?;
    let buffers = layer.buffers().clone();
    let passed = pass(&mut *layer, &values[0], case)?;
    let mut gradients = vec![passed.dl_dx];
    gradients.extend(passed.gradients.iter().map(|(_, gradient)| gradient.clone()));
    let upstream = passed.dl_dy;
    Ok(Box::new(LayerProblem { spec, layer, buffers, names, values, gradients, upstream }))
}

struct LayerProblem {
    spec: Spec,
    layer: Box<dyn Layer<f64>>,
    /// As they were before the pass that is differentiated.
    buffers: Parameters<f64>,
    names: Vec<String>,
    values: Vec<ArrayD<f64>>,
    gradients: Vec<ArrayD<f64>>,
    upstream: ArrayD<f64>,
}

impl Problem for LayerProblem {
    fn variables(&self) -> Vec<String> {
        self.names.clone()
    }

    fn value(&mut self, variable: usize) -> &mut ArrayD<f64> {
        &mut self.values[variable]
    }

    fn analytic(&self, variable: usize) -> &ArrayD<f64> {
        &self.gradients[variable]
    }

    fn evaluate(&mut self) -> Evaluation {
        let (x, parameters) = self.values.split_first().expect("X is always there");
        let (own, _) = self.layer.parameters_and_gradients();
        own.iter_mut().zip(parameters).for_each(|((_, own), value)| own.assign(value));
        rewind(&mut *self.layer, &self.buffers).expect("they are its own");
        let y = self.layer.forward(x.clone()).expect("the same shape went through before");
        Evaluation {
            piece: self.spec.piece(&*self.layer, x, &y),
            terms: y.iter().zip(&self.upstream).map(|(y, r)| y * r).collect(),
        }
    }
}
