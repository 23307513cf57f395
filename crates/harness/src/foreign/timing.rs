//! The time that a program takes for a batch, against that for one example.

use std::sync::Arc;
use std::time::{Duration, Instant};

use cnn::{Conv2DConfig, Pad, Pool2DConfig, PoolMode};
use layers::FullyConnectedConfig;
use ndarray::ArrayD;
use numerics::Rng;
use system::eprintln;

use super::{Program, if_supported, layer};
use crate::Outcome;
use crate::check::caught;
use crate::layer::Spec;
use crate::rooms::{conv2d, fully_connected, pool2d};

/// Examples of a batch, so many and so small that a vectorised pass takes at most three times as long as for one; a
/// loop in Python, even one with a single product inside, takes more than ten times as long.
const BATCH: usize = 1024;

/// From how many times on a loop is suspected.
const SUSPICIOUS: f64 = 6.0;

/// The shortest of so many passes counts: other programs make them longer only.
const PASSES: usize = 5;

/// Says, on standard error, which layers seem to loop over the examples. It decides nothing, since another run may
/// give another answer.
pub(crate) fn time_batches(program: &Arc<Program>) {
    let pad = Pad::Valid;
    let specs = [
        fully_connected::ROOM.spec(FullyConnectedConfig::new(2), &[2]),
        conv2d::ROOM.spec(Conv2DConfig { pad, ..Conv2DConfig::new(1, (2, 2)) }, &[2, 2, 1]),
        pool2d::ROOM.spec(Pool2DConfig::new(PoolMode::Max, (2, 2), 2), &[2, 2, 1]),
    ];
    for spec in specs.iter().filter(|spec| program.offers("layers", spec.room.name)) {
        let mut times = None;
        // What fails here fails in a check too, which says so.
        caught(|| {
            times = if_supported(|| [1, BATCH].map(|m| pass(program, spec, m).ok())).ok();
            Outcome::ok(1, "")
        });
        let Some([Some(one), Some(batch)]) = times else { continue };
        let times = batch.as_secs_f64() / one.as_secs_f64();
        if times >= SUSPICIOUS {
            eprintln!(
                "beyond the assignment: {} takes {times:.0} times as long for {BATCH} examples as for one, where \
                 array operations take up to three times as long: it seems to loop over the examples",
                spec.declared()
            );
        }
    }
}

/// The time of a forward and a backward pass of so many examples.
fn pass(program: &Program, spec: &Spec, m: usize) -> Result<Duration, layers::LayerError> {
    let mut layer = layer::build::<f64>(program, spec, spec.build(&mut Rng::new(0)))?;
    let x = ArrayD::ones([&[m], &*spec.input_shape].concat());
    let mut shortest = Duration::MAX;
    for _ in 0..PASSES {
        let begin = Instant::now();
        let y = layer.forward(x.clone())?;
        layer.backward(y)?;
        shortest = shortest.min(begin.elapsed());
    }
    Ok(shortest)
}
