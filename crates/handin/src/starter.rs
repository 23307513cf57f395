//! The workspace of a student: that of the solution without its solution.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, anyhow, bail};
use serde::Deserialize;

use crate::archive::{self, PackedFile};
use crate::cut::{Cut, cut};
use crate::file_list::FileList;
use crate::graded::GRADED;
use crate::rust_file::items;

/// The crates of a starter.
const CRATES: [&str; 19] = [
    "activations",
    "cnn",
    "datasets",
    "einsum",
    "experiment",
    "ffnn",
    "frontmatter",
    "handin",
    "layers",
    "losses",
    "network",
    "numerics",
    "optim",
    "served",
    "student",
    "subject",
    "system",
    "training",
    "unified",
];

/// Folders and files of these crates that a starter does not have: the fast kernels and the reference versions, which
/// are solutions; image sets.
const LEFT_OUT: [&str; 16] = [
    "crates/cnn/src/conv2d_kernel.rs",
    "crates/cnn/src/lines_per_part.rs",
    "crates/cnn/src/reference.rs",
    "crates/cnn/src/scratch.rs",
    "crates/cnn/src/winograd.rs",
    "crates/cnn/src/winograd/",
    "crates/datasets/cifar10_sample/",
    "crates/datasets/src/cifar10.rs",
    "crates/datasets/src/fashion_mnist.rs",
    "crates/datasets/src/idx.rs",
    "crates/handin/src/main.rs",
    "crates/layers/src/reference.rs",
    "crates/subject/node/",
    "crates/subject/python/faults.toml",
    "crates/subject/python/neural_networks/",
    "crates/system/src/for_tests.rs",
];

/// Items that would show how to write what is to be written, or need what is left out.
const LEFT_OUT_ITEMS: [(&str, &[&str]); 5] = [
    ("crates/activations/src/relu.rs", &["derivative"]),
    (
        "crates/cnn/src/conv2d_algorithm.rs",
        &["FEWEST_CHANNELS", "FEWEST_FILTERS", "conv2d_algorithm"],
    ),
    (
        "crates/cnn/src/pool2d_kernel.rs",
        &[
            "all",
            "cells",
            "contiguous",
            "for_each_cell",
            "images_per_task",
            "inputs",
            "outputs",
            "padded",
        ],
    ),
    ("crates/losses/src/cross_entropy.rs", &["at_least_tiny"]),
    ("crates/network/src/network.rs", &["matrix"]),
];

/// Items with another body: constants that are a solution, and what a starter cannot know.
pub(crate) const REPLACED: [(&str, &str, &str); 4] = [
    ("crates/einsum/src/by_einsum.rs", "TRACE", "\"\""),
    ("crates/einsum/src/by_einsum.rs", "MATRIX_VECTOR", "\"\""),
    ("crates/einsum/src/by_einsum.rs", "OUTER_PRODUCT", "\"\""),
    // There is but one.
    ("crates/training/src/layer_spec.rs", "LayerSpec::algorithm", "{ let _ = input_shape; None }"),
];

/// The files of the root that a starter has as they are.
const ROOT: [&str; 6] =
    [".gitignore", "Cargo.lock", "LICENSE", "clippy.toml", "rust-toolchain.toml", "rustfmt.toml"];

/// The files of the book that a starter has as they are.
const BOOK: [&str; 3] = ["book/theme/formulas.js", "book/theme/frame.js", "book/theme/report.css"];

/// The files that only a starter has; the path of each, and its text.
macro_rules! own {
    ($($path:literal),* $(,)?) => { [$(($path, include_str!(concat!("starter/", $path)))),*] };
}
const OWN: [(&str, &str); 16] = own![
    "README.md",
    "book/book.toml",
    "book/report.toml",
    "book/src/SUMMARY.md",
    "book/src/appendix-code.md",
    "book/src/q4-1.md",
    "book/src/q4-2.md",
    "book/src/q4-3.md",
    "book/src/q4-4.md",
    "book/src/q5.md",
    "book/src/q6-1.md",
    "book/src/q6-2.md",
    "book/src/q6-3.md",
    "book/src/q7-1.md",
    "book/src/q7-2.md",
    "book/src/title.md",
];

/// What verifies a starter.
pub(crate) enum Verification<'a> {
    /// The harness with the solution, packed.
    Archive,
    /// A compiled harness, which reads the fixtures beside it; the program that makes the report, if it lies beside the
    /// harness.
    Program(&'a Path),
    /// A harness elsewhere.
    Elsewhere,
}

/// The archive with the harness.
pub(crate) const ARCHIVE: &str = "verification.zip";

/// The checksums of the files as they were handed out: a workspace with them is a starter.
pub(crate) const SUMS: &str = "starter.sha256";

/// The compiled harness, and the compiled program that makes the report.
pub(crate) const PROGRAM: &str = "tools/harness";
pub(crate) const REPORT: &str = "tools/report";

/// The files of a starter of the workspace at `root`, before they are formatted.
///
/// # Errors
/// If a file cannot be read, or lacks what is to be cut.
pub(crate) fn files(root: &Path, verification: &Verification<'_>) -> Result<Vec<PackedFile>> {
    let listed = listed(root)?;
    let mut files = Vec::new();
    for path in ROOT {
        files.push(PackedFile::read(root, path)?);
    }
    let needed = match verification {
        Verification::Elsewhere => needed_by("served", root)?,
        _ => CRATES.map(str::to_owned).into(),
    };
    for name in needed {
        files.extend(crate_files(root, &name, &listed)?);
    }
    let manifests = files.iter().filter(|file| file.path.ends_with("/Cargo.toml"));
    let used: BTreeSet<&str> = manifests.filter_map(PackedFile::text).flat_map(keys).collect();
    let manifest = PackedFile::read(root, "Cargo.toml")?;
    let manifest = workspace_manifest(manifest.text().unwrap_or_default(), &used)?;
    files.push(text_file("Cargo.toml", manifest));
    files.push(text_file(
        ".cargo/config.toml",
        "[alias]\nxtask = \"run --quiet --bin student --\"\n".to_owned(),
    ));
    files.extend(OWN.map(|(path, text)| text_file(path, text.to_owned())));
    for path in BOOK {
        files.push(PackedFile::read(root, path)?);
    }
    match verification {
        Verification::Archive => {
            let contents = archive(root, &listed)?;
            files.push(PackedFile { path: ARCHIVE.to_owned(), contents, executable: false });
        }
        Verification::Program(program) => {
            let report = program.with_file_name("report");
            let mut programs = vec![(PROGRAM, *program)];
            programs.extend(report.is_file().then_some((REPORT, &*report)));
            for (path, program) in programs {
                let contents = fs::read(program)
                    .with_context(|| format!("cannot read {}", program.display()))?;
                files.push(PackedFile { path: path.to_owned(), contents, executable: true });
            }
            for path in listed.iter().filter(|path| is_fixture(path)) {
                files.push(PackedFile::read(root, path)?);
            }
        }
        Verification::Elsewhere => {}
    }
    Ok(files)
}

/// The files of the workspace, with `/` in their paths.
pub(crate) fn listed(root: &Path) -> Result<Vec<String>> {
    let paths = FileList::read(root)?.paths;
    let slashes = |path: &std::path::PathBuf| {
        path.to_str().map(|path| path.replace(std::path::MAIN_SEPARATOR, "/"))
    };
    Ok(paths.iter().filter_map(slashes).collect())
}

fn text_file(path: &str, text: String) -> PackedFile {
    PackedFile { path: path.to_owned(), contents: text.into_bytes(), executable: false }
}

/// Whether the file has results that a harness compares those of a program with.
fn is_fixture(path: &str) -> bool {
    let in_fixtures = path.strip_prefix("fixtures/");
    in_fixtures.is_some_and(|name| name.ends_with(".npz") || name == "manifest.toml")
}

/// The files of a crate, without tests and without what is left out.
fn crate_files(root: &Path, name: &str, listed: &[String]) -> Result<Vec<PackedFile>> {
    let folder = format!("crates/{name}/");
    let is_left_out = |path: &str| LEFT_OUT.iter().any(|own| path.starts_with(own));
    let (mut files, mut gone) = (Vec::new(), Gone::default());
    for path in listed.iter().filter(|path| path.starts_with(&folder)) {
        let file = PackedFile::read(root, path)?;
        if is_left_out(path) {
            gone.read(&file)?;
        } else if !path[folder.len()..].starts_with("tests/") {
            files.push(file);
        }
    }
    if files.is_empty() {
        bail!("the workspace at {} has no crate {name}", root.display());
    }
    for (file, items) in LEFT_OUT_ITEMS {
        if file.starts_with(&folder) {
            gone.names.extend(items.iter().map(|&item| item.to_owned()));
        }
    }
    for file in &files {
        // What another file declares under the same name is still there.
        for item in parsed(file)?.iter().filter(|item| !is_cut_item(&file.path, &item.name)) {
            gone.names.remove(&item.name);
        }
    }
    let mut sources = String::new();
    for file in files.iter_mut().filter(|file| file.path.ends_with(".rs")) {
        let text = without_solution(file, &gone)?;
        sources += &text;
        file.contents = text.into_bytes();
    }
    for file in files.iter_mut().filter(|file| file.path.ends_with("/Cargo.toml")) {
        let text = file.text().map(|text| manifest(text, &sources));
        file.contents = text.unwrap_or_default().into_bytes();
    }
    Ok(files)
}

/// What a crate of a starter lacks.
#[derive(Default)]
struct Gone {
    modules: BTreeSet<String>,
    names: BTreeSet<String>,
}

impl Gone {
    /// Adds a module that is left out, with the names that it declares.
    fn read(&mut self, file: &PackedFile) -> Result<()> {
        let name = file.path.rsplit('/').next().and_then(|name| name.strip_suffix(".rs"));
        if let Some(name) = name {
            self.modules.insert(name.to_owned());
            self.names.extend(parsed(file)?.into_iter().map(|item| item.name));
        }
        Ok(())
    }
}

/// The items of a Rust file; none of another one.
fn parsed(file: &PackedFile) -> Result<Vec<crate::rust_file::Item>> {
    let Some(text) = file.text().filter(|_| file.path.ends_with(".rs")) else {
        return Ok(Vec::new());
    };
    items("", text).map_err(|error| anyhow!("{}: not Rust: {error}", file.path))
}

fn is_cut_item(file: &str, item: &str) -> bool {
    LEFT_OUT_ITEMS.iter().any(|(own, items)| *own == file && items.contains(&item))
}

/// A Rust file as the student gets it.
fn without_solution(file: &PackedFile, gone: &Gone) -> Result<String> {
    let graded = GRADED.iter().filter(|graded| graded.file == file.path);
    let replaced = REPLACED.iter().filter(|(own, ..)| *own == file.path);
    let items = LEFT_OUT_ITEMS.iter().find(|(own, _)| *own == file.path);
    let own = Cut {
        unwritten: graded.map(|graded| (graded.item, graded.name)).collect(),
        replaced: replaced.map(|(_, item, body)| (*item, *body)).collect(),
        items: items.map(|(_, items)| *items).unwrap_or_default(),
        modules: &gone.modules,
        names: &gone.names,
    };
    let text = file.text().with_context(|| format!("{} is no text", file.path))?;
    cut(text, &own).map_err(|what| anyhow!("{}: {what}", file.path))
}

/// The names that the lines of a manifest begin with.
fn keys(manifest: &str) -> impl Iterator<Item = &str> {
    manifest.lines().filter_map(key)
}

/// What stands before `.` or `=` in a line of a manifest.
fn key(line: &str) -> Option<&str> {
    let end = line.find(['.', '=', ' '])?;
    Some(&line[..end]).filter(|key| !key.is_empty() && !key.starts_with(['#', '[']))
}

/// The manifest of a crate without what only tests need, and without dependencies that its sources do not name.
fn manifest(text: &str, sources: &str) -> String {
    let is_named = |name: &str| {
        let name = name.replace('-', "_");
        [format!("{name}::"), format!("{name} as _"), format!("use {name};")]
            .iter()
            .any(|used| sources.contains(used))
    };
    without_lines(text, |section, name| section != "dependencies" || is_named(name))
}

/// The manifest of the workspace with the dependencies of these names.
///
/// Its packages get another version than those of the verification, which are compiled in the same target folder: by
/// name and version cargo tells them apart.
fn workspace_manifest(text: &str, used: &BTreeSet<&str>) -> Result<String> {
    let text = without_lines(text, |section, name| match section {
        "workspace.dependencies" => used.contains(name),
        // An unwritten function is no mistake here, nor is what only unwritten functions would call.
        "workspace.lints.clippy" => name != "todo",
        _ => true,
    });
    let lints = "[workspace.lints.rust]\n";
    let text = text.replace(lints, &format!("{lints}dead_code = \"allow\"\n"));
    let version = text.lines().find(|line| line.starts_with("version = "));
    let version = version.context("Cargo.toml has no line with the version of its packages")?;
    let own = format!("{}-starter\"", version.trim_end_matches('"'));
    Ok(with_members(&text).replacen(version, &own, 1))
}

/// The manifest of the workspace without profiles for packages that the lock file does not have.
pub(crate) fn with_profiles_of(manifest: &str, lock: &str) -> String {
    let names = lock.lines().filter_map(|line| line.strip_prefix("name = "));
    let names: BTreeSet<&str> = names.map(|name| name.trim_matches('"')).collect();
    without_lines(manifest, |section, name| {
        section != "profile.dev.package" || names.contains(name)
    })
}

/// A manifest without some of the lines `name = ...`, without the comments above those, and without what only tests
/// need.
fn without_lines(text: &str, keep: impl Fn(&str, &str) -> bool) -> String {
    let (mut section, mut kept, mut comments) = ("", String::new(), String::new());
    let mut is_for_tests = false;
    for line in text.lines() {
        let line_end = |line: &str| format!("{line}\n");
        if let Some(name) = line.strip_prefix('[') {
            section = name.trim_end_matches(']');
            is_for_tests = section == "dev-dependencies";
        }
        if line.starts_with('#') {
            comments += &line_end(line);
            continue;
        }
        let is_kept = !is_for_tests && key(line).is_none_or(|name| keep(section, name));
        if is_kept && !(line.is_empty() && comments.is_empty() && kept.ends_with("\n\n")) {
            kept += &comments;
            kept += &line_end(line);
        }
        comments.clear();
    }
    kept.trim_end().to_owned() + "\n"
}

/// The sources of which a grader and a starter are made, and what a grader reads of the workspace at `root`.
///
/// # Errors
/// If a file cannot be read.
pub(crate) fn sources_of_grader(root: &Path) -> Result<Vec<PackedFile>> {
    let mut crates = needed_by("grading", root)?;
    crates.extend(CRATES.map(str::to_owned));
    let mut files = sources(&crates, root, &listed(root)?)?;
    for path in BOOK.into_iter().chain([".cargo/config.toml"]) {
        files.push(PackedFile::read(root, path)?);
    }
    for file in files.iter_mut().filter(|file| file.path == "Cargo.toml") {
        file.contents = with_members(file.text().unwrap_or_default()).into_bytes();
    }
    Ok(files)
}

/// The sources of these crates, and what harness and report read.
fn sources(crates: &BTreeSet<String>, root: &Path, listed: &[String]) -> Result<Vec<PackedFile>> {
    let needed = |path: &&String| {
        let own = path.strip_prefix("crates/").and_then(|path| path.split('/').next());
        own.is_some_and(|own| crates.contains(own))
            || is_fixture(path)
            // The formulas that explain a failure.
            || path.starts_with("book/src/") && path.ends_with(".md")
            || path.as_str() == "Cargo.toml"
            || ROOT.contains(&path.as_str())
    };
    listed.iter().filter(needed).map(|path| PackedFile::read(root, path)).collect()
}

/// The archive with the harness and the program that makes the report: the crates that they are made of, and what they
/// read.
fn archive(root: &Path, listed: &[String]) -> Result<Vec<u8>> {
    let mut crates = needed_by("harness", root)?;
    crates.extend(needed_by("report", root)?);
    let mut files = sources(&crates, root, listed)?;
    let lock = PackedFile::read(root, "Cargo.lock")?;
    let packages = locked(lock.text().unwrap_or_default(), &crates)?;
    for file in files.iter_mut().filter(|file| file.path == "Cargo.toml") {
        let text = with_members(file.text().unwrap_or_default());
        let text = without_lines(&text, |section, name| {
            // To optimise the harness takes minutes, and its checks of a program seconds without that.
            section != "profile.dev.package" || packages.contains(name) && !crates.contains(name)
        });
        file.contents = text.into_bytes();
    }
    archive::write(&files)
}

/// The packages of a lock file that these crates need.
fn locked(lock: &str, crates: &BTreeSet<String>) -> Result<BTreeSet<String>> {
    #[derive(Deserialize)]
    struct Lock {
        package: Vec<Locked>,
    }
    #[derive(Deserialize)]
    struct Locked {
        name: String,
        #[serde(default)]
        dependencies: Vec<String>,
    }
    let lock: Lock = toml::from_str(lock).context("Cargo.lock is not a lock file")?;
    let (mut needed, mut open) =
        (BTreeSet::new(), Vec::from_iter(crates.iter().map(String::as_str)));
    while let Some(name) = open.pop() {
        if needed.insert(name.to_owned()) {
            let own = lock.package.iter().filter(|package| package.name == name);
            // Some with their version.
            let names = own.flat_map(|package| &package.dependencies);
            open.extend(names.filter_map(|name| name.split(' ').next()));
        }
    }
    Ok(needed)
}

/// The manifest of the workspace without the crate of its tasks.
fn with_members(manifest: &str) -> String {
    manifest.replace("members = [\"crates/*\", \"xtask\"]", "members = [\"crates/*\"]")
}

/// A crate and all others of the workspace that it depends on, in tests as well.
fn needed_by(name: &str, root: &Path) -> Result<BTreeSet<String>> {
    let (mut needed, mut open) = (BTreeSet::new(), vec![name.to_owned()]);
    while let Some(name) = open.pop() {
        let path = format!("crates/{name}/Cargo.toml");
        let file = PackedFile::read(root, &path)?;
        let manifest: BTreeMap<String, toml::Value> =
            toml::from_str(file.text().unwrap_or_default())
                .with_context(|| format!("{path} is not a manifest"))?;
        for section in ["dependencies", "dev-dependencies", "build-dependencies"] {
            let own = manifest.get(section).and_then(toml::Value::as_table).into_iter().flatten();
            let own = own.map(|(name, _)| name.clone());
            open.extend(own.filter(|name| root.join("crates").join(name).is_dir()));
        }
        needed.insert(name);
        open.retain(|name| !needed.contains(name));
    }
    Ok(needed)
}
