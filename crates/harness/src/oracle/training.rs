//! SGD with weight decay and Nesterov's form, Muon, schedules and label smoothing.

use std::path::Path;

use losses::Loss;
use ndarray::{Array2, ArrayD, Axis, Ix2, arr0};
use numerics::Scalar;
use optim::{MuonConfig, OptimError, ScheduleConfig, SgdConfig, Step};

use super::manifest::{self, Config};
use crate::course::{self, Entry, Rule, Tally, bound, cast};
use crate::npz::Npz;
use crate::{Check, HarnessError, Kind, Optimiser, Outcome, ScheduleSubject, Subject};

/// The check of a part of training; none for other subjects.
pub(super) fn check<T: Scalar>(subject: &Subject<T>, prefix: &str) -> Option<Check> {
    let (file, name) = match subject {
        Subject::Sgd(_) => ("SgdTraining", "test_update"),
        Subject::Muon(_) => ("Muon", "test_update"),
        // A schedule computes in `f64` whatever the parameters are.
        Subject::Schedule(_) if T::DTYPE == "f8" => ("Schedules", "test_lr"),
        Subject::Smoothing(_) => ("LabelSmoothing", "test_smooth"),
        _ => return None,
    };
    let group = format!("{prefix}.{}.Test{file}", course::module(subject));
    let own = subject.clone();
    Some(Check::new(subject.question(), Kind::Oracle, group, name, move |context| {
        course::outcome(run(&own, &context.fixtures, file))
    }))
}

fn run<T: Scalar>(
    subject: &Subject<T>,
    fixtures: &Path,
    file: &str,
) -> Result<Outcome, HarnessError> {
    let configs = manifest::entries(fixtures, &format!("fixtures/extra/{file}.npz"))?;
    let mut npz = Npz::open(&fixtures.join("extra").join(file).with_extension("npz"))?;
    manifest::check_count(&npz, configs.len())?;
    let mut tally = Tally::new(npz.file(), Rule::Relative(bound::<T>()));
    for (index, config) in configs.into_iter().enumerate() {
        let entry = &mut Entry::new(&mut npz, index);
        match (subject, config) {
            (
                Subject::Sgd(sgd),
                Config::SgdTraining {
                    momentum,
                    nesterov,
                    weight_decay,
                    decays,
                    clip_norm,
                    schedule,
                },
            ) => {
                let config = SgdConfig { momentum, nesterov, weight_decay, clip_norm };
                let build = || sgd.build(config);
                let (result, reference) = steps(&build, decays, schedule, entry)?;
                let case = format!("{config:?}, decays {decays}");
                tally.add(&entry.key("output"), &case, &result, &reference);
            }
            (Subject::Muon(muon), Config::Muon { momentum, newton_schulz_steps, schedule }) => {
                let config = MuonConfig { momentum, newton_schulz_steps };
                let build = || muon.build(config);
                let (result, reference) = steps(&build, true, schedule, entry)?;
                tally.add(&entry.key("output"), &format!("{config:?}"), &result, &reference);
            }
            (Subject::Schedule(subject), Config::Schedule { schedule }) => {
                let reference = entry.array("output")?;
                let steps = entry.shaped("input", reference.shape())?;
                let result = rates::<T>(subject.as_ref(), schedule, &steps, entry)?;
                tally.add(&entry.key("output"), &format!("{schedule:?}"), &result, &reference);
            }
            (Subject::Smoothing(subject), Config::LabelSmoothing { eps }) => {
                let target = entry.array("input")?;
                let Ok(target) = cast::<T>(&target).into_dimensionality::<Ix2>() else {
                    return Err(entry.wrong_shape("input", "(m, k)".to_owned(), target.shape()));
                };
                let smoothed = subject.smooth(&target, eps).map_err(|e| entry.refused(e))?;
                smoothing(&smoothed, &format!("ε {eps}"), entry, &mut tally)?;
            }
            _ => return Err(manifest::unexpected(fixtures, file, index)),
        }
    }
    Ok(tally.outcome())
}

/// The parameter after each step with the gradients of the entry, and what it should be.
fn steps<T: Scalar>(
    build: &dyn Fn() -> Result<Box<dyn Optimiser<T>>, OptimError>,
    decays: bool,
    schedule: ScheduleConfig,
    entry: &mut Entry<'_>,
) -> Result<(ArrayD<T>, ArrayD<f64>), HarnessError> {
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
        let (mut optimiser, schedule) = (build()?, schedule.build()?);
        for (step, gradient) in (0..).zip(gradients.axis_iter(Axis(0))) {
            let step = Step { lr: schedule.lr(step), decays };
            optimiser.update("W", &mut parameter, &cast(&gradient.to_owned()), step)?;
            trajectory.push(parameter.clone());
        }
        Ok(())
    };
    update().map_err(|error| entry.refused(error))?;
    let views: Vec<_> = trajectory.iter().map(|parameter| parameter.view()).collect();
    let result = ndarray::stack(Axis(0), &views).expect("all steps have one shape");
    Ok((result, reference))
}

/// Compares the smoothed target, and the loss of the entry's logits and its gradient at them.
fn smoothing<T: Scalar>(
    smoothed: &Array2<T>,
    case: &str,
    entry: &mut Entry<'_>,
    tally: &mut Tally,
) -> Result<(), HarnessError> {
    let logits = entry.shaped("logits", smoothed.shape())?;
    let logits = cast::<T>(&logits).into_dimensionality::<Ix2>();
    let logits = logits.expect("it has the shape of a matrix");
    let loss = Loss::SoftmaxCrossEntropy;
    let value = loss.forward(smoothed.view(), logits.view()).map_err(|e| entry.refused(e))?;
    let gradient = loss.backward(smoothed.view(), logits.view()).map_err(|e| entry.refused(e))?;
    for (name, result) in [
        ("output", smoothed.clone().into_dyn()),
        ("loss", arr0(value).into_dyn()),
        ("backward", gradient.into_dyn()),
    ] {
        let reference = entry.array(name)?;
        tally.add(&entry.key(name), case, &result, &reference);
    }
    Ok(())
}

/// The rates of these steps, which are whole numbers.
fn rates<T: Scalar>(
    subject: &dyn ScheduleSubject,
    schedule: ScheduleConfig,
    steps: &ArrayD<f64>,
    entry: &Entry<'_>,
) -> Result<ArrayD<T>, HarnessError> {
    let mut rates = ArrayD::zeros(steps.raw_dim());
    for (rate, &step) in rates.iter_mut().zip(steps) {
        let lr = subject.lr(schedule, step as u64).map_err(|error| entry.refused(error))?;
        *rate = T::of(lr);
    }
    Ok(rates)
}
