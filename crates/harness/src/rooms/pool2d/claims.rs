//! What ties, overlap and padding mean in pooling.

use cnn::{Pad, PoolMode};
use ndarray::{ArrayD, Axis, IxDyn, s};

use super::{MODES, first_largest, spec, windows};
use crate::cases::{Case, Verdict, claim};
use crate::layer::window::{Geometry, SUMS};
use crate::layer::{Layers, Passed, adjoint, pass};
use crate::room::Checks;
use crate::transcription::einsum;

pub(super) fn add(own: &mut Checks<Layers>) {
    own.exactly("each_window_sends_its_gradient_to_its_first_maximum", first_maximum);
    own.exactly("on_a_constant_image_the_first_cell_wins", constant_image);
    own.within(SUMS, "no_gradient_is_lost_without_padding", no_gradient_is_lost);
    own.within(SUMS, "overlapping_windows_add_up", overlapping_windows_add_up);
    own.within(SUMS, "padding_counts_as_zeros", padding_counts_as_zeros);
    own.exactly("channels_do_not_mix", channels_do_not_mix);
    own.exactly("nan_wins_its_window", nan_wins_its_window);
}

/// With an upstream gradient of 1 at a single output cell, exactly one input cell gets it: the first,
/// in row-major order, of the largest that the window sees; none if that is padding.
fn first_maximum(subject: &Layers, case: &mut Case) -> Verdict {
    let geometry = Geometry::draw(case);
    let mut layer = subject.build(&spec(&geometry, PoolMode::Max), case)?;
    let x = case.few_values(&geometry.x_shape());
    let y = layer.forward(x.clone())?;
    let at: Vec<usize> = y.shape().iter().map(|&n| case.between(0, n - 1)).collect();
    case.describe(format!("{geometry}, dL/dY is 1 at {at:?}"));
    let mut dl_dy = ArrayD::zeros(y.raw_dim());
    dl_dy[&*at] = 1.0;
    let mut expected = ArrayD::zeros(x.raw_dim());
    let winner = first_largest(windows(&geometry, &x).slice(s![at[0], at[1], at[2], at[3], ..]));
    let (i, j) = (winner / geometry.kernel.1, winner % geometry.kernel.1);
    if let Some((row, col)) = geometry.cell(at[1], at[2], i, j) {
        expected[[at[0], row, col, at[3]]] = 1.0;
    }
    case.compare("dL/dX", &layer.backward(dl_dy)?, &expected)
}

/// All cells tie, in every window: its first one gets the whole gradient.
fn constant_image(subject: &Layers, case: &mut Case) -> Verdict {
    let geometry = Geometry::draw_unpadded(case);
    let value = case.between(0, 4) as f64 - 2.0;
    case.describe(format!("{geometry}, all {value}"));
    let mut layer = subject.build(&spec(&geometry, PoolMode::Max), case)?;
    let y = layer.forward(ArrayD::from_elem(IxDyn(&geometry.x_shape()), value))?;
    case.compare("Y", &y, &ArrayD::from_elem(y.raw_dim(), value))?;
    let dl_dy = case.array(y.shape());
    let mut expected = ArrayD::zeros(IxDyn(&geometry.x_shape()));
    for (at, &g) in dl_dy.indexed_iter() {
        expected[[at[0], at[1] * geometry.stride, at[2] * geometry.stride, at[3]]] = g;
    }
    case.compare("dL/dX", &layer.backward(dl_dy)?, &expected)
}

/// Without padding all of dL/dY arrives somewhere: `Σ dL/dX = Σ dL/dY` in each channel of each image.
fn no_gradient_is_lost(subject: &Layers, case: &mut Case) -> Verdict {
    let geometry = Geometry::draw_unpadded(case);
    let mode = case.one_of(&MODES);
    case.describe(format!("{mode}, {geometry}"));
    let mut layer = subject.build(&spec(&geometry, mode), case)?;
    let x = case.few_values(&geometry.x_shape());
    let Passed { dl_dy, dl_dx, .. } = pass(&mut *layer, &x, case)?;
    let total = |images: &ArrayD<f64>| images.sum_axis(Axis(1)).sum_axis(Axis(1));
    case.compare("Σ dL/dX of image and channel ", &total(&dl_dx), &total(&dl_dy))
}

/// Average pooling of gradients of 1: each input cell gets its share from every window that sees it.
fn overlapping_windows_add_up(subject: &Layers, case: &mut Case) -> Verdict {
    let geometry = Geometry::draw(case);
    case.describe(geometry);
    let mut layer = subject.build(&spec(&geometry, PoolMode::Average), case)?;
    let y = layer.forward(case.array(&geometry.x_shape()))?;
    let share = 1.0 / (geometry.kernel.0 * geometry.kernel.1) as f64;
    let shares = ArrayD::from_elem(IxDyn(&geometry.patches_shape()), share);
    let expected = geometry.images(&shares, |pixel, share| *pixel += share);
    case.compare("dL/dX", &layer.backward(ArrayD::ones(y.raw_dim()))?, &expected)
}

/// On an image of -1, the maximum of a window that sees padding is 0, and the mean is divided by the
/// whole kernel.
fn padding_counts_as_zeros(subject: &Layers, case: &mut Case) -> Verdict {
    let stride = case.between(1, 3);
    let pad = Pad::Cells(case.between(1, 2), case.between(0, 2));
    let geometry = Geometry::draw_with(case, stride, pad);
    case.describe(geometry);
    let area = (geometry.kernel.0 * geometry.kernel.1) as f64;
    let x = ArrayD::from_elem(IxDyn(&geometry.x_shape()), -1.0);
    let sums = einsum("nrqijc->nrqc", &[&geometry.patches(&x)])?;
    for (mode, expected) in [
        (PoolMode::Max, sums.mapv(|sum| if sum == -area { -1.0 } else { 0.0 })),
        (PoolMode::Average, &sums / area),
    ] {
        let y = subject.build(&spec(&geometry, mode), case)?.forward(x.clone())?;
        case.compare(&format!("Y of {mode} "), &y, &expected)?;
    }
    Ok(())
}

fn channels_do_not_mix(subject: &Layers, case: &mut Case) -> Verdict {
    let geometry = Geometry::draw(case);
    let mode = case.one_of(&MODES);
    let order = case.permutation(geometry.channels);
    case.describe(format!("{mode}, {geometry}, channels in the order {order:?}"));
    let mut layer = subject.build(&spec(&geometry, mode), case)?;
    let x = case.few_values(&geometry.x_shape());
    let permuted = |images: &ArrayD<f64>| images.select(Axis(3), &order);
    let Passed { y, dl_dy, dl_dx, .. } = pass(&mut *layer, &x, case)?;
    case.compare("Y", &layer.forward(permuted(&x))?, &permuted(&y))?;
    case.compare("dL/dX", &layer.backward(permuted(&dl_dy))?, &permuted(&dl_dx))
}

/// Every window that sees a NaN gives NaN; the others give numbers.
fn nan_wins_its_window(subject: &Layers, case: &mut Case) -> Verdict {
    let geometry = Geometry::draw(case);
    let mode = case.one_of(&MODES);
    let mut x = case.array(&geometry.x_shape());
    let nan: Vec<usize> = x.shape().iter().map(|&n| case.between(0, n - 1)).collect();
    case.describe(format!("{mode}, {geometry}, NaN at {nan:?}"));
    x[&*nan] = f64::NAN;
    let y = subject.build(&spec(&geometry, mode), case)?.forward(x.clone())?;
    let see_nan =
        windows(&geometry, &x).map_axis(Axis(4), |cells| cells.iter().any(|x| x.is_nan()));
    see_nan.indexed_iter().try_for_each(|((n, r, q, c), &sees_nan)| {
        let (at, y) = ([n, r, q, c], y[[n, r, q, c]]);
        let what = || format!("Y{at:?} is {y}, and its window sees NaN: {sees_nan}");
        claim(y.is_nan() == sees_nan, what)
    })
}

/// Where no two cells of a window are equal, the winners do not change in a neighbourhood, and
/// `L v = max(x + v) - max(x)` is linear in v. Cells are whole numbers and v consists of multiples of
/// 1/1024 below 1/4, so nothing rounds.
pub(super) fn max_with_winners_fixed(subject: &Layers, case: &mut Case) -> Verdict {
    let geometry = Geometry::draw(case);
    case.describe(geometry);
    let mut layer = subject.build(&spec(&geometry, PoolMode::Max), case)?;
    let shape = IxDyn(&geometry.x_shape());
    // Whole numbers in random order, about half of them negative, 0 left to the padding.
    let mut order = case.permutation(geometry.x_shape().iter().product()).into_iter();
    let half = order.len() / 2;
    let x = ArrayD::from_shape_simple_fn(shape.clone(), || {
        let rank = order.next().expect("there is a rank for every cell");
        if rank < half { rank as f64 - half as f64 } else { (rank - half + 1) as f64 }
    });
    let small = |case: &mut Case, shape: IxDyn| {
        ArrayD::from_shape_simple_fn(shape, || (case.between(0, 510) as f64 - 255.0) / 1024.0)
    };
    let v = small(case, shape);
    let lv = layer.forward(&x + &v)? - layer.forward(x.clone())?;
    let y = small(case, lv.raw_dim());
    let lt_y = layer.backward(y.clone())?;
    adjoint::compare(case, &lv, &y, &v, &lt_y)
}
