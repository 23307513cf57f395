//! Layers of any size: too large ones are refused before memory is taken for them.

use activations::Activation;
use cnn::{Conv2DConfig, Pad, Pool2DConfig, PoolMode};
use layers::{BatchNormConfig, DropoutConfig, FullyConnectedConfig, LayerShapes, WeightInit};
use losses::Loss;
use ndarray::ArrayD;
use network::NeuralNetwork;
use numerics::{MOST_ELEMENTS, Rng, element_count};
use training::LayerSpec;

/// A layer with no array of more elements is small enough for a test to build it.
const FEW: usize = 1 << 16;

/// Small sizes, powers of two and the numbers beside them.
fn size(rng: &mut Rng) -> usize {
    match rng.below(10) {
        0 => 0,
        1..=7 => 1 + rng.below(4),
        _ => (1_usize << (8 + rng.below(56))).wrapping_add(rng.below(3)).wrapping_sub(1),
    }
}

fn pad(rng: &mut Rng) -> Pad {
    match rng.below(3) {
        0 => Pad::Valid,
        1 => Pad::Same,
        _ => Pad::Cells(size(rng), size(rng)),
    }
}

fn layer(rng: &mut Rng) -> LayerSpec {
    let (n_out, bias) = (size(rng), rng.below(2) == 0);
    let weight_init = WeightInit::ALL[rng.below(WeightInit::ALL.len())];
    let (kernel_shape, stride, pad) = ((size(rng), size(rng)), size(rng), pad(rng));
    let (activation, mode) = (Activation::ReLU, [PoolMode::Max, PoolMode::Average][rng.below(2)]);
    match rng.below(7) {
        0 => {
            LayerSpec::FullyConnected(FullyConnectedConfig { n_out, activation, weight_init, bias })
        }
        1 => LayerSpec::Conv2D(Conv2DConfig {
            n_out,
            kernel_shape,
            stride,
            pad,
            activation,
            weight_init,
            bias,
        }),
        2 => LayerSpec::Pool2D(Pool2DConfig { mode, kernel_shape, stride, pad }),
        3 => LayerSpec::BatchNorm(BatchNormConfig::default()),
        4 => LayerSpec::Dropout(DropoutConfig { rate: 0.5 }),
        5 => LayerSpec::GlobalAveragePool2D,
        _ => LayerSpec::Flatten,
    }
}

/// Whether a test can build the layers and send images through them.
fn is_small(layers: &[LayerSpec], shapes: &[LayerShapes]) -> bool {
    let padding_is_small = layers.iter().all(|layer| match layer {
        LayerSpec::Conv2D(Conv2DConfig { pad: Pad::Cells(rows, cols), .. })
        | LayerSpec::Pool2D(Pool2DConfig { pad: Pad::Cells(rows, cols), .. }) => {
            rows.max(cols) <= &64
        }
        _ => true,
    });
    let few = |shape: &[usize]| element_count(shape).is_some_and(|count| count <= FEW);
    let arrays_are_small = shapes.iter().all(|shapes| {
        few(shapes.output()) && shapes.parameters().chain(shapes.buffers()).all(|(_, s)| few(s))
    });
    padding_is_small && arrays_are_small
}

#[test]
fn no_layer_of_any_size_panics_or_has_an_array_beyond_the_bound() {
    let (mut refused, mut built) = (0, 0);
    for seed in 0..4000 {
        let rng = &mut Rng::new(seed);
        let layers: Vec<_> = (0..1 + rng.below(2)).map(|_| layer(rng)).collect();
        let axes = [1, 3, 3, rng.below(5)][rng.below(4)];
        let input_shape: Vec<_> = (0..axes).map(|_| size(rng)).collect();
        let what = format!("{layers:?} for {input_shape:?}");
        let configs: Vec<_> = layers.iter().map(LayerSpec::config::<f32>).collect();
        let build = || NeuralNetwork::build(&configs, &input_shape, Loss::L2, &mut Rng::new(0));
        let Ok(shapes) = NeuralNetwork::shapes(&configs, &input_shape) else {
            assert!(build().is_err(), "{what}");
            refused += 1;
            continue;
        };
        for shapes in &shapes {
            let arrays = shapes.parameters().chain(shapes.buffers()).map(|(_, shape)| shape);
            for shape in arrays.chain([shapes.output()]) {
                let count = shape.iter().map(|&n| n as u128).try_fold(1, u128::checked_mul);
                assert!(count.is_some_and(|n| n <= MOST_ELEMENTS as u128), "{shape:?} of {what}");
            }
        }
        let input_is_small = element_count(&input_shape).is_some_and(|count| count <= FEW);
        if input_is_small
            && is_small(&layers, &shapes)
            && let Ok(mut network) = build()
        {
            let m = 1 + rng.below(3);
            let y = network.forward(ArrayD::ones([&[m], input_shape.as_slice()].concat()));
            let y = y.unwrap_or_else(|error| panic!("{what}: {error}"));
            network.backward(y.view(), y.view()).unwrap_or_else(|error| panic!("{what}: {error}"));
            built += 1;
        }
    }
    assert!(refused > 1000 && built > 200, "{refused} refused, {built} built");
}
