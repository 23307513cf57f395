//! The copy of a hand-in that is verified.

use std::fs::{self, Permissions};
use std::io::{ErrorKind, Read};
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use handin::graded_files;
use serde::Deserialize;
use sha2::{Digest, Sha256};
use tempfile::TempDir;

use crate::hand_in::{HandIn, Kind, SUBJECT_FILE, innermost};

/// More is no homework.
const MOST_FILES: usize = 10_000;
const MOST_BYTES: u64 = 256 << 20;
const MOST_BYTES_OF_RUST: u64 = 1 << 18;

/// A hand-in, as it was when it was copied.
#[derive(Debug)]
pub(crate) struct Snapshot {
    pub(crate) kind: Kind,
    /// The copy, in a folder that is removed in the end.
    folder: TempDir,
    /// Of the paths and contents of all files.
    pub(crate) sha256: String,
    /// Paths of what was not copied: symbolic links, and what is neither a file nor a folder.
    pub(crate) left_out: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SubjectFile {
    command: Vec<String>,
}

impl Snapshot {
    /// Copies a hand-in, for this user and group if they are given.
    ///
    /// Links are not followed: whoever grades may read what the student may not. Of a starter only the files with
    /// something to write are copied.
    pub(crate) fn take(hand_in: &HandIn, owner: Option<u32>) -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("hand-in-").tempdir()?;
        let mut copy = Copy { hash: Sha256::new(), left_out: vec![], files: 0, bytes: 0 };
        let (kind, code) = (hand_in.kind()?, folder.path().join("code"));
        match &kind {
            Kind::Rust(root) => copy.graded(&fs::canonicalize(root)?, &code)?,
            Kind::Program | Kind::Numpy => {
                copy.folder(&innermost(&hand_in.folder)?, &code, "")?;
            }
        }
        // Of a starter it is said of each function that it is missing.
        if copy.files == 0 && !matches!(kind, Kind::Rust(_)) {
            bail!(
                "it has no files; expected the course's package neural_networks in NumPy, with activations.py, \
                 layers.py and so on, a starter in Rust, or a program with a {SUBJECT_FILE}"
            );
        }
        chown(folder.path(), owner, owner)?;
        let sha256 = system::hex(&copy.hash.finalize());
        Ok(Self { kind, folder, sha256, left_out: copy.left_out })
    }

    /// A folder for what is made of the copy, which is removed with it.
    pub(crate) fn beside(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A file with something to write.
    ///
    /// # Errors
    /// Why there is none.
    pub(crate) fn text(&self, file: &str) -> Result<String, String> {
        let text = fs::read_to_string(self.folder().join(file));
        text.map_err(|error| match error.kind() {
            ErrorKind::InvalidData => format!("{file} is not UTF-8"),
            _ => {
                let most = MOST_BYTES_OF_RUST >> 10;
                format!(
                    "expected {file}, a file of at most {most} KiB and no link, but there is none"
                )
            }
        })
    }

    /// The copy.
    pub(crate) fn folder(&self) -> PathBuf {
        self.folder.path().join("code")
    }

    /// The command of a program, if the hand-in is one.
    pub(crate) fn command(&self) -> Result<Option<Vec<String>>> {
        let file = self.folder().join(SUBJECT_FILE);
        if !file.exists() {
            return Ok(None);
        }
        let text = fs::read_to_string(file)?;
        let SubjectFile { command } = toml::from_str(&text).with_context(|| {
            format!("{SUBJECT_FILE}: expected a list of words as in command = [\"node\", \"subject.mjs\"]")
        })?;
        if command.is_empty() {
            bail!("{SUBJECT_FILE}: the command is empty");
        }
        Ok(Some(command))
    }
}

struct Copy {
    hash: Sha256,
    left_out: Vec<String>,
    files: usize,
    bytes: u64,
}

impl Copy {
    /// The files of a starter at this path without links that something is to be written in.
    fn graded(&mut self, root: &Path, to: &Path) -> Result<()> {
        for name in graded_files() {
            let (from, to) = (root.join(name), to.join(name));
            let metadata = fs::symlink_metadata(&from);
            let is_file =
                metadata.is_ok_and(|own| own.is_file() && own.len() <= MOST_BYTES_OF_RUST);
            // No folder on the way is a link.
            if is_file && fs::canonicalize(&from)? == from {
                fs::create_dir_all(to.parent().unwrap_or(&to))?;
                self.file(&from, &to, name)?;
            }
        }
        Ok(())
    }

    fn folder(&mut self, from: &Path, to: &Path, name: &str) -> Result<()> {
        fs::create_dir(to)?;
        for entry in system::entries(from)? {
            let (own, kind) = (entry.file_name(), entry.file_type()?);
            let (from, to) = (entry.path(), to.join(&own));
            let name = format!("{name}{}", own.to_string_lossy());
            if kind.is_dir() && own == "__pycache__" {
                // Compiled code need not be that of the files beside it.
                self.left_out.push(name);
            } else if kind.is_dir() {
                self.folder(&from, &to, &format!("{name}/"))?;
            } else if kind.is_file() {
                self.file(&from, &to, &name)?;
            } else {
                self.left_out.push(name);
            }
        }
        fs::set_permissions(to, Permissions::from_mode(0o755))?;
        Ok(())
    }

    fn file(&mut self, from: &Path, to: &Path, name: &str) -> Result<()> {
        self.files += 1;
        let file = fs::File::open(from).with_context(|| format!("{name} cannot be read"))?;
        let left = MOST_BYTES - self.bytes;
        let mut contents = Vec::new();
        file.take(left + 1).read_to_end(&mut contents)?;
        if self.files > MOST_FILES || contents.len() as u64 > left {
            let megabytes = MOST_BYTES >> 20;
            bail!("it has more than {MOST_FILES} files or {megabytes} MiB; hand in the code alone");
        }
        self.bytes += contents.len() as u64;
        // Lengths first, so that no other split into names and contents has the same hash.
        for length in [name.len(), contents.len()] {
            self.hash.update((length as u64).to_le_bytes());
        }
        self.hash.update(name);
        self.hash.update(&contents);
        fs::write(to, contents)?;
        let executable = fs::metadata(from)?.permissions().mode() & 0o111 != 0;
        fs::set_permissions(to, Permissions::from_mode(if executable { 0o755 } else { 0o644 }))?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use system::for_tests::{folder, names, write};

    use super::*;

    #[test]
    fn the_folders_of_an_archive_are_left_out_and_one_without_files_is_refused() {
        for (file, copied) in [
            ("ada/hw6/my work/subject.toml", "subject.toml"),
            ("ada/hw6_release/code/neural_networks/layers.py", "neural_networks"),
        ] {
            let root = folder(&[(file, ""), ("ada/__MACOSX/._layers.py", "")]);
            let hand_in = HandIn { name: "ada".into(), folder: root.path().join("ada") };
            assert_eq!(names(&Snapshot::take(&hand_in, None).unwrap().folder()), [copied]);
        }
        let root = folder(&[("ada/.DS_Store", "")]);
        let hand_in = HandIn { name: "ada".into(), folder: root.path().join("ada") };
        let error = Snapshot::take(&hand_in, None).unwrap_err().to_string();
        assert!(error.starts_with("it has no files; expected the course's package"), "{error}");
    }

    #[test]
    fn a_snapshot_follows_no_link_and_its_hash_is_that_of_its_files() {
        let root = folder(&[("secret", "x"), ("ada/a.py", "1"), ("ada/b/c.py", "2")]);
        let hand_in = HandIn { name: "ada".into(), folder: root.path().join("ada") };
        let take = || Snapshot::take(&hand_in, None).unwrap();
        let first = take();
        symlink(root.path().join("secret"), hand_in.folder.join("link")).unwrap();
        symlink("/", hand_in.folder.join("b/root")).unwrap();
        write(&hand_in.folder, "__pycache__/a.pyc", "");
        let second = take();
        assert_eq!(names(&second.folder()), ["a.py", "b"]);
        assert_eq!(second.left_out, ["__pycache__", "b/root", "link"]);
        assert_eq!(first.sha256, second.sha256);
        write(&hand_in.folder, "b/c.py", "3");
        assert_ne!(take().sha256, first.sha256);
    }

    #[test]
    fn of_a_starter_only_the_files_to_write_are_taken_and_no_links() {
        let relu = "crates/activations/src/relu.rs";
        let root = folder(&[
            ("ada/hw6/crates/activations/src/relu.rs", "fn"),
            ("ada/hw6/crates/activations/build.rs", "x"),
            ("ada/hw6/Cargo.toml", "x"),
        ]);
        let ada = HandIn { name: "ada".into(), folder: root.path().join("ada") };
        let code = root.path().join("ada/hw6");
        let own = || Snapshot::take(&ada, None).unwrap();
        let first = own();
        write(&code, "Cargo.toml", "y");
        assert_eq!(
            (names(&first.folder()), own().sha256),
            (vec!["crates".to_owned()], first.sha256.clone())
        );
        assert_eq!(names(&first.folder().join("crates/activations")), ["src"]);
        assert_eq!(first.text(relu), Ok("fn".to_owned()));
        let missing =
            |text: Result<String, String>| text.unwrap_err().contains("but there is none");
        assert!(missing(first.text("crates/losses/src/l2.rs")));
        // A link to a file, a folder that is a link, a file that is too large, one that is no text.
        fs::create_dir_all(code.join("crates/losses")).unwrap();
        symlink(code.join("crates/activations/src"), code.join("crates/losses/src")).unwrap();
        write(&code, "crates/activations/src/l2.rs", "");
        assert!(missing(own().text("crates/losses/src/l2.rs")));
        for (contents, expected) in
            [(&b"\xff"[..], " is not UTF-8"), (&[b' '; (1 << 18) + 1], "but there is none")]
        {
            write(&code, relu, contents);
            assert!(own().text(relu).unwrap_err().ends_with(expected));
        }
        fs::remove_file(code.join(relu)).unwrap();
        symlink(code.join("Cargo.toml"), code.join(relu)).unwrap();
        assert!(missing(own().text(relu)));
    }

    #[test]
    fn the_command_of_a_program_is_a_list_of_words() {
        let command = |text: &str| {
            let root = folder(&[("ada/subject.toml", text)]);
            let hand_in = HandIn { name: "ada".into(), folder: root.path().join("ada") };
            let command = Snapshot::take(&hand_in, None).unwrap().command();
            command.map_err(|error| error.to_string())
        };
        assert_eq!(
            command("command = [\"node\", \"a b\"]"),
            Ok(Some(vec!["node".into(), "a b".into()]))
        );
        for wrong in ["command = \"node x\"", "comand = []", "commands", "command = []"] {
            assert!(command(wrong).unwrap_err().starts_with("subject.toml: "), "{wrong}");
        }
    }
}
