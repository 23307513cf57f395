//! The committed data files against `fixtures/manifest.toml`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
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
    script: String,
    /// The SHA-256 of the script and of its modules.
    sources: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct DataFile {
    path: PathBuf,
    generator: String,
    bytes: u64,
    sha256: String,
}

/// Files beside the data that no generator writes or reads.
const DOCUMENTS: [&str; 3] = ["manifest.toml", "README.md", "requirements.txt"];

impl Manifest {
    /// Reads the manifest of the workspace.
    pub(crate) fn read(root: &Path) -> Result<Self> {
        let text =
            fs::read_to_string(root.join(PATH)).with_context(|| format!("cannot read {PATH}"))?;
        toml::from_str(&text).with_context(|| format!("{PATH} is not a manifest"))
    }

    /// The number of data files.
    pub(crate) fn len(&self) -> usize {
        self.file.len()
    }

    /// The data files of a script.
    pub(crate) fn files_of<'a>(&'a self, script: &'a str) -> impl Iterator<Item = &'a Path> {
        self.file
            .iter()
            .filter(move |file| file.generator == script)
            .map(|file| file.path.as_path())
    }

    /// Everything in which the folders deviate from the manifest: files that are missing, changed,
    /// listed twice or not listed, and scripts that were changed and not run.
    pub(crate) fn verify(&self, root: &Path) -> Result<Vec<String>> {
        let mut problems = Vec::new();
        let mut listed = BTreeSet::new();
        for file in &self.file {
            if !listed.insert(file.path.clone()) {
                let what = format!("lists {} twice", file.path.display());
                problems.push(problem::in_file(Path::new(PATH), what, REGENERATE));
            }
            if !self.generator.iter().any(|generator| generator.script == file.generator) {
                let what =
                    format!("{} has no [[generator]] {}", file.path.display(), file.generator);
                problems.push(problem::in_file(Path::new(PATH), what, REGENERATE));
            }
            problems.extend(file.verify(root)?);
        }
        for (source, sha256) in self.generator.iter().flat_map(|generator| &generator.sources) {
            listed.insert(source.into());
            let path = Path::new(source);
            let got = hash(root, path)?;
            if got.as_ref().is_some_and(|(_, got)| got == sha256) {
                continue;
            }
            let what = if got.is_some() {
                "was changed after it last wrote the data"
            } else {
                "is named by the manifest and does not exist"
            };
            problems.push(problem::in_file(path, what, REGENERATE));
        }
        let mut folders: BTreeSet<_> =
            self.file.iter().filter_map(|file| file.path.parent()).collect();
        folders.insert(Path::new("fixtures"));
        let mut present = BTreeSet::new();
        for folder in folders.into_iter().filter(|folder| root.join(folder).is_dir()) {
            present.extend(workspace::paths(root, folder)?);
        }
        for path in present.difference(&listed).filter(|path| !is_document(path)) {
            let what = "is not listed in the manifest";
            let remedy = "delete it, or let a script in fixtures/ write it and its section";
            problems.push(problem::in_file(path, what, remedy));
        }
        problems.dedup();
        Ok(problems)
    }
}

const REGENERATE: &str = "restore it, or run `cargo xtask fixtures` and commit what it writes";

impl DataFile {
    fn verify(&self, root: &Path) -> Result<Option<String>> {
        let what = match hash(root, &self.path)? {
            None => "is listed in the manifest and does not exist".to_owned(),
            Some((bytes, _)) if bytes != self.bytes => {
                format!("has {bytes} bytes, expected {}", self.bytes)
            }
            Some((_, got)) if got != self.sha256 => {
                format!("has SHA-256 {got}, expected {}", self.sha256)
            }
            Some(_) => return Ok(None),
        };
        Ok(Some(problem::in_file(&self.path, what, REGENERATE)))
    }
}

/// The size and SHA-256 of a file; `None` if there is none.
fn hash(root: &Path, path: &Path) -> Result<Option<(u64, String)>> {
    let bytes = match fs::read(root.join(path)) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        read => read.with_context(|| format!("cannot read {}", path.display()))?,
    };
    Ok(Some((bytes.len() as u64, system::hex(&Sha256::digest(&bytes)))))
}

fn is_document(path: &Path) -> bool {
    path.file_name().is_some_and(|name| DOCUMENTS.iter().any(|document| name == *document))
}

#[cfg(test)]
mod tests {
    use super::*;

    // The SHA-256 of "abc", one of the examples of FIPS 180-4.
    const ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    /// A workspace with one data file and one script, both "abc", and its manifest.
    fn example(generator: &str) -> (tempfile::TempDir, Manifest) {
        let root = tempfile::tempdir().unwrap();
        let text = format!(
            r#"
            [[generator]]
            script = "fixtures/generate.py"
            sources = {{ "fixtures/generate.py" = "{ABC}" }}
            [[file]]
            path = "iris/a.npz"
            generator = "{generator}"
            bytes = 3
            sha256 = "{ABC}"
            "#
        );
        for (path, contents) in [
            ("iris/a.npz", "abc"),
            ("fixtures/generate.py", "abc"),
            ("fixtures/README.md", "not data"),
            (PATH, &text),
        ] {
            fs::create_dir_all(root.path().join(path).parent().unwrap()).unwrap();
            fs::write(root.path().join(path), contents).unwrap();
        }
        let manifest = Manifest::read(root.path()).unwrap();
        (root, manifest)
    }

    fn problems((root, manifest): &(tempfile::TempDir, Manifest)) -> Vec<String> {
        manifest.verify(root.path()).unwrap()
    }

    #[test]
    fn every_deviation_from_the_manifest_is_found() {
        for (path, contents, expected) in [
            ("iris/a.npz", Some("abc"), ""),
            ("iris/a.npz", Some("abd"), "iris/a.npz: has SHA-256 "),
            ("iris/a.npz", Some("ab"), "iris/a.npz: has 2 bytes, expected 3"),
            ("iris/a.npz", None, "iris/a.npz: is listed in the manifest and does not exist"),
            ("fixtures/generate.py", Some("other"), "was changed after it last wrote the data"),
            ("fixtures/generate.py", None, "is named by the manifest and does not exist"),
            ("fixtures/b.npz", Some("new"), "fixtures/b.npz: is not listed in the manifest"),
            ("iris/b.npz", Some("abc"), "iris/b.npz: is not listed in the manifest"),
        ] {
            let example = example("fixtures/generate.py");
            let path = example.0.path().join(path);
            match contents {
                Some(contents) => fs::write(&path, contents).unwrap(),
                None => fs::remove_file(&path).unwrap(),
            }
            let found = problems(&example);
            assert_eq!(found.len(), usize::from(!expected.is_empty()), "{found:?}");
            assert!(found.join("").contains(expected), "{found:?}");
        }
        let found = problems(&example("fixtures/other.py"));
        assert!(
            found[0].contains("iris/a.npz has no [[generator]] fixtures/other.py"),
            "{found:?}"
        );
        let mut twice = example("fixtures/generate.py");
        let again = Manifest::read(twice.0.path()).unwrap();
        twice.1.file.extend(again.file);
        assert!(problems(&twice)[0].contains("lists iris/a.npz twice"));
    }
}
