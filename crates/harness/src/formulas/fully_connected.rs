//! The fully-connected layer: question 4.2, as einsum strings. i counts examples, j input units, k
//! output units.

use std::sync::Arc;

use activations::Activation;
use layers::Layer;
use ndarray::{ArrayD, IxDyn};

use super::einsum::einsum;
use super::{SUMS, formula};
use crate::cases::{Case, Failure, claim};
use crate::random_layer::{build, gradient, parameter};
use crate::{Check, LayerSpec, LayerSubject};

type Implementation = Arc<dyn LayerSubject<f64>>;

pub(super) fn checks(implementation: &Implementation) -> Vec<Check> {
    let of_z = |name, one: fn(&mut Case, &mut Pass) -> Result<(), Failure>| {
        let implementation = Arc::clone(implementation);
        formula("4.2", name, SUMS, move |case| {
            let mut pass = Pass::draw(implementation.as_ref(), Activation::Linear, case)?;
            one(case, &mut pass)
        })
    };
    vec![
        // Z[n, j] = Σᵢ X[n, i] W[i, j] + b[j].
        of_z("fully-connected-index", |case, pass| {
            let y = pass.layer.forward(pass.x.clone())?;
            let z = ArrayD::from_shape_fn(y.raw_dim(), |at| {
                let (n, j) = (at[0], at[1]);
                let mut sum = 0.0;
                for i in 0..pass.x.shape()[1] {
                    sum += pass.x[[n, i]] * pass.w[[i, j]];
                }
                sum + pass.b[[0, j]]
            });
            case.compare("Z", &y, &z)
        }),
        // Z = X W + b.
        of_z("fully-connected-forward", |case, pass| {
            let y = pass.layer.forward(pass.x.clone())?;
            case.compare("Z", &y, &pass.z()?)
        }),
        // dL/dX = dL/dZ Wᵀ.
        of_z("fully-connected-dx", |case, pass| {
            let (dl_dz, dl_dx) = pass.backward(case)?;
            case.compare("dL/dX", &dl_dx, &einsum("ik,jk->ij", &[&dl_dz, &pass.w])?)
        }),
        // dL/dW = Xᵀ dL/dZ.
        of_z("fully-connected-dw", |case, pass| {
            let (dl_dz, _) = pass.backward(case)?;
            let dl_dw = gradient(&*pass.layer, "W")?;
            case.compare("dL/dW", &dl_dw, &einsum("ij,ik->jk", &[&pass.x, &dl_dz])?)
        }),
        // dL/db = Σᵢ dL/dZ[i], as a row.
        of_z("fully-connected-db", |case, pass| {
            let (dl_dz, _) = pass.backward(case)?;
            let sum = einsum("ik->k", &[&dl_dz])?.insert_axis(ndarray::Axis(0));
            case.compare("dL/db", &gradient(&*pass.layer, "b")?, &sum)
        }),
        composed(implementation),
        without_bias(implementation),
    ]
}

/// `Z = X W`, `dL/dX = dL/dZ Wᵀ` and `dL/dW = Xᵀ dL/dZ`, which is the only gradient.
fn without_bias(implementation: &Implementation) -> Check {
    let implementation = Arc::clone(implementation);
    formula("7", "fully-connected-without-bias", SUMS, move |case| {
        let (m, n_in, n_out) = (case.between(1, 8), case.between(1, 8), case.between(1, 8));
        case.describe(format!("X [{m}, {n_in}], W [{n_in}, {n_out}]"));
        let activation = Activation::Linear;
        let spec = LayerSpec::FullyConnected { n_in, n_out, activation, bias: false };
        let mut layer = build(implementation.as_ref(), &spec, case)?;
        let (x, w) = (case.array(&[m, n_in]), parameter(&*layer, "W")?);
        case.compare("Z", &layer.forward(x.clone())?, &einsum("ij,jk->ik", &[&x, &w])?)?;
        let dl_dz = case.array(&[m, n_out]);
        let dl_dx = layer.backward(dl_dz.clone())?;
        case.compare("dL/dX", &dl_dx, &einsum("ik,jk->ij", &[&dl_dz, &w])?)?;
        let dl_dw = gradient(&*layer, "W")?;
        case.compare("dL/dW", &dl_dw, &einsum("ij,ik->jk", &[&x, &dl_dz])?)?;
        let names: Vec<_> = layer.gradients().names().collect();
        claim(names == ["W"], || format!("gradients of {names:?}"))
    })
}

/// `Y = σ(Z)` and `dL/dZ = dL/dY ⊙ σ'(Z)` around the four formulas, for σ = tanh.
fn composed(implementation: &Implementation) -> Check {
    let implementation = Arc::clone(implementation);
    formula("4.2", "fully-connected-composed", SUMS, move |case| {
        let mut pass = Pass::draw(implementation.as_ref(), Activation::TanH, case)?;
        let y = pass.z()?.mapv(f64::tanh);
        case.compare("Y", &pass.layer.forward(pass.x.clone())?, &y)?;
        let (dl_dy, dl_dx) = pass.backward(case)?;
        let dl_dz = dl_dy * (1.0 - &y * &y);
        case.compare("dL/dX", &dl_dx, &einsum("ik,jk->ij", &[&dl_dz, &pass.w])?)?;
        let dl_dw = gradient(&*pass.layer, "W")?;
        case.compare("dL/dW", &dl_dw, &einsum("ij,ik->jk", &[&pass.x, &dl_dz])?)?;
        let sum = einsum("ik->k", &[&dl_dz])?.insert_axis(ndarray::Axis(0));
        case.compare("dL/db", &gradient(&*pass.layer, "b")?, &sum)
    })
}

/// A layer and a mini-batch.
struct Pass {
    layer: Box<dyn Layer<f64>>,
    x: ArrayD<f64>,
    w: ArrayD<f64>,
    b: ArrayD<f64>,
}

impl Pass {
    fn draw(
        implementation: &dyn LayerSubject<f64>,
        activation: Activation,
        case: &mut Case,
    ) -> Result<Self, Failure> {
        let (m, n_in, n_out) = (case.between(1, 8), case.between(1, 8), case.between(1, 8));
        case.describe(format!("X [{m}, {n_in}], W [{n_in}, {n_out}]"));
        let spec = LayerSpec::FullyConnected { n_in, n_out, activation, bias: true };
        let layer = build(implementation, &spec, case)?;
        let (w, b) = (parameter(&*layer, "W")?, parameter(&*layer, "b")?);
        Ok(Self { layer, x: case.array(&[m, n_in]), w, b })
    }

    fn z(&self) -> Result<ArrayD<f64>, Failure> {
        let ones = ArrayD::ones(IxDyn(&[self.x.shape()[0]]));
        Ok(einsum("ij,jk->ik", &[&self.x, &self.w])? + einsum("i,lk->ik", &[&ones, &self.b])?)
    }

    /// The upstream gradient, and what backward returns for it.
    fn backward(&mut self, case: &mut Case) -> Result<(ArrayD<f64>, ArrayD<f64>), Failure> {
        let y = self.layer.forward(self.x.clone())?;
        let dl_dy = case.array(y.shape());
        let dl_dx = self.layer.backward(dl_dy.clone())?;
        Ok((dl_dy, dl_dx))
    }
}
