//! The recipes by name, as the command line knows them.

use clap::ValueEnum;
use kaggle::Recipe;

/// The recipes for CIFAR-10.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum RecipeName {
    /// Six convolutions, and nothing that is not in the usual textbook
    Plain,
    /// 74.8 % as soon as possible
    Fast,
    /// 94 %
    Best,
}

impl RecipeName {
    /// The recipe.
    pub(crate) fn recipe(self) -> Recipe {
        match self {
            Self::Plain => Recipe::cifar10_cnn(),
            Self::Fast => Recipe::cifar10_fast(),
            Self::Best => Recipe::cifar10_best(),
        }
    }

    /// The name of its record, unless another is asked for.
    pub(crate) fn record(self) -> &'static str {
        match self {
            Self::Plain => kaggle::CIFAR10_RECORD,
            Self::Fast => kaggle::CIFAR10_FAST_RECORD,
            Self::Best => kaggle::CIFAR10_BEST_RECORD,
        }
    }
}
