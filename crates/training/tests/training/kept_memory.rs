//! A training step takes up the memory that the one before gave back.

use std::env;
use std::process::Command;

use datasets::{Augmentation, ImageSet};
use ndarray::Array4;
use numerics::{Rng, kept_bytes};
use optim::SgdConfig;
use training::{BatchSource, ImageBatches, Model, ModelSpec, airbench_layers};

static CLASSES: [&str; 10] = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"];

/// Set in the process that does the work.
const ALONE: &str = "KEPT_MEMORY_ALONE";

/// In a process of its own, since what is kept is kept for all threads.
#[test]
fn what_is_kept_stops_growing() {
    if env::var_os(ALONE).is_none() {
        let mut alone = Command::new(env::current_exe().unwrap());
        alone.env(ALONE, "1").args(["--exact", "kept_memory::what_is_kept_stops_growing"]);
        let output = alone.output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success() && said.contains("1 passed"), "{said}");
        return;
    }
    let images =
        Array4::from_shape_fn((64, 32, 32, 3), |(n, i, j, c)| (n + 7 * i + 3 * j + c) as u8);
    let labels = (0..64).map(|n| n % 10).collect();
    let set = ImageSet::new(images, labels, &CLASSES).unwrap();
    let spec = ModelSpec {
        name: "air".to_owned(),
        input_shape: [32, 32, 3],
        class_names: CLASSES.map(str::to_owned).to_vec(),
        mean: vec![0.5; 3],
        std: vec![0.25; 3],
        layers: airbench_layers([24, 32, 32]),
    };
    let mut model = Model::build(spec, &mut Rng::new(0)).unwrap();
    let batches = ImageBatches::new(&set, &model, 32, 0, Augmentation::default()).unwrap();
    let mut optimiser = SgdConfig::default().build().unwrap();
    let mut kept = Vec::new();
    for epoch in 1..=6 {
        for index in 0..batches.per_epoch() {
            let batch = batches.batch(epoch, index).unwrap();
            let network = model.network_mut();
            let out = network.forward(batch.features).unwrap();
            network.backward(batch.targets.view(), out.view()).unwrap();
            network.update(&mut optimiser, 1e-3).unwrap();
        }
        kept.push(kept_bytes());
    }
    assert!(kept[1] > 0, "nothing is used again");
    assert!(kept[2..].iter().all(|bytes| *bytes == kept[1]), "{kept:?}");
}
