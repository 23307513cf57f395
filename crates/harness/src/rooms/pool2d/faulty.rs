//! Pooling into which a bug can be built.

use cnn::{Pool2DConfig, PoolMode};
use layers::Parameters;
use ndarray::{Array4, ArrayD, ArrayView4, Ix4};

use crate::layer::Spec;
use crate::layer::naive::Model;

/// Pooling by loops over every index.
#[derive(Debug)]
pub(super) struct Naive {
    mode: PoolMode,
    kernel: (usize, usize),
    stride: usize,
    pad: (usize, usize),
    bug: &'static str,
}

/// A cell of a window: where it is in the image, unless it is padding, and what it counts as.
type Cell = (Option<[usize; 2]>, f64);

impl Naive {
    pub(super) fn of(spec: &Spec, bug: &'static str) -> Self {
        let &Pool2DConfig { mode, kernel_shape: kernel, stride, pad } = spec.config();
        Self { mode, kernel, stride, pad: pad.cells(kernel), bug }
    }

    fn output_shape(&self, x: &ArrayView4<'_, f64>) -> [usize; 4] {
        let (m, rows, cols, channels) = x.dim();
        let size = |input, kernel, pad| (input + 2 * pad - kernel) / self.stride + 1;
        let rows = size(rows, self.kernel.0, self.pad.0);
        [m, rows, size(cols, self.kernel.1, self.pad.1), channels]
    }

    /// The cells of the window at `(r, q)` in row-major order.
    fn cells(&self, x: &ArrayView4<'_, f64>, [n, r, q, c]: [usize; 4], stride: usize) -> Vec<Cell> {
        let (_, rows, cols, _) = x.dim();
        let padding = match (self.bug, self.mode) {
            ("pad-minus-infinity", PoolMode::Max) => f64::NEG_INFINITY,
            _ => 0.0,
        };
        let mut cells = Vec::new();
        for i in 0..self.kernel.0 {
            for j in 0..self.kernel.1 {
                let row = (r * stride + i).checked_sub(self.pad.0).filter(|&row| row < rows);
                let col = (q * stride + j).checked_sub(self.pad.1).filter(|&col| col < cols);
                cells.push(match (row, col) {
                    (Some(row), Some(col)) => (Some([row, col]), x[[n, row, col, c]]),
                    _ => (None, padding),
                });
            }
        }
        cells
    }

    fn divisor(&self, cells: &[Cell]) -> f64 {
        match self.bug {
            "average-of-visible" => {
                cells.iter().filter(|(place, _)| place.is_some()).count().max(1) as f64
            }
            _ => cells.len() as f64,
        }
    }

    /// Whether each cell is a winner of its window.
    fn winners(&self, cells: &[Cell]) -> Vec<bool> {
        let key = |cell: &Cell| match self.bug {
            "maximum-of-magnitudes" => cell.1.abs(),
            "minimum" => -cell.1,
            _ => cell.1,
        };
        let best = cells.iter().position(|cell| cell.1.is_nan()).unwrap_or_else(|| {
            let mut best = 0;
            for (index, cell) in cells.iter().enumerate() {
                let later_wins = self.bug == "last-tie-wins" && key(cell) >= key(&cells[best]);
                if key(cell) > key(&cells[best]) || later_wins {
                    best = index;
                }
            }
            best
        });
        let wins = |(index, cell): (usize, &Cell)| match self.bug {
            "all-ties-win" => cell.1 == cells[best].1,
            _ => index == best,
        };
        cells.iter().enumerate().map(wins).collect()
    }
}

fn images(array: &ArrayD<f64>) -> ArrayView4<'_, f64> {
    array.view().into_dimensionality::<Ix4>().expect("images have four axes")
}

impl Model for Naive {
    fn forward(&self, x: &ArrayD<f64>, _parameters: &Parameters<f64>) -> ArrayD<f64> {
        let x = images(x);
        Array4::from_shape_fn(self.output_shape(&x), |(n, r, q, c)| {
            let cells = self.cells(&x, [n, r, q, c], self.stride);
            match self.mode {
                PoolMode::Max => {
                    let winner = self.winners(&cells).iter().position(|&wins| wins);
                    cells[winner.unwrap_or(0)].1
                }
                PoolMode::Average => {
                    cells.iter().map(|cell| cell.1).sum::<f64>() / self.divisor(&cells)
                }
            }
        })
        .into_dyn()
    }

    fn backward(
        &self,
        x: &ArrayD<f64>,
        _parameters: &Parameters<f64>,
        dl_dz: &ArrayD<f64>,
    ) -> (ArrayD<f64>, Parameters<f64>) {
        let x = images(x);
        let mut dl_dx = Array4::zeros(x.raw_dim());
        let stride = if self.bug == "backward-stride" { 1 } else { self.stride };
        for ((n, r, q, c), &g) in images(dl_dz).indexed_iter() {
            let cells = self.cells(&x, [n, r, q, c], stride);
            let winners = self.winners(&cells);
            for (cell, wins) in cells.iter().zip(winners) {
                let Some([row, col]) = cell.0 else { continue };
                let share = match (self.mode, self.bug) {
                    (PoolMode::Max, _) if wins => g,
                    (PoolMode::Max, _) => continue,
                    (PoolMode::Average, "average-not-divided") => g,
                    (PoolMode::Average, _) => g / self.divisor(&cells),
                };
                if self.bug == "backward-assigns" {
                    dl_dx[[n, row, col, c]] = share;
                } else {
                    dl_dx[[n, row, col, c]] += share;
                }
            }
        }
        (dl_dx.into_dyn(), Parameters::none())
    }
}
