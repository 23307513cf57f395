//! One forward or backward pass of a subject on one entry.

use ndarray::{ArrayD, Ix2, arr0};
use numerics::{Rng, Scalar};

use super::{Entry, Tally};
use crate::{ActivationSubject, HarnessError, LayerSpec, LayerSubject, LossSubject};

/// Which results are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pass {
    /// What `forward` returns.
    Forward,
    /// What `backward` returns: the gradient with respect to the input.
    Backward,
    /// The gradients of the parameters, which the course does not test.
    Gradients,
    /// What `predict` returns after one forward pass, where that is something else.
    Predict,
}

impl Pass {
    /// The passes that the course tests.
    pub(super) const ALL: [Self; 2] = [Self::Forward, Self::Backward];

    pub(crate) fn test_name(self) -> &'static str {
        match self {
            Self::Forward => "test_forward",
            Self::Backward => "test_backward",
            Self::Gradients => "test_parameter_gradients",
            Self::Predict => "test_predict",
        }
    }
}

pub(crate) fn activation_pass<T: Scalar>(
    activation: &dyn ActivationSubject<T>,
    entry: &mut Entry<'_>,
    pass: Pass,
    tally: &mut Tally,
) -> Result<(), HarnessError> {
    let [z] = entry.inputs()?;
    let case = || format!("input {:?}", z.shape());
    let z_t = cast(&z);
    match pass {
        Pass::Forward => {
            let y = entry.shaped("output", z.shape())?;
            tally.add(&entry.key("output"), &case(), &activation.forward(&z_t), &y);
        }
        Pass::Backward | Pass::Gradients | Pass::Predict => {
            let dl_dy = cast(&entry.shaped("upstream_grad", z.shape())?);
            let dl_dz = entry.shaped("backward", z.shape())?;
            // As the course does, so that a forward pass that spoils its input is seen.
            let _ = activation.forward(&z_t);
            let result = activation.backward(&z_t, &dl_dy).map_err(|e| entry.refused(e))?;
            tally.add(&entry.key("backward"), &case(), &result, &dl_dz);
        }
    }
    Ok(())
}

pub(crate) fn loss_pass<T: Scalar>(
    loss: &dyn LossSubject<T>,
    entry: &mut Entry<'_>,
    pass: Pass,
    tally: &mut Tally,
) -> Result<(), HarnessError> {
    let inputs: [ArrayD<f64>; 2] = entry.inputs()?;
    let [target, output] = inputs.each_ref().map(|array| cast(array).into_dimensionality::<Ix2>());
    let (Ok(target), Ok(output)) = (target, output) else {
        let got = entry.array("input")?;
        return Err(entry.wrong_shape("input", "(2, m, k)".to_owned(), got.shape()));
    };
    let case = format!("target and output {:?}", target.shape());
    match pass {
        Pass::Forward => {
            let reference = entry.shaped("output", &[])?;
            let value = loss.forward(&target, &output).map_err(|e| entry.refused(e))?;
            tally.add(&entry.key("output"), &case, &arr0(value).into_dyn(), &reference);
        }
        Pass::Backward | Pass::Gradients | Pass::Predict => {
            let reference = entry.shaped("backward", output.shape())?;
            let gradient = loss.backward(&target, &output).map_err(|e| entry.refused(e))?;
            tally.add(&entry.key("backward"), &case, &gradient.into_dyn(), &reference);
        }
    }
    Ok(())
}

/// `spec` declares the layer for examples of a shape, or knows no layer for such examples.
pub(crate) fn layer_pass<T: Scalar>(
    layer: &dyn LayerSubject<T>,
    spec: impl FnOnce(&[usize]) -> Option<LayerSpec>,
    entry: &mut Entry<'_>,
    pass: Pass,
    tally: &mut Tally,
) -> Result<(), HarnessError> {
    let [x] = entry.inputs()?;
    let Some(spec) = spec(&x.shape()[1..]) else {
        let stacked = [&[1], x.shape()].concat();
        let expected = "(1, m, ...) with the axes that the layer takes".to_owned();
        return Err(entry.wrong_shape("input", expected, &stacked));
    };
    let case = describe(&spec, x.shape());
    let mut layer = layer.build(&spec, &mut Rng::new(0)).map_err(|e| entry.refused(e))?;
    let own: Vec<(&'static str, Vec<usize>)> =
        layer.parameters().iter().map(|(name, array)| (name, array.shape().to_vec())).collect();
    for (name, shape) in &own {
        let value = cast(&entry.shaped(name, shape)?);
        layer.set_parameter(name, &value).map_err(|e| entry.refused(e))?;
    }
    // What the oracle's mask was drawn from.
    let drawn_from: &[&str] =
        if matches!(spec, LayerSpec::Dropout { .. }) { &["seed", "step"] } else { &[] };
    for name in drawn_from {
        let value = cast(&entry.array(name)?);
        layer.set_buffer(name, &value).map_err(|e| entry.refused(e))?;
    }
    let y = entry.array("output")?;
    let result = layer.forward(cast(&x)).map_err(|e| entry.refused(e))?;
    if pass == Pass::Forward {
        tally.add(&entry.key("output"), &case, &result, &y);
        return Ok(());
    }
    if pass == Pass::Predict {
        let reference = entry.shaped("predicted", y.shape())?;
        let predicted = layer.predict(&cast(&x)).map_err(|e| entry.refused(e))?;
        tally.add(&entry.key("predicted"), &case, &predicted, &reference);
        return Ok(());
    }
    let dl_dy = cast(&entry.shaped("upstream_grad", y.shape())?);
    let reference = entry.shaped("backward", x.shape())?;
    let dl_dx = layer.backward(dl_dy).map_err(|e| entry.refused(e))?;
    if pass == Pass::Backward {
        tally.add(&entry.key("backward"), &case, &dl_dx, &reference);
        return Ok(());
    }
    for (name, shape) in &own {
        let name = &format!("d{name}");
        let reference = entry.shaped(name, shape)?;
        let gradient = layer.gradients().get(&name[1..]).cloned().unwrap_or_default();
        tally.add(&entry.key(name), &case, &gradient, &reference);
    }
    Ok(())
}

/// The same numbers as `T`, in the same order in memory.
pub(crate) fn cast<T: Scalar>(array: &ArrayD<f64>) -> ArrayD<T> {
    array.mapv(T::of)
}

fn describe(spec: &LayerSpec, x: &[usize]) -> String {
    match spec {
        LayerSpec::FullyConnected { n_out, activation, .. } => {
            format!("{n_out} units, {activation}, input {x:?}")
        }
        LayerSpec::BatchNorm { eps, momentum, activation, .. } => {
            format!("ε {eps}, momentum {momentum}, {activation}, input {x:?}")
        }
        LayerSpec::Dropout { rate, .. } => format!("rate {rate}, input {x:?}"),
        LayerSpec::Flatten { .. } | LayerSpec::GlobalAveragePool2D { .. } => {
            format!("input {x:?}")
        }
        LayerSpec::Conv2D { n_out, kernel_shape: (k1, k2), stride, pad, activation, .. } => {
            format!(
                "{n_out} filters {k1}x{k2}, stride {stride}, pad {pad}, {activation}, input {x:?}"
            )
        }
        LayerSpec::Pool2D { mode, kernel_shape: (k1, k2), stride, pad, .. } => {
            format!("{mode} {k1}x{k2}, stride {stride}, pad {pad}, input {x:?}")
        }
    }
}
