//! Question 7: networks trained on Fashion-MNIST and CIFAR-10, and classes for the images of the Kaggle competition.
//!
//! A [`Recipe`] says what is trained and how; the program's commands `mlp`, `train` and `ablate` carry it out with the
//! crate `training`.
//!
//! [`TestImages::find`] looks for the competition's images, else for the official test batch of
//! CIFAR-10, which stands in; [`Weights::choose`] takes a checkpoint, or the weights that ship with the
//! program; [`predict`] computes the probability of each class; a [`Submission`] is the file that the
//! competition takes, checked before and after it is written. [`labelled_test_batch`] has what an
//! evaluation needs, and [`class_table`] and [`confusion_table`] show its result.

mod component;
mod error;
mod evaluation;
mod output_file;
mod prediction;
mod recipe;
mod recipes;
mod submission;
mod test_images;
mod training_images;
mod weights;

pub use component::Component;
pub use error::KaggleError;
pub use evaluation::{accuracy_line, class_table, confusion_table};
pub use output_file::{check_writable, replace};
pub use prediction::{TestTimeAugmentation, evaluate, predict};
pub use recipe::{RateShape, Recipe, RecipeGroup, Whitening};
pub use recipes::RecipeName;
pub use submission::Submission;
pub use test_images::{COMPETITION_FILE, Source, TestImages, Wanted, labelled_test_batch};
pub use training_images::{HELD_OUT, Images, TrainingImages};
pub use weights::{SHIPPED, Weights, WeightsSource, shipped_accuracy};
