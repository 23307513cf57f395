//! Claims about dropout: its purpose, the difference between training and prediction, and masks that are
//! random, independent of each other, and can be continued.
//!
//! # Bounds
//! A mean of n independent numbers, each from an interval of length 1, is further than t from its
//! expectation with probability at most `2 exp(-2 n t²)` (Hoeffding, 1963). The bounds t are such that
//! a right implementation fails one of these claims on fewer than one seed in 10¹⁰. That the
//! probability of dropping is below the rate by up to 2⁻³² is lost in them.

use ndarray::{ArrayD, Axis, Slice};

use super::{rate, spec};
use crate::cases::{Case, Failure, claim, same_bits};
use crate::layer::{Layers, Passed, Spec, pass, rewind};
use crate::room::Checks;
use crate::transcription::array_of;

/// Elements, or pairs of them, whose share is measured.
const ELEMENTS: usize = 16_384;

/// `2 exp(-2 · 16384 · 0.03²) = 3e-13`, in each of 20 cases.
const SHARE: f64 = 0.03;

/// Steps over which an element is averaged.
const STEPS: usize = 4096;

/// `2 exp(-2 · 4096 · 0.066²) = 6e-16`, for each of 24 elements in each of 20 cases.
const MEAN: f64 = 0.066;

pub(super) fn add(own: &mut Checks<Layers>) {
    own.exactly("predict_is_the_identity", |subject, case| {
        let (mut layer, x) = subject.drawn(case)?;
        same_bits("Y", &layer.predict(&x)?, &x)?;
        layer.forward(x.clone())?;
        same_bits("Y after a step", &layer.predict(&x)?, &x)
    });
    own.exactly("with_rate_0_forward_is_the_identity", |subject, case| {
        let (drawn, x_shape) = subject.draw(case);
        let mut layer = subject.build(&spec(&drawn.input_shape, 0.0), case)?;
        let x = case.array(&x_shape);
        let Passed { y, dl_dy, dl_dx, .. } = pass(&mut *layer, &x, case)?;
        same_bits("Y", &y, &x)?;
        same_bits("dL/dX", &dl_dx, &dl_dy)
    });
    // Both multiply by the same mask.
    own.exactly("backward_of_x_is_forward_of_x", |subject, case| {
        let (mut layer, x) = subject.drawn(case)?;
        let y = layer.forward(x.clone())?;
        same_bits("dL/dX", &layer.backward(x)?, &y)
    });
    // A step adds 1 to a number of four limbs of 16 bits, carries included.
    own.exactly("only_forward_takes_a_step", |subject, case| {
        let (mut layer, x) = subject.drawn(case)?;
        let limbs = |limbs: [f64; 4]| array_of(vec![4], |at| limbs[at[0]]);
        for (before, after) in [
            ([0.0, 0.0, 0.0, 0.0], [1.0, 0.0, 0.0, 0.0]),
            ([41.0, 5.0, 6.0, 7.0], [42.0, 5.0, 6.0, 7.0]),
            ([65_535.0, 65_535.0, 0.0, 0.0], [0.0, 0.0, 1.0, 0.0]),
        ] {
            layer.set_buffer("step", &limbs(before))?;
            let mut expected = layer.buffers().clone();
            if let Some(step) = expected.get_mut("step") {
                step.assign(&limbs(after));
            }
            layer.forward(x.clone())?;
            layer.backward(x.clone())?;
            layer.predict(&x)?;
            claim(layer.buffers() == &expected, || {
                format!("expected the buffers {expected:?}, got {:?}", layer.buffers())
            })?;
        }
        Ok(())
    });
    // With 256 elements two masks agree with probability at most (0.9² + 0.1²)²⁵⁶ = 9e-23.
    own.exactly("steps_have_masks_of_their_own", |subject, case| {
        let mut layer = subject.build(&dropping(&[8, 8], case), case)?;
        let ones = ArrayD::ones(vec![4, 8, 8]);
        let mut masks = Vec::new();
        for later in 0..4 {
            let mask = layer.forward(ones.clone())?;
            let earlier = masks.iter().position(|other| *other == mask);
            claim(earlier.is_none(), || format!("step {later} has the mask of {earlier:?}"))?;
            masks.push(mask);
        }
        Ok(())
    });
    // As a checkpoint restores them: into a layer that was built with another seed.
    own.exactly("restored_buffers_go_on_with_the_same_masks", |subject, case| {
        let spec = dropping(&[8, 8], case);
        let mut saved = subject.build(&spec, case)?;
        let mut restored = subject.build(&spec, case)?;
        let x = case.array(&[4, 8, 8]);
        for _ in 0..case.between(1, 5) {
            saved.forward(x.clone())?;
        }
        rewind(&mut *restored, saved.buffers())?;
        for step in 0..3 {
            let y = saved.forward(x.clone())?;
            same_bits(&format!("Y, {step} steps after "), &restored.forward(x.clone())?, &y)?;
            let dl_dx = saved.backward(x.clone())?;
            same_bits("dL/dX", &restored.backward(x.clone())?, &dl_dx)?;
        }
        claim(restored.buffers() == saved.buffers(), || "the buffers differ afterwards".to_owned())
    });
    // The mask is drawn example by example, so a smaller mini-batch sees the beginning of it.
    own.exactly("the_first_examples_alone_give_their_rows", |subject, case| {
        let (spec, _) = subject.draw(case);
        let mut layer = subject.build(&spec, case)?;
        let buffers = layer.buffers().clone();
        let x = case.array(&[&[5], &*spec.input_shape].concat());
        let Passed { y, dl_dy, dl_dx, .. } = pass(&mut *layer, &x, case)?;
        let m = case.between(1, 4);
        let first = |array: &ArrayD<f64>| array.slice_axis(Axis(0), Slice::from(..m)).to_owned();
        rewind(&mut *layer, &buffers)?;
        same_bits("Y", &layer.forward(first(&x))?, &first(&y))?;
        same_bits("dL/dX", &layer.backward(first(&dl_dy))?, &first(&dl_dx))
    });
    own.within(SHARE, "the_share_of_zeros_is_the_rate", |subject, case| {
        let (masks, rate) = masks(subject, &[4, ELEMENTS / 4], 1, case)?;
        let zeros = masks[0].iter().filter(|&&y| y == 0.0).count();
        case.compare_numbers("share of zeros", zeros as f64 / ELEMENTS as f64, rate);
        Ok(())
    });
    own.within(SHARE, "examples_are_dropped_independently", |subject, case| {
        let (masks, rate) = masks(subject, &[2, ELEMENTS], 1, case)?;
        let example = |i| masks[0].index_axis(Axis(0), i).to_owned();
        both_kept(case, &example(0), &example(1), rate);
        Ok(())
    });
    own.within(SHARE, "steps_are_dropped_independently", |subject, case| {
        let (masks, rate) = masks(subject, &[1, ELEMENTS], 2, case)?;
        both_kept(case, &masks[0], &masks[1], rate);
        Ok(())
    });
    // (1 - rate) Y is X or 0, so it is from an interval of length |X| <= 1, and its expectation is (1 - rate) X.
    own.within(MEAN, "the_expected_output_is_the_input", |subject, case| {
        let spec = dropping(&[3, 2], case);
        let (mut layer, kept) = (subject.build(&spec, case)?, 1.0 - rate(&spec));
        let x = case.array(&[4, 3, 2]);
        let mut sum = ArrayD::zeros(x.raw_dim());
        for _ in 0..STEPS {
            sum += &layer.forward(x.clone())?;
        }
        case.compare("(1 - rate) E[Y]", &(sum / STEPS as f64 * kept), &(x * kept))
    });
}

/// A layer that really drops, for examples of this shape.
fn dropping(input_shape: &[usize], case: &mut Case) -> Spec {
    let rate = 0.1 + 0.8 * case.rng.uniform();
    case.describe(format!("{input_shape:?}, rate {rate}"));
    spec(input_shape, rate)
}

/// The outputs for ones of this shape in so many steps, and the rate.
fn masks(
    subject: &Layers,
    x_shape: &[usize],
    steps: usize,
    case: &mut Case,
) -> Result<(Vec<ArrayD<f64>>, f64), Failure> {
    let spec = dropping(&x_shape[1..], case);
    let mut layer = subject.build(&spec, case)?;
    let masks: Result<_, _> = (0..steps).map(|_| layer.forward(ArrayD::ones(x_shape))).collect();
    Ok((masks?, rate(&spec)))
}

/// Of the pairs that two masks of ones make, the share in which both are kept is the square of that
/// of one.
fn both_kept(case: &mut Case, one: &ArrayD<f64>, other: &ArrayD<f64>, rate: f64) {
    let both = one.iter().zip(other).filter(|&(&a, &b)| a != 0.0 && b != 0.0).count();
    let expected = (1.0 - rate).powi(2);
    case.compare_numbers("share kept in both", both as f64 / one.len() as f64, expected);
}
