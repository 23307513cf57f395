//! How the crates depend on each other, and what their `Cargo.toml` must say.

use std::path::Path;

use anyhow::{Context, Result};

use super::metadata::{Metadata, Package};
use super::rust_tokens::{Token, tokens};
use crate::problem::Problem;
use crate::workspace::SourceFile;

/// For each crate, the crates of the workspace that it may depend on: ARCHITECTURE.md in a table.
///
/// Every line names only crates of lines above it, so there is no cycle.
pub(super) const ALLOWED: [(&str, &[&str]); 24] = [
    ("stdio", &[]),
    ("metadata", &[]),
    ("disk", &[]),
    // One file that a reader begins with: arrays, and nothing of the other crates.
    ("from_scratch", &[]),
    ("numerics", &[]),
    ("activations", &["numerics"]),
    ("losses", &["numerics", "activations"]),
    ("layers", &["numerics", "activations"]),
    ("cnn", &["numerics", "activations", "layers"]),
    ("optim", &["numerics", "layers"]),
    ("datasets", &["numerics"]),
    // The only crate that knows of the network.
    ("acquire", &["stdio", "disk", "datasets"]),
    // A headless browser: it knows nothing of books.
    ("browser", &["disk"]),
    // The record of a run knows the number type, and none of the mathematics.
    ("experiment", &["disk", "numerics"]),
    (
        "ffnn",
        &[
            "stdio",
            "numerics",
            "activations",
            "losses",
            "layers",
            "cnn",
            "optim",
            "datasets",
            "experiment",
        ],
    ),
    // Images in memory and records on disk; it fetches nothing.
    (
        "training",
        &[
            "stdio",
            "numerics",
            "activations",
            "losses",
            "layers",
            "cnn",
            "optim",
            "datasets",
            "experiment",
            "ffnn",
        ],
    ),
    // The record of a benchmark is read by the book.
    (
        "bench",
        &[
            "stdio",
            "metadata",
            "numerics",
            "activations",
            "losses",
            "layers",
            "cnn",
            "optim",
            "experiment",
            "ffnn",
            "training",
        ],
    ),
    ("einsum", &["stdio", "numerics"]),
    (
        "kaggle",
        &[
            "stdio",
            "disk",
            "numerics",
            "activations",
            "losses",
            "layers",
            "cnn",
            "optim",
            "datasets",
            "acquire",
            "experiment",
            "ffnn",
            "training",
        ],
    ),
    (
        "harness",
        &[
            "stdio",
            "metadata",
            "disk",
            "numerics",
            "activations",
            "losses",
            "layers",
            "cnn",
            "optim",
            "datasets",
            "experiment",
            "ffnn",
            "einsum",
        ],
    ),
    ("frontmatter", &[]),
    // It draws functions, schedules and a loss with the code that the book is about, and compares its
    // widgets with that code.
    (
        "report",
        &[
            "stdio",
            "metadata",
            "disk",
            "numerics",
            "activations",
            "cnn",
            "optim",
            "datasets",
            "browser",
            "experiment",
            "ffnn",
            "training",
            "bench",
            "harness",
            "frontmatter",
        ],
    ),
    // It reads files as text, so it needs none of the crates that they make up.
    ("handin", &["stdio", "metadata", "disk", "frontmatter"]),
    // Compiled before everything else, so it depends on next to nothing.
    ("xtask", &["stdio", "metadata", "disk"]),
];

/// Crates that not even tests may depend on: they are programs.
const PROGRAMS: [&str; 3] = ["kaggle", "report", "xtask"];

/// The dependencies between crates that [`ALLOWED`] does not have.
pub(super) fn directions(metadata: &Metadata) -> Vec<Problem> {
    let mut problems = Vec::new();
    let is_ours = |name: &str| metadata.packages.iter().any(|package| package.name == name);
    for package in &metadata.packages {
        let Some((_, allowed)) = ALLOWED.iter().find(|(name, _)| *name == package.name) else {
            let what = format!("the crate {} is not in the table of dependencies", package.name);
            let remedy = "add it to ALLOWED in xtask/src/check/packages.rs and to ARCHITECTURE.md";
            problems.push(Problem::in_file(&package.manifest_path, what, remedy));
            continue;
        };
        for dependency in package.dependencies.iter().filter(|d| is_ours(&d.name)) {
            let name = dependency.name.as_str();
            // Tests may look sideways and upwards, but not at programs.
            let permitted = match dependency.kind.as_deref() {
                Some("dev") => !PROGRAMS.contains(&name),
                _ => allowed.contains(&name),
            };
            if !permitted {
                let what = format!(
                    "{} depends on {name}, but may depend only on [{}]",
                    package.name,
                    allowed.join(", ")
                );
                let remedy =
                    "move what is needed to a crate below both, or pass it in as an argument";
                problems.push(Problem::in_file(&package.manifest_path, what, remedy));
            }
        }
    }
    for (name, _) in ALLOWED.iter().filter(|(name, _)| !is_ours(name)) {
        let what = format!("the table of dependencies has the crate {name}, which does not exist");
        problems.push(Problem::in_file(Path::new(TABLE), what, "remove it from ALLOWED"));
    }
    problems
}

const TABLE: &str = "xtask/src/check/packages.rs";

/// What every `Cargo.toml` must say, and dependencies that no source file of the crate names.
pub(super) fn settings(metadata: &Metadata, files: &[SourceFile]) -> Result<Vec<Problem>> {
    let mut problems = Vec::new();
    for package in &metadata.packages {
        let mut problem = |what: &str, remedy: &str| {
            problems.push(Problem::in_file(&package.manifest_path, what, remedy));
        };
        let description = package.description.as_deref().unwrap_or("");
        if description.split_whitespace().count() < 3 {
            let what = format!("the description {description:?} says nothing");
            problem(&what, "say in one line what the crate is for");
        }
        let text = files.iter().find(|file| file.path == package.manifest_path);
        let text = text.and_then(SourceFile::text).with_context(|| {
            format!("{} is not among the files", package.manifest_path.display())
        })?;
        let manifest: toml::Table = toml::from_str(text)
            .with_context(|| format!("cannot parse {}", package.manifest_path.display()))?;
        let lints = manifest.get("lints").and_then(|lints| lints.get("workspace"));
        if lints.and_then(toml::Value::as_bool) != Some(true) {
            problem("the lints of the workspace are off", "add `[lints]` with `workspace = true`");
        }
        if package.publish.as_deref() != Some(&[]) {
            problem("it could be published", "add `publish.workspace = true`");
        }
        for (name, present) in [
            ("license", package.license.is_some()),
            ("rust-version", package.rust_version.is_some()),
        ] {
            if !present {
                let remedy = format!("add `{name}.workspace = true`");
                problem(&format!("it has no {name}"), &remedy);
            }
        }
        let first = &metadata.packages[0];
        for (name, own, shared) in [
            ("version", &package.version, &first.version),
            ("edition", &package.edition, &first.edition),
        ] {
            if own != shared {
                let what = format!("its {name} is {own}, and that of {} is {shared}", first.name);
                problem(&what, &format!("use `{name}.workspace = true` in both"));
            }
        }
        for name in unused(package, files) {
            let what = format!("no source file of the crate names the dependency {name}");
            problem(&what, "remove it");
        }
    }
    Ok(problems)
}

/// The dependencies that no source file of the crate names.
fn unused<'a>(package: &'a Package, files: &[SourceFile]) -> Vec<&'a str> {
    let sources: Vec<_> = files
        .iter()
        .filter(|file| file.path.starts_with(package.folder()))
        .filter_map(|file| file.text_if("rs"))
        .flat_map(tokens)
        .collect();
    let is_named = |name: &str| {
        let name = name.replace('-', "_");
        sources.iter().any(|spanned| match spanned.token {
            Token::Word(word) => word == name,
            // Examples in the documentation use dependencies too.
            Token::Comment(text) => text.starts_with("//") && text.contains(&format!("{name}::")),
            _ => false,
        })
    };
    let names = package.dependencies.iter().map(|d| d.rename.as_ref().unwrap_or(&d.name).as_str());
    names.filter(|name| !is_named(name)).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// All crates of the table, without dependencies.
    fn crates() -> serde_json::Value {
        let packages: Vec<_> = ALLOWED
            .iter()
            .map(|(name, _)| {
                json!({
                    "name": name,
                    "version": "0.1.0",
                    "edition": "2024",
                    "description": "One narrow job",
                    "license": "MIT",
                    "rust_version": "1.95",
                    "publish": [],
                    "manifest_path": format!("crates/{name}/Cargo.toml"),
                    "dependencies": [],
                })
            })
            .collect();
        json!({ "packages": packages })
    }

    fn package<'a>(crates: &'a mut serde_json::Value, name: &str) -> &'a mut serde_json::Value {
        let packages = crates["packages"].as_array_mut().unwrap();
        packages.iter_mut().find(|package| package["name"] == name).unwrap()
    }

    fn depend(from: &str, on: &str, kind: Option<&str>) -> Vec<String> {
        let mut crates = crates();
        package(&mut crates, from)["dependencies"] = json!([{ "name": on, "kind": kind }]);
        let metadata: Metadata = serde_json::from_value(crates).unwrap();
        directions(&metadata).iter().map(Problem::to_string).collect()
    }

    #[test]
    fn the_table_has_no_cycle() {
        for (index, (name, allowed)) in ALLOWED.iter().enumerate() {
            for on in *allowed {
                assert!(ALLOWED[..index].iter().any(|(above, _)| above == on), "{name} on {on}");
            }
        }
    }

    #[test]
    fn dependencies_of_the_table_pass() {
        assert_eq!(depend("cnn", "layers", None), [""; 0]);
        assert_eq!(depend("numerics", "ndarray", None), [""; 0]);
    }

    #[test]
    fn a_dependency_in_the_wrong_direction_is_found() {
        let problems = depend("layers", "cnn", None);
        assert_eq!(problems.len(), 1);
        assert!(problems[0].starts_with("crates/layers/Cargo.toml: layers depends on cnn"));
        assert_eq!(depend("experiment", "layers", Some("build")).len(), 1);
        assert_eq!(depend("ffnn", "harness", None).len(), 1);
    }

    #[test]
    fn tests_may_depend_on_the_harness_and_not_on_programs() {
        assert_eq!(depend("ffnn", "harness", Some("dev")), [""; 0]);
        assert_eq!(depend("ffnn", "xtask", Some("dev")).len(), 1);
    }

    #[test]
    fn crates_and_table_must_agree() {
        let mut crates = crates();
        package(&mut crates, "optim")["name"] = json!("optimum");
        let metadata: Metadata = serde_json::from_value(crates).unwrap();
        let problems: Vec<_> = directions(&metadata).iter().map(Problem::to_string).collect();
        assert!(problems[0].contains("optimum is not in the table"), "{problems:?}");
        assert!(problems[1].contains("has the crate optim, which does not exist"), "{problems:?}");
    }

    const MANIFEST: &str = "[lints]\nworkspace = true\n";

    /// The problems of a workspace of one crate with this `Cargo.toml` and `src/lib.rs`.
    fn check_settings(change: serde_json::Value, manifest: &str, source: &str) -> Vec<String> {
        let mut crates = crates();
        let mut one = package(&mut crates, "optim").clone();
        for (key, value) in change.as_object().unwrap() {
            one[key] = value.clone();
        }
        let metadata = serde_json::from_value(json!({ "packages": [one] })).unwrap();
        let files = [("crates/optim/Cargo.toml", manifest), ("crates/optim/src/lib.rs", source)]
            .map(|(path, text)| SourceFile { path: path.into(), text: Some(text.to_owned()) });
        settings(&metadata, &files).unwrap().iter().map(Problem::to_string).collect()
    }

    #[test]
    fn a_complete_manifest_passes() {
        assert_eq!(check_settings(json!({}), MANIFEST, ""), [""; 0]);
    }

    #[test]
    fn each_missing_setting_is_found() {
        for (change, expected) in [
            (json!({ "description": "TODO" }), "the description \"TODO\" says nothing"),
            (json!({ "description": null }), "the description \"\" says nothing"),
            (json!({ "publish": null }), "it could be published"),
            (json!({ "license": null }), "it has no license"),
            (json!({ "rust_version": null }), "it has no rust-version"),
        ] {
            let problems = check_settings(change, MANIFEST, "");
            assert_eq!(problems.len(), 1, "{problems:?}");
            assert!(problems[0].contains(expected), "{problems:?}");
        }
        assert!(check_settings(json!({}), "", "")[0].contains("lints of the workspace are off"));
    }

    #[test]
    fn a_dependency_that_is_not_named_is_found() {
        let change = json!({ "dependencies": [{ "name": "rand_core" }, { "name": "serde-json" }] });
        let source = "// rand_core\nuse serde_json::Value; const S: &str = \"rand_core\";";
        let problems = check_settings(change, MANIFEST, source);
        assert_eq!(problems.len(), 1, "{problems:?}");
        assert!(problems[0].contains("names the dependency rand_core"), "{problems:?}");
    }
}
