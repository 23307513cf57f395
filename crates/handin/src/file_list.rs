//! The files that make up the workspace.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, anyhow};
use ignore::WalkBuilder;

/// The files of the workspace, relative to its root.
pub(crate) struct FileList {
    /// The ones that exist, sorted, links included.
    pub(crate) paths: BTreeSet<PathBuf>,
    /// Tracked files that were changed, added or removed since the last commit; `None` without git.
    pub(crate) changed: Option<Vec<String>>,
    /// Files that are neither tracked nor ignored.
    pub(crate) untracked: Vec<String>,
}

impl FileList {
    /// The files that git tracks; where `root` is no work tree of its own, those that git would not
    /// ignore.
    ///
    /// A work tree that git does not read is an error, or files that nobody gave to git would be packed.
    pub(crate) fn read(root: &Path) -> Result<Self> {
        let exists = |path: &Path| root.join(path).symlink_metadata().is_ok();
        if !exists(Path::new(".git")) {
            return Ok(Self { paths: walk(root)?, changed: None, untracked: Vec::new() });
        }
        let tracked = git(root, &["ls-files", "-z", "--cached"])?;
        if tracked.is_empty() {
            return Err(unknown(
                root,
                "git tracks no file here; `git add` what is to be handed in",
            ));
        }
        let paths =
            split(&tracked).map(path_of).filter(|path| is_content(path) && exists(path)).collect();
        let mut list = Self { paths, changed: Some(Vec::new()), untracked: Vec::new() };
        let status = ["status", "--porcelain", "-z", "--no-renames", "--untracked-files=all"];
        for (state, path) in split(&git(root, &status)?).filter_map(|line| line.split_at_checked(3))
        {
            let path = path_of(path);
            let names = match state {
                b"?? " => &mut list.untracked,
                _ => list.changed.get_or_insert_default(),
            };
            names.extend(is_content(&path).then(|| path.display().to_string()));
        }
        Ok(list)
    }
}

/// Whether a file is anything but what an operating system or an editor left there.
fn is_content(path: &Path) -> bool {
    !path.file_name().is_some_and(system::is_litter)
}

/// All files that no `.gitignore` of the workspace names.
fn walk(root: &Path) -> Result<BTreeSet<PathBuf>> {
    let mut paths = BTreeSet::new();
    let walk = WalkBuilder::new(root)
        .standard_filters(false)
        .git_ignore(true)
        .require_git(false)
        .filter_entry(|entry| entry.file_name() != ".git")
        .build();
    for entry in walk {
        let entry = entry.with_context(|| format!("cannot list {}", root.display()))?;
        if entry.file_type().is_some_and(|kind| !kind.is_dir())
            && is_content(entry.path())
            && let Ok(path) = entry.path().strip_prefix(root)
        {
            paths.insert(path.to_owned());
        }
    }
    Ok(paths)
}

/// Git does not say which files of a work tree are its own.
fn unknown(root: &Path, what: &str) -> anyhow::Error {
    anyhow!(
        "{} has a .git, but which files it tracks is not known, and others must not be packed: {what}\n\
         (without .git, what no .gitignore names is packed)",
        root.display()
    )
}

/// The output of git about this folder, whatever repository a surrounding hook is about.
fn git(root: &Path, arguments: &[&str]) -> Result<Vec<u8>> {
    let mut command = Command::new("git");
    command.arg("-C").arg(root).args(arguments).stdin(Stdio::null());
    for variable in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX"] {
        command.env_remove(variable);
    }
    let output = command
        .output()
        .map_err(|cause| unknown(root, &format!("git cannot be run: {cause}; install it")))?;
    if !output.status.success() {
        let message = String::from_utf8_lossy(&output.stderr);
        let what = format!("`git {}`: {}", arguments.join(" "), message.trim_end());
        return Err(unknown(root, &what));
    }
    Ok(output.stdout)
}

fn split(output: &[u8]) -> impl Iterator<Item = &[u8]> {
    output.split(|&byte| byte == 0).filter(|part| !part.is_empty())
}

/// The path of these bytes, which git gives as the file system has them.
fn path_of(bytes: &[u8]) -> PathBuf {
    #[cfg(unix)]
    {
        use std::os::unix::ffi::OsStrExt as _;
        PathBuf::from(std::ffi::OsStr::from_bytes(bytes))
    }
    #[cfg(not(unix))]
    PathBuf::from(String::from_utf8_lossy(bytes).into_owned())
}
