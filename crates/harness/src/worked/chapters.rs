//! Examples of the chapters that are about no one implementation: those before the questions, those on the
//! verification, on initial weights and on the sizes of the networks that are trained, and one of an exercise.

use activations::{Activation, ElementWise, ReLU};
use cnn::{Conv2DConfig, Pad, Pool2DConfig, PoolMode, Window, conv2d_backward};
use layers::{
    FullyConnectedConfig, Layer, LayerConfig, WeightInit, fully_connected_backward,
    fully_connected_forward,
};
use losses::Loss;
use ndarray::{Array1, Array2, Array4, ArrayD, IxDyn, array};
use numerics::Rng;
use optim::{SgdConfig, Step};

use super::Example;
use crate::finite_difference::{element_error, numeric_gradient};

/// One input, one hidden unit with ReLU, one output, squared error.
pub(super) fn two_weights(example: &mut Example<'_>) {
    const LR: f64 = 0.01;
    const NUDGE: f64 = 0.001;
    let (x, w1, w2, truth) = (array![[2.0]], array![[3.0]], array![[0.5]], array![[1.0]]);
    let before = pass(&x, &w1, &w2, &truth);
    let nudged = pass(&x, &(&w1 + NUDGE), &w2, &truth);

    let dl_dyhat = Loss::L2.backward(truth.view(), before.y_hat.view());
    let dl_dyhat = dl_dyhat.expect("target and output have one element");
    let second = fully_connected_backward(before.h.view(), w2.view(), dl_dyhat.view());
    let dl_dz = ReLU::backward(&before.z, second.dl_dx.clone());
    let first = fully_connected_backward(x.view(), w1.view(), dl_dz.view());

    let (moved1, moved2) = (stepped(&w1, &first.dl_dw, LR), stepped(&w2, &second.dl_dw, LR));
    let after = pass(&x, &moved1, &moved2, &truth);
    for (name, array) in [
        ("x", &x),
        ("w1", &w1),
        ("w2", &w2),
        ("y", &truth),
        ("z", &before.z),
        ("h", &before.h),
        ("y-hat", &before.y_hat),
        ("dy-hat", &dl_dyhat),
        ("dw2", &second.dl_dw),
        ("dh", &second.dl_dx),
        ("dz", &dl_dz),
        ("dw1", &first.dl_dw),
        ("dx", &first.dl_dx),
        ("nudged-y-hat", &nudged.y_hat),
        ("w1-after", &moved1),
        ("w2-after", &moved2),
        ("h-after", &after.h),
    ] {
        example.number(name, array[[0, 0]]);
    }
    example.number("loss", before.loss);
    example.number("nudge", NUDGE);
    example.number("nudged-w1", w1[[0, 0]] + NUDGE);
    example.number("nudged-loss", nudged.loss);
    example.number("growth", (nudged.loss - before.loss) / NUDGE);
    example.number("lr", LR);
    example.number("loss-after", after.loss);
}

/// The results of a forward pass of the network of two weights.
struct Pass {
    z: Array2<f64>,
    h: Array2<f64>,
    y_hat: Array2<f64>,
    loss: f64,
}

fn pass(x: &Array2<f64>, w1: &Array2<f64>, w2: &Array2<f64>, truth: &Array2<f64>) -> Pass {
    let no_bias = array![[0.0]];
    let z = fully_connected_forward(x.view(), w1.view(), no_bias.view());
    let h = ReLU::forward(&z);
    let y_hat = fully_connected_forward(h.view(), w2.view(), no_bias.view());
    let loss = Loss::L2.forward(truth.view(), y_hat.view());
    Pass { z, h, y_hat, loss: loss.expect("target and output have one element") }
}

/// The parameter after one step of plain gradient descent.
fn stepped(parameter: &Array2<f64>, gradient: &Array2<f64>, lr: f64) -> Array2<f64> {
    let mut sgd = SgdConfig::default().build().expect("plain gradient descent is valid");
    let mut moved: ArrayD<f64> = parameter.clone().into_dyn();
    let gradient = gradient.clone().into_dyn();
    sgd.update("W", &mut moved, &gradient, Step { lr, decays: false })
        .expect("the gradient has the shape of the parameter");
    moved.into_dimensionality().expect("a step keeps the shape")
}

/// Two examples and one product.
pub(super) fn batch(example: &mut Example<'_>) {
    let (x, w) = (array![[1.0, 2.0], [3.0, -1.0]], array![[1.0], [10.0]]);
    example.array("z", &fully_connected_forward(x.view(), w.view(), array![[0.0]].view()));
    example.array("x", &x);
    example.array("w", &w);
}

/// One example, three outputs, squared error; the Jacobians row by row, by a backward pass for each output.
pub(super) fn matrix_calculus(example: &mut Example<'_>) {
    const NUDGE: f64 = 0.01;
    let (x, target) = (array![[1.0, 2.0]], array![[5.0, -1.0, 4.0]]);
    let w = array![[1.0, 0.0, 2.0], [3.0, -1.0, 1.0]];
    let forward = |w: &Array2<f64>| {
        let z = fully_connected_forward(x.view(), w.view(), Array2::zeros((1, 3)).view());
        let loss = Loss::L2.forward(target.view(), z.view()).expect("a target for every output");
        (z, loss)
    };
    let (z, loss) = forward(&w);
    let g = Loss::L2.backward(target.view(), z.view()).expect("a target for every output");
    let gradients = fully_connected_backward(x.view(), w.view(), g.view());
    let mut moved = w.clone();
    moved[[1, 0]] += NUDGE;
    let (moved_z, moved_loss) = forward(&moved);

    let (mut of_x, mut of_w) = (Array2::zeros((3, 2)), Array2::zeros((3, 6)));
    for (j, unit) in Array2::<f64>::eye(3).rows().into_iter().enumerate() {
        let unit = unit.insert_axis(ndarray::Axis(0));
        let row = fully_connected_backward(x.view(), w.view(), unit);
        of_x.row_mut(j).assign(&row.dl_dx.row(0));
        of_w.row_mut(j).assign(&row.dl_dw.flatten());
    }
    for (name, array) in [
        ("x", &x),
        ("w", &w),
        ("target", &target),
        ("z", &z),
        ("g", &g),
        ("dx", &gradients.dl_dx),
        ("dw", &gradients.dl_dw),
        ("jacobian", &of_x),
        ("jacobian-w", &of_w),
        ("nudged-z", &moved_z),
    ] {
        example.array(name, array);
    }
    example.number("loss", loss);
    example.number("nudge", NUDGE);
    example.number("nudged-loss", moved_loss);
    example.number("growth", (moved_loss - loss) / NUDGE);
}

/// The mean squares of a signal after each of ten layers with ReLU, and of a gradient on its way back.
pub(super) fn initialisation(example: &mut Example<'_>) {
    const UNITS: usize = 256;
    let std = (UNITS as f64).sqrt().recip();
    for (name, weight_init) in [
        ("small", WeightInit::Normal { mean: 0.0, std: 0.01 }),
        ("xavier", WeightInit::Normal { mean: 0.0, std }),
        ("he", WeightInit::HeNormal),
    ] {
        let (mut rng, plain) = (Rng::new(0), FullyConnectedConfig::new(UNITS));
        let config = FullyConnectedConfig { activation: Activation::ReLU, weight_init, ..plain };
        let mean_square = |array: &ArrayD<f64>| array.mapv(|v| v * v).mean().unwrap_or(0.0);
        let mut signal = rng.normal_array(IxDyn(&[64, UNITS]), 0.0, 1.0);
        let (mut layers, mut forward, mut backward) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..10 {
            let mut layer = built(&config, &[UNITS], &mut rng);
            signal = layer.forward(signal).expect("the signal fits the layer");
            forward.push(mean_square(&signal));
            layers.push(layer);
        }
        let mut gradient = rng.normal_array(IxDyn(&[64, UNITS]), 0.0, 1.0);
        for layer in layers.iter_mut().rev() {
            gradient = layer.backward(gradient).expect("the gradient fits the layer");
            backward.push(mean_square(&gradient));
        }
        example.array(&format!("{name}-forward"), &Array1::from(forward));
        example.array(&format!("{name}-backward"), &Array1::from(backward));
    }
}

/// Three examples, two features, two output units, for an exercise.
pub(super) fn by_hand(example: &mut Example<'_>) {
    let x = array![[2.0, 0.0], [1.0, 1.0], [0.0, -1.0]];
    let (w, g) = (array![[1.0, 2.0], [-1.0, 3.0]], array![[1.0, 0.0], [-2.0, 1.0], [0.0, 4.0]]);
    let gradients = fully_connected_backward(x.view(), w.view(), g.view());
    for (name, array) in [
        ("x", &x),
        ("w", &w),
        ("g", &g),
        ("dw", &gradients.dl_dw),
        ("db", &gradients.dl_db),
        ("dx", &gradients.dl_dx),
        ("dx-untransposed", &g.dot(&w)),
    ] {
        example.array(name, array);
    }
}

/// One unit.
pub(super) fn neuron(example: &mut Example<'_>) {
    let (x, w, b) = (array![[1.0, 2.0, 3.0]], array![[2.0], [-1.0], [1.0]], array![[0.5]]);
    let z = fully_connected_forward(x.view(), w.view(), b.view());
    example.number("y", ReLU::forward(&z)[[0, 0]]);
    example.number("z", z[[0, 0]]);
    example.array("x", &x.row(0));
    example.array("w", &w.column(0));
    example.number("b", b[[0, 0]]);
}

/// The slope of a cubic at 1, with a step that leaves a visible error.
pub(super) fn cubic(example: &mut Example<'_>) {
    const STEP: f64 = 0.1;
    let cubic = |at: f64| at.powi(3);
    let slope = numeric_gradient(|at| cubic(at[0]), &array![1.0].into_dyn(), STEP);
    example.number("step", STEP);
    example.number("above", cubic(1.0 + STEP));
    example.number("below", cubic(1.0 - STEP));
    example.number("slope", slope[0]);
    example.number("error", slope[0] - 3.0);
}

/// The same difference beside a large gradient, beside a small one, and where all is zero.
pub(super) fn element_errors(example: &mut Example<'_>) {
    let analytic = array![2.0, 0.0, 0.0];
    let numeric = array![2.0, 1e-9, 0.0];
    let largest = 2.0;
    let errors: Array1<f64> =
        analytic.iter().zip(&numeric).map(|(&a, &n)| element_error(a, n, largest)).collect();
    example.number("difference", numeric[1]);
    example.number("largest", largest);
    example.array("errors", &errors);
}

/// The parameters of the first layer for pictures of 28 × 28 pixels.
pub(super) fn perceptron_sizes(example: &mut Example<'_>) {
    let layer = built(&FullyConnectedConfig::new(512), &[28 * 28], &mut Rng::new(0));
    example.number("pixels", layer.n_in() as f64);
    example.number("units", layer.n_out() as f64);
    example.number("parameters", layer.parameters().scalar_count() as f64);
}

/// The first two layers for pictures of 32 × 32 pixels in colour.
pub(super) fn convolution_sizes(example: &mut Example<'_>) {
    let rng = &mut Rng::new(0);
    let conv = built(&Conv2DConfig::new(32, (3, 3)), &[32, 32, 3], rng);
    let pool = built(&Pool2DConfig::new(PoolMode::Max, (2, 2), 2), conv.output_shape(), rng);
    let lengths = |shape: &[usize]| shape.iter().map(|&n| n as f64).collect::<Array1<f64>>();
    example.array("input", &lengths(conv.input_shape()));
    example.array("conv", &lengths(conv.output_shape()));
    example.array("pool", &lengths(pool.output_shape()));
    example.number("parameters", conv.parameters().scalar_count() as f64);
}

/// The pixels that one cell sees through two layers of 3 × 3, and the number of ways to each.
pub(super) fn field_of_view(example: &mut Example<'_>) {
    let ones = Array4::<f64>::ones((3, 3, 1, 1));
    let mut ways = Array4::<f64>::ones((1, 1, 1, 1));
    for (layer, side) in [3, 5].into_iter().enumerate() {
        let window = Window::new("Conv2D", (side, side), (3, 3), 1, Pad::Valid)
            .expect("the kernel fits the image");
        let x = Array4::<f64>::zeros((1, side, side, 1));
        ways = conv2d_backward(x.view(), ones.view(), ways.view(), window).dl_dx;
        example.image(&format!("ways{}", layer + 1), &ways);
    }
}

fn built<C>(config: &C, input: &[usize], rng: &mut Rng) -> Box<dyn Layer<f64>>
where
    C: LayerConfig<f64>,
{
    config.build_boxed(input, rng).expect("the layer fits its input")
}
