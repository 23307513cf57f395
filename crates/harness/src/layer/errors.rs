//! Misuse of a layer gives a typed error that names it, and never a panic.

use layers::LayerError;
use ndarray::{ArrayD, IxDyn};

use super::Layers;
use crate::cases::{Case, Failure, Verdict, claim, equal};
use crate::room::Checks;

pub(super) fn add(own: &mut Checks<Layers>) {
    own.exactly("another_input_shape_is_refused", another_input_shape_is_refused);
    own.exactly("another_gradient_shape_is_refused", another_gradient_shape_is_refused);
    own.exactly("an_invalid_configuration_is_refused", invalid_configuration);
}

/// No example, an axis too many, an axis too few, an example of another size.
fn another_input_shape_is_refused(subject: &Layers, case: &mut Case) -> Verdict {
    let (spec, x_shape) = subject.draw(case);
    let mut layer = subject.build(&spec, case)?;
    let mut larger = x_shape.clone();
    larger[case.between(1, x_shape.len() - 1)] += 1;
    let wrong = [
        [&[0], &*spec.input_shape].concat(),
        [&*x_shape, &[1]].concat(),
        x_shape[..x_shape.len() - 1].to_vec(),
        larger,
    ];
    for got in wrong {
        let x = ArrayD::zeros(IxDyn(&got));
        let (layer_name, expected) = (subject.room.name, spec.input_shape.clone());
        let error = Err(LayerError::Input { layer: layer_name, expected, got });
        equal("forward", &layer.forward(x.clone()), &error)?;
        equal("predict", &layer.predict(&x), &error)?;
    }
    Ok(())
}

fn another_gradient_shape_is_refused(subject: &Layers, case: &mut Case) -> Verdict {
    let (spec, x_shape) = subject.draw(case);
    let mut layer = subject.build(&spec, case)?;
    let y = layer.forward(case.array(&x_shape))?;
    let [mut more_examples, mut more_outputs] = [(); 2].map(|()| y.shape().to_vec());
    more_examples[0] += 1;
    more_outputs[y.ndim() - 1] += 1;
    for got in [more_examples, more_outputs, [y.shape(), &[1]].concat()] {
        let result = layer.backward(ArrayD::zeros(IxDyn(&got)));
        let (layer, expected) = (subject.room.name, y.shape().to_vec());
        equal("backward", &result, &Err(LayerError::Gradient { layer, expected, got }))?;
    }
    Ok(())
}

/// ... of a layer that has a weight W.
pub(crate) fn another_parameter_is_refused(subject: &Layers, case: &mut Case) -> Verdict {
    let (spec, _) = subject.draw(case);
    let mut layer = subject.build(&spec, case)?;
    let before = layer.parameters().clone();
    let expected = before["W"].shape().to_vec();
    let mut got = expected.clone();
    got[case.between(0, expected.len() - 1)] += 1;
    let result = layer.set_parameter("W", &ArrayD::zeros(IxDyn(&got)));
    let (layer_name, what) = (subject.room.name, "parameter");
    let error = LayerError::Shape { layer: layer_name, what, name: "W", expected, got };
    equal("set_parameter", &result, &Err(error))?;
    let result = layer.set_parameter("w", &before["W"]);
    let known = (spec.room.parameters)(&spec).to_vec();
    let error = LayerError::Unknown { layer: layer_name, what, known, got: "w".to_owned() };
    equal("set_parameter", &result, &Err(error))?;
    claim(layer.parameters() == &before, || "a refused parameter changed the layer".to_owned())
}

fn invalid_configuration(subject: &Layers, case: &mut Case) -> Verdict {
    let spec = case.one_of(&(subject.room.invalid)());
    case.describe(format!("{} of {:?}", spec.declared(), spec.input_shape));
    let built = subject.new_layer(&spec, &mut case.rng).err();
    let Some(LayerError::Configuration { layer, expected, got, .. }) = &built else {
        return Err(Failure::new(format!("expected a configuration error, got {built:?}")));
    };
    claim(*layer == subject.room.name && !expected.is_empty() && !got.is_empty(), || {
        format!("the error names neither layer nor what is wrong: {built:?}")
    })
}
