//! Convolution: question 6.2. n counts images, (r, q) output cells, (i, j) kernel cells, c input channels and
//! f filters.

mod claims;
mod dirac;
mod faulty;
mod formulas;
mod im2col;
mod worked;

use std::sync::Arc;

use activations::Activation;
use cnn::{Conv2DConfig, Pad};

use crate::cases::Case;
use crate::course::Pass;
use crate::layer::faulty::Formulas;
use crate::layer::proof::{self, Linear};
use crate::layer::window::{Geometry, INVALID_WINDOWS};
use crate::layer::{LayerRoom, Layers, Spec, adjoint, errors};
use crate::room::{Checks, bugs};

pub(crate) static ROOM: LayerRoom = LayerRoom {
    kind: "conv2d",
    declared: |listed| Ok(Arc::new(listed.declaration(&Conv2DConfig::new(1, (1, 1)))?)),
    // Filters, kernel, stride and activation of the course's layers.
    course: || {
        [
            (32, (3, 3), 1, Activation::ReLU),
            (32, (3, 5), 1, Activation::ReLU),
            (7, (5, 5), 1, Activation::ReLU),
            (7, (5, 5), 2, Activation::ReLU),
            (18, (3, 3), 3, Activation::TanH),
        ]
        .map(|(n_out, k, s, activation)| Arc::new(config(n_out, k, s, Pad::Same, activation)) as _)
        .into()
    },
    axes: &[3],
    fixture: Some(("Conv2DPads", &[Pass::Forward, Pass::Backward, Pass::Gradients])),
    parameters: |spec| match spec.config::<Conv2DConfig>().bias {
        true => &["W", "b"],
        false => &["W"],
    },
    draw_seeing: |case| drawn(Geometry::draw_unpadded(case), case),
    pinned,
    invalid: || {
        let invalid = INVALID_WINDOWS.map(|(image, kernel, stride, pad)| {
            ROOM.spec(config(2, kernel, stride, pad, Activation::Linear), &image)
        });
        let no_filters = config(0, (3, 3), 1, Pad::Same, Activation::Linear);
        invalid.into_iter().chain([ROOM.spec(no_filters, &[5, 5, 2])]).collect()
    },
    table: || {
        let all = Activation::ALL.map(|activation| ((3, 3), 1, Pad::Same, activation));
        let others = [
            ((3, 5), 1, Pad::Same, Activation::ReLU),
            ((5, 5), 2, Pad::Same, Activation::ReLU),
            ((3, 3), 3, Pad::Same, Activation::TanH),
            ((2, 3), 2, Pad::Valid, Activation::TanH),
            ((3, 2), 2, Pad::Cells(2, 1), Activation::Linear),
        ];
        let shown =
            |(k, s, pad, activation)| ROOM.spec(config(3, k, s, pad, activation), &[7, 6, 2]);
        all.into_iter().chain(others).map(shown).collect()
    },
    curves: || {
        let config = config(2, (3, 3), 1, Pad::Same, Activation::TanH);
        vec![("Conv2D, tanh", ROOM.spec(config, &[5, 4, 2]))]
    },
    label: |spec| {
        let Conv2DConfig { kernel_shape: (k1, k2), stride, pad, activation, .. } = spec.config();
        format!(" {k1}x{k2} stride {stride} pad {pad} {activation}")
    },
    checks,
    free_checks: dirac::checks,
    bugs: bugs! {
        "kernel-flipped" [Course Gradient Formula Adjoint] "forward flips the kernel: convolution in the mathematical sense"
        "pad-off-by-one" [Course Formula] "the image is padded by one row too many at the top, forward and backward alike"
        "backward-pad-off-by-one" [Course Gradient Formula Adjoint] "backward pads by one column more than forward"
        "backward-stride" [Course Gradient Formula Adjoint] "backward ignores the stride"
        "bias-gradient-space" [Oracle Gradient Formula] "dL/db is not summed over rows and columns"
        "bias-gradient-mean" [Oracle Gradient Formula] "dL/db is the mean over the examples, not the sum"
        "bias-gradient-mean-of-cells" [Oracle Gradient Formula] "dL/db is the mean over examples, rows and columns, not the sum"
        "bias-gradient-batch" [Oracle Gradient Formula] "dL/db is not summed over the examples"
        "input-gradient-assigned" [Course Gradient Formula Adjoint] "dL/dX is assigned, not added, where windows overlap"
        "input-gradient-flipped" [Course Gradient Formula Adjoint] "dL/dX uses the kernel flipped once too often"
        "weight-gradient-last" [Oracle Gradient Formula Adjoint] "dL/dW keeps only the last window of the last image"
        "weight-gradient-without-activation" [Oracle Gradient] "dL/dW lacks the derivative of the activation: it takes dL/dY for dL/dZ"
        "bias-gradient-without-activation" [Oracle Gradient] "dL/db lacks the derivative of the activation: it takes dL/dY for dL/dZ"
        "weight-gradient-unpadded" [Oracle Gradient Formula Adjoint] "dL/dW is computed from the image without its padding"
        "weight-gradient-stride" [Oracle Gradient Formula Adjoint] "dL/dW ignores the stride; dL/dX is right"
        "weight-gradient-flipped" [Oracle Gradient Formula Adjoint] "dL/dW has its rows and columns in reverse: the kernel is flipped"
        "weight-gradient-zero" [Oracle Gradient Formula Adjoint] "dL/dW stays zero"
        "kernel-axes" [Course Gradient Formula Adjoint] "forward exchanges rows and columns of the kernel"
        "grey-shortcut-pad" [Proof] "forward has a shortcut for a single grey image that the window covers with its padding, in which columns are padded as rows are"
        "channels-reversed" [Course Gradient Formula Adjoint] "forward meets blue with the weights of red"
        "bias-kept" [Formula Property] "a layer that is declared without a bias has one"
        "gradients-left-without-bias" [Gradient Formula] "backward fills the gradients only where there is a bias"
    },
    faulty: |bug| {
        let built = |bug, spec: &Spec| match bug {
            "bias-kept" => with_bias(spec, true),
            _ => spec.clone(),
        };
        Formulas { built, ..Formulas::new(faulty::z, faulty::gradients) }.build(bug)
    },
    examples: &[
        ("convolution", worked::convolution),
        ("convolution-channels", worked::channels),
        ("convolution-stride", worked::stride),
        ("dirac", dirac::worked),
    ],
    ..LayerRoom::new("Conv2D", "6.2", |case| drawn(Geometry::draw(case), case))
};

/// Strides that leave a remainder, windows that overlap, padding wider than the kernel, kernels of even size,
/// no bias.
fn pinned() -> Vec<Spec> {
    [
        ([6, 5, 3], (3, 2), 2, Pad::Valid, Activation::Linear, true),
        ([5, 6, 2], (3, 5), 1, Pad::Same, Activation::TanH, true),
        ([4, 4, 1], (4, 4), 3, Pad::Same, Activation::Sigmoid, true),
        ([1, 1, 2], (1, 1), 1, Pad::Cells(2, 3), Activation::ArcTan, true),
        ([5, 4, 2], (3, 3), 1, Pad::Same, Activation::TanH, false),
    ]
    .map(|(image, kernel, stride, pad, activation, bias)| {
        with_bias(&ROOM.spec(config(2, kernel, stride, pad, activation), &image), bias)
    })
    .into()
}

pub(crate) fn config(
    n_out: usize,
    kernel: (usize, usize),
    stride: usize,
    pad: Pad,
    activation: Activation,
) -> Conv2DConfig {
    Conv2DConfig { stride, pad, activation, ..Conv2DConfig::new(n_out, kernel) }
}

/// The layer whose window slides so.
fn spec(geometry: &Geometry, n_out: usize, activation: Activation) -> Spec {
    let &Geometry { rows, cols, channels, kernel, stride, pad, .. } = geometry;
    ROOM.spec(config(n_out, kernel, stride, pad, activation), &[rows, cols, channels])
}

fn with_bias(spec: &Spec, bias: bool) -> Spec {
    ROOM.spec(Conv2DConfig { bias, ..spec.config::<Conv2DConfig>().clone() }, &spec.input_shape)
}

/// One in four has no bias.
fn drawn(geometry: Geometry, case: &mut Case) -> (Spec, usize) {
    let spec = spec(&geometry, case.between(1, 3), case.one_of(&Activation::ALL));
    (with_bias(&spec, case.between(0, 3) > 0), geometry.m)
}

fn checks(own: &mut Checks<Layers>) {
    formulas::add(own);
    im2col::add(own);
    for (name, variable) in [("in_x", "X"), ("in_w", "W"), ("in_b", "b")] {
        adjoint::add(own, name, linear, variable);
    }
    proof::add(own, "on_all_basis_vectors", Geometry::all(), |geometry| {
        let filters = geometry.m.max(geometry.channels);
        let spec = spec(geometry, filters, Activation::Linear);
        Linear { spec, m: geometry.m, unit: 1.0, terms: geometry.terms(Some(filters)) }
    });
    own.exactly("another_parameter_is_refused", errors::another_parameter_is_refused);
    claims::add(own);
}

fn linear(case: &mut Case) -> (Spec, usize) {
    filters(Geometry::draw(case), Activation::Linear, case)
}

/// One to three filters with this window, and the number of images.
fn filters(geometry: Geometry, activation: Activation, case: &mut Case) -> (Spec, usize) {
    (spec(&geometry, case.between(1, 3), activation), geometry.m)
}
