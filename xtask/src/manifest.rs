//! The committed data files against `fixtures/manifest.toml`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::Deserialize;
use sha2::{Digest, Sha256};

use crate::problem;
use crate::workspace;

/// The manifest, relative to the root.
pub(crate) const PATH: &str = "fixtures/manifest.toml";

/// The part of the manifest that the check of the bytes needs.
#[derive(Deserialize)]
pub(crate) struct Manifest {
    generator: Vec<Generator>,
    file: Vec<DataFile>,
}

/// A script that writes data files.
#[derive(Deserialize)]
struct Generator {
    /// The SHA-256 of the script and of its modules.
    sources: BTreeMap<PathBuf, String>,
}

#[derive(Deserialize)]
struct DataFile {
    path: PathBuf,
    generator: String,
    sha256: String,
}

/// Files beside the data that no generator writes or reads.
const DOCUMENTS: [&str; 3] = ["manifest.toml", "README.md", "requirements.txt"];

impl Manifest {
    /// Reads the manifest of the workspace.
    pub(crate) fn read(root: &Path) -> Result<Self> {
        let text = workspace::read(root, Path::new(PATH))?;
        toml::from_str(&text).with_context(|| format!("{PATH} is not a manifest"))
    }

    /// The number of data files.
    pub(crate) fn len(&self) -> usize {
        self.file.len()
    }

    /// The number of data files of a script.
    pub(crate) fn len_of(&self, script: &str) -> usize {
        self.file.iter().filter(|file| file.generator == script).count()
    }

    /// Everything in which the folders deviate from the manifest: files that are missing, changed or not
    /// listed, and scripts that were changed and not run.
    pub(crate) fn verify(&self, root: &Path) -> Result<Vec<String>> {
        let mut problems = Vec::new();
        let mut problem = |path: &Path, what: String, remedy: &str| {
            problems.push(problem::in_file(path, what, remedy));
        };
        let mut listed = BTreeSet::new();
        let data = self.file.iter().map(|file| (&file.path, &file.sha256));
        let sources = self.generator.iter().flat_map(|generator| &generator.sources);
        for (path, sha256) in data.chain(sources) {
            listed.insert(path.clone());
            match fs::read(root.join(path)) {
                Ok(bytes) => {
                    let got = system::hex(&Sha256::digest(&bytes));
                    if got != *sha256 {
                        let what = format!(
                            "was changed after the data was last written: it has SHA-256 {got}, expected \
                             {sha256}"
                        );
                        problem(path, what, REGENERATE);
                    }
                }
                Err(error) if error.kind() == ErrorKind::NotFound => {
                    let what = "is listed in the manifest and does not exist".to_owned();
                    problem(path, what, REGENERATE);
                }
                Err(error) => {
                    return Err(error).with_context(|| format!("cannot read {}", path.display()));
                }
            }
        }
        let mut folders: BTreeSet<_> =
            self.file.iter().filter_map(|file| file.path.parent()).collect();
        folders.insert(Path::new("fixtures"));
        for folder in folders.into_iter().filter(|folder| root.join(folder).is_dir()) {
            for path in workspace::paths(root, folder)? {
                if listed.insert(path.clone()) && !is_document(&path) {
                    let what = "is not listed in the manifest".to_owned();
                    let remedy = "delete it, or let a script in fixtures/ write it and its section";
                    problem(&path, what, remedy);
                }
            }
        }
        Ok(problems)
    }
}

const REGENERATE: &str = "restore it, or run `cargo xtask fixtures` and commit what it writes";

fn is_document(path: &Path) -> bool {
    path.file_name().is_some_and(|name| DOCUMENTS.iter().any(|document| name == *document))
}

#[cfg(test)]
mod tests {
    use super::*;

    // The SHA-256 of "abc", one of the examples of FIPS 180-4.
    const ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    /// A workspace with one data file and one script, both "abc", and its manifest.
    fn example() -> (tempfile::TempDir, Manifest) {
        let text = format!(
            r#"
            [[generator]]
            sources = {{ "fixtures/generate.py" = "{ABC}" }}
            [[file]]
            path = "iris/a.npz"
            generator = "fixtures/generate.py"
            sha256 = "{ABC}"
            "#
        );
        let root = system::for_tests::folder(&[
            ("iris/a.npz", "abc"),
            ("fixtures/generate.py", "abc"),
            ("fixtures/README.md", "not data"),
            (PATH, &text),
        ]);
        let manifest = Manifest::read(root.path()).unwrap();
        (root, manifest)
    }

    #[test]
    fn every_deviation_from_the_manifest_is_found() {
        for (path, contents, expected) in [
            ("iris/a.npz", Some("abc"), ""),
            ("iris/a.npz", Some("abd"), "iris/a.npz: was changed after the data"),
            ("iris/a.npz", None, "iris/a.npz: is listed in the manifest and does not exist"),
            ("fixtures/generate.py", Some("other"), "was changed after the data was last written"),
            ("fixtures/generate.py", None, "is listed in the manifest and does not exist"),
            ("fixtures/b.npz", Some("new"), "fixtures/b.npz: is not listed in the manifest"),
            ("iris/b.npz", Some("abc"), "iris/b.npz: is not listed in the manifest"),
        ] {
            let example = example();
            let path = example.0.path().join(path);
            match contents {
                Some(contents) => fs::write(&path, contents).unwrap(),
                None => fs::remove_file(&path).unwrap(),
            }
            let found = example.1.verify(example.0.path()).unwrap();
            assert_eq!(found.len(), usize::from(!expected.is_empty()), "{found:?}");
            assert!(found.join("").contains(expected), "{found:?}");
        }
    }
}
