//! What an earlier array left in memory that is used again never shows in a result.

use activations::Activation;
use layers::{BatchNormConfig, FullyConnectedConfig, Layer};
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

/// `y` and `dL/dX` of a layer, with memory of zeros and with memory of NaN.
fn assert_overwritten(what: &str, shape: &[usize], mut layer: Box<dyn Layer<f32>>) {
    let mut rng = Rng::new(0);
    let x: ArrayD<f32> = rng.normal_array(shape, 0.0, 1.0);
    let mut passes = |poisoned: bool| {
        let poison_if_wanted = || {
            if poisoned {
                poison(shape);
            }
        };
        poison_if_wanted();
        let y = layer.forward(x.clone()).expect("x fits");
        poison_if_wanted();
        let dl_dx = layer.backward(y.clone()).expect("forward came first");
        poison_if_wanted();
        (y, dl_dx, layer.predict(&x).expect("x fits"))
    };
    let first = passes(false);
    assert!(first.0.len() >= 1 << 15, "{what}: smaller arrays are not used again");
    assert!(first.0.iter().chain(&first.1).all(|x| x.is_finite()), "{what}");
    let second = passes(true);
    assert_eq!((first.0, first.1), (second.0, second.1), "{what}");
    assert!(second.2.iter().all(|x| x.is_finite()), "{what}: predict");
}

#[test]
fn every_element_is_written() {
    // More rows than a task has, and not a multiple of that.
    let images = [700, 7, 7, 3];
    for activation in [Activation::Linear, Activation::ReLU, Activation::GELU, Activation::TanH] {
        let config = BatchNormConfig { activation, ..BatchNormConfig::default() };
        let layer = config.build(&images[1..]).unwrap();
        assert_overwritten(&format!("BatchNorm, {activation}"), &images, Box::new(layer));
        let config = FullyConnectedConfig { activation, ..FullyConnectedConfig::new(70) };
        let layer = config.build(&[70], &mut Rng::new(1)).unwrap();
        assert_overwritten(&format!("FullyConnected, {activation}"), &[500, 70], Box::new(layer));
    }
}
