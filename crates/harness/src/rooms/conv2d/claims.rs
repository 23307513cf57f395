//! What makes a convolution one: the same filter everywhere.

use activations::Activation;
use cnn::Pad;
use layers::Layer;
use ndarray::{ArrayD, Axis, Dimension, IxDyn, s};

use super::spec;
use crate::cases::{Case, Failure, Verdict};
use crate::layer::window::{Geometry, SUMS};
use crate::layer::{Layers, Passed, gradient, parameter, pass, set_parameters};
use crate::room::Checks;
use crate::transcription::{array_of, einsum};

pub(super) fn add(own: &mut Checks<Layers>) {
    own.within(SUMS, "a_shifted_image_gives_a_shifted_output", shifted_image);
    own.within(SUMS, "a_1x1_kernel_is_fully_connected_on_pixels", one_by_one_kernel);
    own.exactly("a_kernel_with_a_single_one_copies_the_image", single_one);
    own.exactly("without_weights_the_bias_remains", without_weights);
    own.exactly("padding_reads_as_zeros", padding_reads_as_zeros);
}

/// Stride 1: what moves by so many rows and columns in X moves by as many in Y, where the window sees
/// none of what came in at the edge.
fn shifted_image(subject: &Layers, case: &mut Case) -> Verdict {
    let geometry = Geometry::draw_with(case, 1, Pad::Valid);
    let (r1, r2) = geometry.output();
    let (down, right) = (case.between(0, r1 - 1), case.between(0, r2 - 1));
    case.describe(format!("{geometry}, shifted by {down} rows and {right} columns"));
    let layer = subject.build(&spec(&geometry, 2, Activation::TanH), case)?;
    let x = case.array(&geometry.x_shape());
    let mut shifted = case.array(&geometry.x_shape());
    let (rows, cols) = (geometry.rows, geometry.cols);
    let kept = x.slice(s![.., ..rows - down, ..cols - right, ..]);
    shifted.slice_mut(s![.., down.., right.., ..]).assign(&kept);
    let (y, shifted_y) = (layer.predict(&x)?, layer.predict(&shifted)?);
    let expected = y.slice(s![.., ..r1 - down, ..r2 - right, ..]);
    case.compare("Y", &shifted_y.slice(s![.., down.., right.., ..]), &expected)
}

/// Forward and backward are those of `X W + b` with a pixel for an example.
fn one_by_one_kernel(subject: &Layers, case: &mut Case) -> Verdict {
    let x_shape = [case.between(1, 3), case.between(1, 4), case.between(1, 5), case.between(1, 3)];
    let geometry = Geometry::of(&x_shape, (1, 1), 1, case.one_of(&[Pad::Valid, Pad::Same]));
    case.describe(geometry);
    let n_out = case.between(1, 3);
    let mut layer = subject.build(&spec(&geometry, n_out, Activation::Linear), case)?;
    let x = case.array(&x_shape);
    let Passed { y, dl_dy, dl_dx, .. } = pass(&mut *layer, &x, case)?;
    // A row for each pixel of an array of images.
    let matrix = |array: &ArrayD<f64>| {
        let columns = array.shape()[array.ndim() - 1];
        array.to_shape((array.len() / columns, columns)).map(|matrix| matrix.to_owned())
    };
    let (x, w, dl_dy) = (matrix(&x)?, matrix(&parameter(&*layer, "W")?)?, matrix(&dl_dy)?);
    let b = parameter(&*layer, "b")?;
    case.compare("Y as a matrix ", &matrix(&y)?.into_dyn(), &(x.dot(&w).into_dyn() + b))?;
    case.compare("dL/dX as a matrix ", &matrix(&dl_dx)?, &dl_dy.dot(&w.t()))?;
    case.compare("dL/dW as a matrix ", &matrix(&gradient(&*layer, "W")?)?, &x.t().dot(&dl_dy))?;
    let dl_db = dl_dy.sum_axis(Axis(0)).insert_axis(Axis(0)).into_dyn();
    case.compare("dL/db", &gradient(&*layer, "b")?, &dl_db)
}

/// A 1 at kernel cell (i, j) for one channel and zeros elsewhere copy, for each output cell, what
/// cell (i, j) of its window sees: cross-correlation, not convolution with a flipped kernel.
fn single_one(subject: &Layers, case: &mut Case) -> Verdict {
    let geometry = Geometry::draw(case);
    let (k1, k2) = geometry.kernel;
    let (i, j) = (case.between(0, k1 - 1), case.between(0, k2 - 1));
    let c = case.between(0, geometry.channels - 1);
    case.describe(format!("{geometry}, W is 1 at [{i}, {j}, {c}, 0]"));
    let mut layer =
        one_filter(subject, &geometry, case, |at| if at == [i, j, c, 0] { 1.0 } else { 0.0 })?;
    let x = case.array(&geometry.x_shape());
    let patches = geometry.patches(&x);
    let expected = patches.slice(s![.., .., .., i, j, c..=c]).into_dyn();
    case.compare("Y", &layer.forward(x)?, &expected)
}

/// W = 0: every cell of a feature map is the bias of its filter.
fn without_weights(subject: &Layers, case: &mut Case) -> Verdict {
    let geometry = Geometry::draw(case);
    case.describe(geometry);
    let mut layer = subject.new_layer(&spec(&geometry, 3, Activation::Linear), &mut case.rng)?;
    set_parameters(&mut *layer, |name, shape| match name {
        "W" => ArrayD::zeros(shape),
        _ => case.array(shape),
    })?;
    let b = parameter(&*layer, "b")?;
    let expected = array_of(IxDyn(&geometry.y_shape(3)), |at| b[[0, at[3]]]);
    let x = case.array(&geometry.x_shape());
    case.compare("Y", &layer.forward(x)?, &expected)
}

/// With W = 1 and an image of ones, Y counts the image cells that the window sees; padding sees none.
fn padding_reads_as_zeros(subject: &Layers, case: &mut Case) -> Verdict {
    let pad = Pad::Cells(case.between(0, 3), case.between(0, 3));
    let stride = case.between(1, 3);
    let geometry = Geometry::draw_with(case, stride, pad);
    case.describe(geometry);
    let mut layer = one_filter(subject, &geometry, case, |_| 1.0)?;
    let x = ArrayD::ones(IxDyn(&geometry.x_shape()));
    let expected = einsum("nrqijc->nrq", &[&geometry.patches(&x)])?.insert_axis(Axis(3));
    case.compare("Y", &layer.forward(x)?, &expected)
}

/// A linear layer of one filter without a bias.
fn one_filter(
    subject: &Layers,
    geometry: &Geometry,
    case: &mut Case,
    weight: impl Fn(&[usize]) -> f64,
) -> Result<Box<dyn Layer<f64>>, Failure> {
    let mut layer = subject.build(&spec(geometry, 1, Activation::Linear), case)?;
    set_parameters(&mut *layer, |name, shape| match name {
        "W" => array_of(shape, |at| weight(at.slice())),
        _ => ArrayD::zeros(shape),
    })?;
    Ok(layer)
}
