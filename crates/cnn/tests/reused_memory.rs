//! What an earlier array left in memory that is used again never shows in a result.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use activations::Activation;
use cnn::{Conv2DConfig, Pad, Pool2DConfig, PoolMode};
use layers::{BatchNormConfig, FullyConnectedConfig, LayerConfig};
use ndarray::ArrayD;
use numerics::{Rng, recycle, reused};

/// More than any pass below asks for at once.
const ARRAYS: usize = 6;

/// Fills all memory that an array of this shape may be made in with NaN.
fn poison(shape: &[usize]) {
    let arrays: Vec<ArrayD<f32>> = (0..ARRAYS).map(|_| reused(shape)).collect();
    for mut array in arrays {
        array.fill(f32::NAN);
        recycle(array);
    }
}

/// Compares `y` and `dL/dX` of a layer with memory of NaN with those before.
fn assert_overwritten(config: &dyn LayerConfig<f32>, shape: &[usize]) {
    let mut layer = config.build_boxed(&shape[1..], &mut Rng::new(1)).unwrap();
    let x: ArrayD<f32> = Rng::new(0).normal_array(shape, 0.0, 1.0);
    let y_shape = [&shape[..1], layer.output_shape()].concat();
    let mut passes = |poisoned: bool| {
        let poison_if_wanted = || {
            if poisoned {
                poison(shape);
                poison(&y_shape);
            }
        };
        poison_if_wanted();
        let y = layer.forward(x.clone()).unwrap();
        poison_if_wanted();
        let dl_dx = layer.backward(y.clone()).unwrap();
        poison_if_wanted();
        [y, dl_dx, layer.predict(&x).unwrap()]
    };
    let ([y, dl_dx, _], [y_again, dl_dx_again, predicted]) = (passes(false), passes(true));
    assert!(y.len().min(x.len()) >= 1 << 15, "{config:?}: smaller arrays are not used again");
    for array in [&y, &dl_dx, &predicted] {
        assert!(array.iter().all(|x| x.is_finite()), "{config:?}");
    }
    assert!(y == y_again && dl_dx == dl_dx_again, "{config:?}");
}

#[test]
fn every_element_is_written() {
    // More rows than a task has, and not a multiple of that.
    for activation in [Activation::Linear, Activation::ReLU, Activation::GELU, Activation::TanH] {
        let config = BatchNormConfig { activation, ..BatchNormConfig::default() };
        assert_overwritten(&config, &[700, 7, 7, 3]);
        let config = FullyConnectedConfig { activation, ..FullyConnectedConfig::new(70) };
        assert_overwritten(&config, &[500, 70]);
    }
    // By Winograd and by im2col.
    for kernel in [(3, 3), (5, 5)] {
        assert_overwritten(&Conv2DConfig::new(16, kernel), &[32, 15, 15, 16]);
    }
    // The last row and column are in no window, and the windows of the second overlap and are padded.
    for mode in [PoolMode::Max, PoolMode::Average] {
        assert_overwritten(&Pool2DConfig::new(mode, (2, 2), 2), &[64, 15, 15, 16]);
        let config = Pool2DConfig { pad: Pad::Same, ..Pool2DConfig::new(mode, (3, 3), 1) };
        assert_overwritten(&config, &[64, 15, 15, 16]);
    }
}
