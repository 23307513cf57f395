//! The time of training steps, part by part.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// A part of a training step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// The mini-batch is made.
    Data,
    /// The forward pass of a layer, counted from 0.
    Forward(usize),
    /// The loss and its gradient, in [`NeuralNetwork::backward_to`](crate::NeuralNetwork::backward_to).
    Loss,
    /// The backward pass of a layer.
    Backward(usize),
    /// The step of the optimiser.
    Update,
}

/// The time of a number of training steps, and of their parts.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Profile {
    parts: BTreeMap<Part, Duration>,
    /// The time of all steps together, with what lies between their parts.
    pub total: Duration,
    /// The number of steps.
    pub steps: u64,
    /// The number of examples in all steps together.
    pub examples: u64,
}

impl Profile {
    /// The time of a part in all steps together.
    pub fn part(&self, part: Part) -> Duration {
        let time = self.parts.get(&part).copied().unwrap_or_default();
        // A backward pass is timed as a whole: what its layers do not take, the loss does.
        let layers = self.parts.iter().filter(|(part, _)| matches!(part, Part::Backward(_)));
        match part {
            Part::Loss => time.saturating_sub(layers.map(|(_, time)| *time).sum()),
            _ => time,
        }
    }
}

/// Fills a [`Profile`], if it is switched on; otherwise it looks at no clock.
#[derive(Debug, Default)]
pub struct Profiler {
    /// Locked for a moment at the end of each part.
    profile: Option<Mutex<Profile>>,
    /// The beginning of the step that is not over yet.
    step: Option<Instant>,
}

impl Profiler {
    /// Begins an empty profile.
    pub fn switch_on(&mut self) {
        *self = Self { profile: Some(Mutex::default()), step: None };
    }

    /// A step begins.
    pub fn begin_step(&mut self) {
        self.step = self.profile.is_some().then(Instant::now);
    }

    /// The step with so many examples is over.
    pub fn end_step(&mut self, examples: usize) {
        let (Some(profile), Some(begun)) = (&mut self.profile, self.step.take()) else { return };
        let profile = profile.get_mut().unwrap_or_else(PoisonError::into_inner);
        profile.total += begun.elapsed();
        profile.steps += 1;
        profile.examples += examples as u64;
    }

    /// Does `work`, whose time belongs to this part of the step, if there is one.
    pub fn time<R>(&self, part: Part, work: impl FnOnce() -> R) -> R {
        let started = self.start();
        let result = work();
        self.stop(part, started);
        result
    }

    /// The beginning of a part of the step, if there is one.
    pub(crate) fn start(&self) -> Option<Instant> {
        self.step.map(|_| Instant::now())
    }

    /// The end of a part.
    pub(crate) fn stop(&self, part: Part, started: Option<Instant>) {
        let (Some(profile), Some(started)) = (&self.profile, started) else { return };
        let mut profile = profile.lock().unwrap_or_else(PoisonError::into_inner);
        *profile.parts.entry(part).or_default() += started.elapsed();
    }

    /// The profile of the steps that are over, if it is switched on.
    pub fn profile(&self) -> Option<Profile> {
        let profile = self.profile.as_ref()?.lock().unwrap_or_else(PoisonError::into_inner);
        Some(profile.clone())
    }
}
