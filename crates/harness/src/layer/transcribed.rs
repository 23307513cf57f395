//! Transcriptions of the formulas of layers: the results that one pass of a layer should have.

use layers::Parameters;
use ndarray::ArrayD;

use super::{Draw, Layers, Passed, Spec, gradient, parameter, pass};
use crate::cases::{Case, Failure, Verdict, claim};
use crate::foreign::conventions::Ties;
use crate::room::Checks;

/// What the results of a pass follow from.
pub(crate) struct Operands {
    pub(crate) spec: Spec,
    pub(crate) x: ArrayD<f64>,
    pub(crate) dl_dy: ArrayD<f64>,
    /// The parameters that are declared, drawn at random.
    pub(crate) parameters: Parameters<f64>,
    /// The buffers after the pass.
    pub(crate) buffers: Parameters<f64>,
    /// Which of tied maxima gets the gradient.
    pub(crate) ties: Ties,
    tanh: bool,
}

/// A result of a pass and its transcription: `"Y"`, `"Y of predict"`, `"dL/dX"`, the gradient of a parameter
/// such as `"dL/dW"`, or a buffer.
pub(crate) type Formula = (&'static str, Transcription);

/// What a result should be.
pub(crate) type Transcription = fn(&Operands) -> Result<ArrayD<f64>, Failure>;

impl Operands {
    /// `Y = σ(Z)`, for a layer that is linear or has σ = tanh.
    pub(crate) fn y(&self, z: ArrayD<f64>) -> ArrayD<f64> {
        if self.tanh { z.mapv(f64::tanh) } else { z }
    }

    /// `dL/dZ = dL/dY ⊙ σ'(Z)`, likewise.
    pub(crate) fn dl_dz(&self, z: ArrayD<f64>) -> ArrayD<f64> {
        let slope = |y: f64| if self.tanh { 1.0 - y * y } else { 1.0 };
        &self.dl_dy * &self.y(z).mapv(slope)
    }
}

impl Checks<Layers> {
    /// A formula of the book for one result of a pass of layers from `draw`.
    pub(crate) fn transcribe(
        &mut self,
        name: &str,
        bound: f64,
        draw: Draw,
        result: &'static str,
        transcription: Transcription,
    ) {
        self.formula(name, bound, move |subject, case| {
            compare(subject, draw, &[(result, transcription)], case)
        });
    }

    /// Formulas for several results.
    pub(crate) fn transcribe_all(
        &mut self,
        name: &str,
        bound: f64,
        draw: Draw,
        formulas: &'static [Formula],
    ) {
        self.formula(name, bound, move |subject, case| compare(subject, draw, formulas, case));
    }
}

/// Sends an input through a layer, and compares the results.
pub(crate) fn compare(
    subject: &Layers,
    draw: Draw,
    formulas: &[Formula],
    case: &mut Case,
) -> Verdict {
    let (spec, x_shape) = subject.draw_by(draw, case);
    let mut layer = subject.build(&spec, case)?;
    let x = (spec.room.input)(case, &x_shape);
    let declared = (spec.room.parameters)(&spec);
    let parameters: Result<Vec<_>, Failure> =
        declared.iter().map(|&name| Ok((name, parameter(&*layer, name)?))).collect();
    let parameters = Parameters::new(parameters?);
    let Passed { y, dl_dy, dl_dx, gradients } = pass(&mut *layer, &x, case)?;
    let names: Vec<_> = gradients.names().collect();
    claim(names == declared, || format!("gradients of {names:?} instead of {declared:?}"))?;
    let tanh = layer.activation() == activations::Activation::TanH;
    let buffers = layer.buffers().clone();
    let ties = subject.ties;
    let pass = Operands { spec, x, dl_dy, parameters, buffers, ties, tanh };
    for (result, transcription) in formulas {
        let got = match (*result, pass.buffers.get(result)) {
            ("Y", _) => y.clone(),
            ("Y of predict", _) => layer.predict(&pass.x)?,
            ("dL/dX", _) => dl_dx.clone(),
            (_, Some(buffer)) => buffer.clone(),
            (of_parameter, None) => gradient(&*layer, of_parameter.trim_start_matches("dL/d"))?,
        };
        case.compare(result, &got, &transcription(&pass)?)?;
    }
    Ok(())
}
