//! What dropout is for, how training and prediction differ in it, and that its masks are random,
//! independent of each other, and can be continued.
//!
//! # Bounds
//! A mean of n independent numbers, each from an interval of length 1, is further than t from its
//! expectation with probability at most `2 exp(-2 n t²)` (Hoeffding, 1963). The bounds t are such that
//! a right implementation fails one of these claims on fewer than one seed in 10¹⁰. That the
//! probability of dropping is below the rate by up to 2⁻³² is lost in them.

use layers::{Layer, LayerError};
use ndarray::{ArrayD, Axis, Slice};

use super::LayerClaims;
use crate::cases::{Case, Failure, claim, same_bits};
use crate::random_layer::{build, draw_spec, rewind};
use crate::{Check, LayerClass, LayerSpec, LayerSubject};

type Subject = dyn LayerSubject<f64>;

/// Elements, or pairs of them, whose share is measured.
const ELEMENTS: usize = 16_384;

/// `2 exp(-2 · 16384 · 0.03²) = 3e-13`, in each of 20 cases.
const SHARE: f64 = 0.03;

/// Steps over which an element is averaged.
const STEPS: usize = 4096;

/// `2 exp(-2 · 4096 · 0.066²) = 6e-16`, for each of 24 elements in each of 20 cases.
const MEAN: f64 = 0.066;

pub(super) fn checks(claims: &LayerClaims) -> Vec<Check> {
    vec![
        claims.exactly("predict_is_the_identity", predict_is_the_identity),
        claims.exactly("with_rate_0_forward_is_the_identity", rate_0_is_the_identity),
        claims.exactly("backward_of_x_is_forward_of_x", backward_of_x_is_forward_of_x),
        claims.exactly("only_forward_takes_a_step", only_forward_takes_a_step),
        claims.exactly("steps_have_masks_of_their_own", steps_have_masks_of_their_own),
        claims.exactly("restored_buffers_go_on_with_the_same_masks", restored_buffers_go_on),
        claims.exactly("the_first_examples_alone_give_their_rows", first_examples_alone),
        claims.within(SHARE, "the_share_of_zeros_is_the_rate", share_of_zeros),
        claims.within(SHARE, "examples_are_dropped_independently", examples_are_independent),
        claims.within(SHARE, "steps_are_dropped_independently", steps_are_independent),
        claims.within(MEAN, "the_expected_output_is_the_input", expected_output_is_the_input),
    ]
}

/// A layer that really drops, for examples of this shape, and its rate.
fn dropping(
    subject: &Subject,
    input_shape: &[usize],
    case: &mut Case,
) -> Result<(Box<dyn Layer<f64>>, f64), Failure> {
    let rate = 0.1 + 0.8 * case.rng.uniform();
    let spec = LayerSpec::Dropout { input_shape: input_shape.to_vec(), rate };
    case.describe(format!("{spec:?}"));
    Ok((build(subject, &spec, case)?, rate))
}

fn predict_is_the_identity(
    class: LayerClass,
    subject: &Subject,
    case: &mut Case,
) -> Result<(), Failure> {
    let (spec, x_shape) = draw_spec(class, case);
    let mut layer = build(subject, &spec, case)?;
    let x = case.array(&x_shape);
    same_bits("Y", &layer.predict(&x)?, &x)?;
    let backward = layer.backward(x.clone());
    claim(matches!(backward, Err(LayerError::BackwardBeforeForward { .. })), || {
        format!("backward after nothing but predict gave {backward:?}")
    })?;
    layer.forward(x.clone())?;
    same_bits("Y after a step", &layer.predict(&x)?, &x)
}

fn rate_0_is_the_identity(
    class: LayerClass,
    subject: &Subject,
    case: &mut Case,
) -> Result<(), Failure> {
    let (mut spec, x_shape) = draw_spec(class, case);
    if let LayerSpec::Dropout { rate, .. } = &mut spec {
        *rate = 0.0;
    }
    let mut layer = build(subject, &spec, case)?;
    let (x, dl_dy) = (case.array(&x_shape), case.array(&x_shape));
    same_bits("Y", &layer.forward(x.clone())?, &x)?;
    same_bits("dL/dX", &layer.backward(dl_dy.clone())?, &dl_dy)
}

/// Both multiply by the same mask.
fn backward_of_x_is_forward_of_x(
    class: LayerClass,
    subject: &Subject,
    case: &mut Case,
) -> Result<(), Failure> {
    let (spec, x_shape) = draw_spec(class, case);
    let mut layer = build(subject, &spec, case)?;
    let x = case.array(&x_shape);
    let y = layer.forward(x.clone())?;
    same_bits("dL/dX", &layer.backward(x)?, &y)
}

/// ... and it adds 1 to a number of four limbs of 16 bits, carries included.
fn only_forward_takes_a_step(
    class: LayerClass,
    subject: &Subject,
    case: &mut Case,
) -> Result<(), Failure> {
    let (spec, x_shape) = draw_spec(class, case);
    let mut layer = build(subject, &spec, case)?;
    let x = case.array(&x_shape);
    let limbs = |limbs: [f64; 4]| ArrayD::from_shape_fn(vec![4], |at| limbs[at[0]]);
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
}

/// With 256 elements two masks agree with probability at most `(0.9² + 0.1²)²⁵⁶ = 9e-23`.
fn steps_have_masks_of_their_own(
    _class: LayerClass,
    subject: &Subject,
    case: &mut Case,
) -> Result<(), Failure> {
    let (mut layer, _) = dropping(subject, &[8, 8], case)?;
    let ones = ArrayD::ones(vec![4, 8, 8]);
    let mut masks = Vec::new();
    for _ in 0..4 {
        masks.push(layer.forward(ones.clone())?);
    }
    for (later, mask) in masks.iter().enumerate() {
        for (earlier, other) in masks[..later].iter().enumerate() {
            claim(mask != other, || format!("steps {earlier} and {later} have the same mask"))?;
        }
    }
    Ok(())
}

/// As a checkpoint restores them: into a layer that was built with another seed.
fn restored_buffers_go_on(
    _class: LayerClass,
    subject: &Subject,
    case: &mut Case,
) -> Result<(), Failure> {
    let rate = 0.1 + 0.8 * case.rng.uniform();
    let spec = LayerSpec::Dropout { input_shape: vec![8, 8], rate };
    case.describe(format!("{spec:?}"));
    let mut saved = build(subject, &spec, case)?;
    let mut restored = build(subject, &spec, case)?;
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
}

/// The mask is drawn example by example, so a smaller mini-batch sees the beginning of it.
fn first_examples_alone(
    class: LayerClass,
    subject: &Subject,
    case: &mut Case,
) -> Result<(), Failure> {
    let (spec, x_shape) = draw_spec(class, case);
    let mut layer = build(subject, &spec, case)?;
    let buffers = layer.buffers().clone();
    let x_shape = [&[5], &x_shape[1..]].concat();
    let (x, dl_dy) = (case.array(&x_shape), case.array(&x_shape));
    let (y, dl_dx) = (layer.forward(x.clone())?, layer.backward(dl_dy.clone())?);
    let m = case.between(1, 4);
    let first = |array: &ArrayD<f64>| array.slice_axis(Axis(0), Slice::from(..m)).to_owned();
    rewind(&mut *layer, &buffers)?;
    same_bits("Y", &layer.forward(first(&x))?, &first(&y))?;
    same_bits("dL/dX", &layer.backward(first(&dl_dy))?, &first(&dl_dx))
}

fn share_of_zeros(_class: LayerClass, subject: &Subject, case: &mut Case) -> Result<(), Failure> {
    let (mut layer, rate) = dropping(subject, &[ELEMENTS / 4], case)?;
    let y = layer.forward(ArrayD::ones(vec![4, ELEMENTS / 4]))?;
    let zeros = y.iter().filter(|&&y| y == 0.0).count();
    case.compare_numbers("share of zeros", zeros as f64 / ELEMENTS as f64, rate);
    Ok(())
}

/// Of the pairs that two masks of ones make, the share in which both are kept is the square of that
/// of one.
fn both_kept(case: &mut Case, one: &ArrayD<f64>, other: &ArrayD<f64>, rate: f64) {
    let both = one.iter().zip(other).filter(|&(&a, &b)| a != 0.0 && b != 0.0).count();
    let expected = (1.0 - rate).powi(2);
    case.compare_numbers("share kept in both", both as f64 / one.len() as f64, expected);
}

fn examples_are_independent(
    _class: LayerClass,
    subject: &Subject,
    case: &mut Case,
) -> Result<(), Failure> {
    let (mut layer, rate) = dropping(subject, &[ELEMENTS], case)?;
    let y = layer.forward(ArrayD::ones(vec![2, ELEMENTS]))?;
    let example = |i| y.index_axis(Axis(0), i).to_owned();
    both_kept(case, &example(0), &example(1), rate);
    Ok(())
}

fn steps_are_independent(
    _class: LayerClass,
    subject: &Subject,
    case: &mut Case,
) -> Result<(), Failure> {
    let (mut layer, rate) = dropping(subject, &[ELEMENTS], case)?;
    let ones = ArrayD::ones(vec![1, ELEMENTS]);
    let (first, second) = (layer.forward(ones.clone())?, layer.forward(ones)?);
    both_kept(case, &first, &second, rate);
    Ok(())
}

/// `(1 - rate) Y` is X or 0, so it is from an interval of length `|X| <= 1`, and its expectation is
/// `(1 - rate) X`.
fn expected_output_is_the_input(
    _class: LayerClass,
    subject: &Subject,
    case: &mut Case,
) -> Result<(), Failure> {
    let (mut layer, rate) = dropping(subject, &[3, 2], case)?;
    let x = case.array(&[4, 3, 2]);
    let mut sum = ArrayD::zeros(x.raw_dim());
    for _ in 0..STEPS {
        sum += &layer.forward(x.clone())?;
    }
    let mean = sum / STEPS as f64;
    case.compare("(1 - rate) E[Y]", &(mean * (1.0 - rate)), &(x * (1.0 - rate)))
}
