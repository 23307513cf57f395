//! Pooling by loops over every index, into which a bug can be built.

use cnn::{Pool2DConfig, PoolMode};
use ndarray::ArrayD;

use super::geometry;
use crate::layer::faulty::{Faulty, Gradients};
use crate::layer::window::Geometry;
use crate::transcription::four_axes;

/// A cell of a window: where it is in the image, unless it is padding, and what it counts as.
type Cell = (Option<(usize, usize)>, f64);

fn mode(layer: &Faulty) -> PoolMode {
    layer.spec.config::<Pool2DConfig>().mode
}

/// The cells of the window at `(r, q)` in row-major order.
fn cells(
    layer: &Faulty,
    geometry: &Geometry,
    x: &ArrayD<f64>,
    [n, r, q, c]: [usize; 4],
) -> Vec<Cell> {
    let padding = match (layer.bug, mode(layer)) {
        ("pad-minus-infinity", PoolMode::Max) => f64::NEG_INFINITY,
        _ => 0.0,
    };
    let cell = |(i, j)| match geometry.cell(r, q, i, j) {
        Some((row, col)) => (Some((row, col)), x[[n, row, col, c]]),
        None => (None, padding),
    };
    ndarray::indices(geometry.kernel).into_iter().map(cell).collect()
}

/// The cell of the window that is its maximum.
fn winner(bug: &str, cells: &[Cell]) -> usize {
    let key = |value: f64| match bug {
        "maximum-of-magnitudes" => value.abs(),
        "minimum" => -value,
        _ => value,
    };
    let beats = |a: f64, b: f64| {
        let later_wins = bug == "last-tie-wins" && key(a) >= key(b);
        a.is_nan() && !b.is_nan() || key(a) > key(b) || later_wins
    };
    (1..cells.len()).fold(0, |best, at| if beats(cells[at].1, cells[best].1) { at } else { best })
}

/// What the average divides by.
fn divisor(bug: &str, cells: &[Cell]) -> f64 {
    let visible = cells.iter().filter(|(place, _)| place.is_some()).count().max(1);
    (if bug == "average-of-visible" { visible } else { cells.len() }) as f64
}

pub(super) fn y(layer: &Faulty, x: &ArrayD<f64>) -> ArrayD<f64> {
    let geometry = geometry(&layer.spec, x);
    four_axes(geometry.y_shape(geometry.channels), |(n, r, q, c)| {
        let cells = cells(layer, &geometry, x, [n, r, q, c]);
        match mode(layer) {
            PoolMode::Max => cells[winner(layer.bug, &cells)].1,
            PoolMode::Average => {
                cells.iter().map(|cell| cell.1).sum::<f64>() / divisor(layer.bug, &cells)
            }
        }
    })
}

pub(super) fn gradients(layer: &Faulty, x: &ArrayD<f64>, dl_dz: &ArrayD<f64>) -> Gradients {
    let mut geometry = geometry(&layer.spec, x);
    if layer.bug == "backward-stride" {
        geometry.stride = 1;
    }
    let mut dl_dx = ArrayD::zeros(x.raw_dim());
    for (at, &g) in dl_dz.indexed_iter() {
        let (n, c) = (at[0], at[3]);
        let cells = cells(layer, &geometry, x, [n, at[1], at[2], c]);
        let winner = winner(layer.bug, &cells);
        for (index, &(place, value)) in cells.iter().enumerate() {
            let place = match layer.bug {
                "backward-unpadded" => {
                    let (i, j) = (index / geometry.kernel.1, index % geometry.kernel.1);
                    let place = (at[1] * geometry.stride + i, at[2] * geometry.stride + j);
                    Some(place).filter(|&(row, col)| row < geometry.rows && col < geometry.cols)
                }
                _ => place,
            };
            let Some((row, col)) = place else { continue };
            if layer.bug == "mask-from-zero" && mode(layer) == PoolMode::Max && value <= 0.0 {
                continue;
            }
            let tie = layer.bug == "all-ties-win" && value == cells[winner].1;
            let share = match mode(layer) {
                PoolMode::Max if tie || index == winner => g,
                PoolMode::Max => continue,
                PoolMode::Average if layer.bug == "average-not-divided" => g,
                PoolMode::Average if layer.bug == "average-rows-squared" => {
                    g / geometry.kernel.0.pow(2) as f64
                }
                PoolMode::Average => g / divisor(layer.bug, &cells),
            };
            let before = match layer.bug {
                "backward-assigns" => 0.0,
                _ => dl_dx[[n, row, col, c]],
            };
            dl_dx[[n, row, col, c]] = before + share;
        }
    }
    (dl_dx, vec![])
}
