//! Flatten, which the course gives.

use std::sync::Arc;

use ndarray::{ArrayD, IxDyn};

use super::{EXACT, formula};
use crate::random_layer::build;
use crate::{Check, LayerSpec, LayerSubject};

/// `Y[n, (r cols + q) channels + c] = X[n, r, q, c]`, so
/// `dL/dX[n, r, q, c] = dL/dY[n, (r cols + q) channels + c]`.
pub(super) fn checks(implementation: &Arc<dyn LayerSubject<f64>>) -> Vec<Check> {
    let implementation = Arc::clone(implementation);
    vec![formula("6.2", "flatten-backward", EXACT, move |case| {
        let shape = case.shape(4, 4);
        let &[m, rows, cols, channels] = &*shape else { unreachable!("four axes were drawn") };
        case.describe(format!("X {shape:?}"));
        let spec = LayerSpec::Flatten { input_shape: shape[1..].to_vec() };
        let mut layer = build(implementation.as_ref(), &spec, case)?;
        let x = case.array(&shape);
        let y = layer.forward(x.clone())?;
        let dl_dy = case.array(&[m, rows * cols * channels]);
        let dl_dx = layer.backward(dl_dy.clone())?;

        let flat = |r, q, c| (r * cols + q) * channels + c;
        let mut expected_y = ArrayD::zeros(dl_dy.raw_dim());
        let mut expected_dl_dx = ArrayD::zeros(IxDyn(&shape));
        for n in 0..m {
            for r in 0..rows {
                for q in 0..cols {
                    for c in 0..channels {
                        expected_y[[n, flat(r, q, c)]] = x[[n, r, q, c]];
                        expected_dl_dx[[n, r, q, c]] = dl_dy[[n, flat(r, q, c)]];
                    }
                }
            }
        }
        case.compare("Y", &y, &expected_y)?;
        case.compare("dL/dX", &dl_dx, &expected_dl_dx)
    })]
}
