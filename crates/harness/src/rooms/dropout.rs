//! Dropout, question 7. i counts elements in row-major order.

mod claims;

use std::sync::Arc;

use layers::{DropoutConfig, Layer, Parameters, dropout_backward, dropout_forward};
use ndarray::{ArrayD, Axis, array};
use numerics::Rng;

use crate::cases::{Case, Failure, Verdict, equal};
use crate::course::Pass;
use crate::layer::faulty::{Faulty, Formulas};
use crate::layer::proof::{basis_vector, zero_and_basis};
use crate::layer::{LayerRoom, Layers, Spec, adjoint, rewind};
use crate::room::{Checks, bugs};
use crate::worked::Example;

pub(crate) static ROOM: LayerRoom = LayerRoom {
    kind: "dropout",
    declared: |listed| Ok(Arc::new(listed.declaration(&DropoutConfig { rate: 0.0 })?)),
    fixture: Some(("Dropout", &[Pass::Forward, Pass::Backward, Pass::Predict])),
    // What the oracle's mask was drawn from.
    restored: &["seed", "step"],
    draw_smooth: |case| {
        let axes = case.between(1, 4);
        drawn(axes, case)
    },
    pinned: || vec![spec(&[9], 0.5), spec(&[3, 4, 2], 0.1)],
    invalid: || {
        let shapes = [&[0][..], &[2, 0, 3]].map(|shape| spec(shape, 0.5));
        let rates = [1.0, -0.1, 1.5, f64::NAN].map(|rate| spec(&[2], rate));
        shapes.into_iter().chain(rates).collect()
    },
    table: || vec![spec(&[5], 0.25), spec(&[7, 6, 2], 0.25)],
    curves: || vec![("Dropout", spec(&[5, 4, 2], 0.25))],
    label: |spec| format!(" of {:?} rate {}", spec.input_shape, rate(spec)),
    predicts_as_forward: false,
    places_count: true,
    checks: |own| {
        formulas(own);
        // Linear once the mask is drawn, and the transpose needs the same one.
        adjoint::add(own, "in_x_with_the_mask_fixed", ROOM.draw, "X");
        proof(own);
        claims::add(own);
    },
    bugs: bugs! {
        "dropout-not-scaled" [Oracle Formula Property] "what is kept is not divided by the probability of keeping it, forward and backward alike"
        "dropout-backward-not-scaled" [Oracle Gradient Formula Adjoint Property] "backward drops and does not scale"
        "dropout-fresh-mask" [Oracle Gradient Formula Adjoint Property] "backward draws a mask of its own"
        "dropout-no-mask-in-backward" [Oracle Gradient Formula Adjoint Property] "backward takes the layer for the identity"
        "dropout-in-predict" [Oracle Formula Property] "predict drops as forward does"
        "dropout-rate-kept" [Oracle Formula Property] "the rate is taken for the probability of keeping an element, forward and backward alike"
        "dropout-same-mask-every-step" [Oracle Formula Property] "every step has the mask of the first one"
        "dropout-one-mask-for-the-batch" [Oracle Formula Property] "all examples of a mini-batch have the same mask"
        "dropout-step-is-no-buffer" [Oracle Gradient Property] "the steps are counted outside the buffers, so that a restored layer begins anew"
    },
    faulty: |bug| FAULTY.build(bug),
    examples: &[("dropout", worked)],
    ..LayerRoom::new("Dropout", "7", |case| {
        let axes = case.between(1, 3);
        drawn(axes, case)
    })
};

fn spec(input_shape: &[usize], rate: f64) -> Spec {
    ROOM.spec(DropoutConfig { rate }, input_shape)
}

fn rate(spec: &Spec) -> f64 {
    spec.config::<DropoutConfig>().rate
}

fn drawn(axes: usize, case: &mut Case) -> (Spec, usize) {
    let below_1 = 0.9 * case.rng.uniform();
    let rate = case.one_of(&[0.0, 0.5, below_1]);
    (spec(&case.shape(axes, 4), rate), case.between(1, 4))
}

/// The number that a buffer of four limbs of 16 bits has.
fn number(limbs: &ArrayD<f64>) -> u64 {
    (0..4).map(|k| limbs[k] as u64 * 65_536_u64.pow(k as u32)).sum()
}

/// M[i] = 0 if w[i] < ⌊2³² p⌋, else the scale, where w are the words of this seed and step.
fn mask(shape: &[usize], seed: &ArrayD<f64>, step: u64, rate: f64, scale: f64) -> ArrayD<f64> {
    let (mut words, mut w) = (Rng::with_stream(number(seed), step), [0]);
    ArrayD::from_shape_simple_fn(shape, || {
        words.fill_words(&mut w);
        if f64::from(w[0]) < (4_294_967_296.0 * rate).floor() { 0.0 } else { scale }
    })
}

/// Nothing is added up, and each product is of the same two numbers, so the bounds are 0.
fn formulas(own: &mut Checks<Layers>) {
    let mut of_step = |name: &str, one: fn(&mut Case, Step) -> Verdict| {
        own.formula(name, 0.0, move |subject, case| {
            let step = Step::next(subject, case)?;
            one(case, step)
        });
    };
    // M[i] = 0 if w[i] < ⌊2³² p⌋, else 1 / (1 - p): what becomes of an input of ones.
    of_step("dropout-mask", |case, Step { mut layer, x, mask }| {
        case.compare("M", &layer.forward(ArrayD::ones(x.raw_dim()))?, &mask)
    });
    // Y[i] = M[i] X[i].
    of_step("dropout-forward", |case, Step { mut layer, x, mask }| {
        case.compare("Y", &layer.forward(x.clone())?, &(mask * x))
    });
    // dL/dX[i] = M[i] dL/dY[i].
    of_step("dropout-backward", |case, Step { mut layer, x, mask }| {
        let dl_dy = case.array(x.shape());
        layer.forward(x)?;
        case.compare("dL/dX", &layer.backward(dl_dy.clone())?, &(mask * dl_dy))
    });
    // Y[i] = X[i].
    of_step("dropout-predict", |case, Step { layer, x, .. }| {
        case.compare("Y", &layer.predict(&x)?, &x)
    });
}

/// A step multiplies by a diagonal matrix, that of its mask: on every X and every `dL/dY` with a single 1.
fn proof(own: &mut Checks<Layers>) {
    let shapes = ndarray::indices((3, 3, 3)).into_iter();
    let shapes = shapes.flat_map(|(m, n, k)| [0.0, 0.3, 0.9].map(|p| ([m + 1, n + 1, k + 1], p)));
    let shapes: Vec<_> = shapes.collect();
    own.proof("on_all_basis_vectors_with_the_mask_fixed", shapes.len(), move |subject, case| {
        let number = case.pinned().unwrap_or_else(|| case.between(0, shapes.len() - 1));
        let (x_shape, rate) = shapes[number];
        case.describe(format!("X {x_shape:?}, rate {rate}"));
        let mut layer = subject.build(&spec(&x_shape[1..], rate), case)?;
        let before = layer.buffers().clone();
        let seed =
            before.get("seed").ok_or_else(|| Failure::new("the layer has no buffer seed"))?;
        let mask = mask(&x_shape, seed, 0, rate, 1.0 / (1.0 - rate));
        for element in zero_and_basis(mask.len()) {
            let one = basis_vector(&mask.raw_dim(), element, 1.0);
            rewind(&mut *layer, &before)?;
            equal("Y", &layer.forward(one.clone())?, &(&mask * &one))?;
            for upstream in 0..mask.len() {
                let one = basis_vector(&mask.raw_dim(), Some(upstream), 1.0);
                equal("dL/dX", &layer.backward(one.clone())?, &(&mask * &one))?;
            }
        }
        Ok(())
    });
}

/// A layer that has taken some steps, an input, and the mask of the next step.
struct Step {
    layer: Box<dyn Layer<f64>>,
    x: ArrayD<f64>,
    mask: ArrayD<f64>,
}

impl Step {
    fn next(subject: &Layers, case: &mut Case) -> Result<Self, Failure> {
        let (spec, x_shape) = subject.draw(case);
        let mut layer = subject.build(&spec, case)?;
        let x = case.array(&x_shape);
        let steps = case.between(0, 3);
        for _ in 0..steps {
            layer.forward(x.clone())?;
        }
        let seed = layer.buffers().get("seed");
        let seed = seed.ok_or_else(|| Failure::new("the layer has no buffer seed"))?;
        let rate = rate(&spec);
        let mask = mask(&x_shape, seed, steps as u64, rate, 1.0 / (1.0 - rate));
        Ok(Self { layer, x, mask })
    }
}

const FAULTY: Formulas = Formulas {
    step: |layer, _| {
        if layer.bug == "dropout-step-is-no-buffer" {
            return;
        }
        let buffers = layer.state_mut().buffers_mut();
        let next = number(&buffers["step"]).wrapping_add(1);
        let limbs = buffers.get_mut("step").expect("the real layer has it").iter_mut();
        limbs.enumerate().for_each(|(k, limb)| *limb = (next >> (16 * k) & 0xffff) as f64);
    },
    predict: |layer, x| match layer.bug {
        "dropout-in-predict" => {
            x * faulty_mask(layer, x, step(layer, layer.buffers(), layer.steps))
        }
        _ => x.clone(),
    },
    ..Formulas::new(
        |layer, x| x * faulty_mask(layer, x, step(layer, layer.buffers(), layer.steps)),
        |layer, x, dl_dz| {
            let this = step(layer, &layer.before, layer.steps.wrapping_sub(1));
            let dl_dx = match layer.bug {
                "dropout-no-mask-in-backward" => dl_dz.clone(),
                "dropout-backward-not-scaled" => {
                    dl_dz * faulty_mask(layer, x, this) * (1.0 - rate(&layer.spec))
                }
                "dropout-fresh-mask" => dl_dz * faulty_mask(layer, x, this.wrapping_add(1)),
                _ => dl_dz * faulty_mask(layer, x, this),
            };
            (dl_dx, vec![])
        },
    )
};

/// The number of a step, by these buffers or as the bugs count it.
fn step(layer: &Faulty, buffers: &Parameters<f64>, steps: u64) -> u64 {
    match layer.bug {
        "dropout-same-mask-every-step" => 0,
        "dropout-step-is-no-buffer" => steps,
        _ => number(&buffers["step"]),
    }
}

fn faulty_mask(layer: &Faulty, x: &ArrayD<f64>, step: u64) -> ArrayD<f64> {
    let rate = rate(&layer.spec);
    let (rate, scale) = match layer.bug {
        "dropout-not-scaled" => (rate, 1.0),
        "dropout-rate-kept" => (1.0 - rate, 1.0 / rate),
        _ => (rate, 1.0 / (1.0 - rate)),
    };
    let mut mask = mask(x.shape(), &layer.buffers()["seed"], step, rate, scale);
    if layer.bug == "dropout-one-mask-for-the-batch" {
        let first = mask.index_axis(Axis(0), 0).to_owned();
        mask.assign(&first);
    }
    mask
}

/// One example of two elements under each of its four masks.
fn worked(example: &mut Example<'_>) {
    const RATE: f64 = 0.5;
    let kept = 1.0 / (1.0 - RATE);
    let masks = array![[0.0, 0.0], [0.0, kept], [kept, 0.0], [kept, kept]];
    let x = array![[3.0, -1.0]];
    let four_times = x.broadcast((4, 2)).expect("one row becomes four");
    let outputs = dropout_forward(four_times, masks.view());
    let g = array![[4.0, 10.0]];
    let drawn = masks.slice(ndarray::s![2..3, ..]);
    example.array("dx", &dropout_backward(g.view(), drawn).row(0));
    example.array("mean", &outputs.mean_axis(Axis(0)).expect("there are four masks"));
    example.array("y", &outputs);
    example.array("mask", &masks);
    example.array("x", &x.row(0));
    example.array("g", &g.row(0));
    example.number("rate", RATE);
}
