//! Bugs of global average pooling.

use std::sync::Arc;

use layers::Parameters;
use ndarray::{ArrayD, Axis};

use super::Control;
use super::naive_layer::{Model, Naive, StateBug};
use crate::Kind::{Adjoint, Formula, Gradient, Oracle, Property};
use crate::{Kind, LayerClass, LayerSpec, Subject};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Bug {
    None,
    GradientNotDivided,
    SumsInstead,
    OnePixelGetsAll,
    LosesTheLastRow,
}

#[derive(Debug)]
struct GlobalAveragePool2D(Bug);

fn pixels(x: &ArrayD<f64>) -> f64 {
    (x.len_of(Axis(1)) * x.len_of(Axis(2))) as f64
}

impl Model for GlobalAveragePool2D {
    fn forward(&self, x: &ArrayD<f64>, _parameters: &Parameters<f64>) -> ArrayD<f64> {
        let last = if self.0 == Bug::LosesTheLastRow { 1 } else { 0 };
        let rows = x.slice_axis(Axis(1), (..x.len_of(Axis(1)) - last).into());
        let sum = rows.sum_axis(Axis(1)).sum_axis(Axis(1));
        if self.0 == Bug::SumsInstead { sum } else { sum / pixels(x) }
    }

    fn backward(
        &self,
        x: &ArrayD<f64>,
        _parameters: &Parameters<f64>,
        dl_dz: &ArrayD<f64>,
    ) -> (ArrayD<f64>, Parameters<f64>) {
        let dl_dx = ArrayD::from_shape_fn(x.raw_dim(), |at| {
            let g = dl_dz[[at[0], at[3]]];
            match self.0 {
                Bug::GradientNotDivided | Bug::SumsInstead => g,
                Bug::OnePixelGetsAll if (at[1], at[2]) == (0, 0) => g,
                Bug::OnePixelGetsAll => 0.0,
                Bug::LosesTheLastRow if at[1] + 1 == x.len_of(Axis(1)) => 0.0,
                Bug::None | Bug::LosesTheLastRow => g / pixels(x),
            }
        });
        (dl_dx, Parameters::none())
    }
}

fn subject(bug: Bug) -> Subject<f64> {
    let model = move |_: &LayerSpec| GlobalAveragePool2D(bug);
    Subject::Layer(LayerClass::GlobalAveragePool2D, Arc::new(Naive { model, bug: StateBug::None }))
}

pub(super) fn without_bugs() -> Vec<Subject<f64>> {
    vec![subject(Bug::None)]
}

pub(super) fn controls() -> Vec<Control> {
    let control = |id, bug, what, expected: &'static [Kind]| Control {
        id,
        bug: what,
        expected,
        subject: subject(bug),
    };
    vec![
        control(
            "global-not-divided",
            Bug::GradientNotDivided,
            "backward forgets to divide by the number of pixels",
            &[Oracle, Gradient, Formula, Adjoint, Property],
        ),
        control(
            "global-sum",
            Bug::SumsInstead,
            "a sum instead of a mean, forward and backward alike",
            &[Oracle, Formula, Property],
        ),
        control(
            "global-one-pixel",
            Bug::OnePixelGetsAll,
            "the first pixel gets the whole gradient of its channel",
            &[Oracle, Gradient, Formula, Adjoint, Property],
        ),
        control(
            "global-last-row",
            Bug::LosesTheLastRow,
            "the last row of each image is left out, forward and backward alike",
            &[Oracle, Formula, Property],
        ),
    ]
}
