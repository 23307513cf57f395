//! How the error of a finite difference depends on its step, for each layer.
//!
//! A large step leaves the truncation error `h²/6 L'''`, a small one the rounding error `ε |L| / h`.
//! Between the two lies the step that the checks take.

use numerics::Rng;
use serde::Serialize;

use crate::gradcheck::rows_at;
use crate::layer::{Spec, real_build};
use crate::{Result, rooms};

/// The error at each step, for one layer.
#[derive(Debug, Serialize)]
pub(crate) struct StepCurve {
    /// The layer: `"Conv2D, tanh"`.
    layer: &'static str,
    /// The step, and the largest error of an element of any of the layer's gradients; steps within
    /// which a kink lies are left out. From the largest step to the smallest.
    points: Vec<(f64, f64)>,
}

/// Steps in a power of ten.
const PER_DECADE: i32 = 3;

/// The exponents of the largest and of the smallest step.
const DECADES: (i32, i32) = (-1, -12);

/// The curves of all layers, with inputs, parameters and upstream gradients from this seed.
pub(crate) fn all(seed: u64) -> Result<Vec<StepCurve>> {
    let curves = rooms::layers().into_iter().flat_map(|room| (room.curves)());
    curves.map(|(layer, spec)| curve(layer, &spec, seed)).collect()
}

fn curve(layer: &'static str, spec: &Spec, seed: u64) -> Result<StepCurve> {
    let (mut points, build) = (Vec::new(), real_build());
    for index in PER_DECADE * -DECADES.0..=PER_DECADE * -DECADES.1 {
        let step = 10.0_f64.powf(-f64::from(index) / f64::from(PER_DECADE));
        // A generator for each step, so that all steps see the same layer.
        if let Some(rows) = rows_at(spec, &build, &mut Rng::new(seed), step)? {
            let error = rows.iter().fold(0.0_f64, |error, row| error.max(row.element_error));
            points.push((step, error));
        }
    }
    Ok(StepCurve { layer, points })
}

#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
pub(crate) mod tests {
    use super::*;
    use crate::finite_difference::{BOUND, STEP};

    pub(crate) fn the_error_falls_with_the_square_of_the_step_and_rises_with_its_reciprocal() {
        let curves = all(189).unwrap();
        assert_eq!(curves.len(), 8);
        for StepCurve { layer, points } in &curves {
            let at = |step: f64| {
                let near = points.iter().find(|(h, _)| (h / step - 1.0).abs() < 1e-6);
                near.unwrap_or_else(|| panic!("{layer}: no step {step}")).1
            };
            // The slope of log error over log step.
            let slope = |from: f64, to: f64| (at(from) / at(to)).ln() / (from / to).ln();
            if ["FullyConnected, tanh", "Conv2D, tanh", "BatchNorm"].contains(layer) {
                assert!((slope(1e-1, 1e-3) - 2.0).abs() < 0.1, "{layer}: {}", slope(1e-1, 1e-3));
            }
            if ["Pool2D, average", "GlobalAveragePool2D", "Flatten", "Dropout"].contains(layer) {
                assert!(at(1e-1) < 1e-13, "a linear layer has no truncation error: {layer}");
            }
            assert!((slope(1e-7, 1e-12) + 1.0).abs() < 0.2, "{layer}: {}", slope(1e-7, 1e-12));
            assert!(at(STEP) <= 1e-3 * BOUND, "{layer}: {} at the step of the checks", at(STEP));
        }
    }

    pub(crate) fn steps_that_reach_a_kink_are_left_out() {
        let curves = all(189).unwrap();
        let max = curves.iter().find(|curve| curve.layer == "Pool2D, max").unwrap();
        assert!(max.points.len() < curves[0].points.len() && max.points.len() > 20, "{max:?}");
        assert!(max.points.iter().all(|(_, error)| *error < 1e-2), "{max:?}");
    }
}
