//! Convolution as a matrix product.

use ndarray::{ArrayD, IxDyn};

use super::formulas::{geometry, patches};
use super::linear;
use crate::cases::Failure;
use crate::layer::Layers;
use crate::layer::transcribed::Operands;
use crate::layer::window::SUMS;
use crate::room::Checks;
use crate::transcription::einsum;

pub(super) fn add(own: &mut Checks<Layers>) {
    // Z = C W + 1 b, with a row of C for each output cell and the cells of its window in it.
    own.transcribe("im2col", SUMS, linear, "Y", |pass| {
        let (c, w) = (columns(pass)?, as_rows(&pass.parameters["W"])?);
        let z = einsum("pk,kf->pf", &[&c, &w])? + &pass.parameters["b"];
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
                let dl_dw = einsum("pk,pf->kf", &[&columns(pass)?, &as_rows(&pass.dl_dy)?])?;
                Ok(dl_dw.into_shape_with_order(pass.parameters["W"].raw_dim())?)
            }),
            ("dL/db", |pass| {
                let dl_db = einsum("pf->f", &[&as_rows(&pass.dl_dy)?])?;
                Ok(dl_db.into_shape_with_order(pass.parameters["b"].raw_dim())?)
            }),
            ("dL/dX", |pass| {
                let (g, w) = (as_rows(&pass.dl_dy)?, as_rows(&pass.parameters["W"])?);
                let dl_dc = einsum("pf,kf->pk", &[&g, &w])?;
                let geometry = geometry(pass);
                let dl_dc = dl_dc.into_shape_with_order(IxDyn(&geometry.patches_shape()))?;
                Ok(geometry.images(&dl_dc, |pixel, copy| *pixel += copy))
            }),
        ],
    );
}

/// Rows of C count images, then output rows, then output columns; its columns count filter rows,
/// then filter columns, then channels.
fn columns(pass: &Operands) -> Result<ArrayD<f64>, Failure> {
    let [m, r1, r2, k1, k2, channels] = geometry(pass).patches_shape();
    let shape = IxDyn(&[m * r1 * r2, k1 * k2 * channels]);
    Ok(patches(pass).into_shape_with_order(shape)?)
}

/// The last axis, which counts filters, for columns, and one row for everything else.
fn as_rows(array: &ArrayD<f64>) -> Result<ArrayD<f64>, Failure> {
    let filters = array.shape()[array.ndim() - 1];
    Ok(array.clone().into_shape_with_order(IxDyn(&[array.len() / filters, filters]))?)
}
