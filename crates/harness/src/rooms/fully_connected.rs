//! The fully-connected layer: question 4.2, as einsum strings. i counts examples, j input units, k output
//! units.

mod init_params;

use std::sync::Arc;

use activations::Activation;
use layers::{
    FullyConnectedConfig, Layer, Parameters, fully_connected_backward, fully_connected_forward,
};
use ndarray::{Array2, ArrayD, Axis, Ix2, IxDyn, array};

use crate::cases::{Case, Failure, Verdict, claim};
use crate::course::Pass;
use crate::layer::naive::{Model, naive};
use crate::layer::window::SUMS;
use crate::layer::{LayerRoom, Layers, Spec, adjoint, errors, gradient, parameter, pass};
use crate::room::{Checks, bugs};
use crate::transcription::einsum;
use crate::worked::Example;
use crate::{Check, Kind};

pub(crate) static ROOM: LayerRoom = LayerRoom {
    kind: "fully_connected",
    declared: |listed| Ok(Arc::new(listed.declaration(&FullyConnectedConfig::new(1))?)),
    course: || {
        [(128, Activation::ReLU), (37, Activation::TanH), (256, Activation::TanH)]
            .map(|(n_out, activation)| Arc::new(config(n_out, activation)) as _)
            .into()
    },
    axes: &[1],
    fixture: Some(("FullyConnected", &[Pass::Forward, Pass::Backward, Pass::Gradients])),
    parameters: |spec| match spec.config::<FullyConnectedConfig>().bias {
        true => &["W", "b"],
        false => &["W"],
    },
    pinned: || vec![spec(4, config(3, Activation::TanH), false)],
    invalid: || [(0, 3), (3, 0)].map(|(n_in, n_out)| relu(n_in, n_out)).into(),
    table: || Activation::ALL.map(|activation| spec(5, config(4, activation), true)).into(),
    curves: || vec![("FullyConnected, tanh", spec(5, config(4, Activation::TanH), true))],
    label: |spec| format!(" {}", spec.config::<FullyConnectedConfig>().activation),
    checks,
    bugs: bugs! {
        "no-bias" [Course Gradient Formula] "forward does not add b"
        "weight-gradient-transposed" [Oracle Gradient Formula Adjoint] "dL/dW is the transpose of what it should be"
        "input-gradient-transposed" [Course Gradient Formula Adjoint] "dL/dX multiplies by W instead of its transpose"
        "bias-gradient-mean" [Oracle Gradient Formula] "dL/db is the mean over the examples, not the sum"
        "bias-gradient-first" [Oracle Gradient Formula] "dL/db looks at the first example only"
        "weight-gradient-sign" [Oracle Gradient Formula Adjoint] "dL/dW has the wrong sign"
        "weight-gradient-mean" [Oracle Gradient Formula Adjoint] "dL/dW is divided by m, although the loss has done so already"
        "gradients-accumulate" [Property] "gradients add up from one backward to the next"
        "activation-forgotten" [Course Gradient Formula] "backward takes dL/dY for dL/dZ"
        "derivative-at-output" [Course Gradient Formula] "backward takes the derivative of the activation at Y instead of Z"
        "cache-overwritten" [Property] "backward writes dL/dZ over the cached Z, so that a second backward differs"
        "predict-linear" [Property] "predict leaves out the activation"
        "backward-first" [Property] "backward without forward returns zeros instead of an error"
        "gradients-left" [Oracle Gradient Formula] "backward returns dL/dX but never fills the gradients"
        "bias-kept" [Formula Property] "a layer that is declared without a bias has one"
        "gradients-left-without-bias" [Gradient Formula] "backward fills the gradients only where there is a bias"
    },
    faulty: |bug| {
        let build = naive(bug, move |_| Naive(bug));
        Box::new(move |declared, rng| match bug {
            "bias-kept" => {
                let config = declared.config::<FullyConnectedConfig>().clone();
                build(&spec(declared.input_shape[0], config, true), rng)
            }
            _ => build(declared, rng),
        })
    },
    examples: &[("fully-connected", worked)],
    ..LayerRoom::new("FullyConnected", "4.2", |case| {
        let (n_in, n_out) = (case.between(1, 6), case.between(1, 6));
        let config = config(n_out, case.one_of(&Activation::ALL));
        (spec(n_in, config, case.between(0, 3) > 0), case.between(1, 4))
    })
};

fn config(n_out: usize, activation: Activation) -> FullyConnectedConfig {
    FullyConnectedConfig { activation, ..FullyConnectedConfig::new(n_out) }
}

/// The layer for so many input units, with or without a bias.
pub(crate) fn spec(n_in: usize, config: FullyConnectedConfig, bias: bool) -> Spec {
    ROOM.spec(FullyConnectedConfig { bias, ..config }, &[n_in])
}

fn relu(n_in: usize, n_out: usize) -> Spec {
    spec(n_in, config(n_out, Activation::ReLU), true)
}

fn checks(own: &mut Checks<Layers>) {
    let (question, layer) = (own.question, Arc::clone(&own.subject));
    let group = "tests.test_layers.TestFullyConnected";
    own.list.push(Check::new(question, Kind::Course, group, "test_init_params", move |context| {
        init_params::outcome(&layer, context.seed)
    }));
    let mut of_z = |name: &str, one: fn(&mut Case, &mut Drawn) -> Verdict| {
        own.formula(name, SUMS, move |subject, case| {
            let mut drawn = Drawn::new(subject, Activation::Linear, true, case)?;
            one(case, &mut drawn)
        });
    };
    // Z[n, j] = Σᵢ X[n, i] W[i, j] + b[j].
    of_z("fully-connected-index", |case, drawn| {
        let Drawn { layer, x, w, b } = drawn;
        let y = layer.forward(x.clone())?;
        let z = ArrayD::from_shape_fn(y.raw_dim(), |at| {
            let (n, j) = (at[0], at[1]);
            let mut sum = 0.0;
            for i in 0..x.shape()[1] {
                sum += x[[n, i]] * w[[i, j]];
            }
            sum + b[[0, j]]
        });
        case.compare("Z", &y, &z)
    });
    // Z = X W + b.
    of_z("fully-connected-forward", |case, drawn| {
        case.compare("Z", &drawn.layer.forward(drawn.x.clone())?, &drawn.z()?)
    });
    // dL/dX = dL/dZ Wᵀ.
    of_z("fully-connected-dx", |case, drawn| {
        let passed = pass(&mut *drawn.layer, &drawn.x, case)?;
        case.compare("dL/dX", &passed.dl_dx, &drawn.dl_dx(&passed.dl_dy)?)
    });
    // dL/dW = Xᵀ dL/dZ.
    of_z("fully-connected-dw", |case, drawn| {
        let passed = pass(&mut *drawn.layer, &drawn.x, case)?;
        case.compare("dL/dW", &gradient(&*drawn.layer, "W")?, &drawn.dl_dw(&passed.dl_dy)?)
    });
    // dL/db = Σᵢ dL/dZ[i], as a row.
    of_z("fully-connected-db", |case, drawn| {
        let passed = pass(&mut *drawn.layer, &drawn.x, case)?;
        case.compare("dL/db", &gradient(&*drawn.layer, "b")?, &dl_db(&passed.dl_dy)?)
    });
    // Y = σ(Z) and dL/dZ = dL/dY ⊙ σ'(Z) around the four formulas, for σ = tanh.
    own.formula("fully-connected-composed", SUMS, |subject, case| {
        let mut drawn = Drawn::new(subject, Activation::TanH, true, case)?;
        let y = drawn.z()?.mapv(f64::tanh);
        let passed = pass(&mut *drawn.layer, &drawn.x, case)?;
        case.compare("Y", &passed.y, &y)?;
        let dl_dz = passed.dl_dy * (1.0 - &y * &y);
        case.compare("dL/dX", &passed.dl_dx, &drawn.dl_dx(&dl_dz)?)?;
        case.compare("dL/dW", &gradient(&*drawn.layer, "W")?, &drawn.dl_dw(&dl_dz)?)?;
        case.compare("dL/db", &gradient(&*drawn.layer, "b")?, &dl_db(&dl_dz)?)
    });
    // Z = X W, dL/dX = dL/dZ Wᵀ and dL/dW = Xᵀ dL/dZ, which is the only gradient.
    own.formula_of("7", "fully-connected-without-bias", SUMS, |subject, case| {
        let mut drawn = Drawn::new(subject, Activation::Linear, false, case)?;
        let passed = pass(&mut *drawn.layer, &drawn.x, case)?;
        case.compare("Z", &passed.y, &einsum("ij,jk->ik", &[&drawn.x, &drawn.w])?)?;
        case.compare("dL/dX", &passed.dl_dx, &drawn.dl_dx(&passed.dl_dy)?)?;
        let dl_dw = gradient(&*drawn.layer, "W")?;
        case.compare("dL/dW", &dl_dw, &drawn.dl_dw(&passed.dl_dy)?)?;
        let names: Vec<_> = passed.gradients.names().collect();
        claim(names == ["W"], || format!("gradients of {names:?}"))
    });
    own.adjoint(adjoint::BOUND, "in_x", |subject, case| {
        let drawn = linear(case);
        adjoint::in_x(subject, drawn, case)
    });
    for (name, parameter) in [("in_w", "W"), ("in_b", "b")] {
        own.adjoint(adjoint::BOUND, name, move |subject, case| {
            let drawn = linear(case);
            adjoint::in_parameter(subject, drawn, parameter, case)
        });
    }
    own.exactly("another_parameter_is_refused", errors::another_parameter_is_refused);
}

/// A linear layer and the shape of a batch for it.
fn linear(case: &mut Case) -> (Spec, Vec<usize>) {
    let (m, n_in, n_out) = (case.between(1, 8), case.between(1, 8), case.between(1, 8));
    (spec(n_in, config(n_out, Activation::Linear), true), vec![m, n_in])
}

/// A layer and a mini-batch.
struct Drawn {
    layer: Box<dyn Layer<f64>>,
    x: ArrayD<f64>,
    w: ArrayD<f64>,
    b: ArrayD<f64>,
}

impl Drawn {
    fn new(
        subject: &Layers,
        activation: Activation,
        bias: bool,
        case: &mut Case,
    ) -> Result<Self, Failure> {
        let (m, n_in, n_out) = (case.between(1, 8), case.between(1, 8), case.between(1, 8));
        case.describe(format!("X [{m}, {n_in}], W [{n_in}, {n_out}]"));
        let layer = subject.build(&spec(n_in, config(n_out, activation), bias), case)?;
        let w = parameter(&*layer, "W")?;
        let b = if bias { parameter(&*layer, "b")? } else { ArrayD::zeros(vec![1, n_out]) };
        Ok(Self { layer, x: case.array(&[m, n_in]), w, b })
    }

    fn z(&self) -> Result<ArrayD<f64>, Failure> {
        let ones = ArrayD::ones(IxDyn(&[self.x.shape()[0]]));
        Ok(einsum("ij,jk->ik", &[&self.x, &self.w])? + einsum("i,lk->ik", &[&ones, &self.b])?)
    }

    fn dl_dx(&self, dl_dz: &ArrayD<f64>) -> Result<ArrayD<f64>, Failure> {
        einsum("ik,jk->ij", &[dl_dz, &self.w])
    }

    fn dl_dw(&self, dl_dz: &ArrayD<f64>) -> Result<ArrayD<f64>, Failure> {
        einsum("ij,ik->jk", &[&self.x, dl_dz])
    }
}

fn dl_db(dl_dz: &ArrayD<f64>) -> Result<ArrayD<f64>, Failure> {
    Ok(einsum("ik->k", &[dl_dz])?.insert_axis(Axis(0)))
}

/// The layer with a bug.
#[derive(Debug)]
struct Naive(&'static str);

fn matrix(array: &ArrayD<f64>) -> Array2<f64> {
    array.clone().into_dimensionality::<Ix2>().expect("the layer's arrays are matrices")
}

/// The same numbers read in the order of the transposed matrix.
fn scrambled(array: &Array2<f64>) -> Array2<f64> {
    Array2::from_shape_vec(array.raw_dim(), array.t().iter().copied().collect())
        .expect("a transposed matrix has as many elements")
}

impl Model for Naive {
    fn forward(&self, x: &ArrayD<f64>, parameters: &Parameters<f64>) -> ArrayD<f64> {
        let z = matrix(x).dot(&parameters.matrix("W"));
        match parameters.get("b") {
            Some(b) if self.0 != "no-bias" => z.into_dyn() + b,
            _ => z.into_dyn(),
        }
    }

    fn backward(
        &self,
        x: &ArrayD<f64>,
        parameters: &Parameters<f64>,
        dl_dz: &ArrayD<f64>,
    ) -> (ArrayD<f64>, Parameters<f64>) {
        let (x, w, dl_dz) = (matrix(x), parameters.matrix("W"), matrix(dl_dz));
        let m = x.nrows() as f64;
        let mut dl_dx = dl_dz.dot(&w.t());
        let mut dl_dw = x.t().dot(&dl_dz);
        let mut dl_db = dl_dz.sum_axis(Axis(0)).insert_axis(Axis(0));
        match self.0 {
            "weight-gradient-transposed" => dl_dw = scrambled(&dl_dw),
            "input-gradient-transposed" => dl_dx = dl_dz.dot(&scrambled(&w.to_owned()).t()),
            "bias-gradient-mean" => dl_db /= m,
            "bias-gradient-first" => dl_db = dl_dz.row(0).to_owned().insert_axis(Axis(0)),
            "weight-gradient-sign" => dl_dw = -dl_dw,
            "weight-gradient-mean" => dl_dw /= m,
            _ => {}
        }
        let b = parameters.get("b").map(|_| ("b", dl_db.into_dyn()));
        (dl_dx.into_dyn(), Parameters::new([("W", dl_dw.into_dyn())].into_iter().chain(b)))
    }
}

/// Two examples, two features, three output units.
fn worked(example: &mut Example<'_>) {
    let x = array![[1.0, 2.0], [3.0, -1.0]];
    let w = array![[1.0, 0.0, 2.0], [-1.0, 1.0, 0.5]];
    let b = array![[0.0, 1.0, -1.0]];
    let g = array![[1.0, 0.0, 0.0], [0.0, 2.0, 1.0]];
    let gradients = fully_connected_backward(x.view(), w.view(), g.view());
    let no_bias = Array2::zeros(b.raw_dim());
    example.array("product", &fully_connected_forward(x.view(), w.view(), no_bias.view()));
    example.array("z", &fully_connected_forward(x.view(), w.view(), b.view()));
    for (name, array) in [
        ("x", &x),
        ("w", &w),
        ("b", &b),
        ("g", &g),
        ("dw", &gradients.dl_dw),
        ("db", &gradients.dl_db),
        ("dx", &gradients.dl_dx),
    ] {
        example.array(name, array);
    }
}
