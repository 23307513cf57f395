//! One parameter, some steps.

use ndarray::{Array1, arr0};
use optim::{SgdConfig, Step};

use crate::worked::Example;

/// A velocity that is kept while the rate falls.
pub(super) fn momentum(example: &mut Example<'_>) {
    let config = SgdConfig { momentum: 0.5, ..SgdConfig::default() };
    descend(example, config, 10.0, &[4.0, 4.0, 4.0], &[1.0, 0.25, 0.25]);
}

/// Decay, momentum and rate of one half each.
pub(super) fn weight_decay(example: &mut Example<'_>) {
    let config = SgdConfig { momentum: 0.5, weight_decay: 0.5, ..SgdConfig::default() };
    descend(example, config, 8.0, &[2.0, 2.0], &[0.5, 0.5]);
}

/// The look-ahead form, with a rate that falls.
pub(super) fn nesterov(example: &mut Example<'_>) {
    let config = SgdConfig { momentum: 0.5, nesterov: true, ..SgdConfig::default() };
    descend(example, config, 10.0, &[4.0, 4.0, 4.0], &[0.5, 0.5, 0.25]);
}

/// Runs the optimiser on a single parameter; records `p` from the start on, and `v` after each step.
fn descend(
    example: &mut Example<'_>,
    config: SgdConfig,
    start: f64,
    gradients: &[f64],
    rates: &[f64],
) {
    let mut sgd = config.build::<f64>().expect("the hyperparameters are in range");
    let mut parameter = arr0(start).into_dyn();
    let (mut positions, mut velocities, mut decayed) = (vec![start], vec![], vec![]);
    for (&gradient, &lr) in gradients.iter().zip(rates) {
        decayed.push(gradient + config.weight_decay * parameter[[]]);
        sgd.update("p", &mut parameter, &arr0(gradient).into_dyn(), Step { lr, decays: true })
            .expect("the gradient has the shape of the parameter");
        positions.push(parameter[[]]);
        velocities.extend(sgd.velocities.values().map(|v| v[[]]));
    }
    example.number("mu", config.momentum);
    example.number("lambda", config.weight_decay);
    example.number("gradient", gradients[0]);
    for (name, numbers) in
        [("g", decayed), ("rates", rates.to_vec()), ("p", positions), ("v", velocities)]
    {
        example.array(name, &Array1::from(numbers));
    }
}
