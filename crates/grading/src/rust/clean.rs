//! A starter that is compiled once: its sources, what they depend on, and how the compiler was called for each crate
//! with something to write and those above it.

use std::collections::BTreeSet;
use std::fs;
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
    /// If cargo cannot compile it without the network.
    pub(crate) fn prepare(root: &Path) -> Result<Self> {
        let compiler = version(root)?;
        let unwritten = Unwritten::read(root)?;
        let target = system::target_folder(root)?;
        let all = target.join("grading");
        let version = sha256(format!("{} {compiler}", unwritten.sha256()).as_bytes());
        let folder = all.join(&version[..16]);
        let calls = folder.join("compilations.json");
        if !calls.is_file() {
            fs::create_dir_all(&all)
                .with_context(|| format!("{} cannot be made", all.display()))?;
            eprintln!("compiling what hand-ins in Rust are built on, once");
            let unfinished = system::temporary_folder(&all, "unfinished-")?;
            compile_once(&unwritten, &target, unfinished.path())?;
            // Another run may have been faster.
            if let Err(error) = fs::rename(unfinished.path(), &folder)
                && !calls.is_file()
            {
                bail!("{} cannot be made: {error}", folder.display());
            }
        }
        let compilations: Vec<Compilation> = serde_json::from_slice(&fs::read(calls)?)?;
        let sources = folder.join("workspace");
        // Not the program that chooses a compiler: it needs a configuration, which hand-ins cannot read.
        let compiler = compilations.first().context("the starter has nothing to write")?;
        let sysroot = ask(&compiler.compiler, &["--print", "sysroot"], &sources)?.into();
        Ok(Self { sources, dependencies: folder.join("dependencies"), sysroot, compilations })
    }
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
