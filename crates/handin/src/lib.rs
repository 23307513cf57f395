//! What is handed in besides the report.
//!
//! [`Submission`] gathers the graded code, as the course's `generate_submission.py` does, into one
//! document: [`markdown`] or [`latex`]. Its table of entries is in [`entries`]; an item of it that is
//! not in the sources is an error.

pub mod entries;
mod error;
mod latex;
mod latex_characters;
mod markdown;
mod output;
mod rust_file;
mod submission;
mod submission_command;
mod uses;
mod workspace;

pub use error::HandinError;
pub use latex::latex;
pub use markdown::markdown;
pub use submission::{GatheredEntry, GatheredSection, Listing, Submission};
pub use submission_command::{Format, SubmissionArguments};
pub use workspace::root_above;
