//! Proofs that `backward` is the derivative of `forward`: the same source on [`Dual`] numbers, compared by `==`.
//!
//! Finite differences have a bound and a step; these have neither. Arguments are random numbers with 53 bits, so that a
//! wrong formula is taken for a right one with a probability below 10⁻¹³, whatever it is off by. Each case is about the
//! branch that its arguments take: the side of a kink, the largest logit of a row.

use activations::Activation;
use layers::{batch_norm_backward, fully_connected_backward, fully_connected_forward, reference};
use losses::Loss;
use ndarray::{Array2, ArrayD, IxDyn};
use numerics::Scalar;
use optim::{SgdConfig, Step};

use crate::cases::{Case, Cases, Failure, Verdict, claim};
use crate::dual::Dual;
use crate::{Check, Kind, rooms};

/// Random cases of each proof, so that every branch is met.
const CASES: usize = 20;

/// The proofs of all that is generic down to its arithmetic.
pub(crate) fn checks() -> Vec<Check> {
    let activations = rooms::activations().map(|room| {
        let activation = room.activation;
        proof(room.question, room.name, BACKWARD, move |case| of_activation(activation, case))
    });
    let losses = rooms::losses().map(|room| {
        let loss = room.loss;
        proof("4.4", room.name, BACKWARD, move |case| of_loss(loss, case))
    });
    let mut checks: Vec<_> = activations.into_iter().chain(losses).collect();
    checks.push(proof("7", "BatchNorm", BACKWARD, of_batch_norm));
    checks.push(proof("5", "NeuralNetwork", BACKWARD, of_two_layers));
    checks.push(proof("5", "SGD", "a_step_is_the_formula", of_sgd));
    checks
}

const BACKWARD: &str = "backward_is_the_derivative_of_forward";

fn proof(
    question: &'static str,
    room: &'static str,
    name: &str,
    one: impl Fn(&mut Case) -> Verdict + Send + Sync + 'static,
) -> Check {
    let group = format!("proofs.{room}");
    Cases::new(CASES, 0.0).check(question, Kind::Proof, group, name, Box::new(one)).of(room)
}

fn draw(case: &mut Case, shape: &[usize]) -> ArrayD<Dual> {
    case.array(shape).mapv(|x| Dual::of(4.0 * x))
}

fn matrix(case: &mut Case, shape: [usize; 2]) -> Array2<Dual> {
    let array: Array2<f64> = case.rng.uniform_array(shape, -2.0, 2.0);
    array.mapv(Dual::of)
}

/// Claims that `Σ G ⊙ forward(X)` has the slope `gradient` along each element of X.
fn is_gradient(
    what: &str,
    gradient: &ArrayD<Dual>,
    x: &ArrayD<Dual>,
    upstream: &ArrayD<Dual>,
    forward: impl Fn(ArrayD<Dual>) -> Result<ArrayD<Dual>, Failure>,
) -> Verdict {
    claim(gradient.shape() == x.shape(), || format!("{what} has shape {:?}", gradient.shape()))?;
    for (element, gradient) in gradient.iter().enumerate() {
        let mut x = x.clone();
        let seeded = x.iter_mut().nth(element).expect("the shapes agree");
        *seeded = seeded.seeded();
        let sum: Dual = forward(x)?.iter().zip(upstream).map(|(&y, &g)| y * g).sum();
        claim(sum.slope == gradient.value, || {
            let near = gradient.as_f64();
            format!("element {element} of {what}, {near}, is not the derivative of forward")
        })?;
    }
    Ok(())
}

fn of_activation(activation: Activation, case: &mut Case) -> Verdict {
    let shape = case.shape(2, 3);
    case.describe(format!("Z {shape:?}"));
    let (z, g) = (draw(case, &shape), draw(case, &shape));
    let dl_dz = activation.backward(&z, &g)?;
    is_gradient("dL/dZ", &dl_dz, &z, &g, |z| Ok(activation.forward(&z)))
}

fn of_loss(loss: Loss, case: &mut Case) -> Verdict {
    let (m, k) = (case.between(1, 3), case.between(2, 4));
    case.describe(format!("{m} rows of {k}"));
    let mut target = Array2::<f64>::zeros((m, k));
    for mut row in target.rows_mut() {
        // Multiples of 2⁻¹⁰, so that their sum is 1 and not nearly 1.
        let mut left = 1024;
        for y in row.iter_mut().skip(1) {
            let share = case.rng.below(left + 1);
            (*y, left) = (share as f64 / 1024.0, left - share);
        }
        row[0] = left as f64 / 1024.0;
    }
    let target = target.mapv(Dual::of);
    let output: Array2<f64> = case.rng.uniform_array((m, k), 0.1, 2.0);
    let output = output.mapv(Dual::of);
    let gradient = loss.backward(target.view(), output.view())?.into_dyn();
    let one = ArrayD::from_elem(IxDyn(&[]), Dual::of(1.0));
    is_gradient("dL/dŶ", &gradient, &output.into_dyn(), &one, |output| {
        let output = output.into_dimensionality()?;
        Ok(ndarray::arr0(loss.forward(target.view(), output.view())?).into_dyn())
    })
}

/// The backward pass that users run against the forward pass as it is derived: the one that users run merges the
/// statistics of blocks of rows in `f64`, where nothing else can follow.
fn of_batch_norm(case: &mut Case) -> Verdict {
    let (rows, features) = (case.between(2, 4), case.between(1, 3));
    case.describe(format!("{rows} rows of {features}"));
    let (x, g) = (matrix(case, [rows, features]), matrix(case, [rows, features]));
    let [gamma, beta] = [(); 2].map(|()| matrix(case, [1, features]));
    let eps = Dual::of(1e-5);
    let found = reference::batch_norm_forward(x.view(), gamma.view(), beta.view(), eps);
    let (x_hat, deviation) = (&found.x_hat, found.deviation.view());
    let (gamma_view, beta_view) = (gamma.view(), beta.view());
    let gradients =
        batch_norm_backward(g.clone(), x_hat, deviation, gamma_view, beta_view, |_, dl_dy| dl_dy);
    let g = g.into_dyn();
    let y = |x: &Array2<Dual>, gamma: &Array2<Dual>, beta: &Array2<Dual>| {
        let found = reference::batch_norm_forward(x.view(), gamma.view(), beta.view(), eps);
        Ok(found.y.into_dyn())
    };
    is_gradient("dL/dX", &gradients.dl_dx.into_dyn(), &x.clone().into_dyn(), &g, |x| {
        y(&x.into_dimensionality()?, &gamma, &beta)
    })?;
    let dl_dgamma = gradients.dl_dgamma.into_dyn();
    is_gradient("dL/dγ", &dl_dgamma, &gamma.clone().into_dyn(), &g, |gamma| {
        y(&x, &gamma.into_dimensionality()?, &beta)
    })?;
    let dl_dbeta = gradients.dl_dbeta.into_dyn();
    is_gradient("dL/dβ", &dl_dbeta, &beta.clone().into_dyn(), &g, |beta| {
        y(&x, &gamma, &beta.into_dimensionality()?)
    })
}

/// Two fully-connected layers and the fused loss, by their kernels: the chain rule from the loss to the first weights.
fn of_two_layers(case: &mut Case) -> Verdict {
    let hidden = case.one_of(&Activation::ALL);
    let (m, d, h, k) = (case.between(1, 2), case.between(1, 3), case.between(2, 3), 2);
    case.describe(format!("{m} examples of {d}, {h} {hidden} units"));
    let (x, w1, b1) = (matrix(case, [m, d]), matrix(case, [d, h]), matrix(case, [1, h]));
    let (w2, b2) = (matrix(case, [h, k]), matrix(case, [1, k]));
    let target = Array2::from_shape_fn((m, k), |(_, j)| Dual::of(if j == 0 { 1.0 } else { 0.0 }));
    let loss = Loss::SoftmaxCrossEntropy;
    let z1 = fully_connected_forward(x.view(), w1.view(), b1.view());
    let y1 = hidden.forward(&z1);
    let z2 = fully_connected_forward(y1.view(), w2.view(), b2.view());
    let dl_dz2 = loss.backward(target.view(), z2.view())?;
    let second = fully_connected_backward(y1.view(), w2.view(), dl_dz2.view());
    let dl_dz1 = hidden.backward(&z1, &second.dl_dx)?;
    let first = fully_connected_backward(x.view(), w1.view(), dl_dz1.view());
    let one = ArrayD::from_elem(IxDyn(&[]), Dual::of(1.0));
    is_gradient("dL/dW", &first.dl_dw.into_dyn(), &w1.into_dyn(), &one, |w1| {
        let w1: Array2<Dual> = w1.into_dimensionality()?;
        let y1 = hidden.forward(&fully_connected_forward(x.view(), w1.view(), b1.view()));
        let z2 = fully_connected_forward(y1.view(), w2.view(), b2.view());
        Ok(ndarray::arr0(loss.forward(target.view(), z2.view())?).into_dyn())
    })
}

/// `v ← μ v + η (g + λ p)`, and `p ← p - v` or, in Nesterov's form, `p ← p - (μ v + η (g + λ p))`, for two steps.
fn of_sgd(case: &mut Case) -> Verdict {
    let nesterov = case.one_of(&[false, true]);
    // Powers of 2: η λ is a product in f64.
    let (momentum, weight_decay, lr) = (0.5 * case.rng.uniform() + 0.1, 0.125, 0.25);
    case.describe(format!("momentum {momentum}, Nesterov's form: {nesterov}"));
    let config = SgdConfig { momentum, nesterov, weight_decay, clip_norm: None };
    let (mut sgd, mut p) = (config.build::<Dual>()?, draw(case, &[3]));
    let [mu, lambda, eta] = [momentum, weight_decay, lr].map(Dual::of);
    let (mut expected, mut v) = (p.clone(), ArrayD::from_elem(p.raw_dim(), Dual::of(0.0)));
    for step in 1..=2 {
        let g = draw(case, &[3]);
        sgd.update("W", &mut p, &g, Step { lr, decays: true })?;
        let along = (&g + &(&expected * lambda)) * eta;
        v = v * mu + &along;
        expected = expected - if nesterov { &v * mu + &along } else { v.clone() };
        let same = p.iter().zip(&expected).all(|(p, expected)| p.value == expected.value);
        claim(same, || format!("after step {step} the parameter is {p}, and not {expected}"))?;
    }
    Ok(())
}

pub(crate) mod tests {
    use activations::{ElementWise, GELU};

    use super::*;
    use crate::Context;

    /// An error far below the bound of finite differences, and a kink on the wrong side.
    pub(crate) fn an_error_that_no_bound_sees_is_seen() {
        let judge = |slope: fn(Dual) -> Dual| {
            let one = move |case: &mut Case| {
                let z = draw(case, &[4]);
                let one = z.mapv(|_| Dual::of(1.0));
                is_gradient("dL/dZ", &z.mapv(slope), &z, &one, |z| Ok(z.mapv(GELU::value)))
            };
            proof("7", "GELU", BACKWARD, one).outcome(&Context::default()).passed()
        };
        assert!(judge(|z| GELU::gradient(z, Dual::of(1.0))));
        assert!(!judge(|z| GELU::gradient(z, Dual::of(1.0 + f64::EPSILON))));
        assert!(!judge(|z| GELU::gradient(z, Dual::of(1.0)) + Dual::of(1e-300)));
    }
}
