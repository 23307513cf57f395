//! Wrong activations.

use std::sync::{Arc, Mutex};

use activations::Activation;
use ndarray::{ArrayD, IxDyn};

use super::{Target, calls, in_order_of_memory};
use crate::Check;
use crate::activation::ActivationSubject;
use crate::rooms::activations;

/// The checks of functions that compute something else with an activation.
fn wrong(
    activation: Activation,
    forward: impl Fn(Activation, &ArrayD<f64>) -> ArrayD<f64> + Send + Sync + 'static,
    backward: impl Fn(Activation, &ArrayD<f64>, &ArrayD<f64>) -> ArrayD<f64> + Send + Sync + 'static,
) -> Vec<Check> {
    let room = activations().into_iter().find(|room| room.activation == activation);
    let wrong = ActivationSubject {
        forward: Box::new(move |z| forward(activation, z)),
        backward: Box::new(move |z, dl_dy| Ok(backward(activation, z, dl_dy))),
    };
    room.expect("every activation has a room").checks_of(Arc::new(wrong))
}

/// What the real one gives, and zeros where that refuses.
fn backward(activation: Activation, z: &ArrayD<f64>, dl_dy: &ArrayD<f64>) -> ArrayD<f64> {
    activation.backward(z, dl_dy).unwrap_or_else(|_| ArrayD::zeros(z.raw_dim()))
}

/// The checks of all activations with one result off by a little.
pub(super) fn off(target: Target) -> Vec<Vec<Check>> {
    let forward =
        move |a: Activation, z: &ArrayD<f64>| target.tamper(Target::Forward, a.forward(z));
    let backward = move |a: Activation, z: &ArrayD<f64>, dl_dy: &ArrayD<f64>| {
        target.tamper(Target::Backward, backward(a, z, dl_dy))
    };
    Activation::ALL.map(|activation| wrong(activation, forward, backward)).into()
}

/// The checks of activations that break what activations promise.
pub(super) fn all() -> Vec<Vec<Check>> {
    use Activation::{GELU, Linear, ReLU, Sigmoid, SoftMax, TanH};
    type Forward = fn(Activation, &ArrayD<f64>) -> ArrayD<f64>;
    type Backward = fn(Activation, &ArrayD<f64>, &ArrayD<f64>) -> ArrayD<f64>;
    let forwards: [(Activation, Forward); 11] = [
        (Linear, |_, z| z + calls()),
        // Forgets the shape, and accepts any gradient, as all of these do.
        (Linear, |_, z| z.flatten().into_owned().into_dyn()),
        (Linear, |_, z| z * 2.0),
        (Linear, |_, z| in_order_of_memory(z)),
        // Subtracts the running sum, so that examples and elements see those before them.
        (Sigmoid, |a, z| {
            let mut sum = 0.0;
            a.forward(&z.mapv(|z| {
                sum += z;
                z - sum
            }))
        }),
        (TanH, |a, z| a.forward(z) + 0.1),
        (Sigmoid, |a, z| a.forward(z) * 0.9),
        (ReLU, |_, z| -z),
        (GELU, |a, z| a.forward(z) * 1.5),
        // One softmax over everything, as if there were no rows; with the class as a factor.
        (SoftMax, |_, z| z.mapv(f64::exp) / z.mapv(f64::exp).sum()),
        (SoftMax, |a, z| {
            let y = a.forward(z);
            let class = y.ndim() - 1;
            &y * &ArrayD::from_shape_fn(y.raw_dim(), |at| 1.0 + at[class] as f64)
        }),
    ];
    let backwards: [(Activation, Backward); 4] = [
        (TanH, |_, _, dl_dy| dl_dy.mapv(|g| g * g)),
        // Cancels in the right tail.
        (Sigmoid, |a, z, dl_dy| dl_dy * &a.forward(z) * (1.0 - a.forward(z))),
        (ReLU, |_, z, dl_dy| dl_dy * &z.mapv(|z| if z > 0.0 { 1.0 } else { 0.01 })),
        // The dot product without its factor y: no longer a symmetric Jacobian.
        (SoftMax, |a, z, dl_dy| {
            let y = a.forward(z);
            let mean = (dl_dy * &y).sum() / y.len().max(1) as f64;
            dl_dy * &y - mean * &a.forward(&ArrayD::zeros(IxDyn(z.shape()))) * y.len() as f64
        }),
    ];
    let forwards = forwards.into_iter().map(|(a, forward)| wrong(a, forward, backward));
    let right: Forward = |a, z| a.forward(z);
    let backwards = backwards.into_iter().map(|(a, backward)| wrong(a, right, backward));
    // Backward takes the Z of the last forward pass, if it has the shape.
    let last = Arc::new(Mutex::new(ArrayD::zeros(vec![0])));
    let kept = Arc::clone(&last);
    let keeps = move |a: Activation, z: &ArrayD<f64>| {
        z.clone_into(&mut *kept.lock().unwrap());
        a.forward(z)
    };
    let of_last = move |a, z: &ArrayD<f64>, dl_dy: &ArrayD<f64>| {
        let last = last.lock().unwrap();
        backward(a, if last.shape() == z.shape() { &last } else { z }, dl_dy)
    };
    forwards.chain(backwards).chain([wrong(TanH, keeps, of_last)]).collect()
}
