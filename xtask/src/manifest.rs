//! The committed data files against `fixtures/manifest.toml`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::Deserialize;
use sha2::{Digest, Sha256};

use crate::problem::Problem;
use crate::workspace;

/// Where the manifest is.
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
    pub(crate) fn verify(&self, root: &Path) -> Result<Vec<Problem>> {
        let mut problems = Vec::new();
        let mut listed = BTreeSet::new();
        for file in &self.file {
            if !listed.insert(file.path.clone()) {
                let what = format!("lists {} twice", file.path.display());
                problems.push(Problem::in_file(Path::new(PATH), what, REGENERATE));
            }
            if !self.generator.iter().any(|generator| generator.script == file.generator) {
                let what =
                    format!("{} has no [[generator]] {}", file.path.display(), file.generator);
                problems.push(Problem::in_file(Path::new(PATH), what, REGENERATE));
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
            problems.push(Problem::in_file(path, what, REGENERATE));
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
            problems.push(Problem::in_file(path, what, remedy));
        }
        problems.dedup();
        Ok(problems)
    }
}

const REGENERATE: &str = "restore it, or run `cargo xtask fixtures` and commit what it writes";

impl DataFile {
    fn verify(&self, root: &Path) -> Result<Option<Problem>> {
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
        Ok(Some(Problem::in_file(&self.path, what, REGENERATE)))
    }
}

/// The size and SHA-256 of a file; `None` if there is none.
fn hash(root: &Path, path: &Path) -> Result<Option<(u64, String)>> {
    let bytes = match fs::read(root.join(path)) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        read => read.with_context(|| format!("cannot read {}", path.display()))?,
    };
    let digest = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(Some((bytes.len() as u64, digest)))
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
    fn example() -> (tempfile::TempDir, Manifest) {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir_all(root.path().join("fixtures/course")).unwrap();
        for path in ["fixtures/course/a.npz", "fixtures/generate.py"] {
            fs::write(root.path().join(path), "abc").unwrap();
        }
        let text = format!(
            r#"
            [[generator]]
            script = "fixtures/generate.py"
            sources = {{ "fixtures/generate.py" = "{ABC}" }}
            [[file]]
            path = "fixtures/course/a.npz"
            generator = "fixtures/generate.py"
            bytes = 3
            sha256 = "{ABC}"
            "#
        );
        fs::write(root.path().join(PATH), text).unwrap();
        let manifest = Manifest::read(root.path()).unwrap();
        (root, manifest)
    }

    fn problems(root: &Path, manifest: &Manifest) -> Vec<String> {
        manifest.verify(root).unwrap().iter().map(Problem::to_string).collect()
    }

    #[test]
    fn files_as_listed_are_in_order() {
        let (root, manifest) = example();
        assert_eq!(problems(root.path(), &manifest), [""; 0]);
    }

    #[test]
    fn a_changed_byte_is_found() {
        let (root, manifest) = example();
        fs::write(root.path().join("fixtures/course/a.npz"), "abd").unwrap();
        let problems = problems(root.path(), &manifest);
        assert_eq!(problems.len(), 1);
        assert!(problems[0].starts_with("fixtures/course/a.npz: has SHA-256 "), "{problems:?}");
    }

    #[test]
    fn a_truncated_and_a_missing_file_are_found() {
        let (root, manifest) = example();
        fs::write(root.path().join("fixtures/course/a.npz"), "ab").unwrap();
        assert!(problems(root.path(), &manifest)[0].contains("has 2 bytes, expected 3"));
        fs::remove_file(root.path().join("fixtures/course/a.npz")).unwrap();
        assert!(problems(root.path(), &manifest)[0].contains("does not exist"));
    }

    #[test]
    fn a_changed_script_is_found() {
        let (root, manifest) = example();
        fs::write(root.path().join("fixtures/generate.py"), "other").unwrap();
        let problems = problems(root.path(), &manifest);
        assert!(problems[0].contains("was changed after it last wrote the data"), "{problems:?}");
    }

    #[test]
    fn an_unlisted_file_is_found_also_in_other_folders_of_data() {
        let (root, mut manifest) = example();
        fs::write(root.path().join("fixtures/README.md"), "not data").unwrap();
        fs::write(root.path().join("fixtures/course/b.npz"), "new").unwrap();
        assert!(problems(root.path(), &manifest)[0].starts_with("fixtures/course/b.npz: is not"));

        fs::create_dir(root.path().join("iris")).unwrap();
        fs::write(root.path().join("iris/b.npy"), "abc").unwrap();
        manifest.file[0].path = "iris/a.npy".into();
        let problems = problems(root.path(), &manifest);
        assert!(problems.iter().any(|problem| problem.starts_with("iris/b.npy: is not listed")));
    }

    #[test]
    fn a_file_without_generator_is_found() {
        let (root, mut manifest) = example();
        manifest.file[0].generator = "fixtures/other.py".into();
        assert!(problems(root.path(), &manifest)[0].contains("no [[generator]] fixtures/other.py"));
    }
}
