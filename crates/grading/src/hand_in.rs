//! Hand-ins: where they are, and what they are.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use handin::graded_files;

/// The file that names the command of a program in any language.
pub(crate) const SUBJECT_FILE: &str = "subject.toml";

/// Names in a folder that is one hand-in: folders of the course's code, and of a workspace in Rust.
const NAMES: [&str; 6] = [SUBJECT_FILE, "neural_networks", "code", "hw6", "hw6_release", "crates"];

/// One student's folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct HandIn {
    /// That of the folder.
    pub(crate) name: String,
    pub(crate) folder: PathBuf,
}

/// What a hand-in is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A program with a file that names its command.
    Program,
    /// The course's package in NumPy.
    Numpy,
    /// A starter in Rust, and where it is.
    Rust(PathBuf),
}

impl HandIn {
    /// A starter may lie in a folder of its own, as archives of folders are unpacked.
    pub(crate) fn kind(&self) -> Result<Kind> {
        let folder = innermost(&self.folder)?;
        if folder.join(SUBJECT_FILE).exists() {
            return Ok(Kind::Program);
        }
        let is_starter =
            |folder: &PathBuf| graded_files().iter().any(|file| folder.join(file).exists());
        let folders = [folders(&folder)?, vec![folder]].concat();
        Ok(folders.into_iter().find(is_starter).map_or(Kind::Numpy, Kind::Rust))
    }
}

/// The hand-ins that are meant: each path is `one`, or else may be a folder of many.
pub(crate) fn find(paths: &[PathBuf], one: bool) -> Result<Vec<HandIn>> {
    let mut found = BTreeMap::new();
    for path in paths {
        let folder = fs::canonicalize(path)
            .with_context(|| format!("{} cannot be graded", path.display()))?;
        if folder.is_file() {
            bail!(
                "{} is a file, and a hand-in is a folder; of a starter the document with the graded code is not \
                 enough",
                path.display()
            );
        }
        let below = folders(&folder)?;
        let is_one = one || is_hand_in(&folder)? || below.is_empty();
        let folders = if is_one { vec![folder] } else { below };
        for folder in folders {
            let name = folder.file_name().context("the root folder is no hand-in")?;
            let name = name.to_str().with_context(|| {
                format!("{} has a name that is not UTF-8; rename it", folder.display())
            })?;
            if let Some(other) = found.insert(name.to_owned(), folder.clone())
                && other != folder
            {
                let (one, two) = (other.display(), folder.display());
                bail!(
                    "{one} and {two} have the same name, by which results are kept; rename one of them"
                );
            }
        }
    }
    Ok(found.into_iter().map(|(name, folder)| HandIn { name, folder }).collect())
}

fn folders(of: &Path) -> Result<Vec<PathBuf>> {
    let entries =
        system::entries(of).with_context(|| format!("{} cannot be listed", of.display()))?;
    let folders = entries.iter().map(fs::DirEntry::path);
    Ok(folders.filter(|path| path.is_dir() && !path.is_symlink()).collect())
}

/// Whether a folder is one hand-in: a program, a starter, or code of the course in it or in a folder of its names.
fn is_hand_in(folder: &Path) -> Result<bool> {
    let entries = system::entries(folder)
        .with_context(|| format!("{} cannot be listed", folder.display()))?;
    Ok(entries.iter().any(|entry| {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        name.ends_with(".py") || NAMES.contains(&&*name)
    }))
}

/// The folder with the content: an archive often has a single one, in which everything else is.
pub(crate) fn innermost(folder: &Path) -> Result<PathBuf> {
    let entries = system::entries(folder)
        .with_context(|| format!("{} cannot be listed", folder.display()))?;
    match &*entries {
        // The package and the workspace are named by the folder above.
        [only]
            if only.file_type()?.is_dir()
                && !["neural_networks", "crates"].iter().any(|name| only.file_name() == *name) =>
        {
            innermost(&only.path())
        }
        _ => Ok(folder.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use system::for_tests::folder;

    use super::*;

    fn found(root: &Path, paths: &[&str]) -> Result<Vec<String>> {
        let paths: Vec<PathBuf> = paths.iter().map(|path| root.join(path)).collect();
        Ok(find(&paths, false)?.into_iter().map(|hand_in| hand_in.name).collect())
    }

    #[test]
    fn a_path_is_a_hand_in_or_a_folder_of_many() {
        let root = folder(&[
            ("class/ada/hw6/neural_networks/layers.py", ""),
            ("class/bob/subject.toml", ""),
            ("class/eve/notes.txt", ""),
            ("class/.DS_Store", ""),
            ("other/ada/layers.py", ""),
        ]);
        let found = |paths: &[&str]| found(root.path(), paths);
        assert_eq!(found(&["class"]).unwrap(), ["ada", "bob", "eve"]);
        assert_eq!(found(&["class/ada", "class/eve"]).unwrap(), ["ada", "eve"]);
        assert_eq!(found(&["class/ada", "class"]).unwrap(), ["ada", "bob", "eve"]);
        let error = found(&["class", "other"]).unwrap_err().to_string();
        assert!(error.contains("have the same name"), "{error}");
        let error = found(&["nobody"]).unwrap_err().to_string();
        assert!(error.ends_with("nobody cannot be graded"), "{error}");
        let one = find(&[root.path().join("class")], true).unwrap();
        assert_eq!((one.len(), &*one[0].name), (1, "class"));
    }

    #[test]
    fn a_hand_in_is_a_program_a_starter_or_a_package_in_numpy() {
        let root = folder(&[
            ("ada/hw6/crates/activations/src/relu.rs", "fn"),
            ("ada/hw6/Cargo.toml", "x"),
            ("eve/crates/activations/src/relu.rs", "x"),
            ("eve/subject.toml", "command = [\"x\"]"),
            ("bob/neural_networks/layers.py", ""),
        ]);
        let kind = |name: &str| {
            let folder = root.path().join(name);
            HandIn { name: name.into(), folder }.kind().unwrap()
        };
        assert_eq!(kind("ada"), Kind::Rust(root.path().join("ada/hw6")));
        assert_eq!((kind("eve"), kind("bob")), (Kind::Program, Kind::Numpy));
        assert_eq!(found(root.path(), &["ada/hw6"]).unwrap(), ["hw6"]);
        let error = found(root.path(), &["ada/hw6/Cargo.toml"]).unwrap_err().to_string();
        assert!(error.contains("is a file, and a hand-in is a folder"), "{error}");
    }
}
