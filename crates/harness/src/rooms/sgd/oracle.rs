//! An optimiser against the oracle, step by step.

use ndarray::{ArrayD, Axis};
use numerics::Scalar;
use optim::{OptimError, Schedule, SgdConfig, Step};
use serde::Deserialize;

use super::Update;
use crate::Check;
use crate::course::cast;
use crate::oracle::Fixture;

/// The fields of an optimiser in an entry of the fixtures.
#[derive(Debug, Deserialize)]
pub(in crate::rooms) struct Declared {
    pub(in crate::rooms) momentum: f64,
    #[serde(default)]
    nesterov: bool,
    #[serde(default)]
    weight_decay: f64,
    decays: Option<bool>,
    clip_norm: Option<f64>,
    #[serde(default)]
    pub(in crate::rooms) newton_schulz_steps: u32,
    schedule: Schedule,
}

impl Declared {
    pub(super) fn sgd(&self) -> SgdConfig {
        let &Self { momentum, nesterov, weight_decay, clip_norm, .. } = self;
        SgdConfig { momentum, nesterov, weight_decay, clip_norm }
    }
}

/// A comparison of the parameter after each step with the oracle's.
pub(in crate::rooms) fn oracle<T: Scalar>(
    question: &'static str,
    file: &'static str,
    kind: &'static str,
    build: impl Fn(&Declared) -> Result<Update<T>, OptimError> + Send + Sync + 'static,
) -> Check {
    let fixture = Fixture { question, module: "test_optimizers", file, kind, class: file };
    fixture.check::<T>("test_update", move |listed, entry, tally| {
        let declared: Declared = listed.fields()?;
        let mut parameter = cast::<T>(&entry.array("input")?);
        let gradients = entry.array("gradients")?;
        let steps = gradients.shape().first().copied().unwrap_or(0);
        let expected = [&[steps], parameter.shape()].concat();
        if gradients.shape() != expected {
            let got = gradients.shape();
            return Err(entry.wrong_shape("gradients", format!("{expected:?}"), got));
        }
        let reference = entry.shaped("output", &expected)?;
        let mut trajectory = ArrayD::zeros(expected);
        let mut run = || {
            let (mut update, schedule) = (build(&declared)?, declared.schedule.build()?);
            for (t, gradient) in gradients.outer_iter().enumerate() {
                let lr = schedule.rate(t as u64);
                let step = Step { lr, decays: declared.decays.unwrap_or(true) };
                update(&mut parameter, &cast(&gradient.to_owned()), step)?;
                trajectory.index_axis_mut(Axis(0), t).assign(&parameter);
            }
            Ok(())
        };
        run().map_err(|error: OptimError| entry.refused(error))?;
        tally.add(&entry.key("output"), &format!("{declared:?}"), &trajectory, &reference);
        Ok(())
    })
}
