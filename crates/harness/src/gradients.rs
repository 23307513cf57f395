//! Finite-difference tests on random shapes and values.
//!
//! A case is a small description (shapes, kernel, stride, padding, a seed for the values) that
//! proptest draws and, when it fails, shrinks. It is printed as JSON in a command that runs it again.
//! A case on which finite differences cannot tell is rejected and another one drawn.

mod activation;
mod label_smoothing;
mod layer;
mod loss;
mod network;
mod weight_decay;

use std::cell::Cell;
use std::fmt::Debug;

use numerics::Rng;
use proptest::strategy::Strategy;
use proptest::test_runner::{Config, RngSeed, TestCaseError, TestError, TestRunner};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::finite_difference::{self, BOUND, Problem, Verdict};
use crate::{Check, Context, Kind, Outcome, Subject};

/// Conclusive cases of each test.
const CASES: u32 = 256;

/// Inconclusive draws of each test at most. A hundredth of the draws are inconclusive, most of them
/// confident networks; a test that can judge no more than four draws in five is none.
const INCONCLUSIVE: u32 = CASES / 4;

/// Elements of each tensor that are compared in one case.
const ELEMENTS: usize = 64;

/// The finite-difference tests of a subject.
#[must_use]
pub fn checks(subject: &Subject<f64>) -> Vec<Check> {
    match subject {
        Subject::Einsum(_) => vec![],
        Subject::Network(implementation) => network::checks(implementation),
        Subject::Activation(_, implementation) => activation::checks(subject, implementation),
        Subject::Layer(class, implementation) => layer::checks(subject, *class, implementation),
        Subject::Loss(loss, implementation) => loss::checks(subject, *loss, implementation),
        Subject::Sgd(implementation) => weight_decay::checks(implementation),
        Subject::Smoothing(implementation) => label_smoothing::checks(implementation),
        Subject::Muon(_) | Subject::Schedule(_) | Subject::Whitening(_) => vec![],
    }
}

/// A test of random cases: `pinned` ones first, then drawn ones.
fn check<C, S, P>(
    question: &'static str,
    name: &str,
    pinned: Vec<C>,
    strategy: impl Fn() -> S + Send + Sync + 'static,
    problem: P,
) -> Check
where
    C: Serialize + DeserializeOwned + Debug + Clone + Send + Sync + 'static,
    S: Strategy<Value = C>,
    P: Fn(&C) -> Result<Box<dyn Problem>, String> + Send + Sync + 'static,
{
    let id = format!("gradients.{name}");
    Check::new(question, Kind::Gradient, "gradients", name, move |context| match &context.case {
        Some(json) => replay(json, &id, &problem),
        None => run(context, &id, &pinned, strategy(), &problem),
    })
}

fn replay<C: Serialize + DeserializeOwned + Debug>(
    json: &str,
    id: &str,
    problem: &impl Fn(&C) -> Result<Box<dyn Problem>, String>,
) -> Outcome {
    let case: C = match serde_json::from_str(json) {
        Ok(case) => case,
        Err(error) => return Outcome::error(format!("{id} takes no such case: {error}")),
    };
    match verdict(&case, problem) {
        Ok(Verdict::Pass(error)) => Outcome::measured(1, error, BOUND, ""),
        Ok(Verdict::Inconclusive(why)) => Outcome::error(format!("inconclusive: {why}")),
        Ok(Verdict::Fail(failure)) => Outcome::fail(failure.to_string()),
        Err(error) => Outcome::error(error),
    }
}

fn run<C: Serialize + Debug + Clone>(
    context: &Context,
    id: &str,
    pinned: &[C],
    strategy: impl Strategy<Value = C>,
    problem: &impl Fn(&C) -> Result<Box<dyn Problem>, String>,
) -> Outcome {
    let largest = Cell::new(0.0_f64);
    let cases = Cell::new(0);
    let inconclusive = Cell::new(0);
    let judge = |case: C| match verdict(&case, problem) {
        Ok(Verdict::Pass(error)) => {
            largest.set(largest.get().max(error));
            cases.set(cases.get() + 1);
            Ok(())
        }
        Ok(Verdict::Inconclusive(why)) => {
            inconclusive.set(inconclusive.get() + 1);
            Err(TestCaseError::reject(why))
        }
        Ok(Verdict::Fail(failure)) => Err(TestCaseError::fail(failure.to_string())),
        Err(error) => Err(TestCaseError::fail(error)),
    };
    for case in pinned {
        match judge(case.clone()) {
            Ok(()) => {}
            Err(TestCaseError::Reject(why)) => {
                return Outcome::error(format!("a pinned case is inconclusive: {why}: {case:?}"));
            }
            Err(TestCaseError::Fail(why)) => return failure(id, case, &why.to_string()),
        }
    }
    let mut runner = TestRunner::new(Config {
        cases: CASES,
        max_global_rejects: INCONCLUSIVE,
        // A case is printed as the command that replays it; there is no file of seeds.
        failure_persistence: None,
        rng_seed: RngSeed::Fixed(context.seed),
        ..Config::default()
    });
    match runner.run(&strategy, judge) {
        Ok(()) => {
            let mut outcome = Outcome::measured(cases.get(), largest.get(), BOUND, "");
            if inconclusive.get() > 0 {
                outcome.detail += &format!(", {} more draws inconclusive", inconclusive.get());
            }
            outcome
        }
        Err(TestError::Fail(why, case)) => failure(id, &case, &why.to_string()),
        Err(TestError::Abort(why)) => {
            Outcome::error(format!("too few conclusive cases, {} of {CASES}: {why}", cases.get()))
        }
    }
}

fn failure<C: Serialize>(id: &str, case: &C, why: &str) -> Outcome {
    let json = serde_json::to_string(case).expect("a case is plain data");
    Outcome::fail(format!("{why}\nreplay with: cargo xtask test {id} --case '{json}'"))
}

fn verdict<C: Serialize>(
    case: &C,
    problem: &impl Fn(&C) -> Result<Box<dyn Problem>, String>,
) -> Result<Verdict, String> {
    let mut problem = problem(case)?;
    // Which elements are compared depends on the case alone, so that a replay compares the same.
    let json = serde_json::to_string(case).expect("a case is plain data");
    let mut rng = Rng::new(json.bytes().fold(0, |h, b| h * 31 % 0xffff_fffb + u64::from(b)));
    Ok(finite_difference::compare(problem.as_mut(), ELEMENTS, |n| rng.below(n)))
}

#[cfg(test)]
mod tests {
    use ndarray::ArrayD;

    use super::*;
    use crate::Status;
    use crate::finite_difference::Evaluation;

    /// `L = x |x|` at `x = case / 10`, whose gradient is wrong from 3 on.
    struct WrongFromThree {
        x: ArrayD<f64>,
        analytic: ArrayD<f64>,
    }

    impl WrongFromThree {
        fn boxed(case: &i32) -> Result<Box<dyn Problem>, String> {
            let x = f64::from(*case) / 10.0;
            let analytic = if *case >= 30 { 0.0 } else { 2.0 * x.abs() };
            let array = |value| ArrayD::from_elem(vec![1], value);
            Ok(Box::new(Self { x: array(x), analytic: array(analytic) }))
        }
    }

    impl Problem for WrongFromThree {
        fn variables(&self) -> Vec<String> {
            vec!["X".to_owned()]
        }

        fn value(&mut self, _variable: usize) -> &mut ArrayD<f64> {
            &mut self.x
        }

        fn analytic(&self, _variable: usize) -> &ArrayD<f64> {
            &self.analytic
        }

        fn evaluate(&mut self) -> Evaluation {
            let x = self.x[0];
            Evaluation { terms: vec![x * x.abs()], piece: vec![u32::from(x >= 0.0)] }
        }
    }

    fn outcome(range: std::ops::Range<i32>, case: Option<&str>) -> Outcome {
        let check = check("all", "test", vec![], move || range.clone(), WrongFromThree::boxed);
        let case = case.map(str::to_owned);
        (check.run)(&Context { fixtures: "".into(), course_data: None, seed: 1, case })
    }

    #[test]
    fn a_failing_case_shrinks_to_the_smallest_and_its_command_replays_it() {
        let failed = outcome(1..1000, None);
        assert_eq!(failed.status, Status::Fail);
        let command = "replay with: cargo xtask test gradients.test --case '30'";
        assert!(failed.detail.ends_with(command), "{}", failed.detail);
        assert_eq!(outcome(1..1000, Some("30")).status, Status::Fail);
        assert_eq!(outcome(1..1000, Some("29")).status, Status::Ok);
    }

    #[test]
    fn inconclusive_cases_are_replaced_and_never_count() {
        // At 0 the piece changes between the two points.
        let passed = outcome(0..20, None);
        assert_eq!((passed.status, passed.cases), (Status::Ok, CASES as usize));
        assert!(passed.detail.ends_with(" more draws inconclusive"), "{}", passed.detail);
        assert_eq!(outcome(0..1, None).status, Status::Error);
        // One draw in two.
        assert_eq!(outcome(0..2, None).status, Status::Error);
        assert_eq!(outcome(0..20, Some("0")).status, Status::Error);
    }

    #[test]
    fn a_case_of_another_test_is_refused() {
        let refused = outcome(0..20, Some("{\"m\": 1}"));
        assert_eq!(refused.status, Status::Error);
        assert!(refused.detail.starts_with("gradients.test takes no such case"), "{refused:?}");
    }
}
