//! What must not be in the archive.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde::Deserialize;

use crate::HandinError;
use crate::packed_file::PackedFile;

/// The data files that belong to the code, by path: their SHA-256, from `fixtures/manifest.toml`.
pub(crate) struct KnownData(BTreeMap<String, String>);

/// Where the data files of the workspace are listed.
const MANIFEST: &str = "fixtures/manifest.toml";

/// A file may have so many bytes: more than the largest one of the repository, less than a data set.
const MAX_BYTES: usize = 4 << 20;

/// Names that end so belong to data, weights or archives of them.
const DATA: [&str; 24] = [
    "npy",
    "npz",
    "safetensors",
    "pt",
    "pth",
    "ckpt",
    "onnx",
    "h5",
    "hdf5",
    "pkl",
    "pickle",
    "parquet",
    "mat",
    "bin",
    "idx1-ubyte",
    "idx3-ubyte",
    "gz",
    "tgz",
    "tar",
    "xz",
    "zst",
    "zip",
    "7z",
    "deb",
];

/// Pictures and fonts are no data, though they are no text.
const PICTURES: [&str; 7] = ["png", "jpg", "jpeg", "gif", "webp", "ico", "woff2"];

/// Names of files that hold passwords and keys.
const SECRETS: [&str; 14] = [
    ".env",
    ".netrc",
    "_netrc",
    ".npmrc",
    ".pypirc",
    ".htpasswd",
    ".git-credentials",
    "credentials.toml",
    "credentials.json",
    "kaggle.json",
    "id_rsa",
    "id_ecdsa",
    "id_ed25519",
    "id_dsa",
];

/// Endings of the names of keys.
const KEYS: [&str; 6] = ["pem", "key", "p12", "pfx", "jks", "kdbx"];

/// How a private key begins, in two parts, or this file would hold one.
const PRIVATE_KEY: &str = concat!("PRIVATE KEY", "-----");

impl KnownData {
    /// Reads the manifest of the workspace; none is known where there is no manifest.
    pub(crate) fn read(root: &Path) -> Result<Self, HandinError> {
        #[derive(Deserialize)]
        struct Manifest {
            #[serde(default)]
            file: Vec<File>,
        }
        #[derive(Deserialize)]
        struct File {
            path: String,
            sha256: String,
        }
        let path = root.join(MANIFEST);
        if !path.exists() {
            return Ok(Self(BTreeMap::new()));
        }
        let text = fs::read_to_string(&path).map_err(HandinError::read(&path))?;
        let manifest: Manifest = toml::from_str(&text).map_err(|cause| HandinError::Manifest {
            file: MANIFEST.to_owned(),
            what: cause.to_string(),
        })?;
        Ok(Self(manifest.file.into_iter().map(|file| (file.path, file.sha256)).collect()))
    }

    /// Why this file must not be in the archive, and what to do; `None` if it may.
    pub(crate) fn problem(&self, file: &PackedFile) -> Option<String> {
        let path = &file.path;
        let name = path.rsplit('/').next().unwrap_or(path).to_ascii_lowercase();
        let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending);
        let is_key = file.text().is_some_and(|text| text.contains(PRIVATE_KEY));
        if SECRETS.contains(&&*name)
            || name.starts_with(".env.")
            || KEYS.contains(&ending)
            || is_key
        {
            return Some(format!(
                "{path}: looks like a secret; remove it, and revoke what it holds"
            ));
        }
        if file.contents.len() > MAX_BYTES {
            return Some(format!(
                "{path}: has {:.1} MB, more than {} MB; if it is data, fetch or compute it instead",
                file.contents.len() as f64 / 1e6,
                MAX_BYTES >> 20,
            ));
        }
        let is_data =
            DATA.contains(&ending) || (file.text().is_none() && !PICTURES.contains(&ending));
        match self.0.get(path) {
            _ if !is_data => None,
            Some(sha256) if *sha256 == file.sha256() => None,
            Some(_) => Some(format!(
                "{path}: is not what {MANIFEST} says, so it may be data of the course; `cargo xtask \
                 fixtures --check` says more"
            )),
            None => Some(format!(
                "{path}: looks like data or weights and is not listed in {MANIFEST}; remove it"
            )),
        }
    }
}

/// Why a path cannot stand in an archive that every system unpacks alike; `None` if it can.
pub(crate) fn path_problem(root: &Path, path: &Path) -> Option<String> {
    let shown = path.display();
    let Some(text) = path.to_str() else {
        return Some(format!("{shown}: its name is not UTF-8; rename it"));
    };
    let odd = |c: char| c.is_control() || "\\:*?\"<>|".contains(c);
    if text.contains(odd) {
        return Some(format!(
            "{text:?}: its name has a sign that not every system allows; rename it"
        ));
    }
    match root.join(path).symlink_metadata() {
        Ok(metadata) if metadata.is_symlink() => Some(format!(
            "{shown}: is a symbolic link, which not every system unpacks; put the file in its place"
        )),
        Ok(metadata) if !metadata.is_file() => Some(format!("{shown}: is no file; remove it")),
        Ok(_) => None,
        Err(cause) => Some(format!("{shown}: cannot be read: {cause}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packed_file::sha256;

    fn problem(path: &str, contents: &[u8]) -> Option<String> {
        let known = [("fixtures/a.npz".to_owned(), sha256(b"PK\0"))];
        let file = PackedFile {
            path: path.to_owned(),
            contents: contents.to_vec(),
            executable: false,
            had_carriage_returns: false,
        };
        KnownData(known.into()).problem(&file)
    }

    #[test]
    fn code_pictures_and_listed_data_may_be_packed() {
        for (path, contents) in [
            ("src/main.rs", &b"fn main() {}"[..]),
            ("book/a.png", b"\x89PNG\0"),
            ("fixtures/a.npz", b"PK\0"),
            ("src/key.rs", b""),
        ] {
            assert_eq!(problem(path, contents), None, "{path}");
        }
    }

    #[test]
    fn data_that_is_not_listed_is_refused() {
        for (path, contents, expected) in [
            ("fixtures/b.npz", &b"PK\0"[..], "not listed in fixtures/manifest.toml"),
            ("fixtures/a.npz", b"PK\0course", "may be data of the course"),
            ("weights.safetensors", b"text", "looks like data or weights"),
            ("tool", b"\x7fELF\0", "looks like data or weights"),
            ("a.csv", &[b'1'; MAX_BYTES + 1], "has 4.2 MB, more than 4 MB"),
        ] {
            let problem = problem(path, contents).unwrap();
            assert!(problem.starts_with(path) && problem.contains(expected), "{problem}");
        }
    }

    #[test]
    fn secrets_are_refused() {
        let key = format!("-----BEGIN RSA {PRIVATE_KEY}\n");
        for (path, contents) in [
            (".env", ""),
            ("crates/a/.env.local", ""),
            ("kaggle.json", "{}"),
            ("a.pem", ""),
            ("notes.md", key.as_str()),
        ] {
            let problem = problem(path, contents.as_bytes()).unwrap();
            assert!(problem.contains("looks like a secret"), "{problem}");
        }
    }
}
