//! Convolution with a bug: the kernels of `cnn` get something wrong, or work on another window.

use cnn::{Conv2DConfig, Pad, Window, conv2d_backward, conv2d_forward};
use layers::Layer;
use ndarray::{Array4, ArrayD, ArrayView4, Ix4, s};

use crate::layer::faulty::{Faulty, Gradients};
use crate::layer::window::Geometry;
use crate::transcription::{array_of, einsum, sum};

fn four_axes(array: &ArrayD<f64>) -> ArrayView4<'_, f64> {
    array.view().into_dimensionality::<Ix4>().expect("images have four axes")
}

/// The layer's window with another stride, and with so many rows and columns more of padding.
fn window(layer: &Faulty, stride: usize, more: (usize, usize)) -> Window {
    let &Conv2DConfig { kernel_shape: kernel, pad, .. } = layer.spec.config();
    let (p1, p2) = pad.cells(kernel);
    let image = (layer.input_shape()[0], layer.input_shape()[1]);
    Window::new("Conv2D", image, kernel, stride, Pad::Cells(p1 + more.0, p2 + more.1))
        .expect("more padding leaves more room")
}

fn stride(layer: &Faulty) -> usize {
    layer.spec.config::<Conv2DConfig>().stride
}

/// The image is padded by so many rows too many.
fn more_rows(layer: &Faulty) -> usize {
    usize::from(layer.bug == "pad-off-by-one")
}

fn flipped(w: ArrayView4<'_, f64>) -> Array4<f64> {
    w.slice(s![..;-1, ..;-1, .., ..]).as_standard_layout().into_owned()
}

pub(super) fn z(layer: &Faulty, x: &ArrayD<f64>) -> ArrayD<f64> {
    let w = layer.parameters().kernel("W");
    let (k1, k2, channels, _) = w.dim();
    let w = match layer.bug {
        "kernel-flipped" => flipped(w),
        "kernel-axes" => array_of(w.dim(), |(i, j, c, f)| w[[j.min(k1 - 1), i.min(k2 - 1), c, f]]),
        "channels-reversed" => array_of(w.dim(), |(i, j, c, f)| w[[i, j, channels - 1 - c, f]]),
        _ => w.to_owned(),
    };
    let b = layer.parameters().row_or("b", layer.n_out(), 0.0);
    let window = window(layer, stride(layer), (more_rows(layer), 0));
    let mut z = conv2d_forward(four_axes(x), w.view(), b.view(), window);
    let &Conv2DConfig { kernel_shape: kernel, pad, .. } = layer.spec.config();
    let (p1, p2) = pad.cells(kernel);
    let covered = (x.shape()[1] + 2 * p1, x.shape()[2] + 2 * p2) == kernel
        && (x.shape()[0], channels) == (1, 1);
    if layer.bug == "grey-shortcut-pad" && covered {
        let seen = |n, i: usize, j: usize| {
            let pixel = (i.wrapping_sub(p1), j.wrapping_sub(p1));
            x.get([n, pixel.0, pixel.1, 0]).copied().unwrap_or_default()
        };
        z = array_of(z.dim(), |(n, _, _, f)| {
            b[[0, f]] + sum(kernel, |(i, j)| seen(n, i, j) * w[[i, j, 0, f]])
        });
    }
    let (rows, cols) = (layer.output_shape()[0], layer.output_shape()[1]);
    z.slice(s![.., ..rows, ..cols, ..]).to_owned().into_dyn()
}

/// dL/dW of windows that begin at the image instead of its padding, as far as they fit.
fn unpadded(
    layer: &Faulty,
    images: ArrayView4<'_, f64>,
    w: ArrayView4<'_, f64>,
    dl_dz: ArrayView4<'_, f64>,
) -> Array4<f64> {
    let (_, rows, cols, _) = images.dim();
    let cell = |at: [usize; 3], [i, j]: [usize; 2], c| {
        let (row, col) = (at[1] * stride(layer) + i, at[2] * stride(layer) + j);
        if row < rows && col < cols { images[[at[0], row, col, c]] } else { 0.0 }
    };
    let (m, r1, r2, _) = dl_dz.dim();
    array_of(w.dim(), |(i, j, c, f)| {
        sum((m, r1, r2), |(n, r, q)| cell([n, r, q], [i, j], c) * dl_dz[[n, r, q, f]])
    })
}

pub(super) fn gradients(layer: &Faulty, x: &ArrayD<f64>, dl_dz: &ArrayD<f64>) -> Gradients {
    let all_dl_dz = dl_dz;
    let (images, w, dl_dz) = (four_axes(x), layer.parameters().kernel("W"), four_axes(dl_dz));
    let window = match layer.bug {
        "backward-stride" => window(layer, 1, (0, 0)),
        "backward-pad-off-by-one" => window(layer, stride(layer), (0, 1)),
        _ => window(layer, stride(layer), (more_rows(layer), 0)),
    };
    // Another window has more output cells, which have no gradient.
    let (m, rows, cols, filters) = dl_dz.dim();
    let mut g = Array4::zeros((m, window.output.0, window.output.1, filters));
    g.slice_mut(s![.., ..rows, ..cols, ..]).assign(&dl_dz);
    let right = conv2d_backward(images, w, g.view(), window);
    let of_cells = |counts: &dyn Fn(usize, usize, usize) -> bool| {
        let mut g = g.clone();
        g.indexed_iter_mut()
            .filter(|((n, r, q, _), _)| !counts(*n, *r, *q))
            .for_each(|(_, g)| *g = 0.0);
        conv2d_backward(images, w, g.view(), window)
    };
    let (mut dl_dx, mut dl_dw, mut dl_db) = (right.dl_dx, right.dl_dw, right.dl_db);
    match layer.bug {
        "bias-gradient-space" => dl_db = of_cells(&|_, r, q| (r, q) == (0, 0)).dl_db,
        "bias-gradient-mean" => dl_db /= m as f64,
        "bias-gradient-mean-of-cells" => dl_db /= (m * rows * cols) as f64,
        "bias-gradient-batch" => dl_db = of_cells(&|n, _, _| n == 0).dl_db,
        "weight-gradient-last" => {
            dl_dw = of_cells(&|n, r, q| (n + 1, r + 1, q + 1) == (m, rows, cols)).dl_dw;
        }
        "weight-gradient-unpadded" => dl_dw = unpadded(layer, images, w, dl_dz),
        "weight-gradient-stride" => {
            let dense = self::window(layer, 1, (0, 0));
            let mut g = Array4::zeros((m, dense.output.0, dense.output.1, filters));
            g.slice_mut(s![.., ..rows, ..cols, ..]).assign(&dl_dz);
            dl_dw = conv2d_backward(images, w, g.view(), dense).dl_dw;
        }
        "weight-gradient-flipped" => dl_dw = flipped(dl_dw.view()),
        "weight-gradient-zero" => dl_dw.fill(0.0),
        "input-gradient-flipped" => {
            dl_dx = conv2d_backward(images, flipped(w).view(), g.view(), window).dl_dx;
        }
        "input-gradient-assigned" => {
            // The last window that sees a pixel overwrites its gradient.
            let dl_dp = einsum("nrqf,ijcf->nrqijc", &[all_dl_dz, &layer.parameters()["W"]]);
            let &Conv2DConfig { kernel_shape: kernel, stride, pad, .. } = layer.spec.config();
            let geometry = Geometry::of(x.shape(), kernel, stride, pad);
            let assigned = dl_dp.map(|p| geometry.images(&p, |pixel, copy| *pixel = copy));
            dl_dx = four_axes(&assigned.expect("the layer has taken X")).to_owned();
        }
        _ => {}
    }
    (dl_dx.into_dyn(), vec![("W", dl_dw.into_dyn()), ("b", dl_db.into_dyn())])
}
