//! How the error of a finite difference depends on its step, for each layer.
//!
//! A large step leaves the truncation error `h²/6 L'''`, a small one the rounding error `ε |L| / h`.
//! Between the two lies the step that the checks take.

use numerics::Rng;
use serde::{Deserialize, Serialize};

use crate::gradcheck::rows_at;
use crate::layer::Spec;
use crate::{HarnessError, rooms};

/// The error at each step, for one layer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StepCurve {
    /// The layer: `"Conv2D, tanh"`.
    pub layer: String,
    /// The step, and the largest error of an element of any of the layer's gradients; steps within
    /// which a kink lies are left out. From the largest step to the smallest.
    pub points: Vec<(f64, f64)>,
}

/// Steps in a power of ten.
const PER_DECADE: i32 = 3;

/// The exponents of the largest and of the smallest step.
const DECADES: (i32, i32) = (-1, -12);

/// The curves of all layers, with inputs, parameters and upstream gradients from this seed.
///
/// # Errors
/// [`HarnessError::Layer`] if a layer refuses its own specification or input.
pub fn all(seed: u64) -> Result<Vec<StepCurve>, HarnessError> {
    let curves = rooms::layers().into_iter().flat_map(|room| (room.curves)());
    curves.map(|(name, spec)| curve(name, &spec, seed)).collect()
}

fn curve(layer: &str, spec: &Spec, seed: u64) -> Result<StepCurve, HarnessError> {
    let mut points = Vec::new();
    for index in PER_DECADE * -DECADES.0..=PER_DECADE * -DECADES.1 {
        let step = 10.0_f64.powf(-f64::from(index) / f64::from(PER_DECADE));
        // A generator for each step, so that all steps see the same layer.
        if let Some(rows) = rows_at(spec, &mut Rng::new(seed), step)? {
            let error = rows.iter().fold(0.0_f64, |error, row| error.max(row.element_error));
            points.push((step, error));
        }
    }
    Ok(StepCurve { layer: layer.to_owned(), points })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finite_difference::{BOUND, STEP};

    /// The slope of `log error` over `log step` between two steps.
    fn slope(curve: &StepCurve, from: f64, to: f64) -> f64 {
        let at = |step: f64| {
            let near = |(h, _): &&(f64, f64)| (h.ln() - step.ln()).abs() < 1e-6;
            curve.points.iter().find(near).unwrap_or_else(|| panic!("no step {step}")).1
        };
        (at(from).ln() - at(to).ln()) / (from.ln() - to.ln())
    }

    #[test]
    fn a_smooth_layer_has_the_square_of_the_step_on_one_side_and_its_reciprocal_on_the_other() {
        let curves = all(189).unwrap();
        assert_eq!(curves.len(), 8);
        let smooth = ["FullyConnected, tanh", "Conv2D, tanh", "BatchNorm"];
        for curve in curves.iter().filter(|curve| smooth.contains(&&*curve.layer)) {
            let truncation = slope(curve, 1e-1, 1e-3);
            assert!((truncation - 2.0).abs() < 0.1, "{}: {truncation}", curve.layer);
        }
        for curve in &curves {
            let rounding = slope(curve, 1e-7, 1e-12);
            assert!((rounding + 1.0).abs() < 0.2, "{}: {rounding}", curve.layer);
        }
    }

    #[test]
    fn at_the_step_of_the_checks_the_error_is_a_thousandth_of_the_bound() {
        for curve in all(189).unwrap() {
            let near = |(step, _): &&(f64, f64)| (step / STEP - 1.0).abs() < 1e-6;
            let (_, error) = curve.points.iter().find(near).unwrap();
            assert!(*error <= 1e-3 * BOUND, "{}: {error}", curve.layer);
        }
    }

    #[test]
    fn a_linear_layer_has_no_truncation_error() {
        let linear = ["Pool2D, average", "GlobalAveragePool2D", "Flatten", "Dropout"];
        let curves = all(189).unwrap();
        for curve in curves.iter().filter(|curve| linear.contains(&&*curve.layer)) {
            let (step, error) = curve.points[0];
            assert!(step > 0.09 && error < 1e-13, "{}: {error} at {step}", curve.layer);
        }
    }

    #[test]
    fn steps_that_reach_a_kink_are_left_out() {
        let curves = all(189).unwrap();
        let max = curves.iter().find(|curve| curve.layer == "Pool2D, max").unwrap();
        assert!(max.points.len() < curves[0].points.len() && max.points.len() > 20, "{max:?}");
        assert!(max.points.iter().all(|(_, error)| *error < 1e-2), "{max:?}");
    }
}
