//! The algorithm in plain products, tile by tile, with a bug or with none.

use ndarray::{Array2, Array4, Zip, s};

use super::{GRID, a, bt, g, patch};
use crate::transcription::array_of;

/// A bug, or `""`, and whether numbers are kept in single precision.
#[derive(Clone, Copy)]
pub(super) struct Faulty {
    pub(super) bug: &'static str,
    pub(super) narrow: bool,
}

/// Padding, which is negative where cells are skipped.
type Padding = (isize, isize);

impl Faulty {
    fn bt(self) -> Array2<f64> {
        let mut bt = bt();
        if self.bug == "transform-sign" {
            bt[[1, 1]] = -bt[[1, 1]];
        }
        if self.bug == "transform-transposed" { bt.reversed_axes() } else { bt }
    }

    /// 24 G, which has whole numbers: a product with it can be exact, and is divided by [`GRID`] for both sides.
    fn g(self) -> Array2<f64> {
        let mut g = 24.0 * g();
        if self.bug == "points-exchanged" {
            let (one, minus_one) = (g.row(1).to_owned(), g.row(2).to_owned());
            g.row_mut(1).assign(&minus_one);
            g.row_mut(2).assign(&one);
        }
        g
    }

    /// `Bᵀ d B` of the cells that tile `(t, u)` sees.
    fn cells(self, x: &Array4<f64>, at: (usize, usize, usize, usize), seen: Seen) -> Array2<f64> {
        let (n, t, u, c) = at;
        let apart = if self.bug == "tiles-apart" { 6 } else { 4 };
        let corner = |tile: usize, pad: isize| (apart * tile).cast_signed() - pad;
        let corner = [corner(t, seen.pad.0), corner(u, seen.pad.1)];
        let mut d = match self.bug {
            "edge-repeated" => nearest(x, n, c, corner),
            _ => patch::<6>(x, n, c, corner),
        };
        if self.bug == "tap-lost-at-the-clip" {
            // The outputs that are left see two rows and columns more than there are of them.
            let (rows, cols) = (seen.output.0 - 4 * t, seen.output.1 - 4 * u);
            d.indexed_iter_mut()
                .filter(|&((i, j), _)| rows < 4 && i > rows || cols < 4 && j > cols)
                .for_each(|(_, cell)| *cell = 0.0);
        }
        let bt = self.bt();
        bt.dot(&d).dot(&bt.t()).mapv(|v| self.kept(v))
    }

    /// A transformed cell as it is kept.
    fn kept(self, v: f64) -> f64 {
        match self.bug {
            // The first 16 bits of an f32.
            "half-precision" if self.narrow => {
                f64::from(f32::from_bits((v as f32).to_bits() & 0xffff_0000))
            }
            _ => v,
        }
    }

    fn correlated(
        self,
        x: &Array4<f64>,
        w: &Array4<f64>,
        b: &Array2<f64>,
        seen: Seen,
    ) -> Array4<f64> {
        let (m, _, _, channels) = x.dim();
        let (filters, (rows, cols)) = (w.dim().3, seen.output);
        let g = self.g();
        let weights: Vec<Array2<f64>> = ndarray::indices((channels, filters))
            .into_iter()
            .map(|(c, f)| {
                let w = w.slice(s![.., .., c, f]);
                let w = if self.bug == "filter-transposed" { w.reversed_axes() } else { w };
                g.dot(&w).dot(&g.t()) / GRID
            })
            .collect();
        let mut z = Array4::zeros((m, rows, cols, filters));
        for (n, t, u) in ndarray::indices((m, rows.div_ceil(4), cols.div_ceil(4))) {
            let cells: Vec<_> = (0..channels).map(|c| self.cells(x, (n, t, u, c), seen)).collect();
            for f in 0..filters {
                let mut products = Array2::<f64>::zeros((6, 6));
                for (c, cells) in cells.iter().enumerate() {
                    Zip::from(&mut products)
                        .and(cells)
                        .and(&weights[c * filters + f])
                        .for_each(|sum, v, u| *sum += v * u);
                }
                if self.bug == "bias-at-the-point-0" {
                    products[[0, 0]] += b[[0, f]];
                }
                let bias = if self.bug == "bias-at-the-point-0" { 0.0 } else { b[[0, f]] };
                let outputs = a().t().dot(&products).dot(&a()) + bias;
                let mut tile =
                    z.slice_mut(s![n, 4 * t..rows.min(4 * t + 4), 4 * u..cols.min(4 * u + 4), f]);
                let (r, q) = tile.dim();
                tile.assign(&outputs.slice(s![..r, ..q]));
            }
        }
        z
    }

    pub(super) fn forward(
        self,
        x: &Array4<f64>,
        w: &Array4<f64>,
        b: &Array2<f64>,
        pad: Padding,
        output: (usize, usize),
    ) -> Array4<f64> {
        self.correlated(x, w, b, Seen { pad, output })
    }

    pub(super) fn backward_data(
        self,
        w: &Array4<f64>,
        dl_dz: &Array4<f64>,
        pad: Padding,
        input: (usize, usize),
    ) -> Array4<f64> {
        let turned = match self.bug {
            "filter-not-turned" => w.view(),
            _ => w.slice(s![..;-1, ..;-1, .., ..]),
        };
        let turned = turned.permuted_axes([0, 1, 3, 2]).to_owned();
        let pad = if self.bug == "padding-of-forward" { pad } else { (2 - pad.0, 2 - pad.1) };
        let none = Array2::zeros((1, w.dim().2));
        self.correlated(dl_dz, &turned, &none, Seen { pad, output: input })
    }

    pub(super) fn backward_weights(
        self,
        x: &Array4<f64>,
        dl_dz: &Array4<f64>,
        pad: Padding,
    ) -> Array4<f64> {
        let (m, rows, cols, filters) = dl_dz.dim();
        let (channels, g) = (x.dim().3, self.g());
        let seen = Seen { pad, output: (rows, cols) };
        let tiles = (m, rows.div_ceil(4), cols.div_ceil(4));
        let mut sums = vec![Array2::<f64>::zeros((6, 6)); channels * filters];
        for (n, t, u) in ndarray::indices(tiles) {
            let whole = 4 * t + 4 <= rows && 4 * u + 4 <= cols;
            if self.bug == "clipped-tiles-left-out" && !whole {
                continue;
            }
            let corner = [(4 * t).cast_signed(), (4 * u).cast_signed()];
            let gradients: Vec<_> = (0..filters)
                .map(|f| a().dot(&patch::<4>(dl_dz, n, f, corner)).dot(&a().t()))
                .collect();
            for c in 0..channels {
                let cells = self.cells(x, (n, t, u, c), seen);
                for (sum, gradient) in sums[c * filters..].iter_mut().zip(&gradients) {
                    Zip::from(sum).and(&cells).and(gradient).for_each(|sum, v, g| *sum += v * g);
                }
            }
        }
        let weights: Vec<_> = sums.iter().map(|sum| g.t().dot(sum).dot(&g) / GRID).collect();
        let transposed = self.bug == "weight-gradient-transposed";
        array_of((3, 3, channels, filters), |(i, j, c, f)| {
            weights[c * filters + f][if transposed { [j, i] } else { [i, j] }]
        })
    }
}

/// Where tiles lie: the padding of what they see, and the rows and columns of their outputs.
#[derive(Clone, Copy)]
struct Seen {
    pad: Padding,
    output: (usize, usize),
}

/// The cells from a corner on, those outside the image equal to the nearest one inside.
fn nearest(x: &Array4<f64>, n: usize, c: usize, corner: [isize; 2]) -> Array2<f64> {
    let (_, rows, cols, _) = x.dim();
    let inside = |from: isize, at: usize, len: usize| {
        (from + at.cast_signed()).clamp(0, len.cast_signed() - 1).unsigned_abs()
    };
    array_of((6, 6), |(i, j)| x[[n, inside(corner[0], i, rows), inside(corner[1], j, cols), c]])
}
