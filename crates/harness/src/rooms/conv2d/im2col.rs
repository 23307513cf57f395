//! Convolution as a matrix product.

use ndarray::{ArrayD, IxDyn};

use super::formulas::geometry;
use super::linear;
use crate::cases::Failure;
use crate::layer::Layers;
use crate::layer::transcribed::Operands;
use crate::layer::window::{Geometry, SUMS};
use crate::room::Checks;
use crate::transcription::einsum;

pub(super) fn add(own: &mut Checks<Layers>) {
    // Z = C W + 1 b, with a row of C for each output cell and the cells of its window in it.
    own.transcribe("im2col", SUMS, linear, "Y", |pass| {
        let (c, w) = (columns(pass), as_rows(&pass.parameters["W"])?);
        let ones = ArrayD::ones(IxDyn(&[c.shape()[0]]));
        let b = &pass.parameters["b"];
        let z = einsum("pk,kf->pf", &[&c, &w])? + einsum("p,lf->pf", &[&ones, b])?;
        Ok(z.into_shape_with_order(pass.dl_dy.raw_dim())?)
    });
    // dL/dW = Cᵀ G, dL/db = 1ᵀ G, dL/dC = G Wᵀ, and every element of dL/dC added to the pixel that it is a
    // copy of.
    own.transcribe_all(
        "im2col-backward",
        SUMS,
        linear,
        &[
            ("dL/dW", |pass| {
                let dl_dw = einsum("pk,pf->kf", &[&columns(pass), &as_rows(&pass.dl_dy)?])?;
                Ok(dl_dw.into_shape_with_order(pass.parameters["W"].raw_dim())?)
            }),
            ("dL/db", |pass| {
                let dl_db = einsum("pf->f", &[&as_rows(&pass.dl_dy)?])?;
                Ok(dl_db.into_shape_with_order(pass.parameters["b"].raw_dim())?)
            }),
            ("dL/dX", |pass| {
                let (g, w) = (as_rows(&pass.dl_dy)?, as_rows(&pass.parameters["W"])?);
                let dl_dc = einsum("pf,kf->pk", &[&g, &w])?;
                let mut dl_dx = ArrayD::zeros(pass.x.raw_dim());
                for (at, pixel) in places(&geometry(pass)) {
                    if let Some(pixel) = pixel {
                        dl_dx[&pixel[..]] += dl_dc[&at[..]];
                    }
                }
                Ok(dl_dx)
            }),
        ],
    );
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

fn columns(pass: &Operands) -> ArrayD<f64> {
    let places = places(&geometry(pass));
    let [rows, cols] = places.last().map_or([0, 0], |([row, column], _)| [row + 1, column + 1]);
    let pixels = places.iter().map(|(_, pixel)| pixel.map_or(0.0, |pixel| pass.x[&pixel[..]]));
    ArrayD::from_shape_vec(vec![rows, cols], pixels.collect()).expect("a place for each element")
}

/// The last axis, which counts filters, for columns, and one row for everything else.
fn as_rows(array: &ArrayD<f64>) -> Result<ArrayD<f64>, Failure> {
    let filters = array.shape()[array.ndim() - 1];
    Ok(array.clone().into_shape_with_order(IxDyn(&[array.len() / filters, filters]))?)
}
