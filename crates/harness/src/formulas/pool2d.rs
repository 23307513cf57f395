//! Pooling: question 6.3. n counts images, (r, q) output cells, (i, j) kernel cells, c channels.

use std::sync::Arc;

use cnn::PoolMode;
use ndarray::{ArrayD, IxDyn};

use super::{EXACT, SUMS, formula};
use crate::cases::{Case, Failure};
use crate::random_layer::{Geometry, build};
use crate::{Check, LayerSubject};

type Implementation = Arc<dyn LayerSubject<f64>>;

pub(super) fn checks(implementation: &Implementation) -> Vec<Check> {
    vec![
        forward("max-pool-forward", EXACT, PoolMode::Max, implementation, |geometry, x, output| {
            // Z[r, q, c] = max X[r s : r s + k₁ - 1, q s : q s + k₂ - 1, c].
            window(geometry, x, output).into_iter().fold(f64::NEG_INFINITY, f64::max)
        }),
        forward(
            "average-pool-forward",
            SUMS,
            PoolMode::Average,
            implementation,
            |geometry, x, at| {
                let cells = window(geometry, x, at);
                cells.iter().sum::<f64>() / cells.len() as f64
            },
        ),
        backward("max-pool-backward", PoolMode::Max, implementation, |geometry, x, at, cell| {
            // 1 for the first cell, in row-major order, that no other cell exceeds; 0 for the rest.
            let cells = window(geometry, x, at);
            let is_largest = |index: usize| cells.iter().all(|&other| other <= cells[index]);
            let winner = (0..cells.len()).find(|&index| is_largest(index));
            if winner == Some(cell) { 1.0 } else { 0.0 }
        }),
        backward(
            "average-pool-backward",
            PoolMode::Average,
            implementation,
            |geometry, _, _, _| {
                // 1/(k₁ k₂) for every cell.
                1.0 / (geometry.kernel.0 * geometry.kernel.1) as f64
            },
        ),
    ]
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
    name: &str,
    bound: f64,
    mode: PoolMode,
    implementation: &Implementation,
    literal: fn(&Geometry, &ArrayD<f64>, [usize; 4]) -> f64,
) -> Check {
    let implementation = Arc::clone(implementation);
    formula("6.3", name, bound, move |case| {
        let (geometry, x) = images(case);
        let mut layer = build(implementation.as_ref(), &geometry.pool(mode), case)?;
        let y = ArrayD::from_shape_fn(IxDyn(&geometry.y_shape(geometry.channels)), |at| {
            literal(&geometry, &x, [at[0], at[1], at[2], at[3]])
        });
        case.compare("Y", &layer.forward(x)?, &y)
    })
}

/// `dL/dX[n, x, y, c] = Σ dL/dY[n, r, q, c] ∂Y[n, r, q, c]/∂X[n, x, y, c]` over the output cells and
/// the kernel cells with which they see `(x, y)`; `literal` is the derivative.
fn backward(
    name: &str,
    mode: PoolMode,
    implementation: &Implementation,
    literal: fn(&Geometry, &ArrayD<f64>, [usize; 4], usize) -> f64,
) -> Check {
    let implementation = Arc::clone(implementation);
    formula("6.3", name, SUMS, move |case| -> Result<(), Failure> {
        let (geometry, x) = images(case);
        let mut layer = build(implementation.as_ref(), &geometry.pool(mode), case)?;
        let y = layer.forward(x.clone())?;
        let dl_dy = case.array(y.shape());
        let got = layer.backward(dl_dy.clone())?;

        let (r1, r2) = geometry.output();
        let mut dl_dx = ArrayD::zeros(x.raw_dim());
        for n in 0..geometry.m {
            for c in 0..geometry.channels {
                for r in 0..r1 {
                    for q in 0..r2 {
                        for i in 0..geometry.kernel.0 {
                            for j in 0..geometry.kernel.1 {
                                let Some((row, col)) = geometry.cell(r, q, i, j) else { continue };
                                let cell = i * geometry.kernel.1 + j;
                                let derivative = literal(&geometry, &x, [n, r, q, c], cell);
                                dl_dx[[n, row, col, c]] += dl_dy[[n, r, q, c]] * derivative;
                            }
                        }
                    }
                }
            }
        }
        case.compare("dL/dX", &got, &dl_dx)
    })
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
