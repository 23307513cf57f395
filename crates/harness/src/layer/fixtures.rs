//! One forward or backward pass of a layer on one entry of a file.

use layers::{Layer, LayerError};
use numerics::{Rng, Scalar};

use super::Spec;
use crate::HarnessError;
use crate::course::{Entry, Pass, Tally, cast};

/// `spec` declares the layer for examples of a shape, or knows no layer for such examples.
pub(super) fn layer_pass<T: Scalar>(
    build: impl Fn(&Spec, &mut Rng) -> Result<Box<dyn Layer<T>>, LayerError>,
    spec: impl FnOnce(&[usize]) -> Option<Spec>,
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
    let case = format!("{}, input {:?}", spec.label(), x.shape());
    let mut layer = build(&spec, &mut Rng::new(0)).map_err(|e| entry.refused(e))?;
    let own: Vec<(&'static str, Vec<usize>)> =
        layer.parameters().iter().map(|(name, array)| (name, array.shape().to_vec())).collect();
    for (name, shape) in &own {
        let value = cast(&entry.shaped(name, shape)?);
        layer.set_parameter(name, &value).map_err(|e| entry.refused(e))?;
    }
    for name in spec.room.restored {
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
