//! `cargo xtask submission`.

use std::path::{Path, PathBuf};

use anyhow::Result;
use clap::{Args, ValueEnum};
use system::{eprintln, print};

use crate::{gather, latex, markdown, output};

/// Write the graded code as one document, in the order of the course's generate_submission.py
///
/// The 15 entries are cut out of the sources by syntax. One that is not complete is an error, and
/// nothing is written. LaTeX is made to be read by \input from any document, without packages.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  cargo xtask submission --format latex --heading-level 2 --output submission.tex
  cargo xtask submission --format markdown --heading-level 3 > submission.md")]
pub struct SubmissionArguments {
    /// The format of the document
    #[arg(short, long)]
    pub format: Format,

    /// The level of the headings: # or \section, ## or \subsection, ### or \subsubsection
    #[arg(long, visible_alias = "heading_level", default_value_t = 1,
          value_parser = clap::value_parser!(u8).range(1..=3))]
    pub heading_level: u8,

    /// The file to write [default: the standard output]
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

/// The format of a submission.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For `\input`, with any LaTeX.
    Latex,
    /// Fenced blocks.
    Markdown,
}

impl SubmissionArguments {
    /// Gathers the code of the workspace at `root` and writes it.
    pub fn run(&self, root: &Path) -> Result<()> {
        if let Some(path) = &self.output {
            output::check(path)?;
        }
        let submission = gather(root)?;
        let level = usize::from(self.heading_level);
        let text = match self.format {
            Format::Latex => latex(&submission, level)?,
            Format::Markdown => markdown(&submission, level),
        };
        let Some(path) = &self.output else {
            print!("{text}");
            return Ok(());
        };
        output::write(path, text.as_bytes())?;
        eprintln!("wrote {} entries to {}", submission.len(), path.display());
        Ok(())
    }
}
