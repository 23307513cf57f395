//! Convolution: question 6.2. n counts images, (r, q) output cells, (i, j) kernel cells, c input
//! channels and f filters.

use std::sync::Arc;

use activations::Activation;
use cnn::Pad;
use layers::Layer;
use ndarray::{ArrayD, IxDyn};

use super::{EXACT, SUMS, formula};
use crate::cases::{Case, Failure, claim};
use crate::random_layer::{Geometry, build, gradient, parameter};
use crate::{Check, LayerSubject};

type Implementation = Arc<dyn LayerSubject<f64>>;

pub(super) fn checks(implementation: &Implementation) -> Vec<Check> {
    let of_z = |name, one: fn(&mut Case, &mut Pass) -> Result<(), Failure>| {
        let implementation = Arc::clone(implementation);
        formula("6.2", name, SUMS, move |case| {
            // Every other case is that of the question: stride 1, padding that never ends.
            let geometry = if case.between(0, 1) == 0 {
                infinitely_padded(case)
            } else {
                Geometry::draw(case)
            };
            let (layer, linear) = (implementation.as_ref(), Activation::Linear);
            let mut pass = Pass::draw(layer, geometry, linear, true, case)?;
            one(case, &mut pass)
        })
    };
    vec![
        of_z("conv2d-forward", |case, pass| {
            let z = pass.z();
            case.compare("Z", &pass.layer.forward(pass.x.clone())?, &z)
        }),
        of_z("conv2d-db", |case, pass| {
            let (dl_dz, _) = pass.backward(case)?;
            case.compare("dL/db", &gradient(&*pass.layer, "b")?, &pass.dl_db(&dl_dz))
        }),
        of_z("conv2d-dw", |case, pass| {
            let (dl_dz, _) = pass.backward(case)?;
            let got = gradient(&*pass.layer, "W")?;
            case.compare("dL/dW", &got, &pass.dl_dw(&dl_dz))?;
            match pass.is_infinitely_padded() {
                true => case.compare("dL/dW of 6.2 (b)", &got, &pass.dl_dw_of_question(&dl_dz)),
                false => Ok(()),
            }
        }),
        of_z("conv2d-dx", |case, pass| {
            let (dl_dz, got) = pass.backward(case)?;
            case.compare("dL/dX", &got, &pass.dl_dx(&dl_dz))?;
            match pass.is_infinitely_padded() {
                true => case.compare("dL/dX of 6.2 (c)", &got, &pass.dl_dx_of_question(&dl_dz)),
                false => Ok(()),
            }
        }),
        composed(implementation),
        without_bias(implementation),
        output_size(implementation),
    ]
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

/// `Y = σ(Z)` and `dL/dZ = dL/dY ⊙ σ'(Z)` around the formulas, for σ = tanh.
fn composed(implementation: &Implementation) -> Check {
    let implementation = Arc::clone(implementation);
    formula("6.2", "conv2d-composed", SUMS, move |case| {
        let geometry = Geometry::draw(case);
        let (layer, tanh) = (implementation.as_ref(), Activation::TanH);
        let mut pass = Pass::draw(layer, geometry, tanh, true, case)?;
        let y = pass.z().mapv(f64::tanh);
        case.compare("Y", &pass.layer.forward(pass.x.clone())?, &y)?;
        let (dl_dy, dl_dx) = pass.backward(case)?;
        let dl_dz = dl_dy * (1.0 - &y * &y);
        case.compare("dL/dX", &dl_dx, &pass.dl_dx(&dl_dz))?;
        case.compare("dL/dW", &gradient(&*pass.layer, "W")?, &pass.dl_dw(&dl_dz))?;
        case.compare("dL/db", &gradient(&*pass.layer, "b")?, &pass.dl_db(&dl_dz))
    })
}

/// `Z[n, r, q, f] = Σ W[i, j, c, f] X[n, r s + i - p₁, q s + j - p₂, c]`; `dL/dX` and `dL/dW` are what
/// they are with a bias, and `dL/dW` is the only gradient.
fn without_bias(implementation: &Implementation) -> Check {
    let implementation = Arc::clone(implementation);
    formula("7", "conv2d-without-bias", SUMS, move |case| {
        let geometry = Geometry::draw(case);
        let (layer, linear) = (implementation.as_ref(), Activation::Linear);
        let mut pass = Pass::draw(layer, geometry, linear, false, case)?;
        let z = pass.z();
        case.compare("Z", &pass.layer.forward(pass.x.clone())?, &z)?;
        let (dl_dz, dl_dx) = pass.backward(case)?;
        case.compare("dL/dX", &dl_dx, &pass.dl_dx(&dl_dz))?;
        case.compare("dL/dW", &gradient(&*pass.layer, "W")?, &pass.dl_dw(&dl_dz))?;
        let names: Vec<_> = pass.layer.gradients().names().collect();
        claim(names == ["W"], || format!("gradients of {names:?}"))
    })
}

/// `floor((n + 2 pad - kernel) / stride) + 1`, and what it means: the number of offsets 0, stride,
/// 2 stride, ... at which the kernel lies within the padded image.
fn output_size(implementation: &Implementation) -> Check {
    let implementation = Arc::clone(implementation);
    formula("6.2", "conv2d-output-size", EXACT, move |case| {
        let geometry = Geometry::draw(case);
        case.describe(geometry);
        let layer = implementation.build(&geometry.conv(2, Activation::Linear), &mut case.rng)?;
        let count = |n: usize, pad: usize, kernel: usize| {
            (0..n + 2 * pad)
                .step_by(geometry.stride)
                .filter(|at| at + kernel <= n + 2 * pad)
                .count()
        };
        let (p1, p2) = geometry.padding();
        let expected = (
            count(geometry.rows, p1, geometry.kernel.0),
            count(geometry.cols, p2, geometry.kernel.1),
        );
        claim(geometry.output() == expected, || format!("the formula miscounts {expected:?}"))?;
        let shape = [expected.0, expected.1, 2];
        claim(layer.output_shape() == shape, || {
            format!("expected the output shape {shape:?}, got {:?}", layer.output_shape())
        })?;
        let y = layer.predict(&case.array(&geometry.x_shape()))?;
        claim(y.shape() == geometry.y_shape(2), || {
            format!("expected an output of shape {:?}, got {:?}", geometry.y_shape(2), y.shape())
        })
    })
}

/// A layer and a mini-batch.
struct Pass {
    geometry: Geometry,
    layer: Box<dyn Layer<f64>>,
    x: ArrayD<f64>,
    w: ArrayD<f64>,
    b: ArrayD<f64>,
}

impl Pass {
    fn draw(
        implementation: &dyn LayerSubject<f64>,
        geometry: Geometry,
        activation: Activation,
        bias: bool,
        case: &mut Case,
    ) -> Result<Self, Failure> {
        let n_out = case.between(1, 3);
        case.describe(format!("{geometry}, {n_out} filters"));
        let layer = build(implementation, &geometry.conv(n_out, activation).with(bias), case)?;
        let w = parameter(&*layer, "W")?;
        let no_bias = ArrayD::zeros(IxDyn(&[1, n_out]));
        let b = if bias { parameter(&*layer, "b")? } else { no_bias };
        Ok(Self { geometry, layer, x: case.array(&geometry.x_shape()), w, b })
    }

    fn backward(&mut self, case: &mut Case) -> Result<(ArrayD<f64>, ArrayD<f64>), Failure> {
        let y = self.layer.forward(self.x.clone())?;
        let dl_dy = case.array(y.shape());
        let dl_dx = self.layer.backward(dl_dy.clone())?;
        Ok((dl_dy, dl_dx))
    }

    fn is_infinitely_padded(&self) -> bool {
        let (k1, k2) = self.geometry.kernel;
        self.geometry.stride == 1 && self.geometry.padding() == (k1 - 1, k2 - 1)
    }

    /// `Z[n, r, q, f] = b[f] + Σ W[i, j, c, f] X[n, r s + i - p₁, q s + j - p₂, c]`, with X zero
    /// outside of the image.
    fn z(&self) -> ArrayD<f64> {
        let (k1, k2) = self.geometry.kernel;
        ArrayD::from_shape_fn(IxDyn(&self.geometry.y_shape(self.b.len())), |at| {
            let (n, r, q, f) = (at[0], at[1], at[2], at[3]);
            let mut sum = self.b[[0, f]];
            for i in 0..k1 {
                for j in 0..k2 {
                    for c in 0..self.geometry.channels {
                        let x = self.geometry.value(&self.x, [n, c], [r, q], [i, j]);
                        sum += self.w[[i, j, c, f]] * x;
                    }
                }
            }
            sum
        })
    }

    /// 6.2 (a): `dL/db[f] = Σₙ Σᵣ Σ_q dL/dZ[n, r, q, f]`.
    fn dl_db(&self, dl_dz: &ArrayD<f64>) -> ArrayD<f64> {
        let (r1, r2) = self.geometry.output();
        ArrayD::from_shape_fn(self.b.raw_dim(), |at| {
            let mut sum = 0.0;
            for n in 0..self.geometry.m {
                for r in 0..r1 {
                    for q in 0..r2 {
                        sum += dl_dz[[n, r, q, at[1]]];
                    }
                }
            }
            sum
        })
    }

    /// `dL/dW[i, j, c, f] = Σₙ Σᵣ Σ_q dL/dZ[n, r, q, f] X[n, r s + i - p₁, q s + j - p₂, c]`.
    fn dl_dw(&self, dl_dz: &ArrayD<f64>) -> ArrayD<f64> {
        let (r1, r2) = self.geometry.output();
        ArrayD::from_shape_fn(self.w.raw_dim(), |at| {
            let (i, j, c, f) = (at[0], at[1], at[2], at[3]);
            let mut sum = 0.0;
            for n in 0..self.geometry.m {
                for r in 0..r1 {
                    for q in 0..r2 {
                        let x = self.geometry.value(&self.x, [n, c], [r, q], [i, j]);
                        sum += dl_dz[[n, r, q, f]] * x;
                    }
                }
            }
            sum
        })
    }

    /// `dL/dX[n, x, y, c] = Σᵢ Σⱼ Σ_f dL/dZ[n, r, q, f] W[i, j, c, f]` over the kernel cells for which
    /// `r = (x + p₁ - i) / s` and `q = (y + p₂ - j) / s` are whole numbers and cells of the output.
    fn dl_dx(&self, dl_dz: &ArrayD<f64>) -> ArrayD<f64> {
        let Geometry { kernel: (k1, k2), stride, .. } = self.geometry;
        let ((p1, p2), (r1, r2)) = (self.geometry.padding(), self.geometry.output());
        let output_cell = |x: usize, i: usize, pad: usize, size: usize| {
            let offset = (x + pad).checked_sub(i)?;
            (offset % stride == 0 && offset / stride < size).then_some(offset / stride)
        };
        ArrayD::from_shape_fn(self.x.raw_dim(), |at| {
            let (n, x, y, c) = (at[0], at[1], at[2], at[3]);
            let mut sum = 0.0;
            for i in 0..k1 {
                for j in 0..k2 {
                    let (Some(r), Some(q)) = (output_cell(x, i, p1, r1), output_cell(y, j, p2, r2))
                    else {
                        continue;
                    };
                    for f in 0..self.b.len() {
                        sum += dl_dz[[n, r, q, f]] * self.w[[i, j, c, f]];
                    }
                }
            }
            sum
        })
    }

    /// 6.2 (b), stride 1, everything zero outside of its bounds:
    /// `dL/dW[i, k, c, f] = Σ_d₁ Σ_d₂ dL/dZ[d₁, d₂, f] X[d₁ + i, d₂ + k, c]`, summed over the images.
    fn dl_dw_of_question(&self, dl_dz: &ArrayD<f64>) -> ArrayD<f64> {
        ArrayD::from_shape_fn(self.w.raw_dim(), |at| {
            let (i, k, c, f) = (at[0] as isize, at[1] as isize, at[2], at[3]);
            let mut sum = 0.0;
            for n in 0..self.geometry.m {
                for d1 in self.all_rows() {
                    for d2 in self.all_cols() {
                        let z = self.z_at_infinity(dl_dz, n, d1, d2, f);
                        sum += z * or_zero(&self.x, n, d1 + i, d2 + k, c);
                    }
                }
            }
            sum
        })
    }

    /// 6.2 (c), likewise: `dL/dX[x, y, c] = Σᵢ Σₖ Σ_f dL/dZ[x - i, y - k, f] W[i, k, c, f]`.
    fn dl_dx_of_question(&self, dl_dz: &ArrayD<f64>) -> ArrayD<f64> {
        let (k1, k2) = self.geometry.kernel;
        ArrayD::from_shape_fn(self.x.raw_dim(), |at| {
            let (n, x, y, c) = (at[0], at[1] as isize, at[2] as isize, at[3]);
            let mut sum = 0.0;
            for i in 0..k1 {
                for k in 0..k2 {
                    for f in 0..self.b.len() {
                        let z = self.z_at_infinity(dl_dz, n, x - i as isize, y - k as isize, f);
                        sum += z * self.w[[i, k, c, f]];
                    }
                }
            }
            sum
        })
    }

    /// `dL/dZ[d₁, d₂, f]` as the question counts: `d₁ = 0` is where the kernel starts at the image's
    /// first row, which the layer calls `r = kernel_rows - 1`.
    fn z_at_infinity(&self, dl_dz: &ArrayD<f64>, n: usize, d1: isize, d2: isize, f: usize) -> f64 {
        let (k1, k2) = self.geometry.kernel;
        or_zero(dl_dz, n, d1 + k1 as isize - 1, d2 + k2 as isize - 1, f)
    }

    /// A range beyond which nothing but zeros is met.
    fn all_rows(&self) -> std::ops::Range<isize> {
        -(self.geometry.kernel.0 as isize)..self.geometry.rows as isize + 1
    }

    fn all_cols(&self) -> std::ops::Range<isize> {
        -(self.geometry.kernel.1 as isize)..self.geometry.cols as isize + 1
    }
}

/// An element of a batch of images, zero outside of their bounds.
fn or_zero(array: &ArrayD<f64>, n: usize, row: isize, col: isize, c: usize) -> f64 {
    match (usize::try_from(row), usize::try_from(col)) {
        (Ok(row), Ok(col)) => array.get(IxDyn(&[n, row, col, c])).copied().unwrap_or(0.0),
        _ => 0.0,
    }
}
