//! The error of GELU in single precision at every number there is.
//!
//! 2³² arguments are few enough to try them all, in minutes: `cargo xtask test --exhaustive` does so and writes the
//! outcome, which is committed. The check of every run tries some of them, and those at which the outcome has its
//! largest errors.
//!
//! Every processor rounds additions, products, quotients and fused operations in the same way, so the outcome belongs
//! to the code and not to a machine.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use activations::{Activation, ElementWise, GELU};
use anyhow::{Context, Result, bail, ensure};
use ndarray::ArrayD;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::json;
use system::println;

use crate::activation::{self, ActivationSubject};
use crate::cases::{Case, Failure, Verdict, claim};
use crate::room::Checks;
use crate::worked::Example;

type Subject = ActivationSubject<f32>;

/// Where the outcome is, below the root of the workspace.
const FILE: &str = "crates/harness/src/rooms/gelu/every_f32.json";

/// An argument in so many is tried in every run. It is a prime, so that exponents, signs and last bits all vary.
const STRIDE: usize = 65_537;

/// Arguments that are passed at once; an array of this length stays on one thread.
const CHUNK: u32 = 1 << 15;

/// Below it, the subnormal numbers begin that the approximation replaces by 0.
const FAR_LEFT: f32 = -13.0;

/// The largest error of a kind, and the argument that has it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Largest {
    error: f64,
    at: f32,
}

/// The kinds of errors: a pass, a range of arguments, a measure. A unit in the last place, an ulp, is the distance of
/// the next larger number in single precision.
const PASSES: [&str; 2] = ["forward", "backward"];
const RANGES: [&str; 3] = ["far-left", "left", "right"];
const MEASURES: [&str; 2] = ["absolute", "ulps"];

/// The largest errors by pass, range and measure.
type Errors = [[[Largest; 2]; 3]; 2];

const NONE: Errors = [[[Largest { error: 0.0, at: 0.0 }; 2]; 3]; 2];

#[derive(Deserialize)]
struct Outcome {
    largest: BTreeMap<String, Largest>,
}

impl Outcome {
    fn committed() -> Self {
        let text = include_str!("every_f32.json");
        serde_json::from_str(text).expect("the program wrote it")
    }
}

/// The errors by the names of their kinds: `"forward-left-ulps"`.
fn named(errors: &Errors) -> BTreeMap<String, Largest> {
    let mut all = BTreeMap::new();
    for (of_pass, pass) in errors.iter().zip(PASSES) {
        for (of_range, range) in of_pass.iter().zip(RANGES) {
            for (&largest, measure) in of_range.iter().zip(MEASURES) {
                all.insert(format!("{pass}-{range}-{measure}"), largest);
            }
        }
    }
    all
}

/// The errors of value and slope at these arguments, against double precision.
fn measure(subject: &Subject, z: Vec<f32>) -> Result<Errors, Failure> {
    let z = ArrayD::from_shape_vec(vec![z.len()], z)?;
    let y = (subject.forward)(&z);
    let slopes = (subject.backward)(&z, &ArrayD::ones(z.raw_dim()))?;
    let mut errors = NONE;
    for ((&z, &y), &slope) in z.iter().zip(&y).zip(&slopes) {
        let wide = f64::from(z);
        let range = if z < FAR_LEFT { 0 } else { usize::from(z.is_sign_positive()) + 1 };
        let mut of_value = error(y, GELU::value(wide));
        // That of the slope, which has both signs, may get lost where it is 0.
        if y.is_sign_negative() != z.is_sign_negative() && !z.is_nan() {
            of_value = [f64::INFINITY; 2];
        }
        let of_slope = error(slope, GELU::gradient(wide, 1.0));
        for (largest, errors) in errors.iter_mut().zip([of_value, of_slope]) {
            for (largest, error) in largest[range].iter_mut().zip(errors) {
                *largest = larger(*largest, Largest { error, at: z });
            }
        }
    }
    Ok(errors)
}

/// The error of a number, absolute and in ulps.
fn error(got: f32, exact: f64) -> [f64; 2] {
    let wide = f64::from(got);
    if wide == exact || wide.is_nan() && exact.is_nan() {
        return [0.0; 2];
    }
    let error = (wide - exact).abs();
    let nearest = (exact as f32).abs();
    let ulp = f64::from(nearest.next_up()) - f64::from(nearest);
    if error.is_finite() { [error, error / ulp] } else { [f64::INFINITY; 2] }
}

/// The larger error; of equal ones, that of the first argument by its bits.
fn larger(a: Largest, b: Largest) -> Largest {
    let order = a.error.total_cmp(&b.error).then(b.at.to_bits().cmp(&a.at.to_bits()));
    if order.is_lt() { b } else { a }
}

fn larger_of_all(mut a: Errors, b: Errors) -> Errors {
    let of_b = b.as_flattened().as_flattened();
    for (a, b) in a.as_flattened_mut().as_flattened_mut().iter_mut().zip(of_b) {
        *a = larger(*a, *b);
    }
    a
}

/// Adds the check that no error is larger than those of the committed outcome.
pub(super) fn add(own: &mut Checks<Subject>) {
    own.exactly("no_error_exceeds_the_largest_over_every_number", no_error_exceeds_the_largest);
}

fn no_error_exceeds_the_largest(subject: &Subject, case: &mut Case) -> Verdict {
    let (first, largest) = (case.between(0, STRIDE - 1), Outcome::committed().largest);
    case.describe(format!("every {STRIDE}th number from the bits {first:#x} on"));
    let some = (first as u32..=u32::MAX).step_by(STRIDE).map(f32::from_bits);
    let z = some.chain(largest.values().map(|largest| largest.at)).collect();
    for (kind, Largest { error, at }) in named(&measure(subject, z)?) {
        // In double precision exp and erfc may differ between systems, by a share of some 1e-13 of a result.
        let most = largest[&kind].error * (1.0 + 1e-5);
        claim(error <= most, || {
            format!("{kind}: an error of {error:e} at {at:e}, and of {most:e} over every number")
        })?;
    }
    Ok(())
}

/// Tries every number, by vector instructions and one at a time, and writes the outcome.
pub(crate) fn try_every_number(root: &Path) -> Result<()> {
    println!(
        "GELU and its slope at each of the 2^32 numbers in single precision, for some minutes:"
    );
    let (subject, start) = (activation::real(Activation::GELU), Instant::now());
    let errors = (0..u32::MAX / CHUNK + 1)
        .into_par_iter()
        .map(|chunk| {
            let z: Vec<_> = (0..CHUNK).map(|i| f32::from_bits(chunk * CHUNK + i)).collect();
            same_one_at_a_time(&subject, &z)?;
            measure(&subject, z).or_else(|failure| bail!("{failure:?}"))
        })
        .try_reduce(|| NONE, |a, b| Ok(larger_of_all(a, b)))?;
    let seconds = start.elapsed().as_secs_f64();
    let rustc = Command::new("rustc").arg("--version").output().context("cannot run rustc")?;
    let (rustc, largest) = (String::from_utf8(rustc.stdout)?, named(&errors));
    for (kind, Largest { error, at }) in &largest {
        println!("{kind:24} {error:10.3e} at {at:e}");
        ensure!(error.is_finite(), "{kind}: at {at:e} the result is not that of double precision");
    }
    let outcome = json!({
        "command": "cargo xtask test --exhaustive",
        "rustc": rustc.trim(),
        "architecture": std::env::consts::ARCH,
        "threads": rayon::current_num_threads(),
        "seconds": seconds.round(),
        "largest": largest,
    });
    system::replace(&root.join(FILE), format!("{outcome:#}\n").as_bytes())
        .with_context(|| format!("cannot write {FILE}"))?;
    println!("{seconds:.0} s; the outcome is in {FILE}");
    Ok(())
}

/// Compares arrays, which use the vector instructions of the processor, with the function outside of any loop over
/// them, which is compiled for every processor of its kind.
fn same_one_at_a_time(subject: &Subject, z: &[f32]) -> Result<()> {
    let z = ArrayD::from_shape_vec(vec![z.len()], z.to_vec())?;
    let (y, ones) = ((subject.forward)(&z), ArrayD::ones(z.raw_dim()));
    let slopes = (subject.backward)(&z, &ones)?;
    let same = |a: f32, b: f32| a.to_bits() == b.to_bits() || a.is_nan() && b.is_nan();
    for ((&z, &y), &slope) in z.iter().zip(&y).zip(&slopes) {
        let alone = (GELU::value(z), GELU::gradient(z, 1.0));
        let agree = same(y, alone.0) && same(slope, alone.1);
        ensure!(agree, "vectors give {:?} at {z:e}, one at a time {alone:?}", (y, slope));
    }
    Ok(())
}

/// The largest errors, for the book.
pub(super) fn example(example: &mut Example<'_>) {
    for (kind, Largest { error, at }) in Outcome::committed().largest {
        example.number(&kind, error);
        example.number(&format!("{kind}-at"), at.into());
    }
}

#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn vectors_change_no_bit() {
        let z: Vec<_> = (0..=u32::MAX).step_by(STRIDE).map(f32::from_bits).collect();
        same_one_at_a_time(&activation::real(Activation::GELU), &z).unwrap();
    }

    pub(crate) fn errors_are_measured_at_the_ends_and_in_signs() {
        let measured = |wrong: fn(f32) -> f32, z: f32| {
            let forward = Box::new(move |z: &ArrayD<f32>| z.mapv(wrong));
            let subject = Subject { forward, ..real_by_values() };
            measure(&subject, vec![z]).unwrap()[0][usize::from(z.is_sign_positive()) + 1]
        };
        for (z, error, wrong) in [
            (1e-45, [f64::from(1e-45_f32) / 2.0, 0.5], (|_| 0.0) as fn(f32) -> f32),
            (0.0, [f64::INFINITY; 2], |_| -0.0),
            (f32::NAN, [f64::INFINITY; 2], |_| 1.0),
            (f32::INFINITY, [f64::INFINITY; 2], |_| f32::MAX),
            (1e38, [0.0; 2], |z| z),
        ] {
            assert_eq!(measured(wrong, z).map(|largest| largest.error), error, "{z:e}");
        }
    }

    fn real_by_values() -> Subject {
        Subject {
            forward: Box::new(|z| z.mapv(GELU::value)),
            backward: Box::new(|z, dl_dy| Ok(dl_dy * &z.mapv(|z| GELU::gradient(z, 1.0)))),
        }
    }
}
