//! The archive of all code, in memory.

use std::path::Path;

use anyhow::{Context, Result, bail};
use frontmatter::FrontMatter;

use crate::archive::{self, PackedFile, sha256};
use crate::file_list::FileList;
use crate::graded::unwritten;
use crate::grader_readme::readme;
use crate::screening::{is_left_out, is_left_out_of_starter, known_data, path_problem, problem};
use crate::starter::SUMS;

/// The archive of all code, with what is to be said about it.
#[derive(Debug)]
pub struct Package {
    /// The zip file.
    pub bytes: Vec<u8>,
    /// Its SHA-256.
    pub sha256: String,
    /// The number of its files.
    pub files: usize,
    /// The sum of their bytes.
    pub unpacked_bytes: usize,
    /// Files of the workspace that it leaves out on purpose.
    pub left_out: Vec<String>,
    /// The functions of a starter that are still to be written, each with its file and line.
    pub unwritten: Vec<String>,
    /// Values that are missing in `book/report.toml`.
    pub missing: Vec<String>,
    /// Tracked files that differ from the last commit; `None` without git.
    pub changed: Option<Vec<String>>,
    /// Files that git neither tracks nor ignores; they are not in the archive.
    pub untracked: Vec<String>,
    /// The name that the archive gets, from the author and the student ID.
    pub name: String,
}

/// The names of the author and of the collaborators.
const FRONT_MATTER: &str = "book/report.toml";

/// The first file of the archive, for the grader.
const README: &str = "README.md";

impl Package {
    /// Packs the workspace at `root`.
    ///
    /// # Errors
    /// If files must not be in it, which are all listed; or if one cannot be read.
    pub fn pack(root: &Path) -> Result<Self> {
        let front = FrontMatter::read(&root.join(FRONT_MATTER))?;
        let list = FileList::read(root)?;
        let known = known_data(root)?;
        let is_starter = root.join(SUMS).is_file();
        let is_left_out =
            |path: &str| is_left_out(path) || is_starter && is_left_out_of_starter(path);
        let (mut problems, mut left_out, mut files) = (Vec::new(), Vec::new(), Vec::new());
        for path in &list.paths {
            let slashes = path.to_str().map(|path| path.replace(std::path::MAIN_SEPARATOR, "/"));
            if let Some(path) = slashes.as_ref().filter(|path| is_left_out(path)) {
                left_out.push(path.clone());
                continue;
            }
            if let Some(problem) = path_problem(root, path) {
                problems.push(problem);
                continue;
            }
            let file = PackedFile::read(root, &slashes.unwrap_or_default())?;
            problems.extend(problem(&known, &file));
            files.push(file);
        }
        if !problems.is_empty() {
            bail!("the archive would hold what it must not:\n  {}", problems.join("\n  "));
        }
        let own = files.iter_mut().find(|file| file.path == README);
        let own = own.with_context(|| format!("the workspace has no {README}"))?;
        let text = own.text().with_context(|| format!("{README} is no text"))?;
        own.contents = readme(&front, text, is_starter).into_bytes();
        // The order of the paths' bytes, whatever the system's order is; the README comes first.
        files.sort_by(|a, b| (a.path != README, &a.path).cmp(&(b.path != README, &b.path)));
        let bytes = archive::write(&files)?;
        Ok(Self {
            sha256: sha256(&bytes),
            files: files.len(),
            unpacked_bytes: files.iter().map(|file| file.contents.len()).sum(),
            left_out,
            unwritten: unwritten(root),
            missing: front.missing(),
            name: name(&front),
            changed: list.changed,
            untracked: list.untracked,
            bytes,
        })
    }
}

/// `cs189-hw6` with the author and the student ID, as far as they are known, letters of every alphabet
/// included.
fn name(front: &FrontMatter) -> String {
    let is_combining_accent = |c: char| ('\u{300}'..='\u{36f}').contains(&c);
    let known = format!("cs189-hw6 {} {}", front.author, front.student_id).to_lowercase();
    let known = known.replace(is_combining_accent, "");
    let parts = known.split(|c: char| !c.is_alphanumeric()).filter(|part| !part.is_empty());
    parts.collect::<Vec<_>>().join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_has_what_is_known() {
        for (author, student_id, expected) in [
            ("", "", "cs189-hw6"),
            ("Ada  Lovelace, PhD/../x", "3031", "cs189-hw6-ada-lovelace-phd-x-3031"),
            ("José Núñez", "", "cs189-hw6-josé-núñez"),
            // The same with accents as characters of their own.
            ("Jose\u{301} Nu\u{301}n\u{303}ez", "", "cs189-hw6-jose-nunez"),
            ("Иван", "", "cs189-hw6-иван"),
        ] {
            let (author, student_id) = (author.to_owned(), student_id.to_owned());
            assert_eq!(
                name(&FrontMatter { author, student_id, ..FrontMatter::default() }),
                expected
            );
        }
    }
}
