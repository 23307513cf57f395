//! Who wrote the report: `book/report.toml`, read once for the book and for the code archive.
//!
//! An empty value is one that is missing. It is listed by [`FrontMatter::missing`] and shown as
//! missing wherever it would stand; nothing is made up.

mod error;
mod front_matter;

pub use error::FrontMatterError;
pub use front_matter::{Collaborator, FrontMatter};
