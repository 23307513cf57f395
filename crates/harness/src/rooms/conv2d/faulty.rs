//! Convolution into which a bug can be built.

use cnn::Conv2DConfig;
use layers::Parameters;
use ndarray::{Array2, Array4, ArrayD, ArrayView4, Ix4};

use crate::layer::Spec;
use crate::layer::naive::Model;

/// A convolution by loops over every index.
#[derive(Debug)]
pub(super) struct Naive {
    output_shape: [usize; 2],
    stride: usize,
    pad: (usize, usize),
    bug: &'static str,
}

impl Naive {
    pub(super) fn of(spec: &Spec, bug: &'static str) -> Self {
        let &Conv2DConfig { kernel_shape: (k1, k2), stride, pad, .. } = spec.config();
        let input_shape = &spec.input_shape;
        let (p1, p2) = pad.cells((k1, k2));
        let size =
            |input: usize, kernel: usize, pad: usize| (input + 2 * pad - kernel) / stride + 1;
        let output_shape = [size(input_shape[0], k1, p1), size(input_shape[1], k2, p2)];
        let pad = if bug == "pad-off-by-one" { (p1 + 1, p2) } else { (p1, p2) };
        Self { output_shape, stride, pad, bug }
    }

    /// Calls `visit([r, q], [i, j], [row, col])` for each output cell and each kernel cell that sees
    /// a cell of the image.
    fn for_each(
        &self,
        stride: usize,
        pad: (usize, usize),
        image: [usize; 2],
        kernel: [usize; 2],
        mut visit: impl FnMut([usize; 2], [usize; 2], [usize; 2]),
    ) {
        let [r1, r2] = self.output_shape;
        for (r, q, i, j) in ndarray::indices((r1, r2, kernel[0], kernel[1])) {
            let row = (r * stride + i).checked_sub(pad.0).filter(|&row| row < image[0]);
            let col = (q * stride + j).checked_sub(pad.1).filter(|&col| col < image[1]);
            if let (Some(row), Some(col)) = (row, col) {
                visit([r, q], [i, j], [row, col]);
            }
        }
    }
}

fn images(array: &ArrayD<f64>) -> ArrayView4<'_, f64> {
    array.view().into_dimensionality::<Ix4>().expect("images have four axes")
}

impl Model for Naive {
    fn forward(&self, x: &ArrayD<f64>, parameters: &Parameters<f64>) -> ArrayD<f64> {
        let (x, w) = (images(x), parameters.kernel("W"));
        let (m, rows, cols, channels) = x.dim();
        let (k1, k2, _, filters) = w.dim();
        let [r1, r2] = self.output_shape;
        let mut z = Array4::from_shape_fn((m, r1, r2, filters), |(.., f)| {
            parameters.get("b").map_or(0.0, |b| b[[0, f]])
        });
        self.for_each(
            self.stride,
            self.pad,
            [rows, cols],
            [k1, k2],
            |[r, q], [i, j], [row, col]| {
                let (wi, wj) = match self.bug {
                    "kernel-flipped" => (k1 - 1 - i, k2 - 1 - j),
                    "kernel-axes" => (j.min(k1 - 1), i.min(k2 - 1)),
                    _ => (i, j),
                };
                for (n, c, f) in ndarray::indices((m, channels, filters)) {
                    let wc = if self.bug == "channels-reversed" { channels - 1 - c } else { c };
                    z[[n, r, q, f]] += w[[wi, wj, wc, f]] * x[[n, row, col, c]];
                }
            },
        );
        z.into_dyn()
    }

    fn backward(
        &self,
        x: &ArrayD<f64>,
        parameters: &Parameters<f64>,
        dl_dz: &ArrayD<f64>,
    ) -> (ArrayD<f64>, Parameters<f64>) {
        let (x, w, dl_dz) = (images(x), parameters.kernel("W"), images(dl_dz));
        let (m, rows, cols, channels) = x.dim();
        let (k1, k2, _, filters) = w.dim();
        let mut dl_dx = Array4::<f64>::zeros(x.raw_dim());
        let mut dl_dw = Array4::<f64>::zeros(w.raw_dim());
        let mut dl_db = Array2::<f64>::zeros((1, filters));
        for ((n, r, q, f), &g) in dl_dz.indexed_iter() {
            let counts = match self.bug {
                "bias-gradient-space" => r == 0 && q == 0,
                "bias-gradient-batch" => n == 0,
                _ => true,
            };
            if counts {
                dl_db[[0, f]] += g;
            }
        }
        let stride = if self.bug == "backward-stride" { 1 } else { self.stride };
        let pad = match self.bug {
            "backward-pad-off-by-one" => (self.pad.0, self.pad.1 + 1),
            _ => self.pad,
        };
        self.for_each(stride, pad, [rows, cols], [k1, k2], |[r, q], [i, j], [row, col]| {
            for (n, c, f) in ndarray::indices((m, channels, filters)) {
                let g = dl_dz[[n, r, q, f]];
                let dw = g * x[[n, row, col, c]];
                if self.bug == "weight-gradient-last" {
                    dl_dw[[i, j, c, f]] = dw;
                } else {
                    dl_dw[[i, j, c, f]] += dw;
                }
                let w = match self.bug {
                    "input-gradient-flipped" => w[[k1 - 1 - i, k2 - 1 - j, c, f]],
                    _ => w[[i, j, c, f]],
                };
                if self.bug == "input-gradient-assigned" && f == 0 {
                    dl_dx[[n, row, col, c]] = g * w;
                } else {
                    dl_dx[[n, row, col, c]] += g * w;
                }
            }
        });
        let b = parameters.get("b").map(|_| ("b", dl_db.into_dyn()));
        (dl_dx.into_dyn(), Parameters::new([("W", dl_dw.into_dyn())].into_iter().chain(b)))
    }
}
