//! Which files make up the workspace.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use ignore::WalkBuilder;

use crate::HandinError;

/// The files of the workspace, relative to its root.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct FileList {
    /// Those that are there, sorted, whatever they are: also links.
    pub(crate) paths: BTreeSet<PathBuf>,
    /// What git says about them; `None` where there is no git.
    pub(crate) git: Option<GitState>,
}

/// How the working tree differs from the last commit.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct GitState {
    /// Tracked files that were changed, added or removed.
    pub(crate) changed: Vec<String>,
    /// Files that are neither tracked nor ignored.
    pub(crate) untracked: Vec<String>,
}

impl FileList {
    /// The files that git tracks; where there is no git, those that it would not ignore.
    pub(crate) fn read(root: &Path) -> Result<Self, HandinError> {
        if !is_work_tree(root) {
            return Ok(Self { paths: walk(root)?, git: None });
        }
        let is_there = |path: &PathBuf| root.join(path).symlink_metadata().is_ok();
        let tracked = git(root, &["ls-files", "-z", "--cached"])?;
        let paths = split(&tracked).map(path_of).filter(is_there).collect();
        let status = git(root, &["status", "--porcelain=v1", "-z", "--untracked-files=all"])?;
        Ok(Self { paths, git: Some(parse_status(&status)) })
    }
}

/// All files that no `.gitignore` of the workspace names.
fn walk(root: &Path) -> Result<BTreeSet<PathBuf>, HandinError> {
    let mut paths = BTreeSet::new();
    let walk = WalkBuilder::new(root)
        .standard_filters(false)
        .git_ignore(true)
        .require_git(false)
        .filter_entry(|entry| entry.file_name() != ".git")
        .build();
    for entry in walk {
        let entry = entry.map_err(|cause| HandinError::Io {
            action: "list",
            path: root.to_owned(),
            cause: std::io::Error::other(cause),
        })?;
        if entry.file_type().is_some_and(|kind| !kind.is_dir())
            && let Ok(path) = entry.path().strip_prefix(root)
        {
            paths.insert(path.to_owned());
        }
    }
    Ok(paths)
}

/// Whether `root` is the root of a work tree of git that has its files, not a folder within one.
fn is_work_tree(root: &Path) -> bool {
    let mut inside = command(root, &["rev-parse", "--show-prefix"]);
    let mut tracked = command(root, &["ls-files", "--error-unmatch", "Cargo.toml"]);
    inside.output().is_ok_and(|output| output.status.success() && output.stdout == b"\n")
        && tracked.output().is_ok_and(|output| output.status.success())
}

fn git(root: &Path, arguments: &[&str]) -> Result<Vec<u8>, HandinError> {
    let line = format!("git {}", arguments.join(" "));
    let output = command(root, arguments).stderr(Stdio::inherit()).output();
    let output = output.map_err(HandinError::io("run", &line))?;
    if !output.status.success() {
        let what = format!("ended with {}", output.status);
        return Err(HandinError::Command { command: line, what });
    }
    Ok(output.stdout)
}

/// A call of git that looks at this folder, whatever repository a surrounding hook is about.
fn command(root: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new("git");
    command.arg("-C").arg(root).args(arguments).stdin(Stdio::null()).stderr(Stdio::null());
    for variable in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX"] {
        command.env_remove(variable);
    }
    command
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

fn parse_status(output: &[u8]) -> GitState {
    let mut state = GitState::default();
    let mut parts = split(output);
    while let Some(part) = parts.next() {
        let text = String::from_utf8_lossy(part);
        let Some((kind, path)) = text.split_at_checked(3) else { continue };
        if kind == "?? " {
            state.untracked.push(path.to_owned());
            continue;
        }
        state.changed.push(path.to_owned());
        if kind.contains(['R', 'C']) {
            // The name that it had before follows as a part of its own.
            parts.next();
        }
    }
    state
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_status_has_changed_renamed_and_unknown_files() {
        let state = parse_status(b" M a.rs\0R  new.rs\0old.rs\0 D gone.rs\0?? b c.rs\0");
        assert_eq!(state.changed, ["a.rs", "new.rs", "gone.rs"]);
        assert_eq!(state.untracked, ["b c.rs"]);
    }
}
