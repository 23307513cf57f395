//! The document and the archive that are handed in, and the program that makes them.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod latex;
mod package;
mod program;
mod starter;
mod submission;

use std::path::{Path, PathBuf};
use std::process::Command;

use system::println;

/// The root of this workspace.
fn root() -> PathBuf {
    system::workspace_root(Path::new(env!("CARGO_MANIFEST_DIR"))).unwrap()
}

/// Runs git as nobody in particular; `false` where there is none, so that the test says so.
fn git(root: &Path, arguments: &[&str]) -> bool {
    let mut command = Command::new("git");
    command.arg("-C").arg(root).args(["-c", "user.name=a", "-c", "user.email=a@example.org"]);
    command.args(["-c", "core.autocrlf=false", "-c", "commit.gpgsign=false"]).args(arguments);
    for variable in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"] {
        command.env_remove(variable);
    }
    match command.output() {
        Ok(output) => {
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            true
        }
        Err(error) => {
            assert_eq!(error.kind(), std::io::ErrorKind::NotFound);
            println!("skipped: there is no git on this machine");
            false
        }
    }
}
