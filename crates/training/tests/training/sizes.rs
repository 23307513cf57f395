//! Layers of any size: too large ones are refused before memory is taken for them.

use std::cell::Cell;

use activations::Activation;
use cnn::{Conv2DConfig, Pad, Pool2DConfig, PoolMode};
use layers::{BatchNormConfig, DropoutConfig, FullyConnectedConfig, WeightInit};
use losses::Loss;
use ndarray::ArrayD;
use network::NeuralNetwork;
use numerics::{MOST_ELEMENTS, Rng, element_count};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{RngSeed, TestRunner};
use training::LayerSpec;

/// A layer with no array of more elements is small enough for a test to build it.
const FEW: usize = 1 << 16;

/// Small sizes, powers of two and the numbers beside them, and any others.
fn size() -> impl Strategy<Value = usize> {
    prop_oneof![
        6 => 1..5_usize,
        1 => Just(0),
        2 => (8..64_u32, -1..=1_isize).prop_map(|(exponent, off)| {
            (1_usize << exponent).wrapping_add_signed(off)
        }),
        1 => any::<usize>(),
    ]
}

fn pad() -> impl Strategy<Value = Pad> {
    prop_oneof![
        Just(Pad::Valid),
        Just(Pad::Same),
        (size(), size()).prop_map(|(rows, cols)| Pad::Cells(rows, cols)),
    ]
}

fn layer() -> impl Strategy<Value = LayerSpec> {
    let weights = || (size(), 0..WeightInit::ALL.len(), any::<bool>());
    let window = || (size(), size(), size(), pad());
    prop_oneof![
        weights().prop_map(|(n_out, init, bias)| {
            let (activation, weight_init) = (Activation::ReLU, WeightInit::ALL[init]);
            let config = FullyConnectedConfig { n_out, activation, weight_init, bias };
            LayerSpec::FullyConnected(config)
        }),
        (weights(), window()).prop_map(|((n_out, init, bias), (k1, k2, stride, pad))| {
            let (activation, weight_init) = (Activation::Linear, WeightInit::ALL[init]);
            let kernel_shape = (k1, k2);
            let config =
                Conv2DConfig { n_out, kernel_shape, stride, pad, activation, weight_init, bias };
            LayerSpec::Conv2D(config)
        }),
        (window(), any::<bool>()).prop_map(|((k1, k2, stride, pad), max)| {
            let mode = if max { PoolMode::Max } else { PoolMode::Average };
            LayerSpec::Pool2D(Pool2DConfig { mode, kernel_shape: (k1, k2), stride, pad })
        }),
        Just(LayerSpec::BatchNorm(BatchNormConfig::default())),
        Just(LayerSpec::Dropout(DropoutConfig { rate: 0.5 })),
        Just(LayerSpec::GlobalAveragePool2D),
        Just(LayerSpec::Flatten),
    ]
}

/// Whether a test can build the layers and send images through them.
fn is_small(layers: &[LayerSpec], shapes: &[layers::LayerShapes]) -> bool {
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
    let configuration = proptest::test_runner::Config {
        cases: 4000,
        failure_persistence: None,
        rng_seed: RngSeed::Fixed(0),
        ..Default::default()
    };
    let input_shape = prop_oneof![vec(size(), 1..=1), vec(size(), 3..=3), vec(size(), 0..5)];
    let (refused, built) = (Cell::new(0), Cell::new(0));
    let result = TestRunner::new(configuration).run(
        &(vec(layer(), 1..3), input_shape, 1..4_usize),
        |(layers, input_shape, m)| {
            let configs: Vec<_> = layers.iter().map(LayerSpec::config::<f32>).collect();
            let build = || NeuralNetwork::build(&configs, &input_shape, Loss::L2, &mut Rng::new(0));
            let Ok(shapes) = NeuralNetwork::shapes(&configs, &input_shape) else {
                prop_assert!(build().is_err());
                refused.set(refused.get() + 1);
                return Ok(());
            };
            for shapes in &shapes {
                let arrays = shapes.parameters().chain(shapes.buffers()).map(|(_, shape)| shape);
                for shape in arrays.chain([shapes.output()]) {
                    let count = shape.iter().map(|&n| n as u128).try_fold(1, u128::checked_mul);
                    prop_assert!(count.is_some_and(|n| n <= MOST_ELEMENTS as u128), "{:?}", shape);
                }
            }
            let input_is_small = element_count(&input_shape).is_some_and(|count| count <= FEW);
            if !(input_is_small && is_small(&layers, &shapes)) {
                return Ok(());
            }
            let Ok(mut network) = build() else { return Ok(()) };
            let x = ArrayD::ones([&[m], input_shape.as_slice()].concat());
            let y = network.forward(x).map_err(|error| TestCaseError::fail(error.to_string()))?;
            let backward = network.backward(y.view(), y.view());
            prop_assert!(backward.is_ok(), "{:?}", backward);
            built.set(built.get() + 1);
            Ok(())
        },
    );
    if let Err(error) = result {
        panic!("{error}");
    }
    assert!(refused.get() > 1000 && built.get() > 200, "{refused:?} refused, {built:?} built");
}
