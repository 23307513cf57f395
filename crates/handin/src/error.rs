//! What can go wrong when something is handed in.

use std::io;
use std::path::{Path, PathBuf};

use frontmatter::FrontMatterError;

/// What is to be handed in cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum HandinError {
    /// No folder above the given one is a workspace.
    #[error(
        "{} is not inside a Cargo workspace: run this in the repository, or name it with --workspace",
        from.display()
    )]
    NoWorkspace {
        /// Where the search began.
        from: PathBuf,
    },
    /// A file or folder cannot be read or written.
    #[error("cannot {action} {}: {cause}", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// With what.
        path: PathBuf,
        /// Why it failed.
        cause: io::Error,
    },
    /// A source is not Rust.
    #[error("{file}:{line}: not Rust: {what}; `cargo check` says more")]
    Syntax {
        /// The file, relative to the root.
        file: String,
        /// The line.
        line: usize,
        /// What the parser expected.
        what: String,
    },
    /// An item that an entry consists of is not in its file.
    #[error(
        "the entry {entry} lacks `{item}`: it is not in {file}{}; write it, or change the entry in \
         crates/handin/src/entries.rs",
        nearest(near)
    )]
    MissingItem {
        /// The entry of the submission.
        entry: &'static str,
        /// The item, as the table of entries names it.
        item: String,
        /// The file that should have it.
        file: String,
        /// Items of the file with a similar name, the most similar first.
        near: Vec<String>,
    },
    /// The code of an entry uses an item that no reader of the submission would see.
    #[error(
        "the entry {entry} is not complete: `{item}` uses `{uses}` of {file}, which it does not show; \
         add it to the entry in crates/handin/src/entries.rs"
    )]
    NotShown {
        /// The entry of the submission.
        entry: &'static str,
        /// The item that is shown.
        item: String,
        /// The one that it uses.
        uses: String,
        /// The file of both.
        file: String,
    },
    /// A character that LaTeX output cannot show.
    #[error(
        "{file}: the character {character:?} (U+{:04X}) in the line {line:?} has no LaTeX; add it to \
         crates/handin/src/latex_characters.rs, or write the line without it",
        u32::from(*character)
    )]
    Character {
        /// The file that has it.
        file: String,
        /// The line.
        line: String,
        /// The character.
        character: char,
    },
    /// The output cannot be the file that was named.
    #[error("cannot write {}: {what}", path.display())]
    Output {
        /// What was named.
        path: PathBuf,
        /// Why not, and what to do.
        what: &'static str,
    },
    /// `report.toml` is not as expected.
    #[error(transparent)]
    FrontMatter(#[from] FrontMatterError),
    /// `fixtures/manifest.toml` is not as expected.
    #[error("{file} is not a manifest: {what}")]
    Manifest {
        /// The file, relative to the root.
        file: String,
        /// Where and why.
        what: String,
    },
    /// Files that must not be in the archive.
    #[error("the archive would hold what it must not:{}", list(problems))]
    Unfit {
        /// Each file with the reason and what to do.
        problems: Vec<String>,
    },
    /// The archive that was written is not what was to be written.
    #[error("the archive is damaged: {what}")]
    Archive {
        /// What differs.
        what: String,
    },
    /// Git does not say which files of a work tree are its.
    #[error(
        "{} has a .git, but which files it tracks is not known, and others must not be packed: {what}\n\
         (without .git, what no .gitignore names is packed)",
        root.display()
    )]
    Git {
        /// The root of the work tree.
        root: PathBuf,
        /// What git says, or why it says nothing.
        what: String,
    },
    /// The program was told to end while it verified the archive.
    #[error("interrupted; there is no archive")]
    Interrupted,
    /// The unpacked archive does not build, its tests fail, or they change its files.
    #[error(
        "the unpacked archive does not pass: {what}; it was kept as {} and must not be handed in",
        rejected.display()
    )]
    Rejected {
        /// What failed.
        what: String,
        /// Where the archive is.
        rejected: PathBuf,
    },
}

impl HandinError {
    pub(crate) fn io(
        action: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |cause| Self::Io { action, path, cause }
    }

    pub(crate) fn read(path: &Path) -> impl FnOnce(io::Error) -> Self {
        Self::io("read", path)
    }
}

fn nearest(near: &[String]) -> String {
    match near {
        [] => String::new(),
        near => format!(" (there are {})", near.join(", ")),
    }
}

fn list(problems: &[String]) -> String {
    problems.iter().map(|problem| format!("\n  {problem}")).collect()
}
