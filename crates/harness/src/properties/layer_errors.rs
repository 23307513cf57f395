//! Misuse of a layer gives a typed error that names it, and never a panic.

use activations::Activation;
use cnn::{Pad, PoolMode};
use layers::LayerError;
use ndarray::{ArrayD, IxDyn};

use super::LayerClaims;
use crate::cases::{Case, Failure, claim};
use crate::random_layer::{build, draw_spec};
use crate::{Check, LayerClass, LayerSpec, LayerSubject};

type Subject = dyn LayerSubject<f64>;

pub(super) fn checks(claims: &LayerClaims) -> Vec<Check> {
    let mut checks = vec![
        claims.exactly("another_input_shape_is_refused", another_input_shape_is_refused),
        claims.exactly("another_gradient_shape_is_refused", another_gradient_shape_is_refused),
        claims.exactly("an_invalid_configuration_is_refused", invalid_configuration),
    ];
    if matches!(claims.what, LayerClass::FullyConnected | LayerClass::Conv2D) {
        checks.push(claims.exactly("another_parameter_is_refused", another_parameter_is_refused));
    }
    checks
}

/// No example, an axis too many, an axis too few, an example of another size.
fn another_input_shape_is_refused(
    class: LayerClass,
    subject: &Subject,
    case: &mut Case,
) -> Result<(), Failure> {
    let (spec, x_shape) = draw_spec(class, case);
    let mut layer = build(subject, &spec, case)?;
    let expected = spec.input_shape();
    let mut larger = x_shape.clone();
    larger[case.between(1, x_shape.len() - 1)] += 1;
    let wrong = [
        [&[0], &*expected].concat(),
        [&*x_shape, &[1]].concat(),
        x_shape[..x_shape.len() - 1].to_vec(),
        larger,
    ];
    for got in wrong {
        let x = ArrayD::zeros(IxDyn(&got));
        let error = Err(LayerError::Input { layer: class.name(), expected: expected.clone(), got });
        let forward = layer.forward(x.clone());
        claim(forward == error, || format!("forward: expected {error:?}, got {forward:?}"))?;
        let predict = layer.predict(&x);
        claim(predict == error, || format!("predict: expected {error:?}, got {predict:?}"))?;
    }
    Ok(())
}

fn another_gradient_shape_is_refused(
    class: LayerClass,
    subject: &Subject,
    case: &mut Case,
) -> Result<(), Failure> {
    let (spec, x_shape) = draw_spec(class, case);
    let mut layer = build(subject, &spec, case)?;
    let y = layer.forward(case.array(&x_shape))?;
    let mut more_examples = y.shape().to_vec();
    more_examples[0] += 1;
    let mut more_outputs = y.shape().to_vec();
    more_outputs[y.ndim() - 1] += 1;
    for got in [more_examples, more_outputs, [y.shape(), &[1]].concat()] {
        let result = layer.backward(ArrayD::zeros(IxDyn(&got)));
        let expected = y.shape().to_vec();
        let error = Err(LayerError::Gradient { layer: class.name(), expected, got });
        claim(result == error, || format!("expected {error:?}, got {result:?}"))?;
    }
    Ok(())
}

fn another_parameter_is_refused(
    class: LayerClass,
    subject: &Subject,
    case: &mut Case,
) -> Result<(), Failure> {
    let (spec, _) = draw_spec(class, case);
    let mut layer = build(subject, &spec, case)?;
    let before = layer.parameters().clone();
    let expected = before["W"].shape().to_vec();
    let mut got = expected.clone();
    got[case.between(0, expected.len() - 1)] += 1;
    let result = layer.set_parameter("W", &ArrayD::zeros(IxDyn(&got)));
    let error = Err(LayerError::ParameterShape { layer: class.name(), name: "W", expected, got });
    claim(result == error, || format!("expected {error:?}, got {result:?}"))?;
    let result = layer.set_parameter("w", &before["W"]);
    let known = spec.parameter_names().to_vec();
    let error =
        Err(LayerError::UnknownParameter { layer: class.name(), known, got: "w".to_owned() });
    claim(result == error, || format!("expected {error:?}, got {result:?}"))?;
    claim(layer.parameters() == &before, || "a refused parameter changed the layer".to_owned())
}

fn invalid_configuration(
    class: LayerClass,
    subject: &Subject,
    case: &mut Case,
) -> Result<(), Failure> {
    let invalid = invalid(class);
    let spec = &invalid[case.between(0, invalid.len() - 1)];
    case.describe(format!("{spec:?}"));
    let built = subject.build(spec, &mut case.rng).err();
    let Some(LayerError::Configuration { layer, expected, got, .. }) = &built else {
        return Err(Failure::new(format!("expected a configuration error, got {built:?}")));
    };
    claim(*layer == class.name() && !expected.is_empty() && !got.is_empty(), || {
        format!("the error names neither layer nor what is wrong: {built:?}")
    })
}

/// Everything in which a configuration can be invalid.
fn invalid(class: LayerClass) -> Vec<LayerSpec> {
    // Input, kernel, stride, padding.
    let windows = [
        ([0, 5, 2], (3, 3), 1, Pad::Same),
        ([5, 0, 2], (3, 3), 1, Pad::Same),
        ([5, 5, 0], (3, 3), 1, Pad::Same),
        ([5, 5, 2], (0, 3), 1, Pad::Same),
        ([5, 5, 2], (3, 0), 1, Pad::Valid),
        ([5, 5, 2], (3, 3), 0, Pad::Same),
        ([5, 5, 2], (6, 3), 1, Pad::Valid),
        ([5, 5, 2], (3, 8), 1, Pad::Cells(4, 1)),
        ([5, 5, 2], (3, 3), 1, Pad::Cells(usize::MAX / 2 + 1, 0)),
    ];
    let conv = |n_out, (input_shape, kernel_shape, stride, pad)| LayerSpec::Conv2D {
        input_shape,
        n_out,
        kernel_shape,
        stride,
        pad,
        activation: Activation::Linear,
        bias: true,
    };
    let activation = Activation::ReLU;
    let dense = |n_in, n_out| LayerSpec::FullyConnected { n_in, n_out, activation, bias: true };
    match class {
        LayerClass::FullyConnected => vec![dense(0, 3), dense(3, 0)],
        LayerClass::Flatten => vec![
            LayerSpec::Flatten { input_shape: vec![0] },
            LayerSpec::Flatten { input_shape: vec![3, 0, 2] },
        ],
        LayerClass::Conv2D => {
            let no_filters = conv(0, ([5, 5, 2], (3, 3), 1, Pad::Same));
            windows.map(|window| conv(2, window)).into_iter().chain([no_filters]).collect()
        }
        LayerClass::Pool2D => windows
            .into_iter()
            .flat_map(|(input_shape, kernel_shape, stride, pad)| {
                [PoolMode::Max, PoolMode::Average].map(|mode| LayerSpec::Pool2D {
                    input_shape,
                    mode,
                    kernel_shape,
                    stride,
                    pad,
                })
            })
            .collect(),
        LayerClass::BatchNorm => {
            let spec = |input_shape: &[usize], eps, momentum| LayerSpec::BatchNorm {
                input_shape: input_shape.to_vec(),
                eps,
                momentum,
                activation: Activation::Linear,
                scale: true,
            };
            vec![
                spec(&[0], 1e-5, 0.1),
                spec(&[2, 3], 1e-5, 0.1),
                spec(&[0, 3, 2], 1e-5, 0.1),
                spec(&[2], 0.0, 0.1),
                spec(&[2], f64::NAN, 0.1),
                spec(&[2], 1e-5, 0.0),
                spec(&[2], 1e-5, 1.5),
            ]
        }
        LayerClass::Dropout => {
            let spec = |input_shape: &[usize], rate| LayerSpec::Dropout {
                input_shape: input_shape.to_vec(),
                rate,
            };
            vec![
                spec(&[0], 0.5),
                spec(&[2, 0, 3], 0.5),
                spec(&[2], 1.0),
                spec(&[2], -0.1),
                spec(&[2], 1.5),
                spec(&[2], f64::NAN),
            ]
        }
        LayerClass::GlobalAveragePool2D => [[0, 5, 2], [5, 0, 2], [5, 5, 0]]
            .map(|input_shape| LayerSpec::GlobalAveragePool2D { input_shape })
            .into(),
    }
}
