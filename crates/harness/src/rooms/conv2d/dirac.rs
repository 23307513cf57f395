//! The identity as initial weights, question 7.

use cnn::{Conv2DConfig, Pad};
use layers::{Layer, WeightInit};
use ndarray::s;
use numerics::{Rng, Scalar};

use super::ROOM;
use crate::Check;
use crate::cases::claim;
use crate::course::cast;
use crate::oracle::Fixture;
use crate::room::free_formula;
use crate::transcription::array_of;
use crate::worked::Example;

pub(super) fn checks() -> Vec<Check> {
    vec![formula(), oracle::<f64>(), oracle::<f32>()]
}

/// Layers that begin with these weights, against the oracle: the filters, and what they make of images.
fn oracle<T: Scalar>() -> Check {
    let (question, module, kind) = ("7", "test_layers", "conv2d");
    let fixture = Fixture { question, module, file: "Dirac", kind, class: "Dirac" };
    let check = fixture.check::<T>("test_init_params", |listed, entry, tally| {
        let config: Conv2DConfig = listed.declaration(&Conv2DConfig::new(1, (1, 1)))?;
        let [x] = entry.inputs()?;
        let layer = config.build::<T>(&x.shape()[1..], &mut Rng::new(0));
        let layer = layer.map_err(|error| entry.refused(error))?;
        let case = format!("{config:?}, input {:?}", x.shape());
        let w = layer.parameters().kernel("W").to_owned().into_dyn();
        tally.add(&entry.key("W"), &case, &w, &entry.array("W")?);
        let y = layer.predict(&cast(&x)).map_err(|error| entry.refused(error))?;
        entry.compare(("output", x.shape()), &case, &y, tally)
    });
    check.of(ROOM.name)
}

/// `Y[n, r, q, c] = X[n, r, q, c]` for every channel c: a sum of one number and zeros, which is exact. What
/// the filters after these draw is in `±1/√(k₁ k₂ n_in)`.
fn formula() -> Check {
    free_formula("7", "dirac-identity", 0.0, |case| {
        let (n_in, more) = (case.between(1, 3), case.between(0, 3));
        let kernel = (2 * case.between(0, 2) + 1, 2 * case.between(0, 2) + 1);
        let shape = [case.between(1, 3), case.between(1, 6), case.between(1, 6), n_in];
        case.describe(format!("X {shape:?}, kernel {kernel:?}, {} filters", n_in + more));
        let weight_init = WeightInit::Dirac;
        let pad = Pad::Same;
        let config = Conv2DConfig { weight_init, pad, ..Conv2DConfig::new(n_in + more, kernel) };
        let layer = config.build::<f64>(&shape[1..], &mut case.rng)?;
        let x = case.array(&shape);
        let y = layer.predict(&x)?;
        let first = array_of(x.raw_dim(), |at| y[&at]);
        case.compare("Y", &first, &x)?;
        let bound = ((kernel.0 * kernel.1 * n_in) as f64).sqrt().recip();
        let w = layer.parameters().kernel("W");
        let drawn = w.slice(s![.., .., .., n_in..]);
        claim(drawn.iter().all(|w| w.abs() <= bound), || format!("weights beyond {bound}: {drawn}"))
    })
}

/// The one filter of one channel.
pub(super) fn worked(example: &mut Example<'_>) {
    let config = Conv2DConfig { weight_init: WeightInit::Dirac, ..Conv2DConfig::new(1, (3, 3)) };
    let layer = config.build::<f64>(&[4, 4, 1], &mut Rng::new(0)).expect("a filter for a channel");
    let w = layer.parameters().kernel("W");
    example.array("w", &w.slice(s![.., .., 0, 0]).to_owned());
}
