//! A starter that is compiled once: its sources, what they depend on, and how the compiler was called for each crate
//! with something to write and those above it.

use std::collections::BTreeSet;
use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use handin::{Unwritten, graded_files, sha256};
use serde::{Deserialize, Serialize};
use system::eprintln;

/// What stands for the folder of products in the arguments of a compilation.
pub(super) const PRODUCTS: &str = "@products";

/// What crates with something to write may depend on, of what is declared; programs beside them need more.
const LIBRARIES: [&str; 12] = [
    "activations",
    "cnn",
    "indexmap",
    "layers",
    "losses",
    "ndarray",
    "ndarray_einsum",
    "network",
    "numerics",
    "optim",
    "serde",
    "thiserror",
];

/// A starter that is compiled, apart from what is to be written.
#[derive(Debug)]
pub(crate) struct Clean {
    pub(super) sources: PathBuf,
    pub(super) dependencies: PathBuf,
    pub(super) sysroot: PathBuf,
    pub(super) compilations: Vec<Compilation>,
    /// Locked, so that no grader of another version removes it all.
    _in_use: File,
}

/// A call of the compiler.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Compilation {
    pub(super) name: String,
    pub(super) is_program: bool,
    compiler: String,
    pub(super) arguments: Vec<String>,
}

/// The version of the compiler in this folder.
pub(crate) fn version(root: &Path) -> Result<String> {
    ask("rustc", &["--version"], root)
}

/// What a compiler says of itself in this folder.
fn ask(compiler: &str, options: &[&str], folder: &Path) -> Result<String> {
    let output = Command::new(compiler).args(options).current_dir(folder).output();
    let output = output.ok().filter(|output| output.status.success());
    let output =
        output.with_context(|| format!("{compiler}, which compiles hand-ins, cannot be run"))?;
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

impl Clean {
    /// The starter of the workspace at `root`; it is compiled if no earlier run has done that.
    ///
    /// # Errors
    /// If its sources are missing, or cargo cannot compile it without the network.
    pub(crate) fn prepare(root: &Path) -> Result<Self> {
        if !root.join("crates/served/src").is_dir() {
            bail!(
                "hand-ins in Rust cannot be graded here: the sources that they are put into are missing; cargo xtask \
                 autograder --rust packs them"
            );
        }
        let compiler = version(root)?;
        let unwritten = Unwritten::read(root)?;
        let target = system::target_folder(root)?;
        let all = target.join("grading");
        let version = sha256(format!("{} {compiler}", unwritten.sha256()).as_bytes());
        let (name, folder) = (&version[..16], all.join(&version[..16]));
        let calls = folder.join("compilations.json");
        fs::create_dir_all(&all).with_context(|| format!("{} cannot be made", all.display()))?;
        // One run at a time: what is unfinished then is of one that was killed.
        let lock = File::create(all.join("lock"))?;
        if let Err(TryLockError::WouldBlock) = lock.try_lock() {
            eprintln!("waiting for another run, which compiles what hand-ins in Rust are built on");
            lock.lock()?;
        }
        remove_others(&all, name)?;
        if !calls.is_file() {
            eprintln!("compiling what hand-ins in Rust are built on, once");
            let unfinished = system::temporary_folder(&all, "unfinished-")?;
            compile_once(&unwritten, &target, unfinished.path())?;
            fs::rename(unfinished.path(), &folder)
                .with_context(|| format!("{} cannot be made", folder.display()))?;
        }
        let in_use = File::create(folder.join(IN_USE))?;
        in_use.lock_shared()?;
        let compilations: Vec<Compilation> = serde_json::from_slice(&fs::read(calls)?)?;
        let sources = folder.join("workspace");
        // Not the program that chooses a compiler: it needs a configuration, which hand-ins cannot read.
        let compiler = compilations.first().context("the starter has nothing to write")?;
        let sysroot = ask(&compiler.compiler, &["--print", "sysroot"], &sources)?.into();
        let dependencies = folder.join("dependencies");
        Ok(Self { sources, dependencies, sysroot, compilations, _in_use: in_use })
    }
}

/// A file in the folder of a starter, which whoever uses the folder has locked.
const IN_USE: &str = "in-use";

/// Removes the folders of other versions, but for those that another process uses.
fn remove_others(all: &Path, name: &str) -> Result<()> {
    for entry in system::entries(all)? {
        let folder = entry.path();
        if entry.file_name() != name && folder.is_dir() {
            let in_use = File::open(folder.join(IN_USE));
            if !in_use.is_ok_and(|file| matches!(file.try_lock(), Err(TryLockError::WouldBlock))) {
                fs::remove_dir_all(&folder)
                    .with_context(|| format!("{} cannot be removed", folder.display()))?;
            }
        }
    }
    Ok(())
}

/// Compiles a starter in this folder, and leaves there what hand-ins need.
fn compile_once(unwritten: &Unwritten, own_target: &Path, folder: &Path) -> Result<()> {
    let (workspace, target) = (folder.join("workspace"), folder.join("target"));
    unwritten.write(&workspace)?;
    // Of the same versions, so cargo does not compile them again.
    handin::share(own_target, &target)
        .with_context(|| format!("{} cannot be shared", own_target.display()))?;
    let mut cargo = handin::cargo(&workspace);
    cargo.args(["build", "--frozen", "--bin", "served", "--verbose", "--message-format=json"]);
    cargo.env("CARGO_TARGET_DIR", &target).env("CARGO_INCREMENTAL", "0");
    cargo.env("RUSTC_WRAPPER", "");
    let output = cargo.stdin(Stdio::null()).output().context("cargo cannot be run")?;
    let messages = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        bail!("the starter cannot be compiled: {}", messages.trim());
    }
    let products = target.join("debug/deps");
    let calls = compilations(&messages, &products.to_string_lossy());
    let own: BTreeSet<&str> = calls.iter().map(|own| &*own.name).collect();
    let dependencies = folder.join("dependencies");
    fs::create_dir(&dependencies)?;
    for path in artifacts(&String::from_utf8_lossy(&output.stdout), &own) {
        // The code is beside what cargo waits for.
        for path in [path.with_extension("rlib"), path] {
            let name = path.file_name().filter(|_| path.starts_with(&products) && path.exists());
            let Some(to) = name.map(|name| dependencies.join(name)) else { continue };
            if !to.exists() {
                fs::hard_link(&path, &to).or_else(|_| fs::copy(&path, &to).map(drop))?;
            }
        }
    }
    fs::write(folder.join("compilations.json"), serde_json::to_vec(&calls)?)?;
    fs::remove_dir_all(target)?;
    Ok(())
}

/// The calls for crates with something to write and for those above them, of what cargo says that it runs.
fn compilations(messages: &str, products: &str) -> Vec<Compilation> {
    let crate_of = |file: &'static str| file.split('/').nth(1);
    let graded: BTreeSet<&str> = graded_files().into_iter().filter_map(crate_of).collect();
    let mut all: Vec<Compilation> = Vec::new();
    for line in messages.lines() {
        let call = line.trim().strip_prefix("Running `").and_then(|line| line.strip_suffix('`'));
        let words = call.and_then(shlex::split).unwrap_or_default();
        let Some(name) = value(&words, "--crate-name") else { continue };
        let above = words.iter().filter_map(|word| word.split_once('='));
        let mut above = above.filter(|(_, path)| path.starts_with(products));
        let is_graded = graded.contains(&*name);
        if !is_graded && !above.any(|(own, _)| all.iter().any(|known| known.name == own)) {
            continue;
        }
        let mut arguments: Vec<String> = Vec::new();
        for word in words.iter().skip(1).filter(|word| !word.starts_with("--json=")) {
            let name = word.split_once('=').map_or("", |(name, _)| name);
            if is_graded
                && arguments.last().is_some_and(|last| last == "--extern")
                && !LIBRARIES.contains(&name)
            {
                arguments.pop();
            } else {
                arguments.push(word.replace(products, PRODUCTS));
            }
        }
        let is_program = value(&words, "--crate-type").is_some_and(|kind| kind == "bin");
        let compiler = words[0].clone();
        all.push(Compilation { name, is_program, compiler, arguments });
    }
    all
}

fn value(words: &[String], option: &str) -> Option<String> {
    let at = words.iter().position(|word| word == option)?;
    words.get(at + 1).cloned()
}

/// The files that cargo has compiled, or found compiled, but for those of these crates.
fn artifacts(messages: &str, without: &BTreeSet<&str>) -> Vec<PathBuf> {
    #[derive(Deserialize)]
    struct Artifact {
        target: Target,
        filenames: Vec<PathBuf>,
    }
    #[derive(Deserialize)]
    struct Target {
        name: String,
    }
    let artifacts = messages.lines().filter_map(|line| serde_json::from_str::<Artifact>(line).ok());
    let artifacts = artifacts.filter(|artifact| !without.contains(&*artifact.target.name));
    artifacts.flat_map(|artifact| artifact.filenames).collect()
}

#[cfg(test)]
mod tests {
    use system::for_tests::{folder, names};

    use super::*;

    #[test]
    fn of_other_versions_only_those_in_use_stay() {
        let all = folder(&[
            ("lock", ""),
            ("own/compilations.json", ""),
            ("earlier/compilations.json", ""),
            ("unused/in-use", ""),
            ("used/in-use", ""),
            ("unfinished-1/target/x", ""),
        ]);
        let used = File::open(all.path().join("used").join(IN_USE)).unwrap();
        used.lock_shared().unwrap();
        remove_others(all.path(), "own").unwrap();
        assert_eq!(names(all.path()), ["lock", "own", "used"]);
        drop(used);
        remove_others(all.path(), "own").unwrap();
        assert_eq!(names(all.path()), ["lock", "own"]);
    }
}
