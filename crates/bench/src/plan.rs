//! The cases in their groups.

use anyhow::Result;
use bench::By;

use crate::convolutions::{AIR_CONVOLUTIONS, convolution_cases};
use crate::memory_bound::memory_bound_cases;
use crate::models::BenchModel;
use crate::products::product_cases;
use crate::rounds::Case;
use crate::steps::{inference_case, step_case};

/// Cases that run in turn with each other, and share a table.
pub(crate) struct Group {
    pub(crate) title: &'static str,
    /// Whether it is measured only if it is asked for.
    pub(crate) scaling: bool,
    /// Makes the cases for this number of threads; of trainings only those whose name is wanted.
    make: fn(usize, Wanted<'_>) -> Result<Vec<Case>>,
}

type Wanted<'a> = &'a dyn Fn(&str) -> bool;

/// The batch of kernels and of the air training.
const KERNEL_BATCH: usize = 500;

/// The batch of the small networks.
const SMALL_BATCH: usize = 64;

/// Images predicted at once.
const PREDICTED: usize = 1000;

/// Each size of a scaled network has a group of its own, since a network keeps what its last forward pass
/// cached.
pub(crate) const GROUPS: [Group; 7] = [
    Group {
        title: "convolutions of the network air",
        scaling: false,
        make: |threads, _| {
            let mut cases = Vec::new();
            for convolution in AIR_CONVOLUTIONS {
                cases.extend(convolution_cases(convolution, KERNEL_BATCH, threads)?);
            }
            Ok(cases)
        },
    },
    Group {
        title: "memory-bound layers",
        scaling: false,
        make: |threads, _| memory_bound_cases(KERNEL_BATCH, threads),
    },
    Group {
        title: "matrix products of the network mlp",
        scaling: false,
        make: |threads, _| Ok(product_cases(SMALL_BATCH, threads)),
    },
    Group {
        title: "training steps and predictions",
        scaling: false,
        make: |threads, wanted| {
            let models = [
                (BenchModel::air(1.0), KERNEL_BATCH),
                (BenchModel::air(1.0), SMALL_BATCH),
                (BenchModel::simple(), SMALL_BATCH),
                (BenchModel::mlp(), SMALL_BATCH),
            ];
            let sizes = models.map(|(model, batch)| {
                (format!("step/{}-{batch}", model.name), model, batch, threads)
            });
            let mut cases = steps(sizes, wanted)?;
            cases.push(inference_case(BenchModel::air(1.0), PREDICTED, threads)?);
            Ok(cases)
        },
    },
    Group {
        title: "training steps of the network air in batches of other sizes",
        scaling: true,
        make: |threads, wanted| {
            let name = |batch| format!("scaling/batch-{batch}");
            let sizes = [64, 128, 256, 500, 1000];
            steps(sizes.map(|batch| (name(batch), BenchModel::air(1.0), batch, threads)), wanted)
        },
    },
    Group {
        title: "training steps of the network air on other numbers of threads",
        scaling: true,
        make: |threads, wanted| {
            let mut counts = vec![1, 2, threads];
            counts.retain(|count| *count <= threads);
            counts.dedup();
            let size = |n| (format!("scaling/threads-{n}"), BenchModel::air(1.0), 256, n);
            steps(counts.into_iter().map(size), wanted)
        },
    },
    Group {
        title: "training steps of the network air with other widths",
        scaling: true,
        make: |threads, wanted| {
            let name = |width| format!("scaling/width-{width}");
            let size = |width| (name(width), BenchModel::air(width), SMALL_BATCH, threads);
            steps([0.5, 1.0, 2.0].map(size), wanted)
        },
    },
];

impl Group {
    /// The cases that are wanted, by their names. The peers of a case are wanted with it, so its name with
    /// `/ours` decides.
    pub(crate) fn cases(&self, threads: usize, wanted: Wanted<'_>) -> Result<Vec<Case>> {
        let mut cases = (self.make)(threads, wanted)?;
        cases.retain(|case| wanted(&case.measurement.name));
        Ok(cases)
    }
}

/// Training steps by name, model, batch and threads.
fn steps(
    sizes: impl IntoIterator<Item = (String, BenchModel, usize, usize)>,
    wanted: Wanted<'_>,
) -> Result<Vec<Case>> {
    let wanted = |(name, ..): &(String, _, _, _)| wanted(&format!("{name}/ours"));
    let sizes = sizes.into_iter().filter(wanted);
    sizes.map(|(name, model, batch, threads)| step_case(&name, model, batch, threads)).collect()
}

/// Whether a peer is to time a case of this name. What candle and burn have no layer for, or take too
/// long for, is left to PyTorch.
pub(crate) fn takes_part(peer: By, name: &str) -> bool {
    match peer {
        By::Candle | By::Burn => ["step/simple-64/ours", "step/mlp-64/ours"].contains(&name),
        _ => true,
    }
}

/// The models whose steps are profiled.
pub(crate) fn profiled() -> [(BenchModel, usize); 3] {
    [
        (BenchModel::air(1.0), KERNEL_BATCH),
        (BenchModel::simple(), SMALL_BATCH),
        (BenchModel::mlp(), SMALL_BATCH),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(group: usize, filter: &str) -> Vec<String> {
        let cases = GROUPS[group].cases(2, &|name| name.contains(filter)).unwrap();
        cases.into_iter().map(|case| case.measurement.name).collect()
    }

    #[test]
    fn only_what_is_wanted_is_planned() {
        assert_eq!(names(3, "step/mlp"), ["step/mlp-64/ours"]);
        assert_eq!(names(6, "width-0.5"), ["scaling/width-0.5/ours"]);
        assert_eq!(names(2, "no such"), [""; 0]);
        assert_eq!(names(2, "product").len(), 9);
    }

    #[test]
    fn candle_and_burn_train_the_small_networks() {
        let planned = names(3, "step/");
        let taken = |peer| planned.iter().filter(|name| takes_part(peer, name)).collect::<Vec<_>>();
        assert_eq!(taken(By::Pytorch).len(), 4);
        assert_eq!(taken(By::Candle), ["step/simple-64/ours", "step/mlp-64/ours"]);
        assert_eq!(taken(By::Burn), taken(By::Candle));
    }
}
