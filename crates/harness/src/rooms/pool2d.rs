//! Pooling: question 6.3. n counts images, (r, q) output cells, (i, j) kernel cells, c channels.

mod claims;
mod faulty;
mod worked;

use std::sync::Arc;

use cnn::{Pad, Pool2DConfig, PoolMode};
use ndarray::{Array5, ArrayD, ArrayView1, Axis, IxDyn, s};

use crate::cases::{Case, Failure};
use crate::course::Pass;
use crate::layer::faulty::Formulas;
use crate::layer::proof::{self, Linear};
use crate::layer::transcribed::Operands;
use crate::layer::window::{Geometry, INVALID_WINDOWS, SUMS};
use crate::layer::{LayerRoom, Layers, Spec, adjoint};
use crate::room::{Checks, bugs};
use crate::transcription::array_of;

pub(crate) static ROOM: LayerRoom = LayerRoom {
    kind: "pool2d",
    declared: |listed| {
        let like = config((PoolMode::Max, (1, 1), 1, Pad::Valid));
        Ok(Arc::new(listed.declaration(&like)?))
    },
    course: || COURSE.map(|pooling| Arc::new(config(pooling)) as _).into(),
    axes: &[3],
    fixture: Some(("Pool2DPads", &[Pass::Forward, Pass::Backward])),
    input: pixels,
    draw_seeing: |case| drawn(Geometry::draw_unpadded(case), case),
    pinned: || PINNED.map(|pooling| of_images([5, 6, 2], pooling)).into(),
    invalid: || {
        let invalid = |(image, kernel, stride, pad)| {
            MODES.map(|mode| of_images(image, (mode, kernel, stride, pad)))
        };
        INVALID_WINDOWS.into_iter().flat_map(invalid).collect()
    },
    table: || TABLE.map(|pooling| of_images([7, 6, 2], pooling)).into(),
    curves: || {
        let average = (PoolMode::Average, (2, 2), 2, Pad::Valid);
        [("Pool2D, max", MAX_2X2), ("Pool2D, average", average)]
            .map(|(name, pooling)| (name, of_images([5, 4, 2], pooling)))
            .into()
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
        "average-rows-squared" [Oracle Gradient Formula Adjoint] "average backward divides by the square of the kernel's rows"
        "mask-from-zero" [Course Gradient Formula] "the mask of the maximum starts at 0, so that a window without a positive cell gets no gradient"
        "backward-unpadded" [Gradient Formula Adjoint] "backward takes a place in the padded image for a place in the image"
        "backward-stride" [Course Gradient Formula Adjoint] "backward ignores the stride"
        "maximum-of-magnitudes" [Course Formula] "the cell of the largest absolute value wins"
        "minimum" [Course Formula] "the smallest cell wins, forward and backward alike"
    },
    faulty: |bug| Formulas::new(faulty::y, faulty::gradients).build(bug),
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

const MODES: [PoolMode; 2] = [PoolMode::Max, PoolMode::Average];

const MAX_2X2: Pooling = (PoolMode::Max, (2, 2), 2, Pad::Valid);

/// The layers of the course's file.
const COURSE: [Pooling; 5] = [
    (PoolMode::Max, (3, 3), 2, Pad::Valid),
    MAX_2X2,
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
    MAX_2X2,
    (PoolMode::Max, (3, 5), 4, Pad::Valid),
    (PoolMode::Max, (3, 3), 1, Pad::Same),
    (PoolMode::Average, (2, 2), 1, Pad::Valid),
    (PoolMode::Average, (5, 5), 1, Pad::Cells(2, 2)),
];

fn config((mode, kernel, stride, pad): Pooling) -> Pool2DConfig {
    Pool2DConfig { pad, ..Pool2DConfig::new(mode, kernel, stride) }
}

fn of_images(input_shape: [usize; 3], pooling: Pooling) -> Spec {
    ROOM.spec(config(pooling), &input_shape)
}

/// The layer whose window slides so.
pub(crate) fn spec(geometry: &Geometry, mode: PoolMode) -> Spec {
    let &Geometry { rows, cols, channels, kernel, stride, pad, .. } = geometry;
    of_images([rows, cols, channels], (mode, kernel, stride, pad))
}

fn drawn(geometry: Geometry, case: &mut Case) -> (Spec, usize) {
    (spec(&geometry, case.one_of(&MODES)), geometry.m)
}

fn max(case: &mut Case) -> (Spec, usize) {
    let geometry = Geometry::draw(case);
    (spec(&geometry, PoolMode::Max), geometry.m)
}

fn average(case: &mut Case) -> (Spec, usize) {
    let geometry = Geometry::draw(case);
    (spec(&geometry, PoolMode::Average), geometry.m)
}

/// The window that slides over images of this shape.
fn geometry(spec: &Spec, x: &ArrayD<f64>) -> Geometry {
    let &Pool2DConfig { kernel_shape: kernel, stride, pad, .. } = spec.config();
    Geometry::of(x.shape(), kernel, stride, pad)
}

/// The cell that wins each maximum.
fn winners(spec: &Spec, x: &ArrayD<f64>) -> Vec<u32> {
    if spec.config::<Pool2DConfig>().mode == PoolMode::Average {
        return vec![];
    }
    windows(&geometry(spec, x), x)
        .map_axis(Axis(4), |cells| first_largest(cells) as u32)
        .into_iter()
        .collect()
}

/// The first, in row-major order, of the cells that no other cell exceeds.
fn first_largest(cells: ArrayView1<'_, f64>) -> usize {
    let is_largest = |&index: &usize| cells.iter().all(|&other| other <= cells[index]);
    (0..cells.len()).find(is_largest).unwrap_or(0)
}

fn checks(own: &mut Checks<Layers>) {
    // Z[r, q, c] = max X[r s : r s + k₁ - 1, q s : q s + k₂ - 1, c].
    own.transcribe("max-pool-forward", 0.0, max, "Y", |pass| {
        forward(pass, |cells| cells.fold(f64::NEG_INFINITY, |max, &cell| max.max(cell)))
    });
    own.transcribe("average-pool-forward", SUMS, average, "Y", |pass| {
        forward(pass, |cells| cells.sum() / cells.len() as f64)
    });
    // 1 for the first cell, in row-major order, that no other cell exceeds; 0 for the rest.
    own.transcribe("max-pool-backward", SUMS, max, "dL/dX", |pass| {
        backward(pass, |cells, cell| pass.ties.share(cells, cell))
    });
    // 1/(k₁ k₂) for every cell.
    own.transcribe("average-pool-backward", SUMS, average, "dL/dX", |pass| {
        backward(pass, |cells, _| 1.0 / cells.len() as f64)
    });
    adjoint::add(own, "average_in_x", average, "X");
    proof::add(own, "average_on_all_basis_vectors", Geometry::all(), |geometry| {
        let unit = (geometry.kernel.0 * geometry.kernel.1) as f64;
        let spec = spec(geometry, PoolMode::Average);
        Linear { spec, m: geometry.m, unit, terms: geometry.terms(None) }
    });
    own.adjoint(adjoint::BOUND, "max_in_x_with_winners_fixed", claims::max_with_winners_fixed);
    claims::add(own);
}

/// Every other batch has many ties.
fn pixels(case: &mut Case, x_shape: &[usize]) -> ArrayD<f64> {
    match case.between(0, 1) {
        0 => case.array(x_shape),
        _ => case.few_values(x_shape),
    }
}

/// The cells that output cell `[n, r, q, c]` sees, on a last axis, in row-major order, padding as zeros.
fn windows(geometry: &Geometry, x: &ArrayD<f64>) -> Array5<f64> {
    let [m, r1, r2, k1, k2, channels] = geometry.patches_shape();
    let patches = geometry.patches(x).permuted_axes(IxDyn(&[0, 1, 2, 5, 3, 4]));
    let cells = patches.to_shape((m, r1, r2, channels, k1 * k2));
    cells.expect("a window has k₁ k₂ cells").into_owned()
}

/// Y, element by element from the cells of a window.
fn forward(pass: &Operands, literal: Literal) -> Result<ArrayD<f64>, Failure> {
    let windows = windows(&geometry(&pass.spec, &pass.x), &pass.x);
    Ok(windows.map_axis(Axis(4), literal).into_dyn())
}

type Literal = fn(ArrayView1<'_, f64>) -> f64;

/// `dL/dX[n, x, y, c] = Σ dL/dY[n, r, q, c] ∂Y[n, r, q, c]/∂X[n, x, y, c]` over the output cells and
/// the kernel cells with which they see `(x, y)`; `literal` is the derivative.
fn backward(
    pass: &Operands,
    literal: impl Fn(ArrayView1<'_, f64>, usize) -> f64,
) -> Result<ArrayD<f64>, Failure> {
    let geometry = geometry(&pass.spec, &pass.x);
    let windows = windows(&geometry, &pass.x);
    let terms = array_of(geometry.patches_shape(), |(n, r, q, i, j, c)| {
        let cells = windows.slice(s![n, r, q, c, ..]);
        pass.dl_dy[[n, r, q, c]] * literal(cells, i * geometry.kernel.1 + j)
    });
    Ok(geometry.images(&terms.into_dyn(), |pixel, term| *pixel += term))
}
