//! Convolution as a matrix product.

use activations::Activation;
use ndarray::{ArrayD, IxDyn};

use super::formulas::Drawn;
use crate::cases::{Case, Failure, Verdict};
use crate::layer::window::{Geometry, SUMS};
use crate::layer::{Layers, Passed, gradient};
use crate::room::Checks;
use crate::transcription::einsum;

pub(super) fn add(own: &mut Checks<Layers>) {
    let mut of_drawn = |name: &str, one: fn(&mut Case, &mut Drawn) -> Verdict| {
        own.formula(name, SUMS, move |subject, case| {
            let geometry = Geometry::draw(case);
            let mut drawn = Drawn::new(subject, geometry, Activation::Linear, true, case)?;
            one(case, &mut drawn)
        });
    };
    of_drawn("im2col", forward);
    of_drawn("im2col-backward", backward);
}

/// `Z = C W + 1 b`, with a row of C for each output cell and the cells of its window in it.
fn forward(case: &mut Case, drawn: &mut Drawn) -> Verdict {
    let z = drawn.layer.forward(drawn.x.clone())?;
    let (c, w) = (columns(drawn), weights(drawn)?);
    let ones = ArrayD::ones(IxDyn(&[c.shape()[0]]));
    let expected = einsum("pk,kf->pf", &[&c, &w])? + einsum("p,lf->pf", &[&ones, &drawn.b])?;
    let expected = expected.into_shape_with_order(z.raw_dim())?;
    case.compare("Z", &z, &expected)
}

/// `dL/dW = Cᵀ G`, `dL/db = 1ᵀ G`, `dL/dC = G Wᵀ`, and every element of dL/dC added to the pixel that
/// it is a copy of.
fn backward(case: &mut Case, drawn: &mut Drawn) -> Verdict {
    let Passed { dl_dy: dl_dz, dl_dx, .. } = drawn.pass(case)?;
    let (c, w) = (columns(drawn), weights(drawn)?);
    let g = dl_dz.into_shape_with_order(IxDyn(&[c.shape()[0], drawn.b.len()]))?;
    let dl_dw = einsum("pk,pf->kf", &[&c, &g])?.into_shape_with_order(drawn.w.raw_dim())?;
    case.compare("dL/dW", &gradient(&*drawn.layer, "W")?, &dl_dw)?;
    let dl_db = einsum("pf->f", &[&g])?.into_shape_with_order(drawn.b.raw_dim())?;
    case.compare("dL/db", &gradient(&*drawn.layer, "b")?, &dl_db)?;
    let dl_dc = einsum("pf,kf->pk", &[&g, &w])?;
    let mut expected = ArrayD::zeros(drawn.x.raw_dim());
    for (at, pixel) in places(&drawn.geometry) {
        if let Some(pixel) = pixel {
            expected[&pixel[..]] += dl_dc[&at[..]];
        }
    }
    case.compare("dL/dX", &dl_dx, &expected)
}

/// An element of C, and the pixel that it is a copy of; none on padding.
type Place = ([usize; 2], Option<[usize; 4]>);

/// Rows of C count images, then output rows, then output columns; its columns count filter rows,
/// then filter columns, then channels.
fn places(geometry: &Geometry) -> Vec<Place> {
    let &Geometry { m, kernel: (k1, k2), channels, .. } = geometry;
    let (r1, r2) = geometry.output();
    let place = |(row, column): (usize, usize)| {
        let (n, r, q) = (row / (r1 * r2), row / r2 % r1, row % r2);
        let (i, j, c) = (column / (k2 * channels), column / channels % k2, column % channels);
        ([row, column], geometry.cell(r, q, i, j).map(|(x, y)| [n, x, y, c]))
    };
    ndarray::indices((m * r1 * r2, k1 * k2 * channels)).into_iter().map(place).collect()
}

fn columns(drawn: &Drawn) -> ArrayD<f64> {
    let (r1, r2) = drawn.geometry.output();
    let Geometry { m, kernel: (k1, k2), channels, .. } = drawn.geometry;
    let mut c = ArrayD::zeros(IxDyn(&[m * r1 * r2, k1 * k2 * channels]));
    for (at, pixel) in places(&drawn.geometry) {
        c[&at[..]] = pixel.map_or(0.0, |pixel| drawn.x[&pixel[..]]);
    }
    c
}

/// W with the rows of a filter one below the other.
fn weights(drawn: &Drawn) -> Result<ArrayD<f64>, Failure> {
    let filters = drawn.b.len();
    Ok(drawn.w.clone().into_shape_with_order(IxDyn(&[drawn.w.len() / filters, filters]))?)
}
