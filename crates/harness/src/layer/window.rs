//! Images and a window that slides over them.

use std::fmt;

use cnn::Pad;
use ndarray::{ArrayD, IxDyn};

use super::proof::{Term, element};
use crate::cases::Case;
use crate::transcription::array_of;

/// Two sums of at most 64 terms of magnitude at most 1, taken in different orders: `2 · 64² · 2⁻⁵³`.
pub(crate) const SUMS: f64 = 1e-12;

/// An image, a kernel, a stride and a padding.
type ImageAndWindow = ([usize; 3], (usize, usize), usize, Pad);

/// Everything in which an image, a kernel, a stride and a padding can be invalid.
pub(crate) const INVALID_WINDOWS: [ImageAndWindow; 9] = [
    ([0, 5, 2], (3, 3), 1, Pad::Same),
    ([5, 0, 2], (3, 3), 1, Pad::Same),
    ([5, 5, 0], (3, 3), 1, Pad::Same),
    ([5, 5, 2], (0, 3), 1, Pad::Same),
    ([5, 5, 2], (3, 0), 1, Pad::Valid),
    ([5, 5, 2], (3, 3), 0, Pad::Same),
    ([5, 5, 2], (6, 3), 1, Pad::Valid),
    ([5, 5, 2], (3, 8), 1, Pad::Cells(4, 1)),
    ([5, 5, 2], (3, 3), 1, Pad::Cells(usize::MAX / 2 + 1, 0)),
];

/// A batch of images and a window that slides over them, with index arithmetic of its own: the
/// formulas of the book are transcribed in terms of it, and share no code with the layers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Geometry {
    pub(crate) m: usize,
    pub(crate) rows: usize,
    pub(crate) cols: usize,
    pub(crate) channels: usize,
    pub(crate) kernel: (usize, usize),
    pub(crate) stride: usize,
    pub(crate) pad: Pad,
}

impl Geometry {
    /// The most output cells in a drawn batch: a sum over them has at most so many terms.
    pub(crate) const MOST_OUTPUT_CELLS: usize = 64;

    /// Images of this shape under this window.
    pub(crate) fn of(x_shape: &[usize], kernel: (usize, usize), stride: usize, pad: Pad) -> Self {
        let &[m, rows, cols, channels] = x_shape else { unreachable!("images have four axes") };
        Self { m, rows, cols, channels, kernel, stride, pad }
    }

    /// A small batch and a window that fits: kernels up to 4x4, strides up to 4, every kind of
    /// padding.
    pub(crate) fn draw(case: &mut Case) -> Self {
        loop {
            let pad = match case.between(0, 3) {
                0 => Pad::Valid,
                1 => Pad::Same,
                _ => Pad::Cells(case.between(0, 3), case.between(0, 3)),
            };
            let geometry = Self {
                m: case.between(1, 3),
                rows: case.between(1, 7),
                cols: case.between(1, 7),
                channels: case.between(1, 3),
                kernel: (case.between(1, 4), case.between(1, 4)),
                stride: case.between(1, 4),
                pad,
            };
            if geometry.fits() {
                return geometry;
            }
        }
    }

    /// As [`draw`](Self::draw), with this stride and padding.
    pub(crate) fn draw_with(case: &mut Case, stride: usize, pad: Pad) -> Self {
        loop {
            let geometry = Self { stride, pad, ..Self::draw(case) };
            if geometry.fits() {
                return geometry;
            }
        }
    }

    /// As [`draw`](Self::draw) without padding, of a stride up to 3.
    pub(crate) fn draw_unpadded(case: &mut Case) -> Self {
        let stride = case.between(1, 3);
        Self::draw_with(case, stride, Pad::Valid)
    }

    /// All windows up to 3x3 on images up to 3x3, with strides and paddings up to 3 and 2; windows up to 5 on images
    /// of one row or one column of up to 6, with strides and paddings up to 4; some with several images and channels.
    pub(crate) fn all() -> Vec<Self> {
        let axis = |n: usize, k: usize, p: usize| {
            ndarray::indices((n, k, p + 1)).into_iter().map(|(n, k, p)| (n + 1, k + 1, p))
        };
        let with = |(m, channels), (rows, k1, p1), (cols, k2, p2), stride| Self {
            m,
            rows,
            cols,
            channels,
            kernel: (k1, k2),
            stride,
            pad: Pad::Cells(p1, p2),
        };
        let mut all = Vec::new();
        for stride in 1..=3 {
            for rows in axis(3, 3, 2) {
                all.extend(axis(3, 3, 2).map(|cols| with((1, 1), rows, cols, stride)));
            }
        }
        let point = (1, 1, 0);
        for stride in 1..=4 {
            for line in axis(6, 5, 4).filter(|(n, k, _)| *n > 3 || *k > 3) {
                all.extend([with((1, 1), line, point, stride), with((1, 1), point, line, stride)]);
            }
        }
        for several in [(2, 1), (1, 2), (2, 2)] {
            all.extend([1, 2].map(|stride| with(several, (2, 2, 1), (3, 2, 0), stride)));
        }
        all.retain(Self::fits);
        all
    }

    fn fits(&self) -> bool {
        let ((p1, p2), (k1, k2)) = (self.padding(), self.kernel);
        let fits = k1 <= self.rows + 2 * p1 && k2 <= self.cols + 2 * p2;
        fits && self.m * self.output().0 * self.output().1 <= Self::MOST_OUTPUT_CELLS
    }

    /// Padded rows and columns on each side: `(k - 1) / 2`, rounded down, for "same".
    pub(crate) fn padding(&self) -> (usize, usize) {
        match self.pad {
            Pad::Valid => (0, 0),
            Pad::Same => ((self.kernel.0 - 1) / 2, (self.kernel.1 - 1) / 2),
            Pad::Cells(rows, cols) => (rows, cols),
        }
    }

    /// Rows and columns of the output: `floor((n + 2 pad - kernel) / stride) + 1`.
    pub(crate) fn output(&self) -> (usize, usize) {
        let size = |n: usize, pad: usize, kernel: usize| (n + 2 * pad - kernel) / self.stride + 1;
        let (p1, p2) = self.padding();
        (size(self.rows, p1, self.kernel.0), size(self.cols, p2, self.kernel.1))
    }

    /// What cell `(i, j)` of the window sees from output cell `(r, q)`: a cell of the image, or
    /// nothing where there is padding.
    pub(crate) fn cell(&self, r: usize, q: usize, i: usize, j: usize) -> Option<(usize, usize)> {
        let (p1, p2) = self.padding();
        let row = (r * self.stride + i).checked_sub(p1)?;
        let col = (q * self.stride + j).checked_sub(p2)?;
        (row < self.rows && col < self.cols).then_some((row, col))
    }

    /// `P[n, r, q, i, j, c] = X[n, r s + i - p₁, q s + j - p₂, c]`: what cell (i, j) of the window sees from
    /// output cell (r, q), zero where that is padding.
    pub(crate) fn patches(&self, x: &ArrayD<f64>) -> ArrayD<f64> {
        let seen = |(n, r, q, i, j, c)| {
            self.cell(r, q, i, j).map_or(0.0, |(row, col)| x[[n, row, col, c]])
        };
        array_of(self.patches_shape(), seen).into_dyn()
    }

    /// Images into which each element of P is put at the pixel that it is a copy of, in order.
    pub(crate) fn images(&self, patches: &ArrayD<f64>, put: fn(&mut f64, f64)) -> ArrayD<f64> {
        let mut images = ArrayD::zeros(IxDyn(&self.x_shape()));
        let places = ndarray::indices(self.patches_shape()).into_iter();
        for ((n, r, q, i, j, c), &element) in places.zip(patches) {
            if let Some((row, col)) = self.cell(r, q, i, j) {
                put(&mut images[[n, row, col, c]], element);
            }
        }
        images
    }

    /// The shape of [`patches`](Self::patches).
    pub(crate) fn patches_shape(&self) -> [usize; 6] {
        let ((r1, r2), (k1, k2)) = (self.output(), self.kernel);
        [self.m, r1, r2, k1, k2, self.channels]
    }

    /// What a sum over each window is, with weights if there are filters.
    pub(crate) fn terms(&self, filters: Option<usize>) -> Vec<Term> {
        let (k1, k2) = self.kernel;
        let w_shape = [k1, k2, self.channels, filters.unwrap_or(1)];
        let y_shape = self.y_shape(filters.unwrap_or(self.channels));
        let mut terms = Vec::new();
        for (n, r, q, i, j, c) in ndarray::indices(self.patches_shape()) {
            let Some((row, col)) = self.cell(r, q, i, j) else { continue };
            let x = Some(element(self.x_shape(), [n, row, col, c]));
            match filters {
                None => terms.push(Term { x, p: None, y: element(y_shape, [n, r, q, c]) }),
                Some(filters) => terms.extend((0..filters).map(|f| Term {
                    x,
                    p: Some(element(w_shape, [i, j, c, f])),
                    y: element(y_shape, [n, r, q, f]),
                })),
            }
        }
        terms
    }

    /// The shape of the batch of images.
    pub(crate) fn x_shape(&self) -> [usize; 4] {
        [self.m, self.rows, self.cols, self.channels]
    }

    /// The shape of the output with so many channels.
    pub(crate) fn y_shape(&self, n_out: usize) -> [usize; 4] {
        let (r1, r2) = self.output();
        [self.m, r1, r2, n_out]
    }
}

impl fmt::Display for Geometry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kernel: (k1, k2), stride, pad, .. } = self;
        write!(f, "X {:?}, kernel {k1}x{k2}, stride {stride}, pad {pad}", self.x_shape())
    }
}
