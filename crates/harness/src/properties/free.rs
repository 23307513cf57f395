//! Claims about initialisers, the optimiser and schedules: what they are for.

use activations::Activation;
use layers::{FullyConnectedConfig, Layer, WeightInit};
use ndarray::{Array2, ArrayD, IxDyn};
use optim::{ScheduleConfig, SgdConfig, Step};

use crate::cases::{Case, Cases, Failure, claim};
use crate::{Check, Kind};

pub(super) fn checks() -> Vec<Check> {
    let check = |count, bound, group, name, one: fn(&mut Case) -> Result<(), Failure>| {
        Cases { count, bound }.check("5", Kind::Property, group, name, one)
    };
    vec![
        check(3, 0.0, "properties.WeightInit", "a_signal_keeps_its_size", signal_keeps_its_size),
        // 200 steps, each rounded by less than 2 u of numbers below 10.
        check(20, 1e-12, "properties.Sgd", "a_quadratic_shrinks_by_its_factor", quadratic),
        check(20, 1e-12, "properties.Sgd", "momentum_multiplies_the_step", terminal_velocity),
        check(20, 1e-12, "properties.Sgd", "clipping_keeps_the_direction", clipping),
        check(20, 1e-12, "properties.Schedule", "stairs_touch_the_curve_from_above", stairs),
    ]
}

/// Through 8 layers of 256 units the mean square of a signal stays around 1 if the initialiser suits
/// the activation; without the gain √2 a ReLU network would shrink it 256-fold. The allowed factor, 16,
/// is the square root of that: the mean square is a product of 8 factors, which vary by at most
/// `√(5/256) = 0.14` each, so 16 is `ln 16 / (√8 · 0.14) = 7` standard deviations away.
fn signal_keeps_its_size(case: &mut Case) -> Result<(), Failure> {
    for (init, activation) in [
        (WeightInit::HeNormal, Activation::ReLU),
        (WeightInit::HeUniform, Activation::ReLU),
        (WeightInit::XavierUniform, Activation::Linear),
        (WeightInit::XavierNormal, Activation::Linear),
    ] {
        let mut signal: ArrayD<f64> = case.rng.normal_array(IxDyn(&[16, 256]), 0.0, 1.0);
        for _ in 0..8 {
            let config = FullyConnectedConfig {
                activation,
                weight_init: init,
                ..FullyConnectedConfig::new(256)
            };
            signal = config.build(&[256], &mut case.rng)?.predict(&signal)?;
        }
        let mean_square = signal.iter().map(|s| s * s).sum::<f64>() / signal.len() as f64;
        claim((1.0 / 16.0..=16.0).contains(&mean_square), || {
            format!("{init} with {activation}: the mean square went from 1 to {mean_square}")
        })?;
    }
    Ok(())
}

/// A step of a weight with this learning rate.
fn weight(lr: f64) -> Step {
    Step { lr, decays: true }
}

/// On `L = λ p² / 2`, whose gradient is λ p, a step without momentum multiplies p by `1 - lr λ`.
fn quadratic(case: &mut Case) -> Result<(), Failure> {
    let (lr, curvature) = (0.5 * case.rng.uniform(), 1.0 + case.rng.uniform());
    let n = case.between(1, 6);
    case.describe(format!("lr {lr}, λ {curvature}, {n} parameters"));
    let mut sgd = SgdConfig::default().build::<f64>()?;
    let start = case.array(&[n]);
    let mut p = start.clone();
    for _ in 0..200 {
        let gradient = &p * curvature;
        sgd.update("W", &mut p, &gradient, weight(lr))?;
    }
    case.compare("p", &p, &(start * (1.0 - lr * curvature).powi(200)))
}

/// Under a constant gradient the velocity grows to `lr g / (1 - μ)`.
fn terminal_velocity(case: &mut Case) -> Result<(), Failure> {
    let momentum = 0.9 * case.rng.uniform();
    case.describe(format!("momentum {momentum}"));
    let mut sgd = SgdConfig { momentum, ..SgdConfig::default() }.build::<f64>()?;
    let gradient = case.array(&[3]);
    let mut p = ArrayD::zeros(IxDyn(&[3]));
    // 0.9⁴⁰⁰ is below 1e-18.
    for _ in 0..400 {
        sgd.update("W", &mut p, &gradient, weight(0.01))?;
    }
    let before = p.clone();
    sgd.update("W", &mut p, &gradient, weight(0.01))?;
    case.compare("the last step", &(before - p), &(gradient * 0.01 / (1.0 - momentum)))
}

/// A clipped step has the bound's length and the gradient's direction; a short one is left alone.
fn clipping(case: &mut Case) -> Result<(), Failure> {
    let bound = 0.5 + case.rng.uniform();
    let shape = case.shape(2, 5);
    case.describe(format!("bound {bound}, gradient {shape:?}"));
    let gradient = case.array(&shape) * 4.0;
    let norm = |array: &ArrayD<f64>| array.iter().map(|g| g * g).sum::<f64>().sqrt();
    let config = SgdConfig { clip_norm: Some(bound), ..SgdConfig::default() };
    let mut sgd = config.build::<f64>()?;
    let mut p = ArrayD::zeros(IxDyn(&shape));
    sgd.update("W", &mut p, &gradient, weight(1.0))?;
    let length = norm(&gradient);
    case.compare_numbers("‖step‖", norm(&p), length.min(bound));
    case.compare("step / ‖step‖", &(-&p / norm(&p)), &(gradient / length))
}

/// At whole multiples of its period a staircase has the value of the smooth decay, and between them it
/// is above it, but not by more than one step.
fn stairs(case: &mut Case) -> Result<(), Failure> {
    let (lr, decay) = (0.1 + case.rng.uniform(), 0.3 + 0.7 * case.rng.uniform());
    let decay_steps = case.between(1, 20) as u64;
    case.describe(format!("lr {lr}, decay {decay}, decay_steps {decay_steps}"));
    let build =
        |staircase| ScheduleConfig::Exponential { lr, decay, decay_steps, staircase }.build();
    let (curve, stairs) = (build(false)?, build(true)?);
    let periods = Array2::from_shape_fn((5, 2), |(period, smooth)| {
        let step = period as u64 * decay_steps;
        if smooth == 0 { stairs.lr(step) } else { curve.lr(step) }
    });
    case.compare("lr of the stairs", &periods.column(0), &periods.column(1))?;
    case.compare_numbers("lr after one period", stairs.lr(decay_steps), lr * decay);
    (0..5 * decay_steps).try_for_each(|step| {
        let (curve, stairs) = (curve.lr(step), stairs.lr(step));
        claim(stairs * (1.0 + 1e-15) >= curve && stairs * decay <= curve * (1.0 + 1e-15), || {
            format!("step {step}: the curve is at {curve}, the stairs are at {stairs}")
        })
    })
}
