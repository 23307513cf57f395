//! The graded code as one document, and all code as an archive.
//!
//! [`gather`] gathers the graded code of [`ENTRIES`], as the course's `generate_submission.py` does, for one
//! document: [`markdown()`] or [`latex()`]. An item of an entry that is not in the sources is an error.
//!
//! [`Package`] packs all code into an archive whose bytes depend on the code alone; its command
//! unpacks it elsewhere, builds it and runs its tests before it says that it is done.
//!
//! [`StarterArguments`] writes the workspace that students get, in which the functions of [`GRADED`] are to be
//! written; [`AutograderArguments`] packs the grader for Gradescope. [`Taken`] is what such a workspace is graded by:
//! these functions, and what stands beside them.

mod archive;
mod autograder_command;
mod cut;
mod entries;
mod file_list;
mod graded;
mod grader_readme;
mod latex;
mod markdown;
mod output;
mod package;
mod package_command;
mod permitted;
mod rust_file;
mod screening;
mod shared_target;
mod starter;
mod starter_command;
mod submission;
mod submission_command;
mod taken;
mod verification;

pub use archive::{sha256, unpack};
pub use autograder_command::AutograderArguments;
pub use entries::{ENTRIES, Entry};
pub use graded::{GRADED, Graded};
pub use latex::latex;
pub use markdown::markdown;
pub use package::Package;
pub use package_command::PackageArguments;
pub use shared_target::share;
pub use starter_command::{StarterArguments, Unwritten};
pub use submission::{GatheredEntry, Listing, gather};
pub use submission_command::{Format, SubmissionArguments};
pub use taken::{Placed, Taken, TakenItem, graded_files};
pub use verification::{Judge, cargo};
