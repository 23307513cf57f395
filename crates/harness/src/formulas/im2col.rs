//! Convolution as a matrix product: question 6.2.

use std::sync::Arc;

use activations::Activation;
use layers::Layer;
use ndarray::{ArrayD, IxDyn};

use super::einsum::einsum;
use super::{SUMS, formula};
use crate::cases::{Case, Failure};
use crate::random_layer::{Geometry, build, gradient, parameter};
use crate::{Check, LayerSubject};

type Implementation = Arc<dyn LayerSubject<f64>>;

pub(super) fn checks(implementation: &Implementation) -> Vec<Check> {
    let of_pass = |name, one: fn(&mut Case, &mut Pass) -> Result<(), Failure>| {
        let implementation = Arc::clone(implementation);
        formula("6.2", name, SUMS, move |case| {
            let mut pass = Pass::draw(implementation.as_ref(), case)?;
            one(case, &mut pass)
        })
    };
    vec![of_pass("im2col", forward), of_pass("im2col-backward", backward)]
}

/// `Z = C W + 1 b`, with a row of C for each output cell and the cells of its window in it.
fn forward(case: &mut Case, pass: &mut Pass) -> Result<(), Failure> {
    let z = pass.layer.forward(pass.x.clone())?;
    let (c, w) = (pass.columns(), pass.weights()?);
    let ones = ArrayD::ones(IxDyn(&[c.shape()[0]]));
    let expected = einsum("pk,kf->pf", &[&c, &w])? + einsum("p,lf->pf", &[&ones, &pass.b])?;
    let expected = expected.into_shape_with_order(z.raw_dim())?;
    case.compare("Z", &z, &expected)
}

/// `dL/dW = Cᵀ G`, `dL/db = 1ᵀ G`, `dL/dC = G Wᵀ`, and every element of dL/dC added to the pixel that
/// it is a copy of.
fn backward(case: &mut Case, pass: &mut Pass) -> Result<(), Failure> {
    let z = pass.layer.forward(pass.x.clone())?;
    let dl_dz = case.array(z.shape());
    let dl_dx = pass.layer.backward(dl_dz.clone())?;
    let (c, w) = (pass.columns(), pass.weights()?);
    let g = dl_dz.into_shape_with_order(IxDyn(&[c.shape()[0], pass.b.len()]))?;
    let dl_dw = einsum("pk,pf->kf", &[&c, &g])?.into_shape_with_order(pass.w.raw_dim())?;
    case.compare("dL/dW", &gradient(&*pass.layer, "W")?, &dl_dw)?;
    let dl_db = einsum("pf->f", &[&g])?.into_shape_with_order(pass.b.raw_dim())?;
    case.compare("dL/db", &gradient(&*pass.layer, "b")?, &dl_db)?;
    let dl_dc = einsum("pf,kf->pk", &[&g, &w])?;
    let mut expected = ArrayD::zeros(pass.x.raw_dim());
    for (at, pixel) in pass.places() {
        if let Some(pixel) = pixel {
            expected[&pixel[..]] += dl_dc[&at[..]];
        }
    }
    case.compare("dL/dX", &dl_dx, &expected)
}

/// A layer and a mini-batch.
struct Pass {
    geometry: Geometry,
    layer: Box<dyn Layer<f64>>,
    x: ArrayD<f64>,
    w: ArrayD<f64>,
    b: ArrayD<f64>,
}

/// An element of C, and the pixel that it is a copy of; none on padding.
type Place = ([usize; 2], Option<[usize; 4]>);

impl Pass {
    fn draw(implementation: &dyn LayerSubject<f64>, case: &mut Case) -> Result<Self, Failure> {
        let geometry = Geometry::draw(case);
        let n_out = case.between(1, 3);
        case.describe(format!("{geometry}, {n_out} filters"));
        let layer = build(implementation, &geometry.conv(n_out, Activation::Linear), case)?;
        let (w, b) = (parameter(&*layer, "W")?, parameter(&*layer, "b")?);
        Ok(Self { geometry, layer, x: case.array(&geometry.x_shape()), w, b })
    }

    /// Rows of C count images, then output rows, then output columns; its columns count filter rows,
    /// then filter columns, then channels.
    fn places(&self) -> Vec<Place> {
        let Geometry { m, kernel: (k1, k2), channels, .. } = self.geometry;
        let (r1, r2) = self.geometry.output();
        let mut places = Vec::new();
        for row in 0..m * r1 * r2 {
            let (n, r, q) = (row / (r1 * r2), row / r2 % r1, row % r2);
            for column in 0..k1 * k2 * channels {
                let (i, j, c) =
                    (column / (k2 * channels), column / channels % k2, column % channels);
                let pixel = self.geometry.cell(r, q, i, j).map(|(x, y)| [n, x, y, c]);
                places.push(([row, column], pixel));
            }
        }
        places
    }

    fn columns(&self) -> ArrayD<f64> {
        let (r1, r2) = self.geometry.output();
        let Geometry { m, kernel: (k1, k2), channels, .. } = self.geometry;
        let mut c = ArrayD::zeros(IxDyn(&[m * r1 * r2, k1 * k2 * channels]));
        for (at, pixel) in self.places() {
            c[&at[..]] = pixel.map_or(0.0, |pixel| self.x[&pixel[..]]);
        }
        c
    }

    /// W with the rows of a filter one below the other.
    fn weights(&self) -> Result<ArrayD<f64>, Failure> {
        let filters = self.b.len();
        let rows = self.w.len() / filters;
        Ok(self.w.clone().into_shape_with_order(IxDyn(&[rows, filters]))?)
    }
}
