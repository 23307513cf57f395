//! Examples of a mini-batch do not know of each other; gradients of parameters are sums over them.

use ndarray::{ArrayD, Axis};

use super::{Layers, Passed, gradient, pass, rewind};
use crate::cases::{Case, Verdict, claim};
use crate::room::Checks;

/// Sums of at most 64 terms of magnitude at most 1, taken in another order: `2 · 64² · 2⁻⁵³`.
const SUMS: f64 = 1e-12;

pub(super) fn add(own: &mut Checks<Layers>) {
    // Dropout's mask belongs to the place in the mini-batch and not to the example; what holds instead
    // is among its own claims. It is the point of batch normalisation that the examples meet.
    let (places_count, examples_meet) =
        (own.subject.room.places_count, own.subject.room.examples_meet);
    own.within(SUMS, "backward_is_linear_in_dl_dy", backward_is_linear_in_dl_dy);
    if !places_count {
        own.within(SUMS, "the_order_of_examples_does_not_matter", |subject, case| {
            let (mut layer, x) = subject.drawn(case)?;
            let passed = pass(&mut *layer, &x, case)?;
            let order = case.permutation(x.shape()[0]);
            let permuted = |array: &ArrayD<f64>| array.select(Axis(0), &order);
            let expected = Passed {
                y: permuted(&passed.y),
                dl_dx: permuted(&passed.dl_dx),
                dl_dy: passed.dl_dy,
                gradients: passed.gradients,
            };
            expected.compare(&mut *layer, &x, permuted, case)
        });
    }
    if !places_count && !examples_meet {
        own.within(SUMS, "an_example_alone_gives_its_row", an_example_alone_gives_its_row);
    }
    if !examples_meet {
        own.within(SUMS, "nan_stays_in_its_example", nan_stays_in_its_example);
    }
}

/// ... and the gradients of the parameters add up, without a division by m: that is the loss's.
fn an_example_alone_gives_its_row(subject: &Layers, case: &mut Case) -> Verdict {
    let (mut layer, x) = subject.drawn(case)?;
    let Passed { y, dl_dy, dl_dx, gradients } = pass(&mut *layer, &x, case)?;

    let mut sums = gradients.clone();
    sums.iter_mut().for_each(|(_, sum)| sum.fill(0.0));
    for i in 0..x.shape()[0] {
        let alone = |array: &ArrayD<f64>| array.select(Axis(0), &[i]);
        case.compare(&format!("Y of example {i} "), &layer.forward(alone(&x))?, &alone(&y))?;
        let got = layer.backward(alone(&dl_dy))?;
        case.compare(&format!("dL/dX of example {i} "), &got, &alone(&dl_dx))?;
        for (name, sum) in sums.iter_mut() {
            *sum += &gradient(&*layer, name)?;
        }
    }
    for (name, sum) in sums.iter() {
        case.compare(&format!("dL/d{name} of the batch "), &gradients[name], sum)?;
    }
    Ok(())
}

/// An example that is NaN everywhere gives NaN everywhere, and leaves the others as they were.
fn nan_stays_in_its_example(subject: &Layers, case: &mut Case) -> Verdict {
    let (spec, x_shape) = subject.draw_by(subject.room.draw_seeing, case);
    let mut layer = subject.build(&spec, case)?;
    let clean = case.array(&x_shape);
    let bad = case.between(0, x_shape[0] - 1);
    let mut x = clean.clone();
    x.index_axis_mut(Axis(0), bad).fill(f64::NAN);
    let buffers = layer.buffers().clone();
    let y = layer.forward(x)?;
    rewind(&mut *layer, &buffers)?;
    let expected = layer.forward(clean)?;
    for i in 0..x_shape[0] {
        let row = |array: &ArrayD<f64>| array.select(Axis(0), &[i]);
        let got = row(&y);
        if i == bad {
            claim(got.iter().all(|y| y.is_nan()), || {
                format!("example {i} is NaN, but Y has a number for it: {got}")
            })?;
        } else {
            case.compare(&format!("Y of example {i}, next to NaN "), &got, &row(&expected))?;
        }
    }
    Ok(())
}

/// `backward(a U + b V) = a backward(U) + b backward(V)`, in dL/dX and in every gradient.
fn backward_is_linear_in_dl_dy(subject: &Layers, case: &mut Case) -> Verdict {
    let (mut layer, x) = subject.drawn(case)?;
    let y = layer.forward(x)?;
    let (u, v) = (case.array(y.shape()), case.array(y.shape()));
    let (a, b) = (case.rng.uniform(), -case.rng.uniform());
    let mut backward = |dl_dy| {
        let dl_dx = layer.backward(dl_dy)?;
        Ok::<_, layers::LayerError>((dl_dx, layer.gradients().clone()))
    };
    let (dl_dx, gradients) = backward(&u * a + &v * b)?;
    let ((of_u, gradients_u), (of_v, gradients_v)) = (backward(u)?, backward(v)?);
    case.compare("dL/dX", &dl_dx, &(of_u * a + of_v * b))?;
    for (name, got) in gradients.iter() {
        let expected = &gradients_u[name] * a + &gradients_v[name] * b;
        case.compare(&format!("dL/d{name}"), got, &expected)?;
    }
    Ok(())
}
