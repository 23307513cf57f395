//! Which cases there are.

use anyhow::Result;
use bench::{
    AIR_CONVOLUTIONS, BenchModel, By, Case, convolution_cases, inference_case, memory_bound_cases,
    product_cases, step_case,
};

/// Cases that run in turn with each other, and share a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Group {
    Convolutions,
    MemoryBound,
    Products,
    Steps,
    ScalingBatch,
    ScalingThreads,
    ScalingWidth,
}

/// The batch of kernels, that of the air training.
const KERNEL_BATCH: usize = 500;

/// That of the small networks.
const SMALL_BATCH: usize = 64;

/// Images predicted at once.
const PREDICTED: usize = 1000;

impl Group {
    pub(crate) fn all(scaling: bool) -> impl Iterator<Item = Self> {
        let always = [Self::Convolutions, Self::MemoryBound, Self::Products, Self::Steps];
        // Each with groups of its own, since a network keeps what its last forward pass cached.
        let sizes = [Self::ScalingBatch, Self::ScalingThreads, Self::ScalingWidth];
        always.into_iter().chain(sizes.into_iter().filter(move |_| scaling))
    }

    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Convolutions => "convolutions of the network air",
            Self::MemoryBound => "memory-bound layers",
            Self::Products => "matrix products of the network mlp",
            Self::Steps => "training steps and predictions",
            Self::ScalingBatch => "training steps of the network air in batches of other sizes",
            Self::ScalingThreads => "training steps of the network air on other numbers of threads",
            Self::ScalingWidth => "training steps of the network air with other widths",
        }
    }
}

/// A case, and the model behind it.
type Planned = (Case, Option<BenchModel>);

/// The cases of a group that are wanted, by their names.
pub(crate) fn cases(
    group: Group,
    threads: usize,
    wanted: impl Fn(&str) -> bool,
) -> Result<Vec<Planned>> {
    let planned: Vec<Planned> = match group {
        Group::Convolutions => {
            let mut cases = Vec::new();
            for convolution in AIR_CONVOLUTIONS {
                cases.extend(convolution_cases(convolution, KERNEL_BATCH, threads)?);
            }
            cases.into_iter().map(|case| (case, None)).collect()
        }
        Group::MemoryBound => {
            let cases = memory_bound_cases(KERNEL_BATCH, threads)?;
            cases.into_iter().map(|case| (case, None)).collect()
        }
        Group::Products => {
            product_cases(SMALL_BATCH, threads).into_iter().map(|case| (case, None)).collect()
        }
        Group::Steps => steps(threads, &wanted)?,
        Group::ScalingBatch => scaling(
            [64, 128, 256, 500, 1000].map(|batch| (format!("batch-{batch}"), 1.0, batch, threads)),
            &wanted,
        )?,
        Group::ScalingThreads => {
            let mut counts = vec![1, 2, threads];
            counts.retain(|count| *count <= threads);
            counts.dedup();
            let name = |count| format!("threads-{count}");
            let sizes = counts.into_iter().map(|count| (name(count), 1.0, 256, count));
            scaling(sizes, &wanted)?
        }
        Group::ScalingWidth => scaling(
            [0.5, 1.0, 2.0].map(|width| (format!("width-{width}"), width, SMALL_BATCH, threads)),
            &wanted,
        )?,
    };
    // The peers of a case are wanted with it, so its name without whose code it is decides.
    Ok(planned.into_iter().filter(|(case, _)| wanted(&case.name)).collect())
}

/// Whether a peer is to time a case of this name. What candle and burn have no layer for, or take too
/// long for, is left to PyTorch.
pub(crate) fn takes_part(peer: By, name: &str) -> bool {
    match peer {
        By::Candle | By::Burn => ["step/simple-64/ours", "step/mlp-64/ours"].contains(&name),
        _ => true,
    }
}

fn steps(threads: usize, wanted: &impl Fn(&str) -> bool) -> Result<Vec<Planned>> {
    let air = || BenchModel::air(1.0);
    let mut planned = Vec::new();
    for (model, batch) in [
        (air(), KERNEL_BATCH),
        (air(), SMALL_BATCH),
        (BenchModel::simple(), SMALL_BATCH),
        (BenchModel::mlp(), SMALL_BATCH),
    ] {
        let name = format!("step/{}-{batch}", model.name);
        if wanted(&format!("{name}/ours")) {
            planned.push((step_case(&name, &model, batch, threads)?, Some(model)));
        }
    }
    planned.push((inference_case(&air(), PREDICTED, threads)?, Some(air())));
    Ok(planned)
}

/// Training steps of "air" by name, width, batch and threads.
fn scaling(
    sizes: impl IntoIterator<Item = (String, f64, usize, usize)>,
    wanted: &impl Fn(&str) -> bool,
) -> Result<Vec<Planned>> {
    let mut planned = Vec::new();
    for (size, width, batch, threads) in sizes {
        let (name, model) = (format!("scaling/{size}"), BenchModel::air(width));
        if wanted(&format!("{name}/ours")) {
            planned.push((step_case(&name, &model, batch, threads)?, Some(model)));
        }
    }
    Ok(planned)
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

    #[test]
    fn only_what_is_wanted_is_planned() {
        let names = |group, filter: &str| -> Vec<String> {
            let planned = cases(group, 2, |name| name.contains(filter)).unwrap();
            planned.into_iter().map(|(case, _)| case.name).collect()
        };
        assert_eq!(names(Group::Steps, "step/mlp"), ["step/mlp-64/ours"]);
        assert_eq!(names(Group::ScalingWidth, "width-0.5"), ["scaling/width-0.5/ours"]);
        assert_eq!(names(Group::Products, "no such"), [""; 0]);
        assert_eq!(names(Group::Products, "product").len(), 9);
    }

    #[test]
    fn candle_and_burn_train_the_small_networks() {
        let planned = cases(Group::Steps, 2, |name| name.contains("step/")).unwrap();
        let taken = |peer| -> Vec<&str> {
            let names = planned.iter().map(|(case, _)| case.name.as_str());
            names.filter(|name| takes_part(peer, name)).collect()
        };
        assert_eq!(taken(By::Pytorch).len(), 4);
        assert_eq!(taken(By::Candle), ["step/simple-64/ours", "step/mlp-64/ours"]);
        assert_eq!(taken(By::Burn), taken(By::Candle));
    }

    #[test]
    fn scaling_is_asked_for() {
        assert!(!Group::all(false).any(|group| group == Group::ScalingBatch));
        assert_eq!(Group::all(true).count(), Group::all(false).count() + 3);
    }
}
