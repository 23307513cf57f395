//! A measured case: subject, author, work and times.

use serde::{Deserialize, Serialize};

use crate::Quartiles;

/// The times of one case.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Measurement {
    /// Its name, which no other case has: `conv/31x31-24-64/forward/im2col`.
    pub name: String,
    /// Its subject.
    pub subject: Subject,
    /// The author of the code.
    pub by: By,
    /// Examples at once.
    pub batch: usize,
    /// Threads.
    pub threads: usize,
    /// The work of one call.
    pub work: Work,
    /// Seconds of one call, by round.
    pub seconds: Vec<f64>,
    /// Minor page faults of one call in the last round, where that can be read: memory that the
    /// system gives anew has to be filled with zeros first.
    pub page_faults: Option<f64>,
}

/// The subject of a case.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Subject {
    /// Fused multiplications and additions in registers: the most that the processor can do.
    Peak,
    /// A large array is copied: the most that the memory can do.
    Copy,
    /// A convolution of stride 1.
    Convolution {
        /// Rows and columns of the input.
        side: usize,
        /// Channels of the input.
        channels: usize,
        /// Channels of the output.
        filters: usize,
        /// Rows and columns of the kernel.
        kernel: usize,
        /// The pass.
        pass: Pass,
        /// Whether the layer uses this algorithm.
        chosen: bool,
    },
    /// A layer that does little with each number.
    MemoryBound {
        /// The layer.
        layer: String,
        /// Rows, columns and channels of the input.
        shape: [usize; 3],
        /// The pass.
        pass: Pass,
    },
    /// A matrix product of `(rows, inner)` and `(inner, cols)`.
    Product {
        /// Rows of the result.
        rows: usize,
        /// The terms of each sum.
        inner: usize,
        /// Columns of the result.
        cols: usize,
        /// The pass of the fully-connected layer that it is.
        pass: Pass,
    },
    /// A training step: forward, loss, backward, optimiser.
    Step {
        /// The model.
        model: String,
        /// The factor of its widths.
        width: f64,
    },
    /// The classes of images are predicted.
    Inference {
        /// The model.
        model: String,
    },
}

/// Rows and columns of the output of a [`Subject::Convolution`]. That by 2 by 2 has no padding, that by 3 by 3
/// keeps the size.
pub fn output_side(side: usize, kernel: usize) -> usize {
    if kernel == 3 { side } else { side - kernel + 1 }
}

/// A pass of a layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, strum_macros::Display)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "kebab-case")]
pub enum Pass {
    /// The output.
    Forward,
    /// The gradient of the input, and of parameters if it takes no time to speak of.
    BackwardData,
    /// The gradient of the weights.
    BackwardWeights,
}

/// The author of the code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, strum_macros::Display)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "kebab-case")]
pub enum By {
    /// Ours, as it is used.
    Ours,
    /// Ours, by im2col.
    Im2col,
    /// Ours, by Winograd's algorithm.
    Winograd,
    /// PyTorch.
    Pytorch,
    /// PyTorch, with an allocator that keeps memory ([`Torch::tuned`](crate::Torch::tuned)).
    PytorchTuned,
    /// The framework candle.
    Candle,
    /// The framework burn.
    Burn,
}

/// The work of one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Work {
    /// Floating-point operations; of a convolution, those of the direct one.
    Flop(u64),
    /// Bytes that have to be read or written at least.
    Bytes(u64),
    /// Examples.
    Examples(u64),
}

impl Pass {
    /// The three passes.
    pub const ALL: [Self; 3] = [Self::Forward, Self::BackwardData, Self::BackwardWeights];
}

impl By {
    /// Those that ours is compared with.
    pub const PEERS: [Self; 4] = [Self::Pytorch, Self::PytorchTuned, Self::Candle, Self::Burn];
}

impl Work {
    /// Operations, bytes or examples.
    pub fn amount(self) -> u64 {
        match self {
            Self::Flop(amount) | Self::Bytes(amount) | Self::Examples(amount) => amount,
        }
    }

    /// The unit in which its speed is given, and how much of the work that is.
    pub fn unit(self) -> (&'static str, f64) {
        match self {
            Self::Flop(_) => ("GFLOP/s", 1e9),
            Self::Bytes(_) => ("GB/s", 1e9),
            Self::Examples(_) => ("examples/s", 1.0),
        }
    }
}

impl Measurement {
    /// The name without the author.
    pub fn key(&self) -> &str {
        self.name.rsplit_once('/').map_or(&self.name, |(key, _)| key)
    }

    /// Seconds of one call.
    pub fn time(&self) -> Quartiles {
        Quartiles::of(self.seconds.iter().copied())
    }

    /// The speed, in the unit of its [`Work`].
    pub fn speed(&self) -> Quartiles {
        let amount = self.work.amount() as f64 / self.work.unit().1;
        Quartiles::of(self.seconds.iter().map(|seconds| amount / seconds))
    }

    /// How many times as fast as `other` this is, round by round.
    pub fn ratio(&self, other: &Self) -> Quartiles {
        let speed = |m: &Self, seconds: f64| m.work.amount() as f64 / seconds;
        let rounds = self.seconds.iter().zip(&other.seconds);
        Quartiles::of(rounds.map(|(&a, &b)| speed(self, a) / speed(other, b)))
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn measurement(name: &str, by: By, work: Work, seconds: &[f64]) -> Measurement {
        Measurement {
            name: name.to_owned(),
            subject: Subject::Step { model: "air".to_owned(), width: 1.0 },
            by,
            batch: 10,
            threads: 2,
            work,
            seconds: seconds.to_vec(),
            page_faults: None,
        }
    }

    #[test]
    fn speeds_and_ratios_by_hand() {
        let ours = measurement("a", By::Ours, Work::Examples(10), &[1.0, 2.0, 4.0]);
        assert_eq!(ours.speed().median, 5.0);
        let flop = measurement("b", By::Ours, Work::Flop(3_000_000_000), &[1.5]);
        assert_eq!((flop.speed().median, flop.work.unit().0), (2.0, "GFLOP/s"));
        // Round by round 2, 2 and 0.5 times as fast; the medians alone, 2 s and 4 s, say the same,
        // but those of the two sorted samples would say 2, 2 and 2.
        let theirs = measurement("c", By::Pytorch, Work::Examples(10), &[2.0, 4.0, 2.0]);
        let ratio = ours.ratio(&theirs);
        assert_eq!((ratio.min, ratio.median, ratio.max), (0.5, 2.0, 2.0));
    }
}
