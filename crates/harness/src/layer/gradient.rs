//! The function that finite differences see: `dL/dX` and the gradient of every parameter.

use layers::{Layer, Parameters};
use ndarray::ArrayD;

use super::{Layers, pass, rewind, set_parameters};
use crate::cases::{Case, Failure};
use crate::finite_difference::{Evaluation, Noise, Problem};

/// A pinned layer with two examples or a random one; inputs and parameters are from `[-2, 2)`.
pub(super) fn problem(subject: &Layers, case: &mut Case) -> Result<Problem, Failure> {
    let (spec, x_shape) = match case.pinned() {
        Some(number) => {
            let spec = (subject.room.pinned)().swap_remove(number);
            let x_shape = [&[2], &*spec.input_shape].concat();
            case.describe(format!("{}, X {x_shape:?}", spec.declared()));
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
    let evaluate = move |values: &[ArrayD<f64>], _: Option<&mut Noise>| {
        let y = output(&mut *layer, &buffers, values);
        let terms = y.iter().zip(&passed.dl_dy).map(|(y, r)| y * r).collect();
        Evaluation { terms, piece: spec.piece(&*layer, &values[0], &y) }
    };
    Ok(Problem { names, values, gradients, cancelled: 0.0, evaluate: Box::new(evaluate) })
}

/// Y for this input and these parameters, from buffers as they were before.
///
/// # Panics
/// If the layer refuses what it took before.
pub(crate) fn output(
    layer: &mut dyn Layer<f64>,
    buffers: &Parameters<f64>,
    values: &[ArrayD<f64>],
) -> ArrayD<f64> {
    let (x, parameters) = values.split_first().expect("X is always there");
    let (own, _) = layer.parameters_and_gradients();
    own.iter_mut().zip(parameters).for_each(|((_, own), value)| own.assign(value));
    rewind(layer, buffers).expect("they are its own");
    // Not predict, in which batch normalisation and dropout are other functions.
    layer.forward(x.clone()).expect("the same shape went through before")
}
