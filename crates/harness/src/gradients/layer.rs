//! Layers: `dL/dX` and the gradient of every parameter.

use std::sync::Arc;

use activations::Activation;
use cnn::{Pad, PoolMode};
use layers::{Layer, Parameters};
use ndarray::ArrayD;
use numerics::Rng;
use proptest::prelude::*;
use serde::{Deserialize, Serialize};

use crate::finite_difference::{Evaluation, Problem};
use crate::pieces::piece;
use crate::random_layer::rewind;
use crate::{Check, LayerClass, LayerSpec, LayerSubject, Subject};

/// A layer and the mini-batch that goes through it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    spec: LayerSpec,
    m: usize,
    seed: u64,
}

pub(super) fn checks(
    subject: &Subject<f64>,
    class: LayerClass,
    implementation: &Arc<dyn LayerSubject<f64>>,
) -> Vec<Check> {
    let implementation = Arc::clone(implementation);
    // One in four has no bias, or no scale.
    let strategy = move || {
        (spec(class), prop::bool::weighted(0.75), 1..=3_usize, 0..1_000_000_u64)
            .prop_map(|(spec, whole, m, seed)| Case { spec: spec.with(whole), m, seed })
    };
    let pinned = pinned(class).into_iter().map(|spec| Case { spec, m: 2, seed: 5 }).collect();
    vec![super::check(subject.question(), subject.name(), pinned, strategy, move |case: &Case| {
        problem(implementation.as_ref(), case).map_err(|error| error.to_string())
    })]
}

fn problem(
    implementation: &dyn LayerSubject<f64>,
    case: &Case,
) -> Result<Box<dyn Problem>, layers::LayerError> {
    let mut rng = Rng::new(case.seed);
    let mut layer = implementation.build(&case.spec, &mut rng)?;
    let mut values = vec![random(&[&[case.m], &*case.spec.input_shape()].concat(), &mut rng)];
    let mut names = vec!["X".to_owned()];
    for (name, parameter) in layer.parameters_and_gradients().0.iter_mut() {
        *parameter = random(parameter.shape(), &mut rng);
        names.push(name.to_owned());
        values.push(parameter.clone());
    }
    let buffers = layer.buffers().clone();
    let y = layer.forward(values[0].clone())?;
    let upstream = random(y.shape(), &mut rng);
    let mut gradients = vec![layer.backward(upstream.clone())?];
    gradients.extend(layer.gradients().iter().map(|(_, gradient)| gradient.clone()));
    Ok(Box::new(LayerProblem {
        spec: case.spec.clone(),
        layer,
        buffers,
        names,
        values,
        gradients,
        upstream,
    }))
}

fn random(shape: &[usize], rng: &mut Rng) -> ArrayD<f64> {
    rng.uniform_array(shape.to_vec(), -2.0, 2.0)
}

struct LayerProblem {
    spec: LayerSpec,
    layer: Box<dyn Layer<f64>>,
    /// As they were before the pass that is differentiated.
    buffers: Parameters<f64>,
    names: Vec<String>,
    values: Vec<ArrayD<f64>>,
    gradients: Vec<ArrayD<f64>>,
    upstream: ArrayD<f64>,
}

impl Problem for LayerProblem {
    fn variables(&self) -> Vec<String> {
        self.names.clone()
    }

    fn value(&mut self, variable: usize) -> &mut ArrayD<f64> {
        &mut self.values[variable]
    }

    fn analytic(&self, variable: usize) -> &ArrayD<f64> {
        &self.gradients[variable]
    }

    fn evaluate(&mut self) -> Evaluation {
        let (x, parameters) = self.values.split_first().expect("X is always there");
        let (own, _) = self.layer.parameters_and_gradients();
        for ((_, own), value) in own.iter_mut().zip(parameters) {
            own.assign(value);
        }
        rewind(&mut *self.layer, &self.buffers).expect("they are its own");
        let y = self.layer.forward(x.clone()).expect("the same shape went through before");
        Evaluation {
            terms: y.iter().zip(&self.upstream).map(|(y, r)| y * r).collect(),
            piece: piece(&self.spec, x, parameters),
        }
    }
}

/// Random layers of a class, valid by construction so that shrinking stays valid.
fn spec(class: LayerClass) -> BoxedStrategy<LayerSpec> {
    let side = || 1..=6_usize;
    let image = || [side(), side(), 1..=3_usize];
    match class {
        LayerClass::FullyConnected => (1..=6_usize, 1..=6_usize, activation())
            .prop_map(|(n_in, n_out, activation)| LayerSpec::FullyConnected {
                n_in,
                n_out,
                activation,
                bias: true,
            })
            .boxed(),
        LayerClass::Flatten => prop::collection::vec(1..=4_usize, 1..=4)
            .prop_map(|input_shape| LayerSpec::Flatten { input_shape })
            .boxed(),
        LayerClass::Conv2D => {
            (image(), 1..=3_usize, (1..=4_usize, 1..=4_usize), 1..=3_usize, pad(), activation())
                .prop_map(|(image, n_out, kernel_shape, stride, pad, activation)| {
                    LayerSpec::Conv2D {
                        input_shape: at_least(image, kernel_shape, pad),
                        n_out,
                        kernel_shape,
                        stride,
                        pad,
                        activation,
                        bias: true,
                    }
                })
                .boxed()
        }
        LayerClass::Pool2D => {
            let mode = prop_oneof![Just(PoolMode::Max), Just(PoolMode::Average)];
            (image(), mode, (1..=4_usize, 1..=4_usize), 1..=4_usize, pad())
                .prop_map(|(image, mode, kernel_shape, stride, pad)| LayerSpec::Pool2D {
                    input_shape: at_least(image, kernel_shape, pad),
                    mode,
                    kernel_shape,
                    stride,
                    pad,
                })
                .boxed()
        }
        // The truncation error is about h²/2ε of the slope where a feature hardly varies: 5e-9.
        LayerClass::BatchNorm => {
            let shape = prop_oneof![
                image().prop_map(|image| image.to_vec()),
                (1..=4_usize).prop_map(|n| vec![n])
            ];
            (shape, 0.01..0.5_f64, activation())
                .prop_map(|(input_shape, eps, activation)| LayerSpec::BatchNorm {
                    input_shape,
                    eps,
                    momentum: 0.1,
                    activation,
                    scale: true,
                })
                .boxed()
        }
        LayerClass::Dropout => {
            let rate = prop_oneof![Just(0.0), Just(0.5), 0.0..0.9_f64];
            (prop::collection::vec(1..=4_usize, 1..=4), rate)
                .prop_map(|(input_shape, rate)| LayerSpec::Dropout { input_shape, rate })
                .boxed()
        }
        LayerClass::GlobalAveragePool2D => {
            image().prop_map(|input_shape| LayerSpec::GlobalAveragePool2D { input_shape }).boxed()
        }
    }
}

/// The image enlarged, if need be, so that the kernel fits into it with its padding.
fn at_least(image: [usize; 3], kernel: (usize, usize), pad: Pad) -> [usize; 3] {
    let (p1, p2) = pad.cells(kernel);
    let fit = |side: usize, kernel: usize, pad: usize| side.max(kernel.saturating_sub(2 * pad));
    [fit(image[0], kernel.0, p1), fit(image[1], kernel.1, p2), image[2]]
}

pub(super) fn activation() -> impl Strategy<Value = Activation> {
    prop::sample::select(Activation::ALL.to_vec())
}

fn pad() -> impl Strategy<Value = Pad> {
    prop_oneof![
        Just(Pad::Valid),
        Just(Pad::Same),
        (0..=3_usize, 0..=3_usize).prop_map(|(rows, cols)| Pad::Cells(rows, cols)),
    ]
}

/// Corners of the space: strides that leave a remainder, windows that overlap, padding wider than
/// the kernel, kernels of even size.
fn pinned(class: LayerClass) -> Vec<LayerSpec> {
    let conv = |input_shape, kernel_shape, stride, pad, activation| LayerSpec::Conv2D {
        input_shape,
        n_out: 2,
        kernel_shape,
        stride,
        pad,
        activation,
        bias: true,
    };
    let pool = |mode, kernel_shape, stride, pad| LayerSpec::Pool2D {
        input_shape: [5, 6, 2],
        mode,
        kernel_shape,
        stride,
        pad,
    };
    let batch_norm = |input_shape, eps, activation| LayerSpec::BatchNorm {
        input_shape,
        eps,
        momentum: 0.1,
        activation,
        scale: true,
    };
    let dense =
        LayerSpec::FullyConnected { n_in: 4, n_out: 3, activation: Activation::TanH, bias: true };
    match class {
        LayerClass::Flatten => vec![],
        LayerClass::FullyConnected => vec![dense.with(false)],
        LayerClass::BatchNorm => vec![
            batch_norm(vec![3], 0.25, Activation::Linear),
            batch_norm(vec![4, 5, 2], 1e-3, Activation::Linear),
            batch_norm(vec![3, 2, 4], 0.25, Activation::ReLU),
            batch_norm(vec![5], 0.25, Activation::SoftMax),
            batch_norm(vec![4, 5, 2], 0.25, Activation::GELU).with(false),
        ],
        LayerClass::Dropout => vec![
            LayerSpec::Dropout { input_shape: vec![9], rate: 0.5 },
            LayerSpec::Dropout { input_shape: vec![3, 4, 2], rate: 0.1 },
        ],
        LayerClass::GlobalAveragePool2D => {
            vec![LayerSpec::GlobalAveragePool2D { input_shape: [1, 1, 2] }]
        }
        LayerClass::Conv2D => vec![
            conv([6, 5, 3], (3, 2), 2, Pad::Valid, Activation::Linear),
            conv([5, 6, 2], (3, 5), 1, Pad::Same, Activation::TanH),
            conv([4, 4, 1], (4, 4), 3, Pad::Same, Activation::Sigmoid),
            conv([1, 1, 2], (1, 1), 1, Pad::Cells(2, 3), Activation::ArcTan),
            conv([5, 4, 2], (3, 3), 1, Pad::Same, Activation::TanH).with(false),
        ],
        LayerClass::Pool2D => vec![
            pool(PoolMode::Max, (3, 2), 1, Pad::Valid),
            pool(PoolMode::Max, (2, 2), 3, Pad::Same),
            pool(PoolMode::Average, (3, 3), 1, Pad::Cells(2, 2)),
            pool(PoolMode::Average, (3, 4), 2, Pad::Valid),
        ],
    }
}
