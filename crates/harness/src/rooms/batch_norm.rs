//! Batch normalisation: question 7.

mod faulty;
mod formulas;

use std::sync::Arc;

use activations::Activation;
use layers::{
    BatchNormConfig, LayerError, batch_norm_backward, batch_norm_forward, fully_connected_backward,
    fully_connected_forward,
};
use ndarray::{Array2, ArrayD, Axis, Dimension, array};

use crate::cases::{Case, Verdict, claim, same_bits};
use crate::course::Pass;
use crate::layer::{LayerRoom, Layers, Spec, gradient};
use crate::room::{Checks, bugs};
use crate::worked::Example;

pub(crate) static ROOM: LayerRoom = LayerRoom {
    kind: "batch_norm",
    declared: |listed| Ok(Arc::new(listed.declaration(&BatchNormConfig::default())?)),
    axes: &[1, 3],
    fixture: Some(("BatchNorm", &[Pass::Forward, Pass::Backward, Pass::Gradients, Pass::Predict])),
    parameters: |spec| match spec.config::<BatchNormConfig>().scale {
        true => &["gamma", "beta"],
        false => &["beta"],
    },
    // The truncation error is about h²/2ε of the slope where a feature hardly varies: 5e-9.
    draw_smooth: |case| {
        let eps = 0.01 + 0.49 * case.rng.uniform();
        let activation = case.one_of(&Activation::ALL);
        drawn(BatchNormConfig { eps, activation, ..BatchNormConfig::default() }, case)
    },
    pinned: || {
        use Activation::{GELU, Linear, ReLU, SoftMax};
        vec![
            with_eps(&[3], 0.25, Linear),
            with_eps(&[4, 5, 2], 1e-3, Linear),
            with_eps(&[3, 2, 4], 0.25, ReLU),
            with_eps(&[5], 0.25, SoftMax),
            with_scale(&with_eps(&[4, 5, 2], 0.25, GELU), false),
        ]
    },
    invalid: || {
        [
            (&[0][..], 1e-5, 0.1),
            (&[2, 3], 1e-5, 0.1),
            (&[0, 3, 2], 1e-5, 0.1),
            (&[2], 0.0, 0.1),
            (&[2], f64::NAN, 0.1),
            (&[2], 1e-5, 0.0),
            (&[2], 1e-5, 1.5),
        ]
        .map(|(input_shape, eps, momentum)| {
            ROOM.spec(BatchNormConfig { eps, momentum, ..BatchNormConfig::default() }, input_shape)
        })
        .into()
    },
    table: || {
        vec![with_eps(&[5], 0.01, Activation::Linear), with_eps(&[7, 6, 2], 0.01, Activation::ReLU)]
    },
    curves: || vec![("BatchNorm", with_eps(&[5], 0.01, Activation::Linear))],
    label: |spec| {
        let BatchNormConfig { eps, activation, .. } = spec.config();
        format!(" of {:?} ε {eps} {activation}", spec.input_shape)
    },
    predicts_as_forward: false,
    examples_meet: true,
    checks,
    bugs: bugs! {
        "constant-statistics" [Oracle Gradient Formula Property] "backward takes mean and variance for constants"
        "constant-variance" [Oracle Gradient Formula] "backward follows the mean and takes the variance for a constant"
        "predicts-with-the-batch" [Oracle Formula Property] "predict standardises by the batch it is given"
        "momentum-swapped" [Oracle Formula Property] "the running statistics keep the share that the batch should get"
        "statistics-never-move" [Oracle Formula Property] "forward leaves the running statistics as they began"
        "statistics-of-pixels" [Oracle Formula] "each pixel of an image has statistics of its own, forward and backward alike"
        "activation-forgotten" [Gradient Property] "backward passes the gradient by the activation"
        "scale-kept" [Formula] "a layer that is declared without a scale has one"
        "offset-lost-with-scale" [Gradient Formula] "without the scale the offset is left out as well"
    },
    faulty: |bug| faulty::FORMULAS.build(bug),
    examples: &[("batch-norm", worked), ("scale-invariance", scale_invariance)],
    ..LayerRoom::new("BatchNorm", "7", |case| {
        let (eps, momentum) = (0.05 + 0.45 * case.rng.uniform(), 1.0 - case.rng.uniform());
        drawn(BatchNormConfig { eps, momentum, ..BatchNormConfig::default() }, case)
    })
};

/// The layer for rows or images; one in four has no scale.
fn drawn(config: BatchNormConfig, case: &mut Case) -> (Spec, usize) {
    let axes = case.one_of(&[1, 3]);
    let config = BatchNormConfig { scale: case.between(0, 3) > 0, ..config };
    (ROOM.spec(config, &case.shape(axes, 4)), case.between(1, 4))
}

fn with_eps(input_shape: &[usize], eps: f64, activation: Activation) -> Spec {
    ROOM.spec(BatchNormConfig { eps, activation, ..BatchNormConfig::default() }, input_shape)
}

fn with_scale(spec: &Spec, scale: bool) -> Spec {
    ROOM.spec(BatchNormConfig { scale, ..*spec.config() }, &spec.input_shape)
}

/// `|x̂| <= 16` and `1/√ε < 4.5`: fewer than 20 roundings of numbers below 72.
const FEW_ROUNDINGS: f64 = 2e-13;

fn checks(own: &mut Checks<Layers>) {
    formulas::add(own);
    let name = "predict_equals_forward_with_the_same_statistics";
    own.within(FEW_ROUNDINGS, name, predict_equals_forward);
    own.exactly("predict_takes_each_example_alone", predict_takes_each_example_alone);
    own.exactly("only_forward_moves_the_statistics", only_forward_moves_the_statistics);
    // A shift by 4 costs two bits, which the division by the deviation multiplies by 4.5.
    own.within(1e-12, "a_shift_of_the_input_changes_nothing", a_shift_changes_nothing);
    own.exactly("nan_stays_in_its_feature", nan_stays_in_its_feature);
    own.exactly("the_activation_is_applied_last", the_activation_is_applied_last);
}

/// With a momentum of 1 the running statistics are those of the last batch.
fn predict_equals_forward(subject: &Layers, case: &mut Case) -> Verdict {
    let (spec, x_shape) = subject.draw(case);
    let spec = ROOM.spec(BatchNormConfig { momentum: 1.0, ..*spec.config() }, &spec.input_shape);
    let mut layer = subject.build(&spec, case)?;
    let x = case.array(&x_shape);
    let y = layer.forward(x.clone())?;
    case.compare("Y", &layer.predict(&x)?, &y)
}

fn predict_takes_each_example_alone(subject: &Layers, case: &mut Case) -> Verdict {
    let (spec, x_shape) = subject.draw(case);
    let mut layer = subject.build(&spec, case)?;
    layer.forward(case.array(&x_shape))?;
    let x = case.array(&[&[3], &x_shape[1..]].concat());
    let y = layer.predict(&x)?;
    for i in 0..3 {
        let alone = |array: &ArrayD<f64>| array.select(Axis(0), &[i]);
        same_bits("Y of an example", &layer.predict(&alone(&x))?, &alone(&y))?;
    }
    Ok(())
}

/// ... and it does so by the shares α and 1 - α, whatever was there before.
fn only_forward_moves_the_statistics(subject: &Layers, case: &mut Case) -> Verdict {
    let (spec, x_shape) = subject.draw(case);
    let (mut layer, x) = (subject.build(&spec, case)?, case.array(&x_shape));
    let y = layer.forward(x.clone())?;
    let after_forward = layer.buffers().clone();
    claim(after_forward != subject.build(&spec, case)?.buffers().clone(), || {
        "forward left the running statistics as they were".to_owned()
    })?;
    layer.backward(y)?;
    layer.predict(&x)?;
    claim(layer.buffers() == &after_forward, || {
        "backward or predict changed the running statistics".to_owned()
    })
}

/// `Y` is the same for X + 4, so the gradients of a feature sum to 0.
fn a_shift_changes_nothing(subject: &Layers, case: &mut Case) -> Verdict {
    let (mut layer, x) = subject.drawn(case)?;
    let y = layer.forward(&x + 4.0)?;
    case.compare("Y", &layer.forward(x)?, &y)?;
    let dl_dx = layer.backward(case.array(y.shape()))?;
    let mut sums = dl_dx;
    while sums.ndim() > 1 {
        sums = sums.sum_axis(Axis(0));
    }
    case.compare("Σ dL/dX", &sums, &ArrayD::zeros(sums.raw_dim()))
}

/// With an activation σ, forward and predict are σ of what they are without, and backward begins with
/// its derivative.
fn the_activation_is_applied_last(subject: &Layers, case: &mut Case) -> Verdict {
    let (linear, x_shape) = subject.draw(case);
    let activation = case.one_of(&Activation::ALL);
    let spec = ROOM.spec(BatchNormConfig { activation, ..*linear.config() }, &linear.input_shape);
    let sigma = activation;
    case.describe(format!("{sigma}, X {x_shape:?}"));
    let (mut layer, mut linear) = (subject.build(&spec, case)?, subject.build(&linear, case)?);
    for (name, value) in linear.parameters().clone().iter() {
        layer.set_parameter(name, value)?;
    }
    let x = case.array(&x_shape);
    let z = linear.forward(x.clone())?;
    let y = layer.forward(x.clone())?;
    same_bits("Y", &y, &sigma.forward(&z))?;
    let dl_dy = case.array(y.shape());
    let dl_dz = sigma.backward(&z, &dl_dy).map_err(LayerError::from)?;
    same_bits("dL/dX", &layer.backward(dl_dy)?, &linear.backward(dl_dz)?)?;
    for (name, expected) in linear.gradients().iter() {
        same_bits(&format!("dL/d{name}"), &gradient(&*layer, name)?, expected)?;
    }
    same_bits("a prediction", &layer.predict(&x)?, &sigma.forward(&linear.predict(&x)?))
}

fn nan_stays_in_its_feature(subject: &Layers, case: &mut Case) -> Verdict {
    let (spec, x_shape) = subject.draw(case);
    let mut layer = subject.build(&spec, case)?;
    let mut x = case.array(&x_shape);
    let at: Vec<usize> = x_shape.iter().map(|&n| case.between(0, n - 1)).collect();
    x[&*at] = f64::NAN;
    let y = layer.forward(x)?;
    for (index, y) in y.indexed_iter() {
        let feature = index[index.ndim() - 1];
        claim(y.is_nan() == (Some(&feature) == at.last()), || {
            format!("feature {feature}: Y is {y}, NaN is at {at:?}")
        })?;
    }
    Ok(())
}

/// One feature in four rows.
fn worked(example: &mut Example<'_>) {
    const EPS: f64 = 2.0;
    let x = array![[1.0], [3.0], [3.0], [5.0]];
    let (gamma, beta) = (array![[3.0]], array![[1.0]]);
    let g = array![[4.0], [0.0], [0.0], [0.0]];
    let forward = batch_norm_forward(x.clone(), gamma.view(), beta.view(), EPS, |z| z);
    let backward = batch_norm_backward(
        g.clone(),
        &forward.x_hat,
        forward.deviation.view(),
        gamma.view(),
        beta.view(),
        |_, dl_dy| dl_dy,
    );
    for (name, column) in [
        ("x", &x),
        ("x-hat", &forward.x_hat),
        ("y", &forward.y),
        ("g", &g),
        ("dx", &backward.dl_dx),
    ] {
        example.array(name, &column.column(0));
    }
    for (name, number) in [
        ("eps", EPS),
        ("rows", x.nrows() as f64),
        ("gamma", gamma[[0, 0]]),
        ("beta", beta[[0, 0]]),
        ("mean", forward.mean[0]),
        ("variance", forward.variance[0]),
        ("s", forward.deviation[0]),
        ("dgamma", backward.dl_dgamma[[0, 0]]),
        ("dbeta", backward.dl_dbeta[[0, 0]]),
        ("sum-of-dx", backward.dl_dx.sum()),
    ] {
        example.number(name, number);
    }
}

/// Two weights before a normalisation, the same twice as large, and a step of gradient descent.
fn scale_invariance(example: &mut Example<'_>) {
    const LR: f64 = 0.5;
    let x = array![[3.0, -2.0], [-3.0, 2.0], [1.0, 1.0], [-1.0, -1.0]];
    let (w, one, zero) = (array![[3.0], [4.0]], array![[1.0]], array![[0.0]]);
    let g = array![[10.0], [0.0], [0.0], [0.0]];
    let pass = |w: &Array2<f64>| {
        let z = fully_connected_forward(x.view(), w.view(), zero.view());
        let forward = batch_norm_forward(z.clone(), one.view(), zero.view(), 0.0, |z| z);
        let (x_hat, deviation) = (&forward.x_hat, forward.deviation.view());
        let (gamma, beta) = (one.view(), zero.view());
        let backward =
            batch_norm_backward(g.clone(), x_hat, deviation, gamma, beta, |_, dl_dy| dl_dy);
        let dl_dw = fully_connected_backward(x.view(), w.view(), backward.dl_dx.view()).dl_dw;
        (z, forward, dl_dw)
    };
    let (z, forward, dl_dw) = pass(&w);
    let (twice, of_twice, dl_dtwice) = pass(&(&w * 2.0));
    let moved = &w - &(&dl_dw * LR);
    for (name, column) in [
        ("w", &w),
        ("z", &z),
        ("y", &forward.y),
        ("g", &g),
        ("dw", &dl_dw),
        ("w-twice", &(&w * 2.0)),
        ("z-twice", &twice),
        ("y-twice", &of_twice.y),
        ("dw-twice", &dl_dtwice),
        ("w-after", &moved),
    ] {
        example.array(name, &column.column(0));
    }
    example.array("x", &x);
    for (name, number) in [
        ("s", forward.deviation[0]),
        ("s-twice", of_twice.deviation[0]),
        ("lr", LR),
        ("square", w.iter().map(|w| w * w).sum()),
        ("square-of-gradient", dl_dw.iter().map(|w| w * w).sum()),
        ("square-after", moved.iter().map(|w| w * w).sum()),
    ] {
        example.number(name, number);
    }
}
