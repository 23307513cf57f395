//! Wrong activations.

use std::sync::Arc;

use activations::{Activation, ActivationError};
use ndarray::{ArrayD, IxDyn};

use super::{Target, calls};
use crate::Check;
use crate::activation::ActivationSubject;
use crate::rooms::activations;

type Forward = fn(Activation, &ArrayD<f64>) -> ArrayD<f64>;
type Backward = fn(Activation, &ArrayD<f64>, &ArrayD<f64>) -> ArrayD<f64>;

struct Wrong(Activation, Forward, Backward);

impl ActivationSubject<f64> for Wrong {
    fn forward(&self, z: &ArrayD<f64>) -> ArrayD<f64> {
        (self.1)(self.0, z)
    }

    fn backward(
        &self,
        z: &ArrayD<f64>,
        dl_dy: &ArrayD<f64>,
    ) -> Result<ArrayD<f64>, ActivationError> {
        Ok((self.2)(self.0, z, dl_dy))
    }
}

fn right_forward(activation: Activation, z: &ArrayD<f64>) -> ArrayD<f64> {
    activation.forward(z)
}

/// What the real one gives, and zeros where that refuses.
fn right_backward(activation: Activation, z: &ArrayD<f64>, dl_dy: &ArrayD<f64>) -> ArrayD<f64> {
    activation.backward(z, dl_dy).unwrap_or_else(|_| ArrayD::zeros(z.raw_dim()))
}

fn in_order_of_memory(array: &ArrayD<f64>) -> ArrayD<f64> {
    let elements = array.as_slice_memory_order().map(<[f64]>::to_vec);
    ArrayD::from_shape_vec(array.raw_dim(), elements.unwrap_or_default()).unwrap_or(array.clone())
}

/// The activation with one result off by a little.
struct Off(Activation, Target);

impl ActivationSubject<f64> for Off {
    fn forward(&self, z: &ArrayD<f64>) -> ArrayD<f64> {
        self.1.tamper(Target::Forward, self.0.forward(z))
    }

    fn backward(
        &self,
        z: &ArrayD<f64>,
        dl_dy: &ArrayD<f64>,
    ) -> Result<ArrayD<f64>, ActivationError> {
        Ok(self.1.tamper(Target::Backward, self.0.backward(z, dl_dy)?))
    }
}

/// The checks of this activation made of a wrong one.
fn checks_of(activation: Activation, wrong: Arc<dyn ActivationSubject<f64>>) -> Vec<Check> {
    let room = activations().into_iter().find(|room| room.activation == activation);
    room.expect("every activation has a room").checks_of(wrong)
}

/// The checks of all activations with one result off by a little.
pub(super) fn off(target: Target) -> Vec<Vec<Check>> {
    Activation::ALL.map(|a| checks_of(a, Arc::new(Off(a, target)))).into()
}

/// The checks of activations that break what activations promise.
pub(super) fn all() -> Vec<Vec<Check>> {
    let wrong = |activation, forward, backward| {
        checks_of(activation, Arc::new(Wrong(activation, forward, backward)))
    };
    vec![
        wrong(Activation::Linear, |_, z| z + calls(), right_backward),
        // Forgets the shape; accepts any gradient.
        wrong(Activation::Linear, |_, z| z.flatten().into_owned().into_dyn(), right_backward),
        wrong(Activation::Linear, |_, z| z * 2.0, right_backward),
        wrong(Activation::Linear, |_, z| in_order_of_memory(z), right_backward),
        // Subtracts the running sum, so that examples and elements see those before them.
        wrong(
            Activation::Sigmoid,
            |a, z| {
                let mut sum = 0.0;
                a.forward(&z.mapv(|z| {
                    sum += z;
                    z - sum
                }))
            },
            right_backward,
        ),
        wrong(Activation::TanH, |a, z| a.forward(z) + 0.1, right_backward),
        wrong(Activation::TanH, right_forward, |_, _, dl_dy| dl_dy.mapv(|g| g * g)),
        // Cancels in the right tail.
        wrong(Activation::Sigmoid, right_forward, |a, z, dl_dy| {
            let y = a.forward(z);
            dl_dy * &y * (1.0 - &y)
        }),
        wrong(Activation::Sigmoid, |a, z| a.forward(z) * 0.9, right_backward),
        wrong(Activation::ReLU, |_, z| -z, right_backward),
        wrong(Activation::ReLU, right_forward, |_, z, dl_dy| {
            dl_dy * &z.mapv(|z| if z > 0.0 { 1.0 } else { 0.01 })
        }),
        wrong(Activation::GELU, |a, z| a.forward(z) * 1.5, right_backward),
        // Exponentials that are not normalised, or with the class as a factor.
        wrong(Activation::SoftMax, |_, z| z.mapv(f64::exp), right_backward),
        wrong(
            Activation::SoftMax,
            |a, z| {
                let y = a.forward(z);
                let last = y.ndim() - 1;
                let weight = ArrayD::from_shape_fn(y.raw_dim(), |at| 1.0 + at[last] as f64);
                y * weight
            },
            right_backward,
        ),
        // The dot product without its factor y: no longer a symmetric Jacobian.
        wrong(Activation::SoftMax, right_forward, |a, z, dl_dy| {
            let y = a.forward(z);
            let mean = (dl_dy * &y).sum() / y.len().max(1) as f64;
            dl_dy * &y - mean * &a.forward(&ArrayD::zeros(IxDyn(z.shape()))) * y.len() as f64
        }),
        // One softmax over everything, as if there were no rows.
        wrong(
            Activation::SoftMax,
            |_, z| {
                let exp = z.mapv(f64::exp);
                let sum = exp.sum();
                exp / sum
            },
            right_backward,
        ),
    ]
}
