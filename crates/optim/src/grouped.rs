//! The optimiser of a network whose parameters are trained in different ways.

use std::collections::{BTreeMap, BTreeSet};

use ndarray::ArrayD;
use numerics::Scalar;

use crate::muon::matrix_shape;
use crate::{
    Muon, OptimError, OptimiserConfig, ParameterGroup, Schedule, Sgd, SgdConfig, Step, Velocities,
};

/// SGD for all parameters but those of groups, which have optimisers and schedules of their own.
#[derive(Clone, Debug, PartialEq)]
pub struct Grouped<T> {
    /// Of the parameters in no group.
    rest: Group<T>,
    groups: Vec<Group<T>>,
    group_of: BTreeMap<String, usize>,
}

#[derive(Clone, Debug, PartialEq)]
struct Group<T> {
    optimiser: Optimiser<T>,
    schedule: Schedule,
}

#[derive(Clone, Debug, PartialEq)]
enum Optimiser<T> {
    Sgd(Sgd<T>),
    Muon(Muon<T>),
    Frozen,
}

impl<T: Scalar> Group<T> {
    fn new(optimiser: OptimiserConfig, schedule: Schedule) -> Result<Self, OptimError> {
        let optimiser = match optimiser {
            OptimiserConfig::Sgd(config) => Optimiser::Sgd(config.build()?),
            OptimiserConfig::Muon(config) => Optimiser::Muon(config.build()?),
            OptimiserConfig::Frozen => Optimiser::Frozen,
        };
        Ok(Self { optimiser, schedule: schedule.build()? })
    }

    fn velocities(&self) -> Option<&Velocities<T>> {
        match &self.optimiser {
            Optimiser::Sgd(sgd) => Some(&sgd.velocities),
            Optimiser::Muon(muon) => Some(&muon.velocities),
            Optimiser::Frozen => None,
        }
    }
}

impl<T: Scalar> Grouped<T> {
    /// The optimiser, at rest: `sgd` and `schedule` for the parameters in none of the groups.
    ///
    /// # Errors
    /// [`OptimError::Hyperparameter`] if a number is out of range, [`OptimError::Group`] if a
    /// parameter is listed twice.
    pub fn new(
        sgd: SgdConfig,
        schedule: Schedule,
        groups: &[ParameterGroup],
    ) -> Result<Self, OptimError> {
        let rest = Group::new(OptimiserConfig::Sgd(sgd), schedule)?;
        let mut grouped = Self { rest, groups: Vec::new(), group_of: BTreeMap::new() };
        for (index, group) in groups.iter().enumerate() {
            for name in &group.parameters {
                if let Some(before) = grouped.group_of.insert(name.clone(), index) {
                    let got = format!("{name}, which group {before} has already");
                    let expected = "every parameter once".to_owned();
                    return Err(OptimError::Group { index, expected, got });
                }
            }
            let schedule = group.schedule.unwrap_or(schedule);
            grouped.groups.push(Group::new(group.optimiser, schedule)?);
        }
        Ok(grouped)
    }

    /// Checks that the groups are made for a network with these parameters, given by name and shape.
    ///
    /// # Errors
    /// [`OptimError::Group`] if a group lists a parameter that is not there,
    /// [`OptimError::NoMatrix`] if Muon is to train one that is no matrix.
    pub fn check_parameters<'a>(
        &self,
        parameters: impl IntoIterator<Item = (&'a str, &'a [usize])>,
    ) -> Result<(), OptimError> {
        let mut known = BTreeSet::new();
        for (name, shape) in parameters {
            if let Optimiser::Muon(_) = self.group(name).optimiser {
                matrix_shape(name, shape)?;
            }
            known.insert(name);
        }
        let unknown = self.group_of.iter().find(|(name, _)| !known.contains(name.as_str()));
        let Some((name, &index)) = unknown else { return Ok(()) };
        let known: Vec<_> = known.into_iter().collect();
        let expected = format!("parameters of the network ({})", known.join(", "));
        Err(OptimError::Group { index, expected, got: name.clone() })
    }

    /// One step for the parameter tensor of this name; `decays` says whether weight decay acts on it
    /// if it is in no group, as [`Step::decays`]. Steps count from 0. What is
    /// [`at_rest`](Self::at_rest) is not changed.
    ///
    /// # Errors
    /// As [`Sgd::update`] and [`Muon::update`]. Nothing is changed then.
    // ANCHOR: update
    pub fn update(
        &mut self,
        name: &str,
        parameter: &mut ArrayD<T>,
        gradient: &ArrayD<T>,
        decays: bool,
        step: u64,
    ) -> Result<(), OptimError> {
        if self.at_rest(name, step) {
            return Ok(());
        }
        // All that a group lists decays.
        let decays = decays || self.group_of.contains_key(name);
        let Group { optimiser, schedule } = self.group_mut(name);
        let lr = schedule.rate(step);
        match optimiser {
            Optimiser::Sgd(sgd) => sgd.update(name, parameter, gradient, Step { lr, decays }),
            Optimiser::Muon(muon) => muon.update(name, parameter, gradient, lr),
            Optimiser::Frozen => Ok(()),
        }
    }
    // ANCHOR_END: update

    /// Whether the parameter of this name changes no more from this step on, so that nobody needs its
    /// gradient: it is frozen, or the schedule of its group has ended. Its velocity, if any, does not
    /// move it on.
    pub fn at_rest(&self, name: &str, step: u64) -> bool {
        let Group { optimiser, schedule } = self.group(name);
        let has_ended = self.group_of.contains_key(name) && schedule.has_ended(step);
        has_ended || matches!(optimiser, Optimiser::Frozen)
    }

    /// The learning rate of the parameters in no group.
    pub fn lr(&self, step: u64) -> f64 {
        self.rest.schedule.rate(step)
    }

    /// Whether the parameter of this name never changes; it has no velocity then.
    pub fn is_frozen(&self, name: &str) -> bool {
        matches!(self.group(name).optimiser, Optimiser::Frozen)
    }

    /// The velocities of all optimisers by the name of their parameter: with the step number, all the
    /// state there is.
    pub fn velocities(&self) -> impl Iterator<Item = (&str, &ArrayD<T>)> {
        let groups = std::iter::once(&self.rest).chain(&self.groups);
        groups.filter_map(Group::velocities).flatten().map(|(name, v)| (name.as_str(), v))
    }

    /// Sets the velocity of a parameter, in its optimiser, to continue where another of the same
    /// configuration stopped. What is frozen has none to set.
    pub fn set_velocity(&mut self, name: &str, velocity: ArrayD<T>) {
        let velocities = match &mut self.group_mut(name).optimiser {
            Optimiser::Sgd(sgd) => &mut sgd.velocities,
            Optimiser::Muon(muon) => &mut muon.velocities,
            Optimiser::Frozen => return,
        };
        velocities.insert(name.to_owned(), velocity);
    }

    fn group(&self, name: &str) -> &Group<T> {
        self.group_of.get(name).map_or(&self.rest, |&group| &self.groups[group])
    }

    fn group_mut(&mut self, name: &str) -> &mut Group<T> {
        self.group_of.get(name).map_or(&mut self.rest, |&group| &mut self.groups[group])
    }
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;
    use crate::MuonConfig;

    const MOMENTUM: SgdConfig =
        SgdConfig { momentum: 0.5, nesterov: false, weight_decay: 0.25, clip_norm: None };
    const RATE: Schedule = Schedule::Constant { lr: 0.5 };

    fn group(parameters: &[&str], optimiser: OptimiserConfig) -> ParameterGroup {
        let parameters = parameters.iter().map(|&name| name.to_owned()).collect();
        ParameterGroup { parameters, optimiser, schedule: None }
    }

    /// Filters by Muon, a bias by SGD that ends after a step, another one frozen.
    fn groups() -> [ParameterGroup; 3] {
        let muon = OptimiserConfig::Muon(MuonConfig::default());
        let linear = Schedule::Linear { lr: 0.25, total_steps: 1 };
        let sgd = OptimiserConfig::Sgd(MOMENTUM);
        [
            group(&["0.W"], muon),
            ParameterGroup { schedule: Some(linear), ..group(&["0.b"], sgd) },
            group(&["1.b"], OptimiserConfig::Frozen),
        ]
    }

    #[test]
    fn each_parameter_has_the_optimiser_and_the_schedule_of_its_group() {
        let mut grouped = Grouped::<f64>::new(MOMENTUM, RATE, &groups()).unwrap();
        let g = array![[2.0, 1.0], [1.0, 2.0]].into_dyn();
        let start = array![[4.0, 2.0], [3.0, 5.0]].into_dyn();
        let mut muon = MuonConfig::default().build().unwrap();
        let (mut of_muon, mut by_muon) = (start.clone(), start.clone());
        let mut sgd = MOMENTUM.build().unwrap();
        let (mut of_sgd, mut by_sgd) = (start.clone(), start.clone());
        let (mut decaying, mut frozen) = (start.clone(), start.clone());
        for step in 0..2 {
            grouped.update("0.W", &mut of_muon, &g, true, step).unwrap();
            muon.update("0.W", &mut by_muon, &g, 0.5).unwrap();
            assert_eq!(of_muon, by_muon);
            grouped.update("1.W", &mut of_sgd, &g, false, step).unwrap();
            sgd.update("1.W", &mut by_sgd, &g, Step { lr: 0.5, decays: false }).unwrap();
            assert_eq!(of_sgd, by_sgd);
            // Decays, as everything in a group; at rest at the second step.
            grouped.update("0.b", &mut decaying, &g, false, step).unwrap();
            grouped.update("1.b", &mut frozen, &g, true, step).unwrap();
        }
        let first = (&g + &(&start * 0.25)) * 0.25;
        assert_eq!(decaying, &start - &first);
        let at_rest = |step| ["0.W", "0.b", "1.W", "1.b"].map(|name| grouped.at_rest(name, step));
        assert_eq!(at_rest(0), [false, false, false, true]);
        assert_eq!(at_rest(1), [false, true, false, true]);
        assert_eq!(frozen, start);
        assert_eq!(grouped.lr(7), 0.5);
        let names: Vec<_> = grouped.velocities().map(|(name, _)| name).collect();
        assert_eq!(names, ["1.W", "0.W", "0.b"]);
        assert!(grouped.is_frozen("1.b") && !grouped.is_frozen("0.b"));
    }
}
