//! The verification of a program: whatever speaks the protocol takes the place of the workspace's own
//! implementation, in the very checks that this one passes.
//!
//! What the program answers ends a check where it cannot go on, by a panic that carries the reason: an activation
//! has no other way to refuse. [`Check::outcome`] and [`cases`](crate::cases) turn it into a verdict.

pub(crate) mod conventions;
pub(crate) mod explain;
pub(crate) mod functions;
pub(crate) mod layer;
mod network;
mod program;
mod summary;
mod timing;

use std::sync::Arc;

pub(crate) use explain::{Explainer, Explanation};
pub(crate) use network::ProgramNetwork;
pub(crate) use program::{
    Allowance, EXERCISES, Noted, Program, if_supported, is_broken, is_unsupported, misshapen,
    remark, take_exchanges, take_remarks,
};

pub(crate) use summary::print_summary;
pub(crate) use timing::time_batches;

use self::conventions::{Conventions, Ties};
use crate::check::caught;
use crate::{Check, Context, Kind, Outcome, rooms};

/// How much a check matters to a program under test.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Level {
    /// The assignment asks for it.
    #[serde(rename = "assignment")]
    Must,
    /// Several answers are right; the check names the one that it found.
    Convention,
    /// The workspace's own contracts go further than the assignment.
    #[serde(rename = "beyond")]
    Extra,
}

/// Claims about errors, seeds and caches that only an implementation of the workspace's own traits can keep: the
/// protocol does not ask for them. The last three are conventions, which have checks of their own.
const NOT_ASKED: [&str; 14] = [
    "a_seed_gives_the_same_bits",
    "a_target_is_a_distribution",
    "an_empty_batch_is_refused",
    "an_invalid_configuration_is_refused",
    "another_gradient_shape_is_refused",
    "another_input_shape_is_refused",
    "another_parameter_is_refused",
    "another_shape_is_refused",
    "backward_before_forward_is_an_error",
    "shapes_must_agree",
    "weights_decay_and_nothing_else",
    "a_probability_of_zero_stays_finite",
    "each_window_sends_its_gradient_to_its_first_maximum",
    "on_a_constant_image_the_first_cell_wins",
];

/// Claims that the assignment does not make: about NaN, tails, the last bit, other orders in memory.
const EXTRA: [&str; 14] = [
    "a_logit_of_minus_infinity_is_no_class",
    "elements_do_not_mix",
    "examples_do_not_mix",
    "memory_order_does_not_matter",
    "nan_in_nan_out",
    "nan_is_passed_on",
    "nan_stays_in_its_example",
    "nan_stays_in_its_row",
    "nan_wins_its_window",
    "only_the_last_axis_is_normalised",
    "predict_leaves_the_cache_alone",
    "shapes_are_kept",
    "the_tails_keep_their_relative_accuracy",
    "values_stay_in_range_and_rise",
];

/// The level of a check of a program; nothing if it asks what the protocol does not, or another convention.
fn level(check: &Check, ties: Ties) -> Option<Level> {
    let name = &*check.name;
    let tied = name == "no_gradient_is_lost_without_padding" && ties == Ties::All
        || check.group.ends_with("TestPool2DPads")
            && name == "test_backward"
            && ties != Ties::First;
    let stable = check.subject == Some("SoftMax");
    match check.kind {
        _ if NOT_ASKED.contains(&name) || tied => None,
        _ if check.group.contains("_f4") || EXTRA.contains(&name) => Some(Level::Extra),
        // At ±1e4, for which the simplest formulas of sigmoid and tanh have no finite intermediate results.
        Kind::Oracle if matches!(check.subject, Some("Sigmoid" | "TanH")) => Some(Level::Extra),
        // The assignment asks for stability of softmax alone.
        Kind::Property if name == "huge_inputs_give_finite_results" && !stable => {
            Some(Level::Extra)
        }
        _ if check.question == "7" => Some(Level::Extra),
        _ => Some(Level::Must),
    }
}

/// The checks of a program: those of every room that it has, of its conventions and of its networks.
pub(crate) fn checks(program: &Arc<Program>) -> Vec<Check> {
    let mut checks = Vec::new();
    let ties = program.conventions().ties.unwrap_or_default();
    for room in rooms::all() {
        // A proof is of a kernel whose code is known; through messages it would take minutes.
        let own = (room.checks_of_program)(program).into_iter();
        for check in own.filter(|check| check.kind != Kind::Proof) {
            let check = check.of(room.name);
            let single = check.group.contains("_f4");
            if single && !program.offers("dtypes", "f4") {
                continue;
            }
            let level = level(&check, ties);
            checks.extend(level.map(|level| Check { level, ..check }));
        }
    }
    checks.extend(conventions::checks(program));
    checks.sort_by_key(|check| (check.question == "all", check.question, check.kind));
    checks.into_iter().map(|check| with_remarks(check, program)).collect()
}

/// A check that is asked of a program that has everything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// The full name.
    pub id: String,
    /// The question of the assignment, such as `"4.1"`; `"all"` for what belongs to none.
    pub question: String,
    /// The kind, such as `"gradient"`.
    pub kind: String,
    /// `"assignment"`, `"convention"` or `"beyond"`.
    pub level: String,
    /// The class that is checked.
    pub class: String,
}

/// All checks that are asked of programs, or those that a name selects.
///
/// # Errors
/// If the name selects none, with those that look like it.
pub fn asked(
    filter: Option<&str>,
) -> Result<Vec<Asked>, impl std::error::Error + Send + Sync + use<>> {
    let all = checks(&Program::complete(Conventions::default()));
    let all = match filter {
        Some(name) => crate::filter::select(all, name),
        None => Ok(all),
    };
    all.map(|all| {
        let asked = |check: Check| Asked {
            id: check.id(),
            question: check.question.to_owned(),
            kind: word(check.kind),
            level: word(check.level),
            class: check.subject.unwrap_or_default().to_owned(),
        };
        all.into_iter().map(asked).collect()
    })
}

/// The names of the checks that a program is not asked because of its conventions.
pub(crate) fn excused(program: &Arc<Program>) -> Vec<String> {
    let names =
        |conventions| checks(&Program::complete(conventions)).iter().map(Check::id).collect();
    let own: std::collections::BTreeSet<String> = names(program.conventions());
    let usual: Vec<String> =
        checks(&Program::complete(Conventions::default())).iter().map(Check::id).collect();
    usual.into_iter().filter(|id| !own.contains(id)).collect()
}

/// The name of a kind or a level in records.
pub(crate) fn word(of: impl serde::Serialize) -> String {
    serde_json::to_value(of)
        .ok()
        .and_then(|word| Some(word.as_str()?.to_owned()))
        .unwrap_or_default()
}

/// The check, whose failure says what the program remarked meanwhile.
fn with_remarks(check: Check, program: &Arc<Program>) -> Check {
    let (run, program) = (check.run, Arc::clone(program));
    let slack = program.conventions().slack(check.subject);
    let run = move |context: &Context| {
        take_remarks();
        let context = Context { slack, ..context.clone() };
        let mut outcome = caught(|| run(&context));
        if !outcome.passed() {
            let remarks = take_remarks();
            if outcome.detail.contains("NaN")
                && let Some(remark) = misshapen(&remarks)
            {
                outcome = Outcome::fail(remark);
            }
            for remark in &remarks {
                if !outcome.detail.contains(remark) {
                    outcome.detail += &format!("\nnoted: {remark}");
                }
            }
        }
        outcome
    };
    Check { run: Box::new(run), ..check }
}

pub(crate) mod tests {
    use super::*;
    use crate::registry::all_checks;

    /// A name that no check has any more would make the check that had it one of the assignment's.
    pub(crate) fn each_name_that_decides_a_level_is_that_of_a_check() {
        let checks = all_checks();
        for name in NOT_ASKED.iter().chain(&EXTRA) {
            assert!(checks.iter().any(|check| check.name == *name), "{name}");
        }
    }
}
