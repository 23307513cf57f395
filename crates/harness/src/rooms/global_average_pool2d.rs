//! Global average pooling: question 7. n counts images, (x, y) pixels, c channels.

use std::sync::Arc;

use cnn::{
    GlobalAveragePool2DConfig, Pad, PoolMode, global_average_pool_backward,
    global_average_pool_forward,
};
use ndarray::{ArrayD, Axis, IxDyn, array};

use crate::cases::{Case, Verdict};
use crate::course::Pass;
use crate::layer::faulty::{Faulty, Formulas, Gradients};
use crate::layer::proof::{self, Linear};
use crate::layer::window::Geometry;
use crate::layer::{LayerRoom, Layers, Spec, adjoint};
use crate::room::{Checks, bugs};
use crate::transcription::{array_of, sum};
use crate::worked::{Example, image_of};

/// A sum of at most 36 terms of magnitude at most 1, in another order: `2 · 36² · 2⁻⁵³`.
const SUMS: f64 = 3e-13;

pub(crate) static ROOM: LayerRoom = LayerRoom {
    kind: "global_average_pool2d",
    declared: |_| Ok(Arc::new(GlobalAveragePool2DConfig)),
    axes: &[3],
    fixture: Some(("GlobalAveragePool2D", &[Pass::Forward, Pass::Backward])),
    pinned: || vec![spec([1, 1, 2])],
    invalid: || [[0, 5, 2], [5, 0, 2], [5, 5, 0]].map(spec).into(),
    table: || vec![spec([7, 6, 2])],
    curves: || vec![("GlobalAveragePool2D", spec([5, 4, 2]))],
    checks,
    bugs: bugs! {
        "global-not-divided" [Oracle Gradient Formula Adjoint Property] "backward forgets to divide by the number of pixels"
        "global-sum" [Oracle Formula Property] "a sum instead of a mean, forward and backward alike"
        "global-one-pixel" [Oracle Gradient Formula Adjoint Property] "the first pixel gets the whole gradient of its channel"
        "global-last-row" [Oracle Formula Property] "the last row of each image is left out, forward and backward alike"
    },
    faulty: |bug| Formulas::new(faulty_y, faulty_gradients).build(bug),
    examples: &[("global-average-pool", worked)],
    ..LayerRoom::new("GlobalAveragePool2D", "7", |case| {
        let image = [case.between(1, 6), case.between(1, 6), case.between(1, 4)];
        (spec(image), case.between(1, 4))
    })
};

fn spec(input_shape: [usize; 3]) -> Spec {
    ROOM.spec(GlobalAveragePool2DConfig, &input_shape)
}

fn checks(own: &mut Checks<Layers>) {
    // Y[n, c] = 1/(d1 d2) Σ_x Σ_y X[n, x, y, c].
    own.transcribe("global-average-pool-forward", 1e-12, ROOM.draw, "Y", |pass| {
        let x = &pass.x;
        let lengths = (x.shape()[1], x.shape()[2]);
        Ok(array_of(pass.dl_dy.raw_dim(), |at| {
            sum(lengths, |(row, col)| x[[at[0], row, col, at[1]]]) / pixels(x)
        }))
    });
    // dL/dX[n, x, y, c] = 1/(d1 d2) dL/dY[n, c].
    own.transcribe("global-average-pool-backward", 1e-12, ROOM.draw, "dL/dX", |pass| {
        let share = |n, c| pass.dl_dy[[n, c]] / pixels(&pass.x);
        Ok(array_of(pass.x.raw_dim(), |at| share(at[0], at[3])))
    });
    adjoint::add(own, "in_x", ROOM.draw, "X");
    let shapes = ndarray::indices((2, 4, 4, 2)).into_iter().collect();
    proof::add(own, "on_all_basis_vectors", shapes, |&(m, rows, cols, channels)| {
        let [m, rows, cols, channels] = [m, rows, cols, channels].map(|length| length + 1);
        let window = Geometry::of(&[m, rows, cols, channels], (rows, cols), 1, Pad::Valid);
        let unit = (rows * cols) as f64;
        Linear { spec: spec([rows, cols, channels]), m, unit, terms: window.terms(None) }
    });
    own.within(SUMS, "is_average_pooling_with_one_window", is_one_window);
    own.exactly("a_constant_image_gives_its_constant", constant_image);
    own.within(SUMS, "where_a_pixel_is_does_not_matter", order_of_rows_and_columns);
}

fn is_one_window(subject: &Layers, case: &mut Case) -> Verdict {
    let (spec, x_shape) = subject.draw(case);
    let mut layer = subject.build(&spec, case)?;
    let geometry = Geometry::of(&x_shape, (x_shape[1], x_shape[2]), 1, Pad::Valid);
    let mut pool = super::pool2d::spec(&geometry, PoolMode::Average).build(&mut case.rng)?;
    let (x, dl_dy) = (case.array(&x_shape), case.array(&[x_shape[0], x_shape[3]]));
    let as_image = |rows: ArrayD<f64>| rows.insert_axis(Axis(1)).insert_axis(Axis(1));
    case.compare("Y", &as_image(layer.forward(x.clone())?), &pool.forward(x)?)?;
    let expected = pool.backward(as_image(dl_dy.clone()))?;
    case.compare("dL/dX", &layer.backward(dl_dy)?, &expected)
}

/// Small whole numbers: sums are exact, and the quotient is the number itself.
fn constant_image(subject: &Layers, case: &mut Case) -> Verdict {
    let (spec, x_shape) = subject.draw(case);
    let mut layer = subject.build(&spec, case)?;
    let y = case.few_values(&[x_shape[0], x_shape[3]]);
    let x = array_of(IxDyn(&x_shape), |at| y[[at[0], at[3]]]);
    case.compare("Y", &layer.forward(x)?, &y)
}

fn order_of_rows_and_columns(subject: &Layers, case: &mut Case) -> Verdict {
    let (mut layer, x) = subject.drawn(case)?;
    let (rows, cols) = (case.permutation(x.shape()[1]), case.permutation(x.shape()[2]));
    let moved = x.select(Axis(1), &rows).select(Axis(2), &cols);
    let y = layer.forward(x)?;
    case.compare("Y", &layer.forward(moved)?, &y)
}

fn pixels(x: &ArrayD<f64>) -> f64 {
    (x.len_of(Axis(1)) * x.len_of(Axis(2))) as f64
}

fn faulty_y(layer: &Faulty, x: &ArrayD<f64>) -> ArrayD<f64> {
    let left_out = if layer.bug == "global-last-row" { 1 } else { 0 };
    let rows = x.slice_axis(Axis(1), (..x.len_of(Axis(1)) - left_out).into());
    let sum = rows.sum_axis(Axis(1)).sum_axis(Axis(1));
    if layer.bug == "global-sum" { sum } else { sum / pixels(x) }
}

fn faulty_gradients(layer: &Faulty, x: &ArrayD<f64>, dl_dz: &ArrayD<f64>) -> Gradients {
    let dl_dx = array_of(x.raw_dim(), |at| {
        let g = dl_dz[[at[0], at[3]]];
        match layer.bug {
            "global-not-divided" | "global-sum" => g,
            "global-one-pixel" if (at[1], at[2]) == (0, 0) => g,
            "global-one-pixel" => 0.0,
            "global-last-row" if at[1] + 1 == x.len_of(Axis(1)) => 0.0,
            _ => g / pixels(x),
        }
    });
    (dl_dx, vec![])
}

/// One channel of four pixels.
fn worked(example: &mut Example<'_>) {
    let x = array![[1.0, 2.0], [3.0, 6.0]];
    let images = image_of(&x);
    let g = array![[4.0]];
    let dl_dx = global_average_pool_backward(g.view(), (2, 2));
    example.number("y", global_average_pool_forward(images.view())[[0, 0]]);
    example.number("g", g[[0, 0]]);
    example.image("dx", &dl_dx);
    example.array("x", &x);
}
