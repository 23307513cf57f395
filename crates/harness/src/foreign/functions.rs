//! Activations, losses and exercises of a program.

use std::sync::Arc;

use losses::LossError;
use ndarray::{Array2, ArrayD, ArrayViewD, Ix0, Ix2};
use numerics::Scalar;
use serde_json::json;
use subject::{Message, SubjectError};

use super::program::{Program, sent, stop};
use crate::activation::ActivationSubject;
use crate::loss::LossSubject;

/// An activation of the program. The derivative of ReLU at 0, where it is another than ours, is replaced by ours,
/// which the checks expect.
pub(crate) fn activation<T: Scalar>(
    program: &Arc<Program>,
    class: &'static str,
) -> Arc<ActivationSubject<T>> {
    let own = unadjusted(program, class);
    let Some(slope) = program.conventions().relu_at_zero.filter(|_| class == "ReLU") else {
        return own;
    };
    let raw = Arc::clone(&own);
    Arc::new(ActivationSubject {
        forward: Box::new(move |z| (own.forward)(z)),
        backward: Box::new(move |z, dl_dy| {
            let mut dl_dz = (raw.backward)(z, dl_dy)?;
            ndarray::Zip::from(&mut dl_dz).and(z).and(dl_dy).for_each(|dl_dz, &z, &dl_dy| {
                if z == T::zero() && *dl_dz == T::of(slope) * dl_dy {
                    *dl_dz = dl_dy;
                }
            });
            Ok(dl_dz)
        }),
    })
}

/// The activation as it is.
pub(super) fn unadjusted<T: Scalar>(
    program: &Arc<Program>,
    class: &'static str,
) -> Arc<ActivationSubject<T>> {
    let (of_forward, of_backward) = (Arc::clone(program), Arc::clone(program));
    Arc::new(ActivationSubject {
        forward: Box::new(move |z| {
            let request = request("activation.forward", class).with("Z", of_class(class, z));
            of_forward.function(request, "Y", z.shape())
        }),
        backward: Box::new(move |z, dl_dy| {
            let request = request("activation.backward", class).with("Z", of_class(class, z));
            Ok(of_backward.function(request.with("dY", sent(dl_dy)), "dZ", z.shape()))
        }),
    })
}

fn request(op: &str, class: &str) -> Message {
    Message::new(json!({ "op": op, "class": class }))
}

/// Z; the course defines softmax for rows of a matrix alone, and nothing for a batch without examples.
fn of_class<T: Scalar>(class: &str, z: &ArrayD<T>) -> subject::Array {
    if z.is_empty() || class == "SoftMax" && z.ndim() != 2 {
        stop(SubjectError::Unsupported(format!(
            "the course defines {class} for the rows of a matrix, not for shape {:?}",
            z.shape()
        )));
    }
    sent(z)
}

/// A loss of the program.
pub(crate) fn loss<T: Scalar>(program: &Arc<Program>, class: &'static str) -> Arc<LossSubject<T>> {
    fn ask<T: Scalar>(
        program: &Program,
        (op, class): (&str, &str),
        target: &Array2<T>,
        output: &Array2<T>,
        (result, shape): (&str, &[usize]),
    ) -> ArrayD<T> {
        let [target, output] = [target, output].map(|array| sent(&array.clone().into_dyn()));
        let request = request(op, class).with("Y", target).with("Y_hat", output);
        program.function(request, result, shape)
    }
    let (of_forward, of_backward) = (Arc::clone(program), Arc::clone(program));
    Arc::new(LossSubject {
        forward: Box::new(move |y, p| -> Result<T, LossError> {
            let loss = ask(&of_forward, ("loss.forward", class), y, p, ("L", &[]));
            Ok(loss.into_dimensionality::<Ix0>().expect("it has no axes").into_scalar())
        }),
        backward: Box::new(move |y, p| {
            let gradient = ask(&of_backward, ("loss.backward", class), y, p, ("dY_hat", p.shape()));
            Ok(gradient.into_dimensionality::<Ix2>().expect("it has the shape of the output"))
        }),
    })
}

/// An exercise of einsum, for operands by name and a result of this shape.
pub(crate) fn einsum(
    program: &Program,
    exercise: &str,
    operands: &[(&str, ArrayViewD<'_, f64>)],
    shape: &[usize],
) -> ArrayD<f64> {
    let request = Message::new(json!({ "op": "einsum", "exercise": exercise }));
    let request = operands
        .iter()
        .fold(request, |request, (name, operand)| request.with(name, operand.to_owned()));
    program.function(request, "R", shape)
}
