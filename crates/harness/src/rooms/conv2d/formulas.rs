//! The formulas: of question 6.2, which has stride 1 and no padding, as loops over their indices, and in general.

use activations::Activation;
use cnn::{Conv2DConfig, Pad};
use ndarray::{ArrayD, Axis, IxDyn};

use super::{filters, spec, with_bias};
use crate::cases::{Case, Failure, Verdict, claim};
use crate::layer::transcribed::{self, Formula, Operands};
use crate::layer::window::{Geometry, SUMS};
use crate::layer::{Layers, Spec};
use crate::room::Checks;
use crate::transcription::{einsum, four_axes, sum};

pub(super) fn add(own: &mut Checks<Layers>) {
    // Z[n, r, q, f] = b[f] + Σᵢ Σⱼ Σc W[i, j, c, f] X[n, r + i, q + j, c].
    own.transcribe("conv-plain", SUMS, plain, "Y", |pass| {
        let (x, [k1, k2, channels, filters]) = (&pass.x, w_shape(pass));
        // As many cells as there are places for the filter.
        let shape = [x.shape()[0], x.shape()[1] - k1 + 1, x.shape()[2] - k2 + 1, filters];
        Ok(four_axes(shape, |(n, r, q, f)| {
            let cell = |(i, j, c)| pass.parameters["W"][[i, j, c, f]] * x[[n, r + i, q + j, c]];
            pass.parameters["b"][[0, f]] + sum((k1, k2, channels), cell)
        }))
    });
    own.transcribe_all("conv-a", SUMS, plain, &[DL_DB]);
    // (b) dL/dW[i, j, c, f] = Σₙ Σᵣ Σ_q G[n, r, q, f] X[n, r + i, q + j, c].
    own.transcribe("conv-b", SUMS, plain, "dL/dW", |pass| {
        Ok(four_axes(w_shape(pass), |(i, j, c, f)| {
            let of_filter = pass.dl_dy.indexed_iter().filter(|(z, _)| z[3] == f);
            of_filter.map(|(z, g)| g * pass.x[[z[0], z[1] + i, z[2] + j, c]]).sum()
        }))
    });
    own.transcribe_all("conv-c", SUMS, plain, &[DL_DX, BY_FILTER_CELLS]);
    own.transcribe_all("conv2d-forward", SUMS, any_window, &[Y]);
    own.transcribe_all("conv2d-db", SUMS, any_window, &[DL_DB]);
    own.transcribe_all("conv2d-dw", SUMS, any_window, &[DL_DW]);
    own.transcribe_all("conv2d-dx", SUMS, any_window, &[DL_DX, BY_FILTER_CELLS]);
    // Y = σ(Z) and dL/dZ = dL/dY ⊙ σ'(Z) around the formulas, for σ = tanh.
    let tanh = |case: &mut Case| filters(Geometry::draw(case), Activation::TanH, case);
    own.transcribe_all("conv2d-composed", SUMS, tanh, &[Y, DL_DX, DL_DW, DL_DB]);
    // Without b, dL/dX and dL/dW are what they are with a bias, and dL/dW is the only gradient.
    own.formula_of("7", "conv2d-without-bias", SUMS, |subject, case| {
        let draw = |case: &mut Case| {
            let (spec, m) = filters(Geometry::draw(case), Activation::Linear, case);
            (with_bias(&spec, false), m)
        };
        transcribed::compare(subject, draw, &[Y, DL_DX, DL_DW], case)
    });
    own.formula("conv2d-output-size", 0.0, output_size);
}

/// Linear layers of stride 1 without padding.
fn plain(case: &mut Case) -> (Spec, usize) {
    filters(Geometry::draw_with(case, 1, Pad::Valid), Activation::Linear, case)
}

/// Linear layers; every other one is that of the question.
fn any_window(case: &mut Case) -> (Spec, usize) {
    let geometry = match case.between(0, 1) {
        0 => infinitely_padded(case),
        _ => Geometry::draw(case),
    };
    filters(geometry, Activation::Linear, case)
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

/// `Y = σ(Z)`.
const Y: Formula = ("Y", |pass| Ok(pass.y(z(pass)?)));

/// (a) `dL/db[f] = Σₙ Σᵣ Σ_q dL/dZ[n, r, q, f]`, as a row.
const DL_DB: Formula =
    ("dL/db", |pass| Ok(einsum("nrqf->f", &[&dl_dz(pass)?])?.insert_axis(Axis(0))));

/// (b) `dL/dW[i, j, c, f] = Σₙ Σᵣ Σ_q dL/dZ[n, r, q, f] X[n, r s + i - p₁, q s + j - p₂, c]`.
const DL_DW: Formula =
    ("dL/dW", |pass| einsum("nrqf,nrqijc->ijcf", &[&dl_dz(pass)?, &patches(pass)]));

/// (c) `dL/dX[n, x, y, c] = Σᵣ Σ_q Σ_f dL/dZ[n, r, q, f] W[x + p₁ - r s, y + p₂ - q s, c, f]`.
const DL_DX: Formula = ("dL/dX", |pass| {
    let (geometry, g, w) = (geometry(pass), dl_dz(pass)?, &pass.parameters["W"]);
    let ((p1, p2), s) = (geometry.padding(), geometry.stride);
    Ok(four_axes(geometry.x_shape(), |(n, x, y, c)| {
        let of_image = g.indexed_iter().filter(|(z, _)| z[0] == n);
        let weight = |z: &IxDyn| less(w, [x + p1, y + p2, c, z[3]], [z[1] * s, z[2] * s, 0, 0]);
        of_image.map(|(z, g)| g * weight(&z)).sum()
    }))
});

/// (c) with stride 1 `dL/dX[n, x, y, c] = Σᵢ Σⱼ Σ_f dL/dZ[n, x + p₁ - i, y + p₂ - j, f] W[i, j, c, f]`.
const BY_FILTER_CELLS: Formula = ("dL/dX", |pass| {
    let (geometry, dl_dz) = (geometry(pass), dl_dz(pass)?);
    if geometry.stride > 1 {
        return (DL_DX.1)(pass);
    }
    let (p1, p2) = geometry.padding();
    Ok(four_axes(geometry.x_shape(), |(n, x, y, c)| {
        let of_channel = pass.parameters["W"].indexed_iter().filter(|(at, _)| at[2] == c);
        let g = |at: &IxDyn| less(&dl_dz, [n, x + p1, y + p2, at[3]], [0, at[0], at[1], 0]);
        of_channel.map(|(at, w)| w * g(&at)).sum()
    }))
});

/// `Z[n, r, q, f] = b[f] + Σᵢ Σⱼ Σc W[i, j, c, f] X[n, r s + i - p₁, q s + j - p₂, c]`, with X zero outside of
/// the image.
fn z(pass: &Operands) -> Result<ArrayD<f64>, Failure> {
    let z = einsum("nrqijc,ijcf->nrqf", &[&patches(pass), &pass.parameters["W"]])?;
    Ok(match pass.parameters.get("b") {
        Some(b) => z + b,
        None => z,
    })
}

fn dl_dz(pass: &Operands) -> Result<ArrayD<f64>, Failure> {
    Ok(pass.dl_dz(z(pass)?))
}

pub(super) fn patches(pass: &Operands) -> ArrayD<f64> {
    geometry(pass).patches(&pass.x)
}

pub(super) fn geometry(pass: &Operands) -> Geometry {
    let &Conv2DConfig { kernel_shape: kernel, stride, pad, .. } = pass.spec.config();
    Geometry::of(pass.x.shape(), kernel, stride, pad)
}

fn w_shape(pass: &Operands) -> [usize; 4] {
    pass.parameters["W"].shape().try_into().expect("filters have four axes")
}

/// `array[a - b]`, zero outside of its bounds.
fn less(array: &ArrayD<f64>, a: [usize; 4], b: [usize; 4]) -> f64 {
    let at: Option<Vec<usize>> = a.iter().zip(b).map(|(a, b)| a.checked_sub(b)).collect();
    at.and_then(|at| array.get(&at[..]).copied()).unwrap_or(0.0)
}
