//! The optimiser against the closed form of its recursion.

use std::path::Path;

use ndarray::Axis;
use numerics::Scalar;
use optim::{OptimError, ScheduleConfig, SgdConfig, Step};

use super::manifest::{self, Config};
use crate::course::{Entry, Rule, Tally, bound, cast};
use crate::npz::Npz;
use crate::{HarnessError, Outcome};

/// Updates a parameter with given gradients and compares it after each step.
pub(super) fn run<T: Scalar>(fixtures: &Path) -> Result<Outcome, HarnessError> {
    let configs = manifest::entries(fixtures, "fixtures/extra/Sgd.npz")?;
    let mut npz = Npz::open(&fixtures.join("extra/Sgd.npz"))?;
    manifest::check_count(&npz, configs.len())?;
    let mut tally = Tally::new(npz.file(), Rule::Relative(bound::<T>()));
    for (index, config) in configs.into_iter().enumerate() {
        let Config::Sgd { momentum, clip_norm, schedule } = config else {
            return Err(manifest::unexpected(fixtures, "Sgd", index));
        };
        let sgd = SgdConfig { momentum, clip_norm, ..SgdConfig::default() };
        let entry = &mut Entry::new(&mut npz, index);
        steps::<T>(sgd, schedule, entry, &mut tally)?;
    }
    Ok(tally.outcome())
}

fn steps<T: Scalar>(
    sgd: SgdConfig,
    schedule: ScheduleConfig,
    entry: &mut Entry<'_>,
    tally: &mut Tally,
) -> Result<(), HarnessError> {
    let mut parameter = cast::<T>(&entry.array("input")?);
    let gradients = entry.array("gradients")?;
    let steps = gradients.shape().first().copied().unwrap_or(0);
    let expected = [&[steps], parameter.shape()].concat();
    if gradients.shape() != expected {
        return Err(entry.wrong_shape("gradients", format!("{expected:?}"), gradients.shape()));
    }
    let reference = entry.shaped("output", &expected)?;
    let mut trajectory = Vec::with_capacity(steps);
    let mut update = || -> Result<(), OptimError> {
        let (mut optimizer, schedule) = (sgd.build::<T>()?, schedule.build()?);
        for (step, gradient) in gradients.axis_iter(Axis(0)).enumerate() {
            let gradient = cast(&gradient.to_owned());
            let step = Step { lr: schedule.lr(step as u64), decays: true };
            optimizer.update("W", &mut parameter, &gradient, step)?;
            trajectory.push(parameter.clone());
        }
        Ok(())
    };
    update().map_err(|error| entry.refused(error))?;
    let views: Vec<_> = trajectory.iter().map(|parameter| parameter.view()).collect();
    let result = ndarray::stack(Axis(0), &views).expect("all steps have one shape");
    tally.add(&entry.key("output"), &format!("{steps} steps of {sgd:?}"), &result, &reference);
    Ok(())
}
