//! The formulas as loops over their indices: of question 6.2, which has stride 1 and no padding, and in general.

use activations::Activation;
use cnn::Pad;
use layers::Layer;
use ndarray::ArrayD;

use super::{spec, with_bias};
use crate::cases::{Case, Failure, Verdict, claim};
use crate::layer::window::{Geometry, SUMS};
use crate::layer::{Layers, Passed, gradient, parameter, pass};
use crate::room::Checks;
use crate::transcription::{four_axes, sum};

pub(super) fn add(own: &mut Checks<Layers>) {
    let mut plain = |name: &str, one: fn(&mut Case, &mut Drawn) -> Verdict| {
        own.formula(name, SUMS, move |subject, case| {
            let geometry = Geometry::draw_with(case, 1, Pad::Valid);
            let mut drawn = Drawn::new(subject, geometry, Activation::Linear, true, case)?;
            one(case, &mut drawn)
        });
    };
    // Z[n, r, q, f] = b[f] + Σᵢ Σⱼ Σc W[i, j, c, f] X[n, r + i, q + j, c].
    plain("conv-plain", |case, drawn| {
        let Drawn { layer, x, w, b, .. } = drawn;
        let got = layer.forward(x.clone())?;
        let (k1, k2, channels) = (w.shape()[0], w.shape()[1], w.shape()[2]);
        // As many cells as there are places for the filter.
        let shape = [x.shape()[0], x.shape()[1] - k1 + 1, x.shape()[2] - k2 + 1, b.len()];
        let z = four_axes(shape, |(n, r, q, f)| {
            let cell = |(i, j, c)| w[[i, j, c, f]] * x[[n, r + i, q + j, c]];
            b[[0, f]] + sum((k1, k2, channels), cell)
        });
        case.compare("Z", &got, &z)
    });
    // (a) dL/db[f] = Σₙ Σᵣ Σ_q G[n, r, q, f].
    plain("conv-a", |case, drawn| {
        let g = drawn.pass(case)?.dl_dy;
        let dl_db = ArrayD::from_shape_fn(drawn.b.raw_dim(), |at| {
            g.indexed_iter().filter(|(z, _)| z[3] == at[1]).map(|(_, g)| g).sum()
        });
        case.compare("dL/db", &gradient(&*drawn.layer, "b")?, &dl_db)
    });
    // (b) dL/dW[i, j, c, f] = Σₙ Σᵣ Σ_q G[n, r, q, f] X[n, r + i, q + j, c].
    plain("conv-b", |case, drawn| {
        let g = drawn.pass(case)?.dl_dy;
        let dl_dw = four_axes(drawn.w_shape(), |(i, j, c, f)| {
            let of_filter = g.indexed_iter().filter(|(z, _)| z[3] == f);
            of_filter.map(|(z, g)| g * drawn.x[[z[0], z[1] + i, z[2] + j, c]]).sum()
        });
        case.compare("dL/dW", &gradient(&*drawn.layer, "W")?, &dl_dw)
    });
    // (c) dL/dX[n, x, y, c] = Σᵣ Σ_q Σ_f G[n, r, q, f] W[x - r, y - q, c, f]
    //                       = Σᵢ Σⱼ Σ_f G[n, x - i, y - j, f] W[i, j, c, f].
    plain("conv-c", |case, drawn| {
        let Passed { dl_dy: g, dl_dx, .. } = drawn.pass(case)?;
        let (w, shape) = (&drawn.w, drawn.geometry.x_shape());
        let minus = |a: usize, b: usize| a as isize - b as isize;
        let by_outputs = four_axes(shape, |(n, x, y, c)| {
            let of_image = g.indexed_iter().filter(|(z, _)| z[0] == n);
            of_image.map(|(z, g)| g * weight(w, minus(x, z[1]), minus(y, z[2]), [c, z[3]])).sum()
        });
        case.compare("dL/dX by output cells", &dl_dx, &by_outputs)?;
        let by_weights = four_axes(shape, |(n, x, y, c)| {
            let of_channel = w.indexed_iter().filter(|(cell, _)| cell[2] == c);
            of_channel
                .map(|(at, w)| w * pixel(&g, n, minus(x, at[0]), minus(y, at[1]), at[3]))
                .sum()
        });
        case.compare("dL/dX by filter cells", &dl_dx, &by_weights)
    });
    let mut of_z = |name: &str, one: fn(&mut Case, &mut Drawn) -> Verdict| {
        own.formula(name, SUMS, move |subject, case| {
            // Every other case is that of the question: stride 1, padding that never ends.
            let geometry = match case.between(0, 1) {
                0 => infinitely_padded(case),
                _ => Geometry::draw(case),
            };
            let mut drawn = Drawn::new(subject, geometry, Activation::Linear, true, case)?;
            one(case, &mut drawn)
        });
    };
    of_z("conv2d-forward", |case, drawn| {
        let z = drawn.z();
        case.compare("Z", &drawn.layer.forward(drawn.x.clone())?, &z)
    });
    of_z("conv2d-db", |case, drawn| {
        let dl_dz = drawn.pass(case)?.dl_dy;
        case.compare("dL/db", &gradient(&*drawn.layer, "b")?, &drawn.dl_db(&dl_dz))
    });
    of_z("conv2d-dw", |case, drawn| {
        let dl_dz = drawn.pass(case)?.dl_dy;
        let got = gradient(&*drawn.layer, "W")?;
        case.compare("dL/dW", &got, &drawn.dl_dw(&dl_dz))?;
        match drawn.is_infinitely_padded() {
            true => case.compare("dL/dW of 6.2 (b)", &got, &drawn.dl_dw_of_question(&dl_dz)),
            false => Ok(()),
        }
    });
    of_z("conv2d-dx", |case, drawn| {
        let Passed { dl_dy: dl_dz, dl_dx, .. } = drawn.pass(case)?;
        case.compare("dL/dX", &dl_dx, &drawn.dl_dx(&dl_dz))?;
        match drawn.is_infinitely_padded() {
            true => case.compare("dL/dX of 6.2 (c)", &dl_dx, &drawn.dl_dx_of_question(&dl_dz)),
            false => Ok(()),
        }
    });
    // Y = σ(Z) and dL/dZ = dL/dY ⊙ σ'(Z) around the formulas, for σ = tanh.
    own.formula("conv2d-composed", SUMS, |subject, case| {
        let geometry = Geometry::draw(case);
        let mut drawn = Drawn::new(subject, geometry, Activation::TanH, true, case)?;
        let (y, passed) = (drawn.z().mapv(f64::tanh), drawn.pass(case)?);
        case.compare("Y", &passed.y, &y)?;
        let dl_dz = passed.dl_dy * (1.0 - &y * &y);
        case.compare("dL/dX", &passed.dl_dx, &drawn.dl_dx(&dl_dz))?;
        case.compare("dL/dW", &gradient(&*drawn.layer, "W")?, &drawn.dl_dw(&dl_dz))?;
        case.compare("dL/db", &gradient(&*drawn.layer, "b")?, &drawn.dl_db(&dl_dz))
    });
    // Z = Σ W X without b; dL/dX and dL/dW are what they are with a bias, and dL/dW is the only gradient.
    own.formula_of("7", "conv2d-without-bias", SUMS, |subject, case| {
        let geometry = Geometry::draw(case);
        let mut drawn = Drawn::new(subject, geometry, Activation::Linear, false, case)?;
        let (z, passed) = (drawn.z(), drawn.pass(case)?);
        case.compare("Z", &passed.y, &z)?;
        case.compare("dL/dX", &passed.dl_dx, &drawn.dl_dx(&passed.dl_dy))?;
        case.compare("dL/dW", &gradient(&*drawn.layer, "W")?, &drawn.dl_dw(&passed.dl_dy))?;
        let names: Vec<_> = passed.gradients.names().collect();
        claim(names == ["W"], || format!("gradients of {names:?}"))
    });
    own.formula("conv2d-output-size", 0.0, output_size);
}

/// Stride 1 and so much padding that more of it would add only windows that see nothing of the image:
/// `Z[d₁, d₂]` for every `d₁` from `1 - kernel_rows` on, and `dL/dZ` zero beyond.
fn infinitely_padded(case: &mut Case) -> Geometry {
    loop {
        let kernel = (case.between(1, 3), case.between(1, 3));
        let pad = Pad::Cells(kernel.0 - 1, kernel.1 - 1);
        let geometry =
            Geometry { kernel, rows: case.between(1, 4), ..Geometry::draw_with(case, 1, pad) };
        let (r1, r2) = geometry.output();
        if geometry.m * r1 * r2 <= Geometry::MOST_OUTPUT_CELLS {
            return geometry;
        }
    }
}

/// `floor((n + 2 pad - kernel) / stride) + 1`, and what it means: the number of offsets 0, stride,
/// 2 stride, ... at which the kernel lies within the padded image.
fn output_size(subject: &Layers, case: &mut Case) -> Verdict {
    let geometry = Geometry::draw(case);
    case.describe(geometry);
    let layer = subject.build(&spec(&geometry, 2, Activation::Linear), case)?;
    let count = |n: usize, pad: usize, kernel: usize| {
        let offsets = (0..n + 2 * pad).step_by(geometry.stride);
        offsets.filter(|at| at + kernel <= n + 2 * pad).count()
    };
    let ((p1, p2), (k1, k2)) = (geometry.padding(), geometry.kernel);
    let expected = (count(geometry.rows, p1, k1), count(geometry.cols, p2, k2));
    claim(geometry.output() == expected, || format!("the formula miscounts {expected:?}"))?;
    let shape = [expected.0, expected.1, 2];
    claim(layer.output_shape() == shape, || {
        format!("expected the output shape {shape:?}, got {:?}", layer.output_shape())
    })?;
    let y = layer.predict(&case.array(&geometry.x_shape()))?;
    claim(y.shape() == geometry.y_shape(2), || {
        format!("expected an output of shape {:?}, got {:?}", geometry.y_shape(2), y.shape())
    })
}

/// A layer and a mini-batch.
pub(super) struct Drawn {
    pub(super) geometry: Geometry,
    pub(super) layer: Box<dyn Layer<f64>>,
    pub(super) x: ArrayD<f64>,
    pub(super) w: ArrayD<f64>,
    /// Zero without a bias.
    pub(super) b: ArrayD<f64>,
}

impl Drawn {
    pub(super) fn new(
        subject: &Layers,
        geometry: Geometry,
        activation: Activation,
        bias: bool,
        case: &mut Case,
    ) -> Result<Self, Failure> {
        let n_out = case.between(1, 3);
        case.describe(format!("{geometry}, {n_out} filters"));
        let layer = subject.build(&with_bias(&spec(&geometry, n_out, activation), bias), case)?;
        let w = parameter(&*layer, "W")?;
        let b = if bias { parameter(&*layer, "b")? } else { ArrayD::zeros(vec![1, n_out]) };
        Ok(Self { geometry, layer, x: case.array(&geometry.x_shape()), w, b })
    }

    pub(super) fn pass(&mut self, case: &mut Case) -> Result<Passed, Failure> {
        pass(&mut *self.layer, &self.x, case)
    }

    fn w_shape(&self) -> [usize; 4] {
        let (k1, k2) = self.geometry.kernel;
        [k1, k2, self.geometry.channels, self.b.len()]
    }

    fn is_infinitely_padded(&self) -> bool {
        let (k1, k2) = self.geometry.kernel;
        self.geometry.stride == 1 && self.geometry.padding() == (k1 - 1, k2 - 1)
    }

    /// `Z[n, r, q, f] = b[f] + Σ W[i, j, c, f] X[n, r s + i - p₁, q s + j - p₂, c]`, with X zero
    /// outside of the image.
    fn z(&self) -> ArrayD<f64> {
        let [k1, k2, channels, filters] = self.w_shape();
        four_axes(self.geometry.y_shape(filters), |(n, r, q, f)| {
            let cell = |(i, j, c)| {
                self.w[[i, j, c, f]] * self.geometry.value(&self.x, [n, c], [r, q], [i, j])
            };
            self.b[[0, f]] + sum((k1, k2, channels), cell)
        })
    }

    /// 6.2 (a): `dL/db[f] = Σₙ Σᵣ Σ_q dL/dZ[n, r, q, f]`.
    fn dl_db(&self, dl_dz: &ArrayD<f64>) -> ArrayD<f64> {
        let (m, (r1, r2)) = (self.geometry.m, self.geometry.output());
        ArrayD::from_shape_fn(self.b.raw_dim(), |at| {
            sum((m, r1, r2), |(n, r, q)| dl_dz[[n, r, q, at[1]]])
        })
    }

    /// `dL/dW[i, j, c, f] = Σₙ Σᵣ Σ_q dL/dZ[n, r, q, f] X[n, r s + i - p₁, q s + j - p₂, c]`.
    fn dl_dw(&self, dl_dz: &ArrayD<f64>) -> ArrayD<f64> {
        let (m, (r1, r2)) = (self.geometry.m, self.geometry.output());
        four_axes(self.w_shape(), |(i, j, c, f)| {
            sum((m, r1, r2), |(n, r, q)| {
                dl_dz[[n, r, q, f]] * self.geometry.value(&self.x, [n, c], [r, q], [i, j])
            })
        })
    }

    /// `dL/dX[n, x, y, c] = Σᵢ Σⱼ Σ_f dL/dZ[n, r, q, f] W[i, j, c, f]` over the kernel cells for which
    /// `r = (x + p₁ - i) / s` and `q = (y + p₂ - j) / s` are whole numbers and cells of the output.
    fn dl_dx(&self, dl_dz: &ArrayD<f64>) -> ArrayD<f64> {
        let [k1, k2, _, filters] = self.w_shape();
        let ((p1, p2), (r1, r2)) = (self.geometry.padding(), self.geometry.output());
        let output_cell = |x: usize, i: usize, pad: usize, size: usize| {
            let (offset, stride) = ((x + pad).checked_sub(i)?, self.geometry.stride);
            (offset % stride == 0 && offset / stride < size).then_some(offset / stride)
        };
        four_axes(self.geometry.x_shape(), |(n, x, y, c)| {
            sum((k1, k2, filters), |(i, j, f)| {
                match (output_cell(x, i, p1, r1), output_cell(y, j, p2, r2)) {
                    (Some(r), Some(q)) => dl_dz[[n, r, q, f]] * self.w[[i, j, c, f]],
                    _ => 0.0,
                }
            })
        })
    }

    /// 6.2 (b), stride 1, everything zero outside of its bounds:
    /// `dL/dW[i, k, c, f] = Σ_d₁ Σ_d₂ dL/dZ[d₁, d₂, f] X[d₁ + i, d₂ + k, c]`, summed over the images.
    fn dl_dw_of_question(&self, dl_dz: &ArrayD<f64>) -> ArrayD<f64> {
        let Geometry { m, rows, cols, kernel: (k1, k2), .. } = self.geometry;
        // Beyond these nothing but zeros is met.
        let all = (m, k1 + rows + 1, k2 + cols + 1);
        four_axes(self.w_shape(), |(i, k, c, f)| {
            sum(all, |(n, d1, d2)| {
                let (d1, d2) = (d1 as isize - k1 as isize, d2 as isize - k2 as isize);
                let x = pixel(&self.x, n, d1 + i as isize, d2 + k as isize, c);
                self.z_at_infinity(dl_dz, n, d1, d2, f) * x
            })
        })
    }

    /// 6.2 (c), likewise: `dL/dX[x, y, c] = Σᵢ Σₖ Σ_f dL/dZ[x - i, y - k, f] W[i, k, c, f]`.
    fn dl_dx_of_question(&self, dl_dz: &ArrayD<f64>) -> ArrayD<f64> {
        let [k1, k2, _, filters] = self.w_shape();
        four_axes(self.geometry.x_shape(), |(n, x, y, c)| {
            sum((k1, k2, filters), |(i, k, f)| {
                let (d1, d2) = (x as isize - i as isize, y as isize - k as isize);
                self.z_at_infinity(dl_dz, n, d1, d2, f) * self.w[[i, k, c, f]]
            })
        })
    }

    /// `dL/dZ[d₁, d₂, f]` as the question counts: `d₁ = 0` is where the kernel starts at the image's
    /// first row, which the layer calls `r = kernel_rows - 1`.
    fn z_at_infinity(&self, dl_dz: &ArrayD<f64>, n: usize, d1: isize, d2: isize, f: usize) -> f64 {
        let (k1, k2) = self.geometry.kernel;
        pixel(dl_dz, n, d1 + k1 as isize - 1, d2 + k2 as isize - 1, f)
    }
}

/// An element of a batch of images, zero outside of their bounds.
fn pixel(array: &ArrayD<f64>, n: usize, row: isize, col: isize, c: usize) -> f64 {
    match (usize::try_from(row), usize::try_from(col)) {
        (Ok(row), Ok(col)) => array.get(&[n, row, col, c][..]).copied().unwrap_or(0.0),
        _ => 0.0,
    }
}

/// An element of the filters, zero outside of their bounds.
fn weight(w: &ArrayD<f64>, i: isize, j: isize, [c, f]: [usize; 2]) -> f64 {
    match (usize::try_from(i), usize::try_from(j)) {
        (Ok(i), Ok(j)) => w.get(&[i, j, c, f][..]).copied().unwrap_or(0.0),
        _ => 0.0,
    }
}
