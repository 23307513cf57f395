//! Which cases there are.

use anyhow::Result;
use bench::{
    AIR_CONVOLUTIONS, BenchModel, Case, convolution_cases, inference_case, memory_bound_cases,
    product_cases, step_case,
};

/// Cases that run in turn with each other, and share a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Group {
    Convolutions,
    MemoryBound,
    Products,
    Steps,
    Scaling,
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
        always.into_iter().chain(scaling.then_some(Self::Scaling))
    }

    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Convolutions => "convolutions of the network air",
            Self::MemoryBound => "memory-bound layers",
            Self::Products => "matrix products of the network mlp",
            Self::Steps => "training steps and predictions",
            Self::Scaling => "scaling of the network air",
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
        Group::Scaling => scaling(threads, &wanted)?,
    };
    // The peers of a case are wanted with it, so its name without whose code it is decides.
    Ok(planned.into_iter().filter(|(case, _)| wanted(&case.name)).collect())
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

fn scaling(threads: usize, wanted: &impl Fn(&str) -> bool) -> Result<Vec<Planned>> {
    let mut planned = Vec::new();
    let mut add = |name: String, width: f64, batch: usize, threads: usize| -> Result<()> {
        let model = BenchModel::air(width);
        if wanted(&format!("{name}/ours")) {
            planned.push((step_case(&name, &model, batch, threads)?, Some(model)));
        }
        Ok(())
    };
    for batch in [64, 128, 256, 500, 1000] {
        add(format!("scaling/batch-{batch}"), 1.0, batch, threads)?;
    }
    let mut counts = vec![1, 2, threads];
    counts.retain(|count| *count <= threads);
    counts.dedup();
    for count in counts {
        add(format!("scaling/threads-{count}"), 1.0, 256, count)?;
    }
    for width in [0.5, 1.0, 2.0] {
        add(format!("scaling/width-{width}"), width, SMALL_BATCH, threads)?;
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
        assert_eq!(names(Group::Scaling, "width-0.5"), ["scaling/width-0.5/ours"]);
        assert_eq!(names(Group::Products, "no such"), [""; 0]);
        assert_eq!(names(Group::Products, "product").len(), 9);
    }

    #[test]
    fn scaling_is_asked_for() {
        assert!(!Group::all(false).any(|group| group == Group::Scaling));
        assert!(Group::all(true).any(|group| group == Group::Scaling));
    }
}
