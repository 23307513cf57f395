//! Proofs: each pass is linear in either of its arguments, so pairs of basis vectors determine it.
//!
//! As in [`layer::proof`](crate::layer::proof), in single precision, in which layers use the algorithm. Elements that
//! are not 0 are [`GRID`] where a fraction of them is taken, and 1 elsewhere, so nothing is rounded.

use cnn::{Pad, Window};
use ndarray::{Array2, Array4, IxDyn};

use super::{GRID, Winograd, wide};
use crate::cases::{Case, Failure, Verdict};
use crate::layer::proof::{basis_vector, named, same, zero_and_basis};
use crate::layer::window::Geometry;
use crate::room::Checks;

pub(super) fn add(own: &mut Checks<Winograd>) {
    let shapes = shapes();
    own.proof("on_all_pairs_of_basis_vectors", shapes.len(), move |winograd, case| {
        let number = case.pinned().unwrap_or_else(|| case.between(0, shapes.len() - 1));
        prove(winograd, shapes[number], case)
    });
}

/// All images up to 3 by 3 with all paddings up to 2, whose outputs take up to two tiles on each axis, and lines of up
/// to 10 cells, which take up to three; some with several images, channels and filters.
fn shapes() -> Vec<Geometry> {
    let with = |(m, channels), (rows, p1), (cols, p2)| {
        let pad = Pad::Cells(p1, p2);
        Geometry { m, rows, cols, channels, kernel: (3, 3), stride: 1, pad }
    };
    let axis = |longest| {
        let all = ndarray::indices((longest, 3)).into_iter().map(|(n, p)| (n + 1, p));
        all.filter(|(n, p)| n + 2 * p >= 3).collect::<Vec<_>>()
    };
    let mut all = Vec::new();
    for &rows in &axis(3) {
        all.extend(axis(3).iter().map(|&cols| with((1, 1), rows, cols)));
    }
    for &line in axis(10).iter().filter(|(n, _)| *n > 3) {
        all.extend([with((1, 1), line, (1, 1)), with((1, 1), (1, 1), line)]);
    }
    all.extend([(2, 1), (1, 2), (2, 2)].map(|several| with(several, (3, 1), (2, 1))));
    all
}

fn prove(winograd: &Winograd, geometry: Geometry, case: &mut Case) -> Verdict {
    let filters = geometry.m.max(geometry.channels);
    case.describe(format!("{geometry}, {filters} filters"));
    let window = Window::new("Conv2D", (geometry.rows, geometry.cols), (3, 3), 1, geometry.pad)?;
    let terms = geometry.terms(Some(filters));
    let x_shape = geometry.x_shape();
    let w_shape = [3, 3, geometry.channels, filters];
    let z_shape = geometry.y_shape(filters);
    let [x_len, w_len, z_len] = [x_shape, w_shape, z_shape].map(|shape| shape.iter().product());
    for x in zero_and_basis(x_len) {
        for w in zero_and_basis(w_len) {
            let given = || format!("Z of X {}, W {}", named(x), named(w));
            let b = Array2::zeros((1, filters));
            let z =
                winograd.forward(&basis(x_shape, x, 1.0)?, &basis(w_shape, w, GRID)?, &b, window);
            let met = terms.iter().filter(|term| term.x == x && term.p == w).map(|term| term.y);
            whole(&z, z_shape, met, given)?;
        }
        for dl_dz in 0..z_len {
            let given = || format!("dL/dW of X {}, dL/dZ {}", named(x), named(Some(dl_dz)));
            let large = basis(z_shape, Some(dl_dz), GRID)?;
            let dl_dw = winograd.backward_weights(&basis(x_shape, x, 1.0)?, &large, window);
            let met = terms.iter().filter(|term| term.x == x && term.y == dl_dz);
            whole(&dl_dw, w_shape, met.filter_map(|term| term.p), given)?;
        }
    }
    for w in zero_and_basis(w_len) {
        for dl_dz in 0..z_len {
            let given = || format!("dL/dX of W {}, dL/dZ {}", named(w), named(Some(dl_dz)));
            let small = basis(z_shape, Some(dl_dz), 1.0)?;
            let dl_dx = winograd.backward_data(&basis(w_shape, w, GRID)?, &small, window);
            let met = terms.iter().filter(|term| term.p == w && term.y == dl_dz);
            whole(&dl_dx, x_shape, met.filter_map(|term| term.x), given)?;
        }
    }
    for f in 0..filters {
        let b = Array2::from_shape_fn((1, filters), |(_, own)| if own == f { 1.0 } else { 0.0 });
        let (x, w) = (basis(x_shape, None, 1.0)?, basis(w_shape, None, 1.0)?);
        let z = winograd.forward(&x, &w, &(b * GRID as f32), window);
        let met = (0..z_len).filter(|z| z % filters == f);
        whole(&z, z_shape, met, || format!("Z of the bias {}", named(Some(f))))?;
    }
    Ok(())
}

fn basis(shape: [usize; 4], element: Option<usize>, value: f64) -> Result<Array4<f32>, Failure> {
    let array = basis_vector(&IxDyn(&shape), element, value);
    Ok(array.mapv(|x| x as f32).into_dimensionality()?)
}

/// Claims that each element is [`GRID`] times how often it is among `ones`.
fn whole(
    got: &Array4<f32>,
    shape: [usize; 4],
    ones: impl Iterator<Item = usize>,
    what: impl Fn() -> String,
) -> Verdict {
    same(&(wide(got) / GRID).into_dyn(), &IxDyn(&shape), ones, what)
}
