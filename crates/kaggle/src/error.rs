//! Errors on the way to a submission.

use std::io;
use std::path::PathBuf;

use acquire::AcquireError;
use datasets::DatasetError;
use training::TrainingError;

/// An error of this crate.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KaggleError {
    /// Images cannot be read, or are not what they should be.
    #[error(transparent)]
    Data(#[from] DatasetError),
    /// The data set is nowhere.
    #[error(transparent)]
    Acquire(#[from] AcquireError),
    /// A checkpoint cannot be used, or a model refuses its images.
    #[error(transparent)]
    Model(#[from] TrainingError),
    /// A model is for other images, or for other classes.
    #[error(
        "{weights}: expected a model for {expected}, but {name} is for {got}; name a checkpoint of a \
         CIFAR-10 training with --checkpoint"
    )]
    OtherModel {
        /// The origin of its weights.
        weights: String,
        /// The model's name.
        name: String,
        /// The images and classes that it should be for.
        expected: String,
        /// The images and classes that it is for.
        got: String,
    },
    /// There is no such part of a recipe.
    #[error("unknown part {got:?}: expected one of {known}")]
    Component {
        /// The names that there are.
        known: String,
        /// The one that was given.
        got: String,
    },
    /// The recipe has no such part, or it is no part that can be left out.
    #[error("the recipe of {model} has no part {part} to leave out: expected one of {known}")]
    NotInRecipe {
        /// The model that it is for.
        model: String,
        /// The part that was to be left out.
        part: String,
        /// The parts that it has.
        known: String,
    },
    /// The first layer cannot be given whitening filters.
    #[error("{model}: expected a convolution as the first layer, to whiten its input")]
    NoFilters {
        /// The model.
        model: String,
    },
    /// Whitening filters cannot be made from the training images.
    #[error("the filters of the first layer cannot be made from the training images: {0}")]
    Whitening(layers::LayerError),
    /// There are no weights at all.
    #[error(
        "there are no weights: none ship with this copy of the program, and in {} there is no finished \
         training whose accuracy is known; train some with `cargo run -p kaggle -- train`, or name a \
         file with --checkpoint{others}",
        looked_at.display()
    )]
    NoWeights {
        /// The folder of trainings.
        looked_at: PathBuf,
        /// Trainings that cannot be chosen, a line each.
        others: String,
    },
    /// Predictions or a file of them are no submission, or cannot be compared.
    #[error("{what}: expected {expected}, but got {got}")]
    Predictions {
        /// The predictions, or the file and its line.
        what: String,
        /// The valid ones.
        expected: String,
        /// The ones that are there.
        got: String,
    },
    /// A file cannot be read or written.
    #[error("cannot {operation} {}: {cause}{}", path.display(), advice(cause))]
    File {
        /// The operation that was tried.
        operation: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The reason.
        cause: io::Error,
    },
    /// A file cannot be put where it should go.
    #[error("cannot write {}: expected {expected}, but it is {got}; choose another with --output", path.display())]
    Target {
        /// The place.
        path: PathBuf,
        /// A thing that could be written.
        expected: &'static str,
        /// The thing that is there.
        got: &'static str,
    },
}

impl KaggleError {
    /// For `map_err`: the error of an operation on a path.
    pub(crate) fn file(
        operation: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |cause| Self::File { operation, path, cause }
    }
}

/// Advice on the errors of a file system that people meet.
fn advice(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => {
            "; free some space, or write elsewhere with --output"
        }
        io::ErrorKind::ReadOnlyFilesystem | io::ErrorKind::PermissionDenied => {
            "; name a place that can be written with --output"
        }
        _ => "",
    }
}
