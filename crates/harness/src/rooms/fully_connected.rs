//! The fully-connected layer: question 4.2, as einsum strings. i counts examples, j input units, k output
//! units.

mod init_params;

use std::sync::Arc;

use activations::Activation;
use cnn::Pad;
use layers::{FullyConnectedConfig, Layer, fully_connected_backward, fully_connected_forward};
use ndarray::{Array2, ArrayD, Axis, Ix2, IxDyn, array};

use crate::cases::{Case, Failure, Verdict};
use crate::course::Pass;
use crate::layer::faulty::{Faulty, Formulas, Gradients};
use crate::layer::proof::{self, Linear};
use crate::layer::transcribed::{self, Formula};
use crate::layer::window::{Geometry, SUMS};
use crate::layer::{LayerRoom, Layers, Spec, adjoint, errors, pass};
use crate::room::{Checks, bugs};
use crate::transcription::{array_of, einsum, sum};
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
        "weight-gradient-without-activation" [Oracle Gradient Formula] "dL/dW lacks the derivative of the activation: it takes dL/dY for dL/dZ"
        "bias-gradient-without-activation" [Oracle Gradient Formula] "dL/db lacks the derivative of the activation: it takes dL/dY for dL/dZ"
        "first-batch-kept" [Property] "the cache keeps the first batch, and backward takes it for every later one"
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
        let built = |bug, spec: &Spec| match bug {
            "bias-kept" => with_bias(spec, true),
            _ => spec.clone(),
        };
        Formulas { built, ..Formulas::new(faulty_z, faulty_gradients) }.build(bug)
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

fn with_bias(spec: &Spec, bias: bool) -> Spec {
    let config = spec.config::<FullyConnectedConfig>().clone();
    ROOM.spec(FullyConnectedConfig { bias, ..config }, &spec.input_shape)
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
    let linear = |case: &mut Case| drawn(Activation::Linear, true, case);
    let tanh = |case: &mut Case| drawn(Activation::TanH, true, case);
    // Z[n, j] = Σᵢ X[n, i] W[i, j] + b[j].
    own.transcribe("fully-connected-index", SUMS, linear, "Y", |pass| {
        let (x, w, b) = (&pass.x, &pass.parameters["W"], &pass.parameters["b"]);
        Ok(array_of(pass.dl_dy.raw_dim(), |at| {
            let (n, j) = (at[0], at[1]);
            sum(x.shape()[1], |i| x[[n, i]] * w[[i, j]]) + b[[0, j]]
        }))
    });
    own.transcribe_all("fully-connected-forward", SUMS, linear, &[Y]);
    own.transcribe_all("fully-connected-dx", SUMS, linear, &[DL_DX]);
    own.transcribe_all("fully-connected-dw", SUMS, linear, &[DL_DW]);
    own.transcribe_all("fully-connected-db", SUMS, linear, &[DL_DB]);
    // Y = σ(Z) and dL/dZ = dL/dY ⊙ σ'(Z) around the four formulas, for σ = tanh.
    own.transcribe_all("fully-connected-composed", SUMS, tanh, &[Y, DL_DX, DL_DW, DL_DB]);
    // Without b, dL/dW is the only gradient.
    own.formula_of("7", "fully-connected-without-bias", SUMS, |subject, case| {
        let draw = |case: &mut Case| drawn(Activation::Linear, false, case);
        transcribed::compare(subject, draw, &[Y, DL_DX, DL_DW], case)
    });
    for (name, variable) in [("in_x", "X"), ("in_w", "W"), ("in_b", "b")] {
        adjoint::add(own, name, linear, variable);
    }
    let shapes = ndarray::indices((3, 4, 4)).into_iter().collect();
    proof::add(own, "on_all_basis_vectors", shapes, |&(m, n_in, n_out)| {
        let [m, n_in, n_out] = [m, n_in, n_out].map(|length| length + 1);
        // As a convolution of images of one pixel.
        let terms = Geometry::of(&[m, 1, 1, n_in], (1, 1), 1, Pad::Valid).terms(Some(n_out));
        let spec = spec(n_in, config(n_out, Activation::Linear), true);
        Linear { spec, m, unit: 1.0, terms }
    });
    own.exactly("another_parameter_is_refused", errors::another_parameter_is_refused);
    let name = "the_weights_of_constant_inputs_have_the_gradient_of_the_bias_times_the_constant";
    own.within(SUMS, name, constant_inputs);
}

/// Inputs that are the same in every example, c: `dL/dW[i, j] = c dL/db[j]` for each of them.
fn constant_inputs(subject: &Layers, case: &mut Case) -> Verdict {
    let (spec, m) = drawn(Activation::TanH, true, case);
    let n_in = spec.input_shape[0];
    let (first, c) = (case.between(0, n_in - 1), 2.0 * case.rng.uniform() - 1.0);
    case.describe(format!("{:?}, {m} examples, inputs from {first} on are {c}", spec.config));
    let mut layer = subject.build(&spec, case)?;
    let mut x = case.array(&[m, n_in]);
    x.slice_axis_mut(Axis(1), (first..).into()).fill(c);
    let passed = pass(&mut *layer, &x, case)?;
    let (dl_dw, dl_db) = (&passed.gradients["W"], &passed.gradients["b"]);
    for row in dl_dw.axis_iter(Axis(0)).skip(first) {
        case.compare("dL/dW", &row, &(&dl_db.index_axis(Axis(0), 0) * c))?;
    }
    Ok(())
}

/// A layer, and the number of examples.
fn drawn(activation: Activation, bias: bool, case: &mut Case) -> (Spec, usize) {
    let (m, n_in, n_out) = (case.between(1, 8), case.between(1, 8), case.between(1, 8));
    (spec(n_in, config(n_out, activation), bias), m)
}

/// `Y = σ(Z)`.
const Y: Formula = ("Y", |pass| Ok(pass.y(z(pass)?)));

/// `dL/dX = dL/dZ Wᵀ`.
const DL_DX: Formula =
    ("dL/dX", |pass| einsum("ik,jk->ij", &[&dl_dz(pass)?, &pass.parameters["W"]]));

/// `dL/dW = Xᵀ dL/dZ`.
const DL_DW: Formula = ("dL/dW", |pass| einsum("ij,ik->jk", &[&pass.x, &dl_dz(pass)?]));

/// `dL/db = Σᵢ dL/dZ[i]`, as a row.
const DL_DB: Formula =
    ("dL/db", |pass| Ok(einsum("ik->k", &[&dl_dz(pass)?])?.insert_axis(Axis(0))));

/// `Z = X W + b`.
fn z(pass: &transcribed::Operands) -> Result<ArrayD<f64>, Failure> {
    let z = einsum("ij,jk->ik", &[&pass.x, &pass.parameters["W"]])?;
    let Some(b) = pass.parameters.get("b") else { return Ok(z) };
    let ones = ArrayD::ones(IxDyn(&[pass.x.shape()[0]]));
    Ok(z + einsum("i,lk->ik", &[&ones, b])?)
}

fn dl_dz(pass: &transcribed::Operands) -> Result<ArrayD<f64>, Failure> {
    Ok(pass.dl_dz(z(pass)?))
}

fn matrix(array: &ArrayD<f64>) -> Array2<f64> {
    array.clone().into_dimensionality::<Ix2>().expect("the layer's arrays are matrices")
}

/// The same numbers read in the order of the transposed matrix.
fn scrambled(array: &Array2<f64>) -> Array2<f64> {
    Array2::from_shape_vec(array.raw_dim(), array.t().iter().copied().collect())
        .expect("a transposed matrix has as many elements")
}

fn faulty_z(layer: &Faulty, x: &ArrayD<f64>) -> ArrayD<f64> {
    let z = matrix(x).dot(&layer.parameters().matrix("W")).into_dyn();
    match layer.parameters().get("b") {
        Some(b) if layer.bug != "no-bias" => z + b,
        _ => z,
    }
}

fn faulty_gradients(layer: &Faulty, x: &ArrayD<f64>, dl_dz: &ArrayD<f64>) -> Gradients {
    let (x, w, dl_dz) = (matrix(x), matrix(&layer.parameters()["W"]), matrix(dl_dz));
    let m = x.nrows() as f64;
    let mut dl_dx = dl_dz.dot(&w.t());
    let mut dl_dw = x.t().dot(&dl_dz);
    let mut dl_db = dl_dz.sum_axis(Axis(0)).insert_axis(Axis(0));
    match layer.bug {
        "weight-gradient-transposed" => dl_dw = scrambled(&dl_dw),
        "input-gradient-transposed" => dl_dx = dl_dz.dot(&scrambled(&w).t()),
        "bias-gradient-mean" => dl_db /= m,
        "bias-gradient-first" => dl_db = dl_dz.row(0).to_owned().insert_axis(Axis(0)),
        "weight-gradient-sign" => dl_dw = -dl_dw,
        "weight-gradient-mean" => dl_dw /= m,
        _ => {}
    }
    (dl_dx.into_dyn(), vec![("W", dl_dw.into_dyn()), ("b", dl_db.into_dyn())])
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
