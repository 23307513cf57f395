//! Bugs of the fully-connected layer, of flattening, and of what every layer does.

use std::sync::Arc;

use layers::Parameters;
use ndarray::{Array2, ArrayD, Axis, Ix2};

use super::Control;
use super::naive_layer::{Model, Naive, StateBug};
use crate::Kind::{Adjoint, Course, Formula, Gradient, Oracle, Property};
use crate::{Kind, LayerClass, LayerSpec, Subject};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Bug {
    None,
    NoBias,
    WeightGradientTransposed,
    InputGradientTransposed,
    BiasGradientMean,
    BiasGradientOfFirstExample,
    WeightGradientSign,
    WeightGradientMean,
}

#[derive(Debug)]
struct FullyConnected {
    n_out: usize,
    bug: Bug,
}

fn matrix(array: &ArrayD<f64>) -> Array2<f64> {
    array.clone().into_dimensionality::<Ix2>().expect("the layer's arrays are matrices")
}

/// The same numbers read in the order of the transposed matrix.
fn scrambled(array: &Array2<f64>) -> Array2<f64> {
    Array2::from_shape_vec(array.raw_dim(), array.t().iter().copied().collect())
        .expect("a transposed matrix has as many elements")
}

impl Model for FullyConnected {
    fn forward(&self, x: &ArrayD<f64>, parameters: &Parameters<f64>) -> ArrayD<f64> {
        let z = matrix(x).dot(&parameters.matrix("W"));
        match parameters.get("b") {
            Some(b) if self.bug != Bug::NoBias => z.into_dyn() + b,
            _ => z.into_dyn(),
        }
    }

    fn backward(
        &self,
        x: &ArrayD<f64>,
        parameters: &Parameters<f64>,
        dl_dz: &ArrayD<f64>,
    ) -> (ArrayD<f64>, Parameters<f64>) {
        let (x, w, dl_dz) = (matrix(x), parameters.matrix("W"), matrix(dl_dz));
        let m = x.nrows() as f64;
        let mut dl_dx = dl_dz.dot(&w.t());
        let mut dl_dw = x.t().dot(&dl_dz);
        let mut dl_db = dl_dz.sum_axis(Axis(0)).insert_axis(Axis(0));
        match self.bug {
            Bug::None | Bug::NoBias => {}
            Bug::WeightGradientTransposed => dl_dw = scrambled(&dl_dw),
            Bug::InputGradientTransposed => dl_dx = dl_dz.dot(&scrambled(&w.to_owned()).t()),
            Bug::BiasGradientMean => dl_db /= m,
            Bug::BiasGradientOfFirstExample => {
                dl_db = dl_dz.row(0).to_owned().into_shape_clone((1, self.n_out)).expect("a row");
            }
            Bug::WeightGradientSign => dl_dw = -dl_dw,
            Bug::WeightGradientMean => dl_dw /= m,
        }
        let b = parameters.get("b").map(|_| ("b", dl_db.into_dyn()));
        (dl_dx.into_dyn(), Parameters::new([("W", dl_dw.into_dyn())].into_iter().chain(b)))
    }
}

fn fully_connected(bug: Bug, state_bug: StateBug) -> Subject<f64> {
    let model = move |spec: &LayerSpec| {
        let &LayerSpec::FullyConnected { n_out, .. } = spec else {
            panic!("a fully-connected subject builds fully-connected layers")
        };
        FullyConnected { n_out, bug }
    };
    Subject::Layer(LayerClass::FullyConnected, Arc::new(Naive { model, bug: state_bug }))
}

#[derive(Debug)]
struct Flatten {
    input_shape: Vec<usize>,
    column_major: bool,
}

impl Model for Flatten {
    fn forward(&self, x: &ArrayD<f64>, _parameters: &Parameters<f64>) -> ArrayD<f64> {
        let m = x.shape()[0];
        let rows = x.axis_iter(Axis(0)).flat_map(|example| {
            if self.column_major {
                example.t().iter().copied().collect::<Vec<_>>()
            } else {
                example.iter().copied().collect()
            }
        });
        ArrayD::from_shape_vec(vec![m, x.len() / m], rows.collect()).expect("as many elements")
    }

    fn backward(
        &self,
        x: &ArrayD<f64>,
        _parameters: &Parameters<f64>,
        dl_dz: &ArrayD<f64>,
    ) -> (ArrayD<f64>, Parameters<f64>) {
        let mut dl_dx = ArrayD::zeros(x.raw_dim());
        for (mut example, row) in dl_dx.axis_iter_mut(Axis(0)).zip(dl_dz.axis_iter(Axis(0))) {
            debug_assert_eq!(example.shape(), self.input_shape);
            if self.column_major {
                example.view_mut().reversed_axes().iter_mut().zip(row).for_each(|(d, &g)| *d = g);
            } else {
                example.iter_mut().zip(row).for_each(|(d, &g)| *d = g);
            }
        }
        (dl_dx, Parameters::none())
    }
}

fn flatten(column_major: bool) -> Subject<f64> {
    let model = move |spec: &LayerSpec| Flatten { input_shape: spec.input_shape(), column_major };
    Subject::Layer(LayerClass::Flatten, Arc::new(Naive { model, bug: StateBug::None }))
}

pub(super) fn without_bugs() -> Vec<Subject<f64>> {
    vec![fully_connected(Bug::None, StateBug::None), flatten(false)]
}

pub(super) fn controls() -> Vec<Control> {
    let formula = |id, bug, what, expected: &'static [Kind]| Control {
        id,
        bug: what,
        expected,
        subject: fully_connected(bug, StateBug::None),
    };
    let state = |id, bug, what, expected: &'static [Kind]| Control {
        id,
        bug: what,
        expected,
        subject: fully_connected(Bug::None, bug),
    };
    vec![
        formula("no-bias", Bug::NoBias, "forward does not add b", &[Course, Gradient, Formula]),
        formula(
            "weight-gradient-transposed",
            Bug::WeightGradientTransposed,
            "dL/dW is the transpose of what it should be",
            &[Oracle, Gradient, Formula, Adjoint],
        ),
        formula(
            "input-gradient-transposed",
            Bug::InputGradientTransposed,
            "dL/dX multiplies by W instead of its transpose",
            &[Course, Gradient, Formula, Adjoint],
        ),
        formula(
            "bias-gradient-mean",
            Bug::BiasGradientMean,
            "dL/db is the mean over the examples, not the sum",
            &[Oracle, Gradient, Formula],
        ),
        formula(
            "bias-gradient-first",
            Bug::BiasGradientOfFirstExample,
            "dL/db looks at the first example only",
            &[Oracle, Gradient, Formula],
        ),
        formula(
            "weight-gradient-sign",
            Bug::WeightGradientSign,
            "dL/dW has the wrong sign",
            &[Oracle, Gradient, Formula, Adjoint],
        ),
        formula(
            "weight-gradient-mean",
            Bug::WeightGradientMean,
            "dL/dW is divided by m, although the loss has done so already",
            &[Oracle, Gradient, Formula, Adjoint],
        ),
        state(
            "gradients-accumulate",
            StateBug::Accumulates,
            "gradients add up from one backward to the next",
            &[Property],
        ),
        state(
            "activation-forgotten",
            StateBug::ForgetsActivation,
            "backward takes dL/dY for dL/dZ",
            &[Course, Gradient, Formula],
        ),
        state(
            "derivative-at-output",
            StateBug::DerivativeAtOutput,
            "backward takes the derivative of the activation at Y instead of Z",
            &[Course, Gradient, Formula],
        ),
        state(
            "cache-overwritten",
            StateBug::OverwritesCache,
            "backward writes dL/dZ over the cached Z, so that a second backward differs",
            &[Property],
        ),
        state(
            "predict-linear",
            StateBug::PredictsLinearly,
            "predict leaves out the activation",
            &[Property],
        ),
        state(
            "backward-first",
            StateBug::ForgivesMissingForward,
            "backward without forward returns zeros instead of an error",
            &[Property],
        ),
        state(
            "gradients-left",
            StateBug::LeavesGradients,
            "backward returns dL/dX but never fills the gradients",
            &[Oracle, Gradient, Formula],
        ),
        state(
            "bias-kept",
            StateBug::KeepsBias,
            "a layer that is declared without a bias has one",
            &[Formula, Property],
        ),
        state(
            "gradients-left-without-bias",
            StateBug::LeavesGradientsWithoutBias,
            "backward fills the gradients only where there is a bias",
            &[Gradient, Formula],
        ),
        Control {
            id: "column-major",
            bug: "examples are flattened in column-major order, forward and backward alike",
            expected: &[Course, Formula],
            subject: flatten(true),
        },
    ]
}
