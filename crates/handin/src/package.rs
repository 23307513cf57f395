//! The archive of all code, in memory.

use std::path::Path;

use frontmatter::FrontMatter;

use crate::HandinError;
use crate::archive;
use crate::file_list::{FileList, GitState};
use crate::grader_readme::readme;
use crate::left_out;
use crate::packed_file::{PackedFile, sha256};
use crate::screening::{KnownData, path_problem};

/// The archive of all code, with what is to be said about it.
#[derive(Debug)]
pub struct Package {
    /// The zip file.
    pub bytes: Vec<u8>,
    /// Its SHA-256.
    pub sha256: String,
    /// How many files it holds.
    pub files: usize,
    /// How many bytes they have.
    pub unpacked_bytes: usize,
    /// Files of the workspace that it leaves out on purpose.
    pub left_out: Vec<String>,
    /// Files whose lines end differently in the archive.
    pub carriage_returns: Vec<String>,
    /// What is missing in `book/report.toml`.
    pub missing: Vec<String>,
    /// Tracked files that differ from the last commit; `None` without git.
    pub changed: Option<Vec<String>>,
    /// Files that git neither tracks nor ignores; they are not in the archive.
    pub untracked: Vec<String>,
    /// The name that the archive gets, from the author and the student ID.
    pub name: String,
}

/// Where the names stand.
const FRONT_MATTER: &str = "book/report.toml";

/// What the grader reads first.
const README: &str = "README.md";

impl Package {
    /// Packs the workspace at `root`.
    ///
    /// # Errors
    /// [`HandinError::Unfit`] with every file that must not be in it; errors of reading;
    /// [`HandinError::Archive`] if what was written does not read back as the files of the workspace.
    pub fn pack(root: &Path) -> Result<Self, HandinError> {
        let front = FrontMatter::read(&root.join(FRONT_MATTER))?;
        let list = FileList::read(root)?;
        let known = KnownData::read(root)?;
        let (mut problems, mut left_out, mut files) = (Vec::new(), Vec::new(), Vec::new());
        for path in &list.paths {
            let slashes = path.to_str().map(|path| path.replace(std::path::MAIN_SEPARATOR, "/"));
            if let Some(path) = slashes.as_ref().filter(|path| left_out::kind_of(path).is_some()) {
                left_out.push(path.clone());
                continue;
            }
            if let Some(problem) = path_problem(root, path) {
                problems.push(problem);
                continue;
            }
            let path = slashes.ok_or_else(|| HandinError::Archive {
                what: format!("{} is not UTF-8", path.display()),
            })?;
            let file = PackedFile::read(root, &path)?;
            problems.extend(known.problem(&file));
            files.push(file);
        }
        if !problems.is_empty() {
            return Err(HandinError::Unfit { problems });
        }
        add_readme(&mut files, &front)?;
        // The order of the paths' bytes, whatever the system's order is; the README comes first.
        files.sort_by(|a, b| (a.path != README, &a.path).cmp(&(b.path != README, &b.path)));
        let bytes = archive::write(&files)?;
        let package = Self {
            sha256: sha256(&bytes),
            files: files.len(),
            unpacked_bytes: files.iter().map(|file| file.contents.len()).sum(),
            left_out,
            carriage_returns: (files.iter().filter(|file| file.had_carriage_returns))
                .map(|file| file.path.clone())
                .collect(),
            missing: front.missing(),
            name: name(&front),
            changed: list.git.as_ref().map(|git: &GitState| git.changed.clone()),
            untracked: list.git.map(|git| git.untracked).unwrap_or_default(),
            bytes,
        };
        package.check(root, &front)?;
        Ok(package)
    }

    /// Opens the archive again and compares it with the workspace, file by file.
    fn check(&self, root: &Path, front: &FrontMatter) -> Result<(), HandinError> {
        let damaged = |what: String| Err(HandinError::Archive { what });
        let packed = archive::read(&self.bytes)?;
        if packed.len() != self.files {
            return damaged(format!("it has {} files, expected {}", packed.len(), self.files));
        }
        for file in &packed {
            let mut original = PackedFile::read(root, &file.path)?;
            if file.path == README {
                original.contents = readme(front, &text_of(&original)?).into_bytes();
            }
            if original.sha256() != file.sha256() || original.executable != file.executable {
                return damaged(format!("{} differs from the workspace", file.path));
            }
        }
        Ok(())
    }
}

fn add_readme(files: &mut [PackedFile], front: &FrontMatter) -> Result<(), HandinError> {
    let Some(file) = files.iter_mut().find(|file| file.path == README) else {
        return Err(HandinError::Archive { what: format!("the workspace has no {README}") });
    };
    file.contents = readme(front, &text_of(file)?).into_bytes();
    Ok(())
}

fn text_of(file: &PackedFile) -> Result<String, HandinError> {
    let text = file.text().map(str::to_owned);
    text.ok_or_else(|| HandinError::Archive { what: format!("{} is no text", file.path) })
}

/// `cs189-hw6` with the author and the student ID, as far as they are known, letters of every alphabet
/// included.
fn name(front: &FrontMatter) -> String {
    let is_combining_accent = |c: &char| ('\u{300}'..='\u{36f}').contains(c);
    let slug = |value: &str| {
        let dashed: String = value
            .chars()
            .flat_map(char::to_lowercase)
            .filter(|c| !is_combining_accent(c))
            .map(|c| if c.is_alphanumeric() { c } else { '-' })
            .collect();
        dashed.split('-').filter(|part| !part.is_empty()).collect::<Vec<_>>().join("-")
    };
    let parts = ["cs189-hw6".to_owned(), slug(&front.author), slug(&front.student_id)];
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_has_what_is_known() {
        let front = FrontMatter {
            author: "Ada  Lovelace, PhD/../x".into(),
            student_id: "3031".into(),
            ..FrontMatter::default()
        };
        assert_eq!(name(&front), "cs189-hw6-ada-lovelace-phd-x-3031");
        assert_eq!(name(&FrontMatter::default()), "cs189-hw6");
        for (author, expected) in [
            ("José Núñez", "cs189-hw6-josé-núñez"),
            // The same with accents as characters of their own.
            ("Jose\u{301} Nu\u{301}n\u{303}ez", "cs189-hw6-jose-nunez"),
            ("Иван", "cs189-hw6-иван"),
        ] {
            let front = FrontMatter { author: author.into(), ..FrontMatter::default() };
            assert_eq!(name(&front), expected);
        }
    }
}
