//! The formulas with a bug.

use layers::{BatchNormConfig, Layer};
use ndarray::{Array1, ArrayD, Axis};

use super::formulas::Rows;
use super::with_scale;
use crate::layer::faulty::{Faulty, Formulas, Gradients};

pub(super) const FORMULAS: Formulas = Formulas {
    built: |bug, spec| match bug {
        "scale-kept" => with_scale(spec, true),
        _ => spec.clone(),
    },
    step: |layer, x| {
        let momentum = layer.spec.config::<BatchNormConfig>().momentum;
        let alpha = match layer.bug {
            "momentum-swapped" => 1.0 - momentum,
            "statistics-never-move" => 0.0,
            _ => momentum,
        };
        let Rows { mean, variance, .. } = rows(layer, x, x);
        for (name, batch) in [("running_mean", mean), ("running_variance", variance)] {
            let batch = of_features(layer, &batch) / (batch.len() / layer.n_out()) as f64;
            let running = layer.state_mut().buffers_mut().get_mut(name);
            let running = running.expect("the real layer has it");
            *running = &*running * (1.0 - alpha) + batch * alpha;
        }
    },
    predict: |layer, x| match layer.bug {
        "predicts-with-the-batch" => forward(layer, x),
        _ => {
            with_features(layer, x, x, layer.n_out()).predicted(layer.buffers()) - lost_beta(layer)
        }
    },
    ..Formulas::new(forward, gradients)
};

fn gradients(layer: &Faulty, x: &ArrayD<f64>, dl_dz: &ArrayD<f64>) -> Gradients {
    let rows = rows(layer, x, dl_dz);
    let n = rows.x_hat.nrows() as f64;
    let (sums, along) = (rows.dl_dbeta(), rows.dl_dgamma());
    let dl_dx = match layer.bug {
        "constant-statistics" => rows.stacked(|i, j| rows.factor[j] * rows.g[[i, j]]),
        "constant-variance" => rows.stacked(|i, j| rows.factor[j] * (rows.g[[i, j]] - sums[j] / n)),
        _ => rows.dl_dx(),
    };
    (dl_dx, vec![("gamma", of_features(layer, &along)), ("beta", of_features(layer, &sums))])
}

/// One of the bugs takes each pixel of a channel for a feature of its own.
fn rows(layer: &Faulty, x: &ArrayD<f64>, g: &ArrayD<f64>) -> Rows {
    let pixels = layer.bug == "statistics-of-pixels";
    with_features(layer, x, g, if pixels { x.len() / x.shape()[0] } else { layer.n_out() })
}

fn with_features(layer: &Faulty, x: &ArrayD<f64>, g: &ArrayD<f64>, features: usize) -> Rows {
    let eps = layer.spec.config::<BatchNormConfig>().eps;
    Rows::new(x, g, features, layer.parameters(), eps)
}

/// The sums over the pixels, as a row.
fn of_features(layer: &Faulty, sums: &Array1<f64>) -> ArrayD<f64> {
    let pixels = sums.to_shape((sums.len() / layer.n_out(), layer.n_out()));
    pixels.expect("channels are the last axis").sum_axis(Axis(0)).insert_axis(Axis(0)).into_dyn()
}

fn forward(layer: &Faulty, x: &ArrayD<f64>) -> ArrayD<f64> {
    rows(layer, x, x).y() - lost_beta(layer)
}

/// What the output lacks.
fn lost_beta(layer: &Faulty) -> ArrayD<f64> {
    let lost = layer.bug == "offset-lost-with-scale" && layer.parameters().get("gamma").is_none();
    let beta = layer.parameters()["beta"].index_axis(Axis(0), 0).to_owned();
    if lost { beta } else { beta * 0.0 }
}
