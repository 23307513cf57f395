//! Random cases of one check: proptest draws and shrinks them, and a failing one prints the command that
//! runs it again.
//!
//! A case is a list of choices, from which a check takes its sizes one by one, and a seed for the numbers
//! in its arrays. Smaller choices are smaller sizes, so that a shrunk case is a small one.

pub(crate) mod case;

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

pub(crate) use case::{Case, Failure, Verdict, claim, equal, number, same_bits};
use proptest::collection::vec;
use proptest::prelude::{Strategy, any};
use proptest::test_runner::{Config, RngSeed, TestCaseError, TestError, TestRunner};

use crate::check::panic_message;
use crate::foreign::{is_broken, is_unsupported, misshapen, remark, take_exchanges, take_remarks};
use crate::{Check, Context, Kind, Outcome};

/// Choices of a drawn case; what is drawn after them comes from the case's random numbers.
const CHOICES: usize = 24;

/// The most random cases of each check of a program, the elements of a tensor that finite differences look at, and
/// the cases that are tried to find a smaller one: each of them is a request, or several.
const FOREIGN_CASES: usize = 16;
const FOREIGN_ELEMENTS: usize = 12;
const FOREIGN_SHRINKS: usize = 150;

/// Against a bug that shows in most shapes, a proof takes one shape in so many.
pub(crate) const SPARSE: usize = 16;

/// How many cases in small integers are tried in place of a failing one.
const WHOLE_CASES: u32 = 8;

/// How many cases a check runs, and what the error of an element may be at most in any of them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cases {
    /// The number of random cases.
    pub(crate) count: usize,
    /// The bound on `|got - expected|`.
    pub(crate) bound: f64,
    /// How many cases the check itself lists; they are tried before random ones.
    pub(crate) pinned: usize,
}

/// A claim, judged on one case.
pub(crate) type OneCase = Box<dyn Fn(&mut Case) -> Verdict + Send + Sync>;

/// What the cases of a check have shown so far.
#[derive(Default)]
struct Shown {
    largest_error: Option<f64>,
    conclusive: usize,
    inconclusive: usize,
    /// Why a program does not claim to have cases, in its own words, and how often.
    unsupported: BTreeMap<String, usize>,
    /// Whether the program under test died or was late.
    broken: bool,
    failure: Option<Outcome>,
    /// The result that is wrong in this failure.
    wrong: String,
}

impl Cases {
    /// So many random cases with this bound.
    pub(crate) const fn new(count: usize, bound: f64) -> Self {
        Self { count, bound, pinned: 0 }
    }

    /// A check of this name, which judges every case by `one`.
    pub(crate) fn check(
        self,
        question: &'static str,
        kind: Kind,
        group: String,
        name: &str,
        one: OneCase,
    ) -> Check {
        let id = format!("{group}.{name}");
        Check::new(question, kind, group, name, move |context| self.run(&id, context, &one))
    }

    fn run(self, id: &str, context: &Context, one: &OneCase) -> Outcome {
        let shown = RefCell::new(Shown::default());
        let judge = |case: &mut Case| self.judge(id, case, one, &mut shown.borrow_mut(), context);
        let (foreign, count) = match &context.program {
            None => (false, self.count),
            Some(_) => (true, self.count.min(FOREIGN_CASES)),
        };
        let failed = || {
            let failure = shown.borrow_mut().failure.take();
            failure.unwrap_or_else(|| Outcome::error("a case failed and left no trace"))
        };
        let listed: Vec<Case> = match context.case.as_deref().map(str::parse::<Case>) {
            None => {
                let step = if context.sparse && self.count == 0 { SPARSE } else { 1 };
                (0..self.pinned).step_by(step).map(Case::listed).collect()
            }
            Some(Ok(case)) if case.pinned().is_some_and(|number| number >= self.pinned) => {
                return Outcome::error(format!("{id} lists {} cases, from 0 on", self.pinned));
            }
            Some(Ok(case)) => vec![case],
            Some(Err(error)) => return Outcome::error(format!("{id} takes no such case: {error}")),
        };
        for mut case in listed {
            match judge(&mut case) {
                Ok(()) => {}
                Err(TestCaseError::Fail(_)) => return failed(),
                // A program need not have all that is listed.
                Err(TestCaseError::Reject(_)) if foreign && context.case.is_none() => {}
                Err(TestCaseError::Reject(why)) => {
                    return Outcome::error(format!("case {case} is inconclusive: {why}"));
                }
            }
        }
        if context.case.is_none() {
            let mut runner = TestRunner::new(Config {
                cases: count as u32,
                // A hundredth of the draws are inconclusive, most of them confident networks; a test
                // that can judge no more than four draws in five is none.
                max_global_rejects: if foreign { 40 * count as u32 } else { count as u32 / 4 },
                max_shrink_iters: if context.unshrunk { 0 } else { 4096 },
                // A case is printed as the command that replays it; there is no file of seeds.
                failure_persistence: None,
                // Checks of one seed should not all see the same numbers: FNV-1a of the name.
                rng_seed: RngSeed::Fixed(id.bytes().fold(context.seed, |hash, byte| {
                    (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3)
                })),
                ..Config::default()
            });
            // Another seed is no smaller case.
            let drawn = (any::<u32>().no_shrink(), vec(any::<u32>(), CHOICES));
            let failed_before = Cell::new(0);
            let tried = |(seed, choices)| {
                let failed = shown.borrow().failure.is_some();
                failed_before.set(failed_before.get() + usize::from(failed));
                // What is not tried is no smaller case.
                if foreign && (failed_before.get() > FOREIGN_SHRINKS || shown.borrow().broken) {
                    return Ok(());
                }
                judge(&mut Case::drawn(seed, choices))
            };
            match runner.run(&drawn, tried) {
                Ok(()) => {}
                Err(TestError::Fail(_, (seed, choices))) => {
                    if !shown.borrow().broken {
                        let _ = judge(&mut Case::drawn(seed, choices.clone()));
                    }
                    if context.unshrunk || shown.borrow().broken {
                        return failed();
                    }
                    let (smallest, wrong) = (failed(), shown.borrow().wrong.clone());
                    for seed in 0..WHOLE_CASES {
                        let judged = judge(&mut Case::whole(seed, choices.clone()));
                        let fails = matches!(judged, Err(TestCaseError::Fail(_)));
                        if fails && shown.borrow().wrong == wrong {
                            return failed();
                        }
                    }
                    return smallest;
                }
                Err(TestError::Abort(why)) => {
                    let (got, all) = (shown.borrow().conclusive, count);
                    let shown = shown.borrow();
                    let usual = shown.unsupported.iter().max_by_key(|(_, times)| **times);
                    if let (Some((why, _)), 0) = (usual, got) {
                        return Outcome::skip(why);
                    }
                    let what = format!("too few conclusive cases, {got} of {all}: {why}");
                    return Outcome::error(what);
                }
            }
        }
        let Shown { largest_error, conclusive, inconclusive, .. } = shown.take();
        let mut outcome = match largest_error {
            Some(error) => Outcome::measured(conclusive, error, self.bound.max(context.slack), ""),
            None => Outcome::ok(conclusive, format!("{conclusive} cases")),
        };
        if inconclusive > 0 {
            outcome.detail += &format!(", {inconclusive} more draws inconclusive");
        }
        outcome
    }

    fn judge(
        self,
        id: &str,
        case: &mut Case,
        one: &OneCase,
        shown: &mut Shown,
        context: &Context,
    ) -> Result<(), TestCaseError> {
        let bound = self.bound.max(context.slack);
        if context.program.is_some() {
            (case.elements, case.slack) = (FOREIGN_ELEMENTS, context.slack);
            take_remarks();
            take_exchanges();
        }
        let mut panicked = false;
        // What a panic leaves behind is looked at only for the description of the case.
        let verdict = catch_unwind(AssertUnwindSafe(|| one(case))).unwrap_or_else(|panic| {
            (panicked, shown.broken) = (true, shown.broken | is_broken(&*panic));
            let what = panic_message(&*panic);
            if is_unsupported(&*panic) {
                *shown.unsupported.entry(what).or_default() += 1;
                return Err(Failure::Inconclusive("the program does not claim to have this"));
            }
            Err(Failure::Wrong(what))
        });
        let (error, what) = match (verdict, case.worst.take()) {
            (Err(Failure::Inconclusive(why)), _) => {
                shown.inconclusive += 1;
                return Err(TestCaseError::reject(why));
            }
            (Err(Failure::Wrong(what)), _) => (None, what),
            (Ok(()), Some((error, what))) if error > bound => (Some(error), what),
            (Ok(()), worst) => {
                let errors = worst.map(|(error, _)| error).into_iter().chain(shown.largest_error);
                shown.largest_error = errors.reduce(f64::max);
                shown.conclusive += 1;
                return Ok(());
            }
        };
        let remarks = take_remarks();
        let misshapen = misshapen(&remarks).filter(|_| what.contains("NaN"));
        let (error, what) = misshapen.map_or((error, what), |remark| (None, remark.clone()));
        remarks.into_iter().for_each(remark);
        let about = &case.description;
        let program = context.program.as_deref().unwrap_or_default();
        let asked: String = take_exchanges().iter().map(|asked| format!("\n{asked}")).collect();
        let asked = if case.is_whole() { asked } else { String::new() };
        let detail = format!(
            "case{about}: {what}{asked}\nthis case alone: cargo xtask test {id}{program} --case {case}"
        );
        shown.wrong = what.split(['[', ':']).next().unwrap_or_default().to_owned();
        shown.failure = Some(match error {
            Some(error) => Outcome::measured(shown.conclusive + 1, error, bound, &detail),
            None if panicked => Outcome::error(detail),
            None => Outcome::fail(detail),
        });
        Err(TestCaseError::fail(what))
    }
}

#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
pub(crate) mod tests {
    use ndarray::array;

    use super::*;
    use crate::Status;
    use crate::registry::all_checks;

    fn run(
        case: Option<&str>,
        bound: f64,
        one: impl Fn(&mut Case) -> Verdict + Send + Sync + 'static,
    ) -> Outcome {
        let context = Context { seed: 3, case: case.map(Into::into), ..Context::default() };
        let cases = Cases { pinned: 1, ..Cases::new(20, bound) };
        cases.check("all", Kind::Property, "group".into(), "name", Box::new(one)).outcome(&context)
    }

    pub(crate) fn a_failing_case_shrinks_to_the_smallest_and_its_command_replays_it() {
        let one = |case: &mut Case| {
            let (a, b) = (case.between(0, 9), case.between(1, 1000));
            let wrong = b >= 30 && case.pinned().is_none();
            case.describe(format!("a is {a} and b {b}"));
            case.compare("Y", &array![1.0, if wrong { 3.0 } else { 1.0 }], &array![1.0, 1.0])
        };
        let failed = run(None, 0.25, one);
        assert_eq!((failed.status, failed.bound), (Status::Fail, Some(0.25)));
        let expected = "(a is 0 and b 30): Y[1]: expected 1, got 3\n";
        assert!(failed.detail.contains(expected), "{}", failed.detail);
        let (_, printed) = failed.detail.split_once("cargo xtask test group.name --case ").unwrap();
        assert_eq!(run(Some(printed), 0.25, one).detail, failed.detail);
        assert!(printed.starts_with("whole-0,"), "{printed}");
        for passing in ["7,0,0", "whole-7,0,0"] {
            assert_eq!(run(Some(passing), 0.25, one).status, Status::Ok);
        }
        assert_eq!(run(Some("pinned-0"), 0.25, one).cases, 1);
        for refused in ["{}", "", "1,x", "whole-", "pinned-1", "pinned-0,1"] {
            assert_eq!(run(Some(refused), 0.25, one).status, Status::Error, "{refused}");
        }
    }

    pub(crate) fn inconclusive_cases_are_replaced_and_never_count() {
        let one_in = |n| {
            move |case: &mut Case| match case.pinned().is_none() && case.between(1, n) == 1 {
                true => Err(Failure::Inconclusive("a kink was crossed")),
                false => Ok(()),
            }
        };
        let passed = run(None, 0.0, one_in(10));
        assert_eq!((passed.status, passed.cases), (Status::Ok, 21));
        assert!(passed.detail.ends_with(" more draws inconclusive"), "{}", passed.detail);
        assert_eq!(run(None, 0.0, one_in(2)).status, Status::Error);
        assert_eq!(run(Some("1,0"), 0.0, one_in(10)).status, Status::Error);
        let pinned = run(None, 0.0, |_| Err(Failure::Inconclusive("a kink was crossed")));
        assert_eq!(pinned.detail, "case pinned-0 is inconclusive: a kink was crossed");
    }

    pub(crate) fn nan_other_shapes_and_panics_fail() {
        let nan = run(None, 1.0, |case| case.compare("Y", &array![f64::NAN], &array![0.0]));
        assert_eq!((nan.passed(), nan.max_error), (false, Some(f64::INFINITY)));
        let shape = run(None, 1.0, |case| case.compare("Y", &array![0.0], &array![0.0, 0.0]));
        assert!(shape.detail.contains("Y: expected shape [2], got [1]"), "{}", shape.detail);
        let panic = run(None, 1.0, |case| {
            case.describe("no elements");
            let empty: [f64; 0] = [];
            claim(empty[case.between(0, 0)] > 0.0, String::new)
        });
        let expected = "(no elements): the check panicked: index";
        assert!(panic.detail.contains(expected), "{}", panic.detail);
    }

    /// Else a wrong implementation could be shown a case that a right one fails, too.
    pub(crate) fn every_claim_holds_in_small_integers() {
        let checks = all_checks().into_iter().filter(|check| check.kind.draws_cases());
        let wrong: Vec<String> = checks
            .flat_map(|check| {
                [1, 2].map(|seed| {
                    let case = Some(format!("whole-{seed}"));
                    let outcome = check.outcome(&Context { case, ..Context::default() });
                    let holds = outcome.passed() || outcome.detail.contains(" is inconclusive: ");
                    (!holds).then(|| format!("{}: {}", check.id(), outcome.detail))
                })
            })
            .flatten()
            .collect();
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }
}
