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
    /// The files that git tracks; where `root` is no work tree of its own, those that git would not
    /// ignore.
    ///
    /// A work tree that git does not read is an error, or files that nobody gave to git would be packed.
    pub(crate) fn read(root: &Path) -> Result<Self, HandinError> {
        let exists = |path: &Path| root.join(path).symlink_metadata().is_ok();
        if !exists(Path::new(".git")) {
            return Ok(Self { paths: walk(root)?, git: None });
        }
        let tracked = git(root, &["ls-files", "-z", "--cached"])?;
        if tracked.is_empty() {
            return Err(HandinError::Git {
                root: root.to_owned(),
                what: "git tracks no file here; `git add` what is to be handed in".to_owned(),
            });
        }
        let paths =
            split(&tracked).map(path_of).filter(|path| is_content(path) && exists(path)).collect();
        let status = git(root, &["status", "--porcelain=v1", "-z", "--untracked-files=all"])?;
        Ok(Self { paths, git: Some(parse_status(&status)) })
    }
}

/// Whether a file is anything but what an operating system or an editor left there.
fn is_content(path: &Path) -> bool {
    !path.file_name().is_some_and(disk::is_litter)
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
            && is_content(entry.path())
            && let Ok(path) = entry.path().strip_prefix(root)
        {
            paths.insert(path.to_owned());
        }
    }
    Ok(paths)
}

/// What git prints about this folder, whatever repository a surrounding hook is about.
fn git(root: &Path, arguments: &[&str]) -> Result<Vec<u8>, HandinError> {
    let failed = |what: String| HandinError::Git { root: root.to_owned(), what };
    let mut command = Command::new("git");
    command.arg("-C").arg(root).args(arguments).stdin(Stdio::null());
    for variable in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX"] {
        command.env_remove(variable);
    }
    let output = command.output();
    let output =
        output.map_err(|cause| failed(format!("git cannot be run: {cause}; install it")))?;
    if !output.status.success() {
        let message = String::from_utf8_lossy(&output.stderr);
        return Err(failed(format!("`git {}`: {}", arguments.join(" "), message.trim_end())));
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

fn parse_status(output: &[u8]) -> GitState {
    let mut state = GitState::default();
    let mut parts = split(output);
    while let Some(part) = parts.next() {
        let text = String::from_utf8_lossy(part);
        let Some((kind, path)) = text.split_at_checked(3) else { continue };
        if kind == "?? " {
            if is_content(Path::new(path)) {
                state.untracked.push(path.to_owned());
            }
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
        let state =
            parse_status(b" M a.rs\0R  new.rs\0old.rs\0 D gone.rs\0?? b c.rs\0?? a/.DS_Store\0");
        assert_eq!(state.changed, ["a.rs", "new.rs", "gone.rs"]);
        assert_eq!(state.untracked, ["b c.rs"]);
    }
}
