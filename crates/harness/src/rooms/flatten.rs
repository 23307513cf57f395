//! Flattening, which the course gives.

use std::sync::Arc;

use layers::{FlattenConfig, Parameters};
use ndarray::{ArrayD, Axis};

use crate::cases::{Case, Verdict, claim, same_bits};
use crate::layer::naive::{Model, naive};
use crate::layer::{LayerRoom, Layers, Spec, adjoint, pass};
use crate::room::{Checks, bugs};
use crate::transcription::four_axes;

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
    faulty: |bug| naive(bug, move |_| Naive { column_major: bug == "column-major" }),
    ..LayerRoom::new("Flatten", "6.2", |case| {
        let axes = case.between(1, 4);
        (spec(&case.shape(axes, 4)), case.between(1, 4))
    })
};

pub(crate) fn spec(input_shape: &[usize]) -> Spec {
    ROOM.spec(FlattenConfig, input_shape)
}

fn checks(own: &mut Checks<Layers>) {
    own.formula("flatten-backward", 0.0, row_major);
    own.adjoint(adjoint::BOUND, "in_x", |subject, case| {
        let shape = case.shape(4, 4);
        adjoint::in_x(subject, (spec(&shape[1..]), shape), case)
    });
    own.exactly("elements_keep_their_order", elements_keep_their_order);
    own.exactly("backward_undoes_forward", backward_undoes_forward);
}

/// `Y[n, (r cols + q) channels + c] = X[n, r, q, c]`, so
/// `dL/dX[n, r, q, c] = dL/dY[n, (r cols + q) channels + c]`.
fn row_major(subject: &Layers, case: &mut Case) -> Verdict {
    let shape = [(); 4].map(|()| case.between(1, 4));
    let [_, _, cols, channels] = shape;
    case.describe(format!("X {shape:?}"));
    let mut layer = subject.build(&spec(&shape[1..]), case)?;
    let x = case.array(&shape);
    let passed = pass(&mut *layer, &x, case)?;
    let flat = |r, q, c| (r * cols + q) * channels + c;
    let mut y = ArrayD::zeros(passed.dl_dy.raw_dim());
    for (n, r, q, c) in ndarray::indices(shape) {
        y[[n, flat(r, q, c)]] = x[[n, r, q, c]];
    }
    case.compare("Y", &passed.y, &y)?;
    let dl_dx = four_axes(shape, |(n, r, q, c)| passed.dl_dy[[n, flat(r, q, c)]]);
    case.compare("dL/dX", &passed.dl_dx, &dl_dx)
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
    let expected = ArrayD::from_shape_fn(y.raw_dim(), |at| (at[0] * shape[1] + at[1]) as f64);
    case.compare("Y", &y, &expected)
}

fn backward_undoes_forward(subject: &Layers, case: &mut Case) -> Verdict {
    let (mut layer, x) = subject.drawn(case)?;
    let y = layer.forward(x.clone())?;
    same_bits("dL/dX", &layer.backward(y)?, &x)
}

#[derive(Debug)]
struct Naive {
    column_major: bool,
}

impl Model for Naive {
    fn forward(&self, x: &ArrayD<f64>, _parameters: &Parameters<f64>) -> ArrayD<f64> {
        let m = x.shape()[0];
        let rows = x.axis_iter(Axis(0)).flat_map(|example| {
            if self.column_major {
                example.t().iter().copied().collect::<Vec<_>>()
            } else {
                example.iter().copied().collect()
            }
        });
        ArrayD::from_shape_vec(vec![m, x.len() / m], rows.collect()).expect("as many elements")
    }

    fn backward(
        &self,
        x: &ArrayD<f64>,
        _parameters: &Parameters<f64>,
        dl_dz: &ArrayD<f64>,
    ) -> (ArrayD<f64>, Parameters<f64>) {
        let mut dl_dx = ArrayD::zeros(x.raw_dim());
        for (mut example, row) in dl_dx.axis_iter_mut(Axis(0)).zip(dl_dz.axis_iter(Axis(0))) {
            if self.column_major {
                example.view_mut().reversed_axes().iter_mut().zip(row).for_each(|(d, &g)| *d = g);
            } else {
                example.iter_mut().zip(row).for_each(|(d, &g)| *d = g);
            }
        }
        (dl_dx, Parameters::none())
    }
}
