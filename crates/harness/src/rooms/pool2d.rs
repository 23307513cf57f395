//! Pooling: question 6.3. n counts images, (r, q) output cells, (i, j) kernel cells, c channels.

mod claims;
mod faulty;
mod worked;

use std::sync::Arc;

use cnn::{Pad, Pool2DConfig, PoolMode};
use ndarray::{ArrayD, IxDyn};

use crate::cases::{Case, Verdict};
use crate::course::Pass;
use crate::layer::window::{Geometry, INVALID_WINDOWS, SUMS};
use crate::layer::{LayerRoom, Layers, Spec, adjoint, naive::naive};
use crate::room::{Checks, bugs};

pub(crate) static ROOM: LayerRoom = LayerRoom {
    kind: "pool2d",
    declared: |listed| {
        Ok(Arc::new(listed.declaration(&pool(PoolMode::Max, (1, 1), 1, Pad::Valid))?))
    },
    course: || {
        COURSE
            .map(|(mode, kernel, stride, pad)| Arc::new(pool(mode, kernel, stride, pad)) as _)
            .into()
    },
    axes: &[3],
    fixture: Some(("Pool2DPads", &[Pass::Forward, Pass::Backward])),
    draw_seeing: |case| {
        let stride = case.between(1, 3);
        drawn(Geometry::draw_with(case, stride, Pad::Valid), case)
    },
    pinned: || {
        PINNED
            .map(|(mode, kernel, stride, pad)| {
                of_images([5, 6, 2], pool(mode, kernel, stride, pad))
            })
            .into()
    },
    invalid: || {
        let both = [PoolMode::Max, PoolMode::Average];
        let invalid = |(image, kernel, stride, pad)| {
            both.map(|mode| of_images(image, pool(mode, kernel, stride, pad)))
        };
        INVALID_WINDOWS.into_iter().flat_map(invalid).collect()
    },
    table: || {
        TABLE
            .map(|(mode, kernel, stride, pad)| {
                of_images([7, 6, 2], pool(mode, kernel, stride, pad))
            })
            .into()
    },
    curves: || {
        let halves = |mode| of_images([5, 4, 2], pool(mode, (2, 2), 2, Pad::Valid));
        vec![("Pool2D, max", halves(PoolMode::Max)), ("Pool2D, average", halves(PoolMode::Average))]
    },
    label: |spec| {
        let Pool2DConfig { mode, kernel_shape: (k1, k2), stride, pad } = spec.config();
        format!(" {mode} {k1}x{k2} stride {stride} pad {pad}")
    },
    piece: winners,
    checks,
    bugs: bugs! {
        "all-ties-win" [Property] "every cell that ties for the maximum gets the whole gradient"
        "last-tie-wins" [Property] "the last of tied cells gets the gradient instead of the first"
        "pad-minus-infinity" [Formula Property] "padding never wins a maximum, although it counts as zeros"
        "average-of-visible" [Course Formula Property] "the average leaves padding out of its divisor, forward and backward alike"
        "backward-assigns" [Course Gradient Formula Adjoint] "backward assigns instead of adding where windows overlap"
        "average-not-divided" [Course Gradient Formula Adjoint] "average backward forgets to divide by the kernel's size"
        "backward-stride" [Course Gradient Formula Adjoint] "backward ignores the stride"
        "maximum-of-magnitudes" [Course Formula] "the cell of the largest absolute value wins"
        "minimum" [Course Formula] "the smallest cell wins, forward and backward alike"
    },
    faulty: |bug| naive(bug, move |spec| faulty::Naive::of(spec, bug)),
    examples: &[
        ("max-pool", worked::max),
        ("max-pool-padding", worked::max_with_padding),
        ("average-pool", worked::average),
        ("average-pool-overlap", worked::overlapping_average),
    ],
    ..LayerRoom::new("Pool2D", "6.3", |case| drawn(Geometry::draw(case), case))
};

/// Mode, window, stride and padding.
type Pooling = (PoolMode, (usize, usize), usize, Pad);

/// The layers of the course's file.
const COURSE: [Pooling; 5] = [
    (PoolMode::Max, (3, 3), 2, Pad::Valid),
    (PoolMode::Max, (2, 2), 2, Pad::Valid),
    (PoolMode::Average, (2, 2), 1, Pad::Valid),
    (PoolMode::Max, (3, 5), 4, Pad::Valid),
    (PoolMode::Average, (5, 5), 1, Pad::Cells(2, 2)),
];

/// Strides that leave a remainder, windows that overlap, padding, kernels of even size.
const PINNED: [Pooling; 4] = [
    (PoolMode::Max, (3, 2), 1, Pad::Valid),
    (PoolMode::Max, (2, 2), 3, Pad::Same),
    (PoolMode::Average, (3, 3), 1, Pad::Cells(2, 2)),
    (PoolMode::Average, (3, 4), 2, Pad::Valid),
];

const TABLE: [Pooling; 6] = [
    (PoolMode::Max, (3, 3), 2, Pad::Valid),
    (PoolMode::Max, (2, 2), 2, Pad::Valid),
    (PoolMode::Max, (3, 5), 4, Pad::Valid),
    (PoolMode::Max, (3, 3), 1, Pad::Same),
    (PoolMode::Average, (2, 2), 1, Pad::Valid),
    (PoolMode::Average, (5, 5), 1, Pad::Cells(2, 2)),
];

fn pool(mode: PoolMode, kernel: (usize, usize), stride: usize, pad: Pad) -> Pool2DConfig {
    Pool2DConfig { pad, ..Pool2DConfig::new(mode, kernel, stride) }
}

fn of_images(input_shape: [usize; 3], config: Pool2DConfig) -> Spec {
    ROOM.spec(config, &input_shape)
}

/// The layer whose window slides so.
pub(crate) fn spec(geometry: &Geometry, mode: PoolMode) -> Spec {
    let &Geometry { rows, cols, channels, kernel, stride, pad, .. } = geometry;
    of_images([rows, cols, channels], pool(mode, kernel, stride, pad))
}

fn drawn(geometry: Geometry, case: &mut Case) -> (Spec, usize) {
    let mode = case.one_of(&[PoolMode::Max, PoolMode::Average]);
    (spec(&geometry, mode), geometry.m)
}

/// The cell that wins each maximum.
fn winners(spec: &Spec, x: &ArrayD<f64>) -> Vec<u32> {
    let &Pool2DConfig { mode, kernel_shape: kernel, stride, pad } = spec.config();
    let &[m, rows, cols, channels] = x.shape() else { unreachable!("images have four axes") };
    if mode == PoolMode::Average {
        return vec![];
    }
    let geometry = Geometry { m, rows, cols, channels, kernel, stride, pad };
    let outputs = ndarray::indices(geometry.y_shape(channels)).into_iter();
    outputs.map(|(n, r, q, c)| first_largest(&window(&geometry, x, [n, r, q, c])) as u32).collect()
}

/// The first, in row-major order, of the cells that no other cell exceeds.
fn first_largest(cells: &[f64]) -> usize {
    let is_largest = |&index: &usize| cells.iter().all(|&other| other <= cells[index]);
    (0..cells.len()).find(is_largest).unwrap_or(0)
}

fn checks(own: &mut Checks<Layers>) {
    // Z[r, q, c] = max X[r s : r s + k₁ - 1, q s : q s + k₂ - 1, c].
    own.formula("max-pool-forward", 0.0, |subject, case| {
        forward(subject, case, PoolMode::Max, |cells| {
            cells.iter().copied().fold(f64::NEG_INFINITY, f64::max)
        })
    });
    own.formula("average-pool-forward", SUMS, |subject, case| {
        forward(subject, case, PoolMode::Average, |cells| {
            cells.iter().sum::<f64>() / cells.len() as f64
        })
    });
    // 1 for the first cell, in row-major order, that no other cell exceeds; 0 for the rest.
    own.formula("max-pool-backward", SUMS, |subject, case| {
        backward(
            subject,
            case,
            PoolMode::Max,
            |cells, cell| {
                if first_largest(cells) == cell { 1.0 } else { 0.0 }
            },
        )
    });
    // 1/(k₁ k₂) for every cell.
    own.formula("average-pool-backward", SUMS, |subject, case| {
        backward(subject, case, PoolMode::Average, |cells, _| 1.0 / cells.len() as f64)
    });
    own.adjoint(adjoint::BOUND, "average_in_x", |subject, case| {
        let geometry = Geometry::draw(case);
        let spec = spec(&geometry, PoolMode::Average);
        adjoint::in_x(subject, (spec, geometry.x_shape().to_vec()), case)
    });
    own.adjoint(adjoint::BOUND, "max_in_x_with_winners_fixed", claims::max_with_winners_fixed);
    claims::add(own);
}

/// The cells that output cell `[n, r, q, c]` sees, in row-major order, padding as zeros.
fn window(geometry: &Geometry, x: &ArrayD<f64>, [n, r, q, c]: [usize; 4]) -> Vec<f64> {
    let mut cells = Vec::new();
    for i in 0..geometry.kernel.0 {
        for j in 0..geometry.kernel.1 {
            cells.push(geometry.value(x, [n, c], [r, q], [i, j]));
        }
    }
    cells
}

fn forward(
    subject: &Layers,
    case: &mut Case,
    mode: PoolMode,
    literal: fn(&[f64]) -> f64,
) -> Verdict {
    let (geometry, x) = images(case);
    let mut layer = subject.build(&spec(&geometry, mode), case)?;
    let y = ArrayD::from_shape_fn(IxDyn(&geometry.y_shape(geometry.channels)), |at| {
        literal(&window(&geometry, &x, [at[0], at[1], at[2], at[3]]))
    });
    case.compare("Y", &layer.forward(x)?, &y)
}

/// `dL/dX[n, x, y, c] = Σ dL/dY[n, r, q, c] ∂Y[n, r, q, c]/∂X[n, x, y, c]` over the output cells and
/// the kernel cells with which they see `(x, y)`; `literal` is the derivative.
fn backward(
    subject: &Layers,
    case: &mut Case,
    mode: PoolMode,
    literal: fn(&[f64], usize) -> f64,
) -> Verdict {
    let (geometry, x) = images(case);
    let mut layer = subject.build(&spec(&geometry, mode), case)?;
    let passed = crate::layer::pass(&mut *layer, &x, case)?;
    let mut dl_dx = ArrayD::zeros(x.raw_dim());
    for ((n, r, q, c), (i, j)) in geometry.windows(geometry.channels) {
        let Some((row, col)) = geometry.cell(r, q, i, j) else { continue };
        let cells = window(&geometry, &x, [n, r, q, c]);
        let derivative = literal(&cells, i * geometry.kernel.1 + j);
        dl_dx[[n, row, col, c]] += passed.dl_dy[[n, r, q, c]] * derivative;
    }
    case.compare("dL/dX", &passed.dl_dx, &dl_dx)
}

/// Images of which every other batch has many ties.
fn images(case: &mut Case) -> (Geometry, ArrayD<f64>) {
    let geometry = Geometry::draw(case);
    let x = match case.between(0, 1) {
        0 => case.array(&geometry.x_shape()),
        _ => case.few_values(&geometry.x_shape()),
    };
    case.describe(geometry);
    (geometry, x)
}
