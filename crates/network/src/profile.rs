//! The time of training steps, part by part.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// A part of a training step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// The mini-batch is made.
    Data,
    /// The forward pass of a layer, counted from 0.
    Forward(usize),
    /// The loss and its gradient.
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
        self.parts.get(&part).copied().unwrap_or_default()
    }
}

/// Fills a [`Profile`], if it is switched on; otherwise it looks at no clock.
#[derive(Clone, Debug, Default)]
pub struct Profiler {
    profile: Option<Profile>,
    /// The beginning of the step that is not over yet.
    step: Option<Instant>,
}

impl Profiler {
    /// Begins an empty profile.
    pub fn switch_on(&mut self) {
        *self = Self { profile: Some(Profile::default()), step: None };
    }

    /// A step begins.
    pub fn begin_step(&mut self) {
        self.step = self.profile.is_some().then(Instant::now);
    }

    /// The step with so many examples is over.
    pub fn end_step(&mut self, examples: usize) {
        let (Some(profile), Some(begun)) = (&mut self.profile, self.step.take()) else { return };
        profile.total += begun.elapsed();
        profile.steps += 1;
        profile.examples += examples as u64;
    }

    /// Does `work`, whose time belongs to this part of the step, if there is one.
    pub fn time<R>(&mut self, part: Part, work: impl FnOnce() -> R) -> R {
        let (Some(profile), Some(_)) = (&mut self.profile, self.step) else { return work() };
        let start = Instant::now();
        let result = work();
        *profile.parts.entry(part).or_default() += start.elapsed();
        result
    }

    /// The profile of the steps that are over, if it is switched on.
    pub fn profile(&self) -> Option<&Profile> {
        self.profile.as_ref()
    }
}
