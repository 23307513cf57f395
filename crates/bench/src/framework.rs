//! Frameworks in Rust as peers: programs of their own below `crates/bench/peers/`, no members of the
//! workspace, which are built when they are asked for.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

use crate::{By, Framework, Peer};

/// Where the programs are, from the root of the repository.
const PROGRAMS: &str = "crates/bench/peers";

/// What the child says first.
#[derive(Deserialize)]
struct Hello {
    framework: String,
    version: String,
    optimiser: String,
}

impl Peer {
    /// Builds and starts candle on so many threads; returns also what a record says of it.
    ///
    /// # Errors
    /// If it cannot be built or started.
    pub fn candle(threads: usize) -> Result<(Self, Framework)> {
        start(By::Candle, threads)
    }

    /// Builds and starts burn with its backend flex on so many threads; returns also what a record says
    /// of it.
    ///
    /// # Errors
    /// If it cannot be built or started.
    pub fn burn(threads: usize) -> Result<(Self, Framework)> {
        start(By::Burn, threads)
    }
}

fn start(by: By, threads: usize) -> Result<(Peer, Framework)> {
    // The package that cargo runs, or else the current folder.
    let below = env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
    let below = below.or_else(|| env::current_dir().ok()).unwrap_or_default();
    let root = root_above(&below)?;
    start_in(&root, &metadata::target_folder(&root)?.join("peers"), by, threads)
}

/// In the repository at this root, built in this folder.
fn start_in(root: &Path, target: &Path, by: By, threads: usize) -> Result<(Peer, Framework)> {
    let program = build(root, target, by)?;
    // Both frameworks take the number of rayon's threads, and check it with each request.
    let mut command = Command::new(&program);
    command.env("RAYON_NUM_THREADS", threads.to_string());
    let mut peer = Peer::spawn(&mut command, by)
        .with_context(|| format!("--{by}: cannot run {}", program.display()))?;
    let Hello { framework: name, version, optimiser } = peer.receive()?;
    Ok((peer, Framework { by, name, version, optimiser }))
}

fn root_above(start: &Path) -> Result<PathBuf> {
    let root = start.ancestors().find(|folder| folder.join(PROGRAMS).is_dir());
    root.map(Path::to_owned).with_context(|| {
        format!(
            "no folder at or above {} has {PROGRAMS}: change into the repository",
            start.display()
        )
    })
}

/// The program of a framework, up to date.
fn build(root: &Path, target: &Path, by: By) -> Result<PathBuf> {
    let manifest = format!("{PROGRAMS}/{by}/Cargo.toml");
    let arguments = ["build", "--release", "--locked", "--manifest-path", &manifest];
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(arguments).arg("--target-dir").arg(target).current_dir(root);
    let status = cargo.status();
    let line = format!("cargo {} --target-dir {}", arguments.join(" "), target.display());
    let status = status.with_context(|| format!("--{by}: cannot run `{line}`"))?;
    ensure!(
        status.success(),
        "--{by}: `{line}` ended with {status}, and says above why; the first time it needs the network \
         for the packages of {by}. Build it where there is one, or leave out --{by}"
    );
    let program = format!("{by}-peer{}", env::consts::EXE_SUFFIX);
    Ok(target.join("release").join(program))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// A repository whose peer candle is this program, which needs no package.
    fn repository(program: &str) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join(PROGRAMS).join("candle");
        fs::create_dir_all(&folder).unwrap();
        let package = "name = \"candle-peer\"\nversion = \"0.1.0\"\n";
        let rest = "edition = \"2024\"\n[workspace]\n[[bin]]\npath = \"main.rs\"\n";
        let manifest = format!("[package]\n{package}{rest}name = \"candle-peer\"\n");
        fs::write(folder.join("Cargo.toml"), manifest).unwrap();
        let lock = format!("version = 4\n[[package]]\n{package}");
        fs::write(folder.join("Cargo.lock"), lock).unwrap();
        fs::write(folder.join("main.rs"), program).unwrap();
        root
    }

    #[test]
    fn a_program_is_built_and_says_what_it_is() {
        let program = r##"fn main() {
            let threads = std::env::var("RAYON_NUM_THREADS").unwrap();
            println!(r#"{{"framework": "f", "version": "{threads}", "optimiser": "o"}}"#);
        }"##;
        let root = repository(program);
        let (peer, framework) =
            start_in(root.path(), &root.path().join("peers"), By::Candle, 3).unwrap();
        assert_eq!(peer.by(), By::Candle);
        let [name, version, optimiser] = ["f", "3", "o"].map(str::to_owned);
        assert_eq!(framework, Framework { by: By::Candle, name, version, optimiser });
    }

    #[test]
    fn a_program_that_cannot_be_built_says_what_was_tried_and_what_to_do() {
        let root = repository("fn main() { no such program }");
        let error = start_in(root.path(), &root.path().join("peers"), By::Candle, 2)
            .err()
            .unwrap()
            .to_string();
        let tried = "`cargo build --release --locked --manifest-path crates/bench/peers/candle/";
        assert!(error.starts_with("--candle: ") && error.contains(tried), "{error}");
        assert!(error.contains("or leave out --candle"), "{error}");
    }

    #[test]
    fn the_repository_is_found_from_below() {
        let root = repository("");
        let below = root.path().join(PROGRAMS).join("candle");
        assert_eq!(root_above(&below).unwrap(), root.path());
        let elsewhere = tempfile::tempdir().unwrap();
        let error = root_above(elsewhere.path()).unwrap_err().to_string();
        assert!(error.contains("change into the repository"), "{error}");
    }
}
