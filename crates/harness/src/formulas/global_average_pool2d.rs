//! Global average pooling: question 7. n counts images, (x, y) pixels, c channels.

use std::sync::Arc;

use ndarray::{ArrayD, IxDyn};

use super::{SUMS, formula};
use crate::cases::{Case, Failure};
use crate::random_layer::{build, draw_spec};
use crate::{Check, LayerClass, LayerSubject};

type Implementation = Arc<dyn LayerSubject<f64>>;

/// A layer and a batch for it.
type Drawn = (Box<dyn layers::Layer<f64>>, ArrayD<f64>);

pub(super) fn checks(implementation: &Implementation) -> Vec<Check> {
    let (forward, backward) = (Arc::clone(implementation), Arc::clone(implementation));
    vec![
        // Y[n, c] = 1/(d1 d2) Σ_x Σ_y X[n, x, y, c].
        formula("7", "global-average-pool-forward", SUMS, move |case| {
            let (mut layer, x) = images(forward.as_ref(), case)?;
            let (m, rows, cols, channels) = sizes(&x);
            let y = ArrayD::from_shape_fn(IxDyn(&[m, channels]), |at| {
                let mut sum = 0.0;
                for row in 0..rows {
                    for col in 0..cols {
                        sum += x[[at[0], row, col, at[1]]];
                    }
                }
                sum / (rows * cols) as f64
            });
            case.compare("Y", &layer.forward(x)?, &y)
        }),
        // dL/dX[n, x, y, c] = 1/(d1 d2) dL/dY[n, c].
        formula("7", "global-average-pool-backward", SUMS, move |case| {
            let (mut layer, x) = images(backward.as_ref(), case)?;
            let (m, rows, cols, channels) = sizes(&x);
            layer.forward(x.clone())?;
            let dl_dy = case.array(&[m, channels]);
            let dl_dx = ArrayD::from_shape_fn(x.raw_dim(), |at| {
                dl_dy[[at[0], at[3]]] / (rows * cols) as f64
            });
            case.compare("dL/dX", &layer.backward(dl_dy)?, &dl_dx)
        }),
    ]
}

fn images(implementation: &dyn LayerSubject<f64>, case: &mut Case) -> Result<Drawn, Failure> {
    let (spec, x_shape) = draw_spec(LayerClass::GlobalAveragePool2D, case);
    Ok((build(implementation, &spec, case)?, case.array(&x_shape)))
}

fn sizes(x: &ArrayD<f64>) -> (usize, usize, usize, usize) {
    let &[m, rows, cols, channels] = x.shape() else { unreachable!("images have four axes") };
    (m, rows, cols, channels)
}
