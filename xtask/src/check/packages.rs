//! The crates of the workspace: how they depend on each other, what their `Cargo.toml` must say, and their
//! rows in ARCHITECTURE.md.

use std::path::{Path, PathBuf};

use anyhow::Result;
use serde::Deserialize;

use super::text::{code_of, has_word};
use crate::problem;
use crate::workspace::{self, SourceFile};

/// For each crate, the crates of the workspace that it may depend on: ARCHITECTURE.md in a table.
///
/// Every line names only crates of lines above it, so there is no cycle.
const ALLOWED: [(&str, &str); 30] = [
    ("system", ""),
    ("unified", ""),
    // One file that a reader begins with: arrays, and nothing of the other crates.
    ("from_scratch", ""),
    ("numerics", ""),
    ("activations", "numerics"),
    ("losses", "numerics activations"),
    ("layers", "numerics activations"),
    ("cnn", "numerics activations layers"),
    ("optim", "numerics"),
    ("datasets", "system numerics"),
    // The only crate that knows of the network.
    ("acquire", "system datasets"),
    // A headless browser: it knows nothing of books.
    ("browser", "system"),
    // The record of a run knows none of the mathematics.
    ("experiment", "system"),
    ("network", "numerics activations losses layers optim datasets"),
    // Images in memory and records on disk; it fetches nothing.
    ("training", "system numerics activations losses layers cnn optim datasets experiment network"),
    (
        "ffnn",
        "system unified numerics activations losses layers optim datasets experiment network training",
    ),
    // The record of a benchmark is read by the book.
    ("bench", "system numerics activations losses layers cnn optim experiment network training"),
    ("einsum", "system unified numerics"),
    ("subject", ""),
    // The other side of the protocol: what it answers with, and nothing that judges it.
    ("served", "system numerics activations losses layers cnn network einsum subject"),
    // A process that restricts itself: it knows nothing of what is isolated.
    ("isolation", ""),
    (
        "kaggle",
        "system unified numerics activations layers cnn optim datasets acquire experiment training",
    ),
    (
        "harness",
        "system numerics activations losses layers cnn optim datasets network einsum subject served",
    ),
    ("frontmatter", ""),
    // It reads files as text, so it needs none of the crates that they make up.
    ("handin", "system frontmatter"),
    // It runs the harness, and so needs none of what is verified.
    ("grading", "system subject isolation harness handin"),
    ("html", ""),
    // It draws functions, schedules and a loss with the code that the book is about, and compares its
    // widgets with that code.
    (
        "report",
        "system numerics activations optim datasets browser experiment ffnn training bench frontmatter html",
    ),
    // The commands of a starter, which its harness is apart from.
    ("student", "system handin"),
    // Compiled before everything else, so it depends on next to nothing.
    ("xtask", "system"),
];

const TABLE: &str = "xtask/src/check/packages.rs";

/// Crates that not even tests may depend on: they are programs.
const PROGRAMS: [&str; 4] = ["kaggle", "report", "student", "xtask"];

/// Packages, as `cargo metadata` lists them.
#[derive(Deserialize)]
pub(super) struct Metadata {
    pub(super) packages: Vec<Package>,
}

#[derive(Deserialize)]
pub(super) struct Package {
    pub(super) name: String,
    pub(super) version: String,
    pub(super) license: Option<String>,
    /// The registry or repository; `None` for a folder of this machine.
    pub(super) source: Option<String>,
    pub(super) manifest_path: PathBuf,
    dependencies: Vec<Dependency>,
}

/// A dependency as declared.
#[derive(Deserialize)]
struct Dependency {
    name: String,
    /// `None` for a normal one, or `"dev"` or `"build"`.
    kind: Option<String>,
    /// The name under which it is used, if another.
    rename: Option<String>,
}

impl Metadata {
    /// The packages of the workspace; the paths of their manifests are relative to the root.
    pub(super) fn read(root: &Path) -> Result<Self> {
        let mut metadata: Self = system::cargo_metadata(root, &["--no-deps"])?;
        for Package { manifest_path, .. } in &mut metadata.packages {
            if let Ok(relative) = manifest_path.strip_prefix(root) {
                *manifest_path = relative.to_owned();
            }
        }
        Ok(metadata)
    }

    fn has(&self, name: &str) -> bool {
        self.packages.iter().any(|package| package.name == name)
    }
}

/// The dependencies between crates that [`ALLOWED`] does not have.
pub(super) fn directions(metadata: &Metadata) -> Vec<String> {
    let mut problems = Vec::new();
    let mut problem = |path: &Path, what: String, remedy: &str| {
        problems.push(problem::in_file(path, what, remedy))
    };
    for Package { name, manifest_path, dependencies, .. } in &metadata.packages {
        let Some((_, allowed)) = ALLOWED.iter().find(|(listed, _)| listed == name) else {
            let what = format!("the crate {name} is not in the table of dependencies");
            let remedy = format!("add it to ALLOWED in {TABLE} and to ARCHITECTURE.md");
            problem(manifest_path, what, &remedy);
            continue;
        };
        for Dependency { name: on, kind, .. } in
            dependencies.iter().filter(|d| metadata.has(&d.name))
        {
            // Tests may look sideways and upwards, but not at programs.
            let permitted = match kind.as_deref() {
                Some("dev") => !PROGRAMS.contains(&on.as_str()),
                _ => allowed.split(' ').any(|allowed| allowed == on),
            };
            if !permitted {
                let allowed = allowed.replace(' ', ", ");
                let what = format!("{name} depends on {on}, but may depend only on [{allowed}]");
                let remedy =
                    "move what is needed to a crate below both, or pass it in as an argument";
                problem(manifest_path, what, remedy);
            }
        }
    }
    problems
}

/// Each `Cargo.toml` without the lints of the workspace, and the dependencies that no source file of the crate
/// names.
pub(super) fn settings(metadata: &Metadata, files: &[SourceFile]) -> Vec<String> {
    let mut problems = Vec::new();
    for package in &metadata.packages {
        let path = &package.manifest_path;
        let mut problem =
            |what: &str, remedy: &str| problems.push(problem::in_file(path, what, remedy));
        let is_manifest = |file: &&SourceFile| file.path == *path;
        let text = files.iter().find(is_manifest).and_then(|file| file.text_if("toml"));
        let lines: Vec<_> = text.unwrap_or("").lines().collect();
        if !lines.windows(2).any(|pair| pair == ["[lints]", "workspace = true"]) {
            problem("the lints of the workspace are missing", "add `[lints]` `workspace = true`");
        }
        for name in unused(package, files) {
            problem(
                &format!("no source file of the crate names the dependency {name}"),
                "remove it",
            );
        }
    }
    problems
}

/// The dependencies that no source file of the crate names, examples in its documentation included.
fn unused<'a>(package: &'a Package, files: &[SourceFile]) -> Vec<&'a str> {
    let folder = package.manifest_path.parent().unwrap_or(Path::new(""));
    let sources = files.iter().filter(|file| file.path.starts_with(folder));
    let lines: Vec<_> =
        sources.filter_map(|file| file.text_if("rs")).flat_map(str::lines).collect();
    let is_named = |name: &str| {
        let name = name.replace('-', "_");
        lines.iter().any(|line| {
            let is_comment = line.trim_start().starts_with("//");
            has_word(&code_of(line), &name) || is_comment && line.contains(&format!("{name}::"))
        })
    };
    let names = package.dependencies.iter().map(|d| d.rename.as_ref().unwrap_or(&d.name).as_str());
    names.filter(|name| !is_named(name)).collect()
}

const ARCHITECTURE: &str = "ARCHITECTURE.md";

/// Longer, and nobody reads it.
const MAX_LINES: usize = 150;

/// The rows ``| question | `crate` | what is in it |`` of ARCHITECTURE.md against the crates that exist.
pub(super) fn architecture(root: &Path, metadata: &Metadata) -> Result<Vec<String>> {
    Ok(rows(&workspace::read(root, Path::new(ARCHITECTURE))?, metadata))
}

fn rows(text: &str, metadata: &Metadata) -> Vec<String> {
    let path = Path::new(ARCHITECTURE);
    let mut problems = Vec::new();
    let lines = text.lines().count();
    if lines > MAX_LINES {
        let what = format!("has {lines} lines, expected at most {MAX_LINES}");
        problems.push(problem::in_line(path, MAX_LINES + 1, what, "say it shorter or elsewhere"));
    }
    fn crate_of(line: &str) -> Option<&str> {
        let cell = line.strip_prefix('|')?.split('|').map(str::trim).nth(1)?;
        cell.strip_prefix('`')?.strip_suffix('`')
    }
    let mut listed = Vec::new();
    for (line, text) in (1..).zip(text.lines()) {
        let Some(name) = crate_of(text) else { continue };
        if !metadata.has(name) || listed.contains(&name) {
            let what = format!("the table lists the crate {name} twice, or it does not exist");
            problems.push(problem::in_line(path, line, what, "remove the row"));
        }
        listed.push(name);
    }
    let is_missing = |package: &&Package| !listed.contains(&package.name.as_str());
    for Package { name, .. } in metadata.packages.iter().filter(is_missing) {
        let what = format!("the table does not list the crate {name}");
        problems.push(problem::in_file(path, what, "add a row that says what is in it"));
    }
    problems
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    /// All crates of the table, the one of this name with these changes.
    fn crates(changed: &str, changes: &Value) -> Metadata {
        let packages = ALLOWED.map(|(name, _)| {
            let mut package = json!({
                "name": name,
                "version": "0.1.0",
                "manifest_path": format!("crates/{name}/Cargo.toml"),
                "dependencies": [],
            });
            for (key, value) in changes.as_object().unwrap().iter().filter(|_| name == changed) {
                package[key] = value.clone();
            }
            package
        });
        serde_json::from_value(json!({ "packages": packages })).unwrap()
    }

    /// The one problem with this is found; none, if nothing is expected.
    fn assert_found(found: &[String], expected: &str) {
        let is_right = match expected {
            "" => found.is_empty(),
            _ => found.len() == 1 && found[0].contains(expected),
        };
        assert!(is_right, "{expected}: {found:?}");
    }

    #[test]
    fn the_table_has_no_cycle() {
        for (index, (name, allowed)) in ALLOWED.iter().enumerate() {
            for on in allowed.split_whitespace() {
                assert!(ALLOWED[..index].iter().any(|(above, _)| *above == on), "{name} on {on}");
            }
        }
    }

    #[test]
    fn dependencies_go_in_the_directions_of_the_table() {
        for (from, on, kind, expected) in [
            ("cnn", "layers", None, ""),
            ("numerics", "ndarray", None, ""),
            ("layers", "cnn", None, "crates/layers/Cargo.toml: layers depends on cnn, but may"),
            ("experiment", "layers", Some("build"), "experiment depends on layers"),
            // Tests may depend on the harness and not on programs.
            ("ffnn", "harness", None, "ffnn depends on harness"),
            ("ffnn", "harness", Some("dev"), ""),
            ("ffnn", "xtask", Some("dev"), "ffnn depends on xtask"),
        ] {
            let metadata = crates(from, &json!({ "dependencies": [{ "name": on, "kind": kind }] }));
            assert_found(&directions(&metadata), expected);
        }
        let renamed = crates("optim", &json!({ "name": "optimum" }));
        assert_found(&directions(&renamed), "the crate optimum is not in the table");
    }

    #[test]
    fn missing_lints_and_each_unused_dependency_are_found() {
        let lints = "[package]\n\n[lints]\nworkspace = true\n";
        for (dependency, manifest, expected) in [
            ("serde-json", lints, ""),
            ("rand_core", lints, "the dependency rand_core"),
            ("serde_json", "[package]\nworkspace = true\n", "the lints of the workspace"),
        ] {
            let change = json!({ "dependencies": [{ "name": dependency }] });
            let mut metadata = crates("optim", &change);
            metadata.packages.retain(|package| package.name == "optim");
            let source = "// rand_core\nuse serde_json::Value; const S: &str = \"rand_core\";";
            let files = [("Cargo.toml", manifest), ("src/lib.rs", source)].map(|(file, text)| {
                let path = format!("crates/optim/{file}").into();
                SourceFile { path, text: Some(text.to_owned()) }
            });
            assert_found(&settings(&metadata, &files), expected);
        }
    }

    #[test]
    fn architecture_has_a_row_for_each_crate_and_is_short() {
        let row = |name: &str| format!("| 4.2 | `{name}` | something |\n");
        let (crates, full) = (crates("", &json!({})), ALLOWED.map(|(name, _)| row(name)));
        for (text, expected) in [
            (full.concat(), ""),
            (full[1..].concat(), "ARCHITECTURE.md: the table does not list the crate system"),
            (
                row("no") + &full.concat(),
                "ARCHITECTURE.md:1: the table lists the crate no twice, or",
            ),
            (row("cnn") + &full.concat(), "the table lists the crate cnn twice"),
            (full.concat() + &"\n".repeat(151 - full.len()), "ARCHITECTURE.md:151: has 151 lines"),
        ] {
            assert_found(&rows(&text, &crates), expected);
        }
    }
}
