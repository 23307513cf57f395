//! Dropout: question 7, as a loop over the elements i in row-major order. Nothing is added up, and
//! each product is of the same two numbers, so the bound is 0.

use std::sync::Arc;

use layers::Layer;
use ndarray::ArrayD;
use numerics::Rng;

use super::{EXACT, formula};
use crate::cases::{Case, Failure};
use crate::random_layer::{build, draw_spec};
use crate::{Check, LayerClass, LayerSpec, LayerSubject};

type Implementation = Arc<dyn LayerSubject<f64>>;

pub(super) fn checks(implementation: &Implementation) -> Vec<Check> {
    let check = |name, one: fn(&mut Case, &mut Pass) -> Result<(), Failure>| {
        let implementation = Arc::clone(implementation);
        formula("7", name, EXACT, move |case| {
            let mut pass = Pass::draw(implementation.as_ref(), case)?;
            one(case, &mut pass)
        })
    };
    vec![
        // M[i] = 0 if w[i] < ⌊2³² p⌋, else 1 / (1 - p): what becomes of an input of ones.
        check("dropout-mask", |case, pass| {
            let y = pass.layer.forward(ArrayD::ones(pass.x.raw_dim()))?;
            case.compare("M", &y, &pass.mask)
        }),
        // Y[i] = M[i] X[i].
        check("dropout-forward", |case, pass| {
            let y = pass.times_mask(&pass.x);
            case.compare("Y", &pass.layer.forward(pass.x.clone())?, &y)
        }),
        // dL/dX[i] = M[i] dL/dY[i].
        check("dropout-backward", |case, pass| {
            pass.layer.forward(pass.x.clone())?;
            let dl_dy = case.array(pass.x.shape());
            let dl_dx = pass.times_mask(&dl_dy);
            case.compare("dL/dX", &pass.layer.backward(dl_dy)?, &dl_dx)
        }),
        // Y[i] = X[i].
        check("dropout-predict", |case, pass| {
            case.compare("Y", &pass.layer.predict(&pass.x)?, &pass.x)
        }),
    ]
}

/// A layer that has taken some steps, an input, and the mask of the next step.
struct Pass {
    layer: Box<dyn Layer<f64>>,
    x: ArrayD<f64>,
    mask: ArrayD<f64>,
}

impl Pass {
    fn draw(implementation: &dyn LayerSubject<f64>, case: &mut Case) -> Result<Self, Failure> {
        let (spec, x_shape) = draw_spec(LayerClass::Dropout, case);
        let LayerSpec::Dropout { rate, .. } = spec else { unreachable!("a dropout was drawn") };
        let mut layer = build(implementation, &spec, case)?;
        let x = case.array(&x_shape);
        let steps = case.between(0, 3);
        for _ in 0..steps {
            layer.forward(x.clone())?;
        }
        let limbs = layer.buffers().get("seed").cloned();
        let limbs = limbs.ok_or_else(|| Failure::new("the layer has no buffer seed"))?;
        let mut seed = 0;
        for (k, limb) in limbs.iter().enumerate() {
            seed += *limb as u64 * 65_536_u64.pow(k as u32);
        }
        let mut words = Rng::with_stream(seed, steps as u64);
        let threshold = (4_294_967_296.0 * rate).floor();
        let mask = ArrayD::from_shape_simple_fn(x.raw_dim(), || {
            let mut w = [0];
            words.fill_words(&mut w);
            if f64::from(w[0]) < threshold { 0.0 } else { 1.0 / (1.0 - rate) }
        });
        Ok(Self { layer, x, mask })
    }

    fn times_mask(&self, array: &ArrayD<f64>) -> ArrayD<f64> {
        let mut product = array.clone();
        for (element, m) in product.iter_mut().zip(&self.mask) {
            *element *= m;
        }
        product
    }
}
