//! What can go wrong with the harness itself.

use std::path::PathBuf;

use layers::LayerError;

/// An error of this crate: test data that cannot be used, a request that cannot be met.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HarnessError {
    /// A file cannot be opened.
    #[error("{}: expected a file of test data, but it cannot be opened: {reason}", file.display())]
    Open {
        /// The file.
        file: PathBuf,
        /// What the operating system says.
        reason: String,
    },
    /// A file is no `.npz` archive, or only the beginning of one.
    #[error(
        "{}: expected a complete .npz archive, but it cannot be read as one ({reason}); it may be \
         truncated, copy it again", file.display()
    )]
    NotAnArchive {
        /// The file.
        file: PathBuf,
        /// What the reader says.
        reason: String,
    },
    /// An archive has no test data.
    #[error("{}: expected arrays 0input, 0output and so on, but the archive has {got}", file.display())]
    NoEntries {
        /// The file.
        file: PathBuf,
        /// What it has instead.
        got: String,
    },
    /// An archive lacks an array.
    #[error("{}: expected an array {key}, but there is none; the entry has {got}", file.display())]
    MissingKey {
        /// The archive.
        file: PathBuf,
        /// The array's key.
        key: String,
        /// The keys of the same entry that are there.
        got: String,
    },
    /// An array cannot be read.
    #[error("{}: array {key} is damaged: {reason}; copy the file again", file.display())]
    Damaged {
        /// The archive.
        file: PathBuf,
        /// The array's key.
        key: String,
        /// What is wrong with it.
        reason: String,
    },
    /// An array is compressed or encrypted in a way that is not read here.
    #[error(
        "{}: array {key} cannot be read ({reason}): arrays must be stored or deflated, as \
         numpy.savez and numpy.savez_compressed write them; save them again so", file.display()
    )]
    Unsupported {
        /// The archive.
        file: PathBuf,
        /// The array's key.
        key: String,
        /// What is not supported.
        reason: &'static str,
    },
    /// An array does not consist of the floating-point numbers that are understood.
    #[error("{}: expected {key} to be of dtype <f8 or <f4, but it is {got}", file.display())]
    Dtype {
        /// The archive.
        file: PathBuf,
        /// The array's key.
        key: String,
        /// Its NumPy type descriptor.
        got: String,
    },
    /// An array has another shape than the rest of its entry asks for.
    #[error("{}: expected {key} to have shape {expected}, but it has {got:?}", file.display())]
    Shape {
        /// The archive.
        file: PathBuf,
        /// The array's key.
        key: String,
        /// The shape that would fit.
        expected: String,
        /// Its shape.
        got: Vec<usize>,
    },
    /// An array has an element that is NaN or infinite.
    #[error("{}: expected finite numbers in {key}, but {index:?} is {got}", file.display())]
    NotFinite {
        /// The archive.
        file: PathBuf,
        /// The array's key.
        key: String,
        /// The index of the element.
        index: Vec<usize>,
        /// The element.
        got: f64,
    },
    /// The entries of an archive cannot be shared out among the configurations.
    #[error(
        "{}: expected the same number of entries for each of {configurations} configurations, but \
         there are {got} entries", file.display()
    )]
    Entries {
        /// The archive.
        file: PathBuf,
        /// The number of configurations of its test class.
        configurations: usize,
        /// The number of entries.
        got: usize,
    },
    /// The implementation under test refused what the entry asks of it.
    #[error("{}, entry {entry}: {reason}", file.display())]
    Refused {
        /// The archive.
        file: PathBuf,
        /// The entry.
        entry: usize,
        /// The implementation's error.
        reason: String,
    },
    /// The manifest of the fixtures cannot be understood.
    #[error("{}: {reason}", file.display())]
    Manifest {
        /// The manifest.
        file: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The workspace cannot be found.
    #[error(
        "expected to run inside the workspace, but no Cargo.toml with a [workspace] stands in {} or \
         above it; change into the repository or use cargo run", from.display()
    )]
    NoWorkspace {
        /// Where the search began.
        from: PathBuf,
    },
    /// A file of the workspace cannot be read or written.
    #[error("{}: cannot {operation}: {reason}", file.display())]
    File {
        /// The file.
        file: PathBuf,
        /// What was tried: `"be read"`, `"be written"`.
        operation: &'static str,
        /// What the operating system says.
        reason: String,
    },
    /// No check has this name.
    #[error(
        "no check is called {got:?}{}; cargo xtask test --list lists them all",
        near(near_names)
    )]
    UnknownCheck {
        /// What was asked for.
        got: String,
        /// Names that look like it.
        near_names: Vec<String>,
    },
    /// A folder that was named does not have the course's files, or does not exist.
    #[error(
        "{}: expected a folder with TestReLU.npz and the other files of the course, but neither it nor \
         data or tests/data below it has one of them", folder.display()
    )]
    NoCourseData {
        /// The path that was given.
        folder: PathBuf,
    },
    /// A single case was given for more than one check.
    #[error(
        "a case belongs to one check, but {filter:?} selects {count}; give the check's full name"
    )]
    CaseOfSeveral {
        /// The name that was given.
        filter: String,
        /// How many checks it selects.
        count: usize,
    },
    /// A case was given for a check that draws none.
    #[error("{id} draws no random cases, so it cannot run one; leave --case out")]
    NoCases {
        /// The check.
        id: String,
    },
    /// A layer refused what the harness asks of it.
    #[error(transparent)]
    Layer(#[from] LayerError),
    /// No random input of a layer is smooth enough for finite differences.
    #[error("{layer}: each of {draws} random inputs has a kink within a step")]
    Kinks {
        /// The layer and its configuration.
        layer: String,
        /// How many inputs were drawn.
        draws: u64,
    },
    /// No layer has this name.
    #[error("unknown layer {got:?}: expected one of {known}")]
    UnknownLayer {
        /// What was asked for.
        got: String,
        /// The layers that can be checked.
        known: String,
    },
}

impl HarnessError {
    /// Whether the request was wrong, rather than what was found on the way.
    #[must_use]
    pub fn is_usage(&self) -> bool {
        matches!(
            self,
            Self::UnknownCheck { .. }
                | Self::UnknownLayer { .. }
                | Self::NoCourseData { .. }
                | Self::CaseOfSeveral { .. }
                | Self::NoCases { .. }
        )
    }
}

fn near(names: &[String]) -> String {
    if names.is_empty() { String::new() } else { format!("; near names: {}", names.join(", ")) }
}
