//! Conventions: where several answers are right, the one that a program gives.

use std::sync::Arc;

use cnn::{Pad, Pool2DConfig, PoolMode};
use ndarray::{ArrayD, ArrayView1, arr2};
use numerics::Rng;

use super::{Level, Program, functions, if_supported, layer};
use crate::check::caught;
use crate::rooms::pool2d;
use crate::{Check, Kind, Outcome};

/// Which cells of a window get the gradient of a maximum that several of them reach.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Ties {
    /// The first in row-major order.
    #[default]
    First,
    Last,
    /// Each of them the whole gradient.
    All,
    /// Each of them an equal share.
    Split,
}

impl Ties {
    /// The part of the gradient that a cell gets: of the first, or the last, that no other cell exceeds, or of all
    /// of those.
    pub(crate) fn share(self, cells: ArrayView1<'_, f64>, cell: usize) -> f64 {
        let largest = |index: &usize| cells.iter().all(|&other| other <= cells[*index]);
        let winners: Vec<usize> = (0..cells.len()).filter(largest).collect();
        let alone = |winner: Option<&usize>| f64::from(u8::from(winner == Some(&cell)));
        match self {
            Self::First => alone(winners.first()),
            Self::Last => alone(winners.last()),
            Self::All | Self::Split if !winners.contains(&cell) => 0.0,
            Self::All => 1.0,
            Self::Split => 1.0 / winners.len() as f64,
        }
    }
}

/// What a program does where several answers are right; what it does not have is as our own.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Conventions {
    /// The derivative of ReLU at 0.
    pub(crate) relu_at_zero: Option<f64>,
    pub(crate) ties: Option<Ties>,
    /// What is added to a probability, or what it is at least, in cross-entropy or its gradient; 0 if both are infinite
    /// for an impossible class.
    pub(crate) epsilon: Option<f64>,
}

/// A result is off by rounding, and by that of another language's functions.
const ROUNDING: f64 = 1e-12;

/// The largest number that programs add to a probability.
const LARGEST_EPSILON: f64 = 1e-7;

impl Conventions {
    /// Asks a program.
    pub(super) fn of(program: &Arc<Program>) -> Self {
        // What fails here fails in a check too, which says so.
        fn quietly<R>(find: impl FnOnce() -> Option<R>) -> Option<R> {
            let mut found = None;
            caught(|| {
                found = if_supported(find).ok().flatten();
                Outcome::ok(1, "")
            });
            found
        }
        Self {
            relu_at_zero: quietly(|| {
                program.offers("activations", "ReLU").then(|| relu_at_zero(program)).flatten()
            }),
            ties: quietly(|| program.offers("layers", "Pool2D").then(|| ties(program)).flatten()),
            epsilon: quietly(|| {
                program.offers("losses", "CrossEntropy").then(|| epsilon(program)).flatten()
            }),
        }
    }

    /// What results of this room may be off by. A probability is at least 1/101 in all checks, so a gradient
    /// `1 / (p + ε)` is off by at most 101² ε.
    pub(super) fn slack(self, room: Option<&str>) -> f64 {
        let logarithm = matches!(room, Some("CrossEntropy" | "NeuralNetwork"));
        let epsilon = self.epsilon.filter(|_| logarithm).unwrap_or(0.0);
        ROUNDING.max(101.0 * 101.0 * epsilon.min(LARGEST_EPSILON))
    }
}

fn relu_at_zero(program: &Arc<Program>) -> Option<f64> {
    let relu = functions::unadjusted::<f64>(program, "ReLU");
    let (z, g) = (arr2(&[[0.0, 0.0]]).into_dyn(), arr2(&[[1.0, 2.0]]).into_dyn());
    let dl_dz = (relu.backward)(&z, &g).ok()?;
    let at_zero = dl_dz[[0, 0]];
    (at_zero.is_finite() && dl_dz[[0, 1]] == 2.0 * at_zero).then_some(at_zero)
}

fn ties(program: &Arc<Program>) -> Option<Ties> {
    let config = Pool2DConfig { pad: Pad::Valid, ..Pool2DConfig::new(PoolMode::Max, (2, 2), 2) };
    let spec = pool2d::ROOM.spec(config, &[2, 2, 1]);
    let mut layer = layer::build::<f64>(program, &spec, spec.build(&mut Rng::new(0))).ok()?;
    layer.forward(ArrayD::ones(vec![1, 2, 2, 1])).ok()?;
    let dl_dx = layer.backward(ArrayD::ones(vec![1, 1, 1, 1])).ok()?;
    let shares: Vec<f64> = dl_dx.iter().copied().collect();
    [
        (Ties::First, [1.0, 0.0, 0.0, 0.0]),
        (Ties::Last, [0.0, 0.0, 0.0, 1.0]),
        (Ties::All, [1.0; 4]),
        (Ties::Split, [0.25; 4]),
    ]
    .into_iter()
    .find_map(|(ties, expected)| (*shares == expected).then_some(ties))
}

fn epsilon(program: &Arc<Program>) -> Option<f64> {
    let loss = functions::loss::<f64>(program, "CrossEntropy");
    let (target, output) = (arr2(&[[1.0, 0.0]]), arr2(&[[0.0, 1.0]]));
    let of_impossible = (loss.forward)(&target, &output).ok()?;
    // The gradient may have another one, or be NaN.
    let of_gradient = (loss.backward)(&target, &output).ok()?[[0, 0]].abs().recip();
    (!of_impossible.is_nan()).then(|| (-of_impossible).exp().max(of_gradient))
}

/// A check for each convention of what the program has: it fails if the answer is none that is known.
pub(super) fn checks(program: &Arc<Program>) -> Vec<Check> {
    let relu = |found: Conventions| match found.relu_at_zero {
        Some(slope) if slope == 0.0 || slope == 1.0 || slope == 0.5 => {
            Outcome::ok(1, format!("the derivative of ReLU at 0 is {slope}"))
        }
        Some(slope) => Outcome::fail(format!(
            "the derivative of ReLU at 0 is {slope}; 0, 1 and 1/2 are subgradients in use"
        )),
        None => Outcome::fail("backward of ReLU gives nothing at 0, or no number times dL/dY"),
    };
    let ties = |found: Conventions| match found.ties {
        Some(Ties::First) => Outcome::ok(1, "of tied maxima the first gets the gradient"),
        Some(Ties::Last) => Outcome::ok(1, "of tied maxima the last gets the gradient"),
        Some(Ties::All) => Outcome::ok(
            1,
            "each of tied maxima gets the whole gradient, together more than arrives; checks that expect \
             one winner are left out",
        ),
        Some(Ties::Split) => Outcome::ok(1, "tied maxima share the gradient"),
        None => Outcome::fail(
            "a window of four equal cells gives no gradient, or one that goes neither to the first nor to \
             the last, nor to all of them",
        ),
    };
    let epsilon = |found: Conventions| match found.epsilon {
        Some(0.0) => Outcome::ok(1, "the loss of a class of probability 0 is infinite"),
        Some(epsilon) if epsilon <= LARGEST_EPSILON => {
            Outcome::ok(1, format!("a probability of 0 counts as {epsilon:.1e}"))
        }
        Some(epsilon) => Outcome::fail(format!(
            "a probability of 0 counts as {epsilon:.1e}, which changes the loss of other probabilities \
             as well; at most {LARGEST_EPSILON:e} is harmless"
        )),
        None => Outcome::fail("a class of probability 0 has no loss, or one that is NaN"),
    };
    type Judge = fn(Conventions) -> Outcome;
    let rows: [(&str, &str, &str, &str, Judge); 3] = [
        ("activations", "ReLU", "4.1", "the_derivative_at_zero", relu),
        ("losses", "CrossEntropy", "4.4", "the_logarithm_of_zero", epsilon),
        ("layers", "Pool2D", "6.3", "tied_maxima", ties),
    ];
    let offered = rows.into_iter().filter(|(list, class, ..)| program.offers(list, class));
    offered
        .map(|(_, class, question, name, judge)| {
            let program = Arc::clone(program);
            let group = format!("conventions.{class}");
            let check = Check::new(question, Kind::Property, group, name, move |_| {
                judge(program.conventions())
            });
            Check { level: Level::Convention, ..check.of(class) }
        })
        .collect()
}
