//! Flattening, which the course gives.

use std::sync::Arc;

use layers::FlattenConfig;
use ndarray::{ArrayD, Dimension};

use crate::cases::{Case, Verdict, claim, same_bits};
use crate::layer::faulty::{Faulty, Formulas, Gradients};
use crate::layer::proof::{self, Linear, Term};
use crate::layer::transcribed::{Formula, Operands};
use crate::layer::{LayerRoom, Layers, Spec, adjoint};
use crate::room::{Checks, bugs};
use crate::transcription::array_of;

pub(crate) static ROOM: LayerRoom = LayerRoom {
    kind: "flatten",
    declared: |_| Ok(Arc::new(FlattenConfig)),
    course: || vec![Arc::new(FlattenConfig)],
    axes: &[1, 2, 3, 4],
    invalid: || vec![spec(&[0]), spec(&[3, 0, 2])],
    table: || vec![spec(&[4, 3, 2])],
    curves: || vec![("Flatten", spec(&[5, 4, 2]))],
    checks,
    bugs: bugs! {
        "column-major" [Course Formula] "examples are flattened in column-major order, forward and backward alike"
    },
    faulty: |bug| Formulas::new(faulty_y, faulty_gradients).build(bug),
    ..LayerRoom::new("Flatten", "6.2", |case| {
        let axes = case.between(1, 4);
        (spec(&case.shape(axes, 4)), case.between(1, 4))
    })
};

pub(crate) fn spec(input_shape: &[usize]) -> Spec {
    ROOM.spec(FlattenConfig, input_shape)
}

fn checks(own: &mut Checks<Layers>) {
    own.transcribe_all("flatten-backward", 0.0, images, &[Y, DL_DX]);
    adjoint::add(own, "in_x", images, "X");
    let shapes = ndarray::indices((2, 3, 3, 2)).into_iter().collect();
    proof::add(own, "on_all_basis_vectors", shapes, |&(m, rows, cols, channels)| {
        let [m, rows, cols, channels] = [m, rows, cols, channels].map(|length| length + 1);
        let terms = (0..m * rows * cols * channels).map(|y| Term { x: Some(y), p: None, y });
        Linear { spec: spec(&[rows, cols, channels]), m, unit: 1.0, terms: terms.collect() }
    });
    own.exactly("elements_keep_their_order", elements_keep_their_order);
    own.exactly("backward_undoes_forward", backward_undoes_forward);
}

fn images(case: &mut Case) -> (Spec, usize) {
    (spec(&case.shape(3, 4)), case.between(1, 4))
}

/// `Y[n, (r cols + q) channels + c] = X[n, r, q, c]`.
const Y: Formula = ("Y", |pass| {
    let mut y = ArrayD::zeros(pass.dl_dy.raw_dim());
    pass.x.indexed_iter().for_each(|(at, &x)| y[place(pass, at.slice())] = x);
    Ok(y)
});

/// `dL/dX[n, r, q, c] = dL/dY[n, (r cols + q) channels + c]`.
const DL_DX: Formula =
    ("dL/dX", |pass| Ok(array_of(pass.x.raw_dim(), |at| pass.dl_dy[place(pass, at.slice())])));

fn place(pass: &Operands, at: &[usize]) -> [usize; 2] {
    let (cols, channels) = (pass.x.shape()[2], pass.x.shape()[3]);
    [at[0], (at[1] * cols + at[2]) * channels + at[3]]
}

/// Elements numbered in row-major order come out as they are counted.
fn elements_keep_their_order(subject: &Layers, case: &mut Case) -> Verdict {
    let (spec, x_shape) = subject.draw(case);
    let mut layer = subject.build(&spec, case)?;
    let total: usize = x_shape.iter().product();
    let numbers = ArrayD::from_shape_vec(x_shape.clone(), (0..total).map(|i| i as f64).collect())?;
    let y = layer.forward(numbers)?;
    let shape = [x_shape[0], total / x_shape[0]];
    claim(y.shape() == shape, || format!("Y: expected shape {shape:?}, got {:?}", y.shape()))?;
    let expected = array_of(y.raw_dim(), |at| (at[0] * shape[1] + at[1]) as f64);
    case.compare("Y", &y, &expected)
}

fn backward_undoes_forward(subject: &Layers, case: &mut Case) -> Verdict {
    let (mut layer, x) = subject.drawn(case)?;
    let y = layer.forward(x.clone())?;
    same_bits("dL/dX", &layer.backward(y)?, &x)
}

fn faulty_y(layer: &Faulty, x: &ArrayD<f64>) -> ArrayD<f64> {
    let m = x.shape()[0];
    reshaped(&in_order(layer, x), &[m, x.len() / m])
}

fn faulty_gradients(layer: &Faulty, x: &ArrayD<f64>, dl_dz: &ArrayD<f64>) -> Gradients {
    let dl_dx = reshaped(dl_dz, in_order(layer, x).shape());
    (in_order(layer, &dl_dx), vec![])
}

fn reshaped(array: &ArrayD<f64>, shape: &[usize]) -> ArrayD<f64> {
    array.to_shape(shape).expect("as many elements").into_owned()
}

/// The axes of each example, which the bug takes in the opposite order.
fn in_order(layer: &Faulty, x: &ArrayD<f64>) -> ArrayD<f64> {
    let mut axes: Vec<usize> = (0..x.ndim()).collect();
    if layer.bug == "column-major" {
        axes[1..].reverse();
    }
    x.view().permuted_axes(axes).as_standard_layout().into_owned()
}
