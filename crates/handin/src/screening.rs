//! Files that must not be in the archive.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use serde::Deserialize;

use crate::archive::{PackedFile, sha256};
use crate::starter::{ARCHIVE, SUMS};

/// The data files that belong to the code, by path: their SHA-256, from `fixtures/manifest.toml`.
pub(crate) type KnownData = BTreeMap<String, String>;

/// The list of the data files of the workspace.
const MANIFEST: &str = "fixtures/manifest.toml";

/// A file may have so many bytes: more than the largest one of the repository, less than a data set.
const MAX_BYTES: usize = 4 << 20;

/// Names that end so belong to data, weights or archives of them.
const DATA: &str = "\
    npy npz safetensors pt pth ckpt onnx h5 hdf5 pkl pickle parquet mat bin idx1-ubyte \
    idx3-ubyte gz tgz tar xz zst zip 7z deb";

/// Pictures and fonts are no data, though they are no text.
const PICTURES: &str = "png jpg jpeg gif webp ico woff2";

/// Names of files that hold passwords and keys.
const SECRETS: &str = "\
    .env .netrc _netrc .npmrc .pypirc .htpasswd .git-credentials credentials.toml \
    credentials.json kaggle.json id_rsa id_ecdsa id_ed25519 id_dsa";

/// Endings of the names of keys.
const KEYS: &str = "pem key p12 pfx jks kdbx";

/// The beginning of a private key, in two parts, or this file would hold one.
const PRIVATE_KEY: &str = concat!("PRIVATE KEY", "-----");

/// Reads the manifest of the workspace, or what is known of the files of a starter; none is known where there is
/// neither.
pub(crate) fn known_data(root: &Path) -> Result<KnownData> {
    if let Ok(sums) = fs::read_to_string(root.join(SUMS)) {
        let lines = sums.lines().filter_map(|line| line.split_once("  "));
        return Ok(lines.map(|(sha256, path)| (path.to_owned(), sha256.to_owned())).collect());
    }
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
        return Ok(KnownData::new());
    }
    let text =
        fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let manifest: Manifest =
        toml::from_str(&text).with_context(|| format!("{MANIFEST} is not a manifest"))?;
    Ok(manifest.file.into_iter().map(|file| (file.path, file.sha256)).collect())
}

/// The reason why this file must not be in the archive, and the remedy; `None` if it may.
pub(crate) fn problem(known: &KnownData, file: &PackedFile) -> Option<String> {
    let path = &file.path;
    let name = path.rsplit('/').next().unwrap_or(path).to_ascii_lowercase();
    let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending);
    let is_one_of = |word: &str, list: &str| list.split(' ').any(|listed| listed == word);
    if is_one_of(&name, SECRETS)
        || name.starts_with(".env.")
        || is_one_of(ending, KEYS)
        || file.text().is_some_and(|text| text.contains(PRIVATE_KEY))
    {
        return Some(format!("{path}: looks like a secret; remove it, and revoke what it holds"));
    }
    if file.contents.len() > MAX_BYTES {
        return Some(format!(
            "{path}: has {:.1} MB, more than {} MB; if it is data, fetch or compute it instead",
            file.contents.len() as f64 / 1e6,
            MAX_BYTES >> 20,
        ));
    }
    let is_data =
        is_one_of(ending, DATA) || (file.text().is_none() && !is_one_of(ending, PICTURES));
    match known.get(path) {
        _ if !is_data => None,
        Some(known) if *known == sha256(&file.contents) => None,
        Some(_) => Some(format!(
            "{path}: is not what {MANIFEST} says, so it may be data of the course; `cargo xtask \
             fixtures --check` says more"
        )),
        None => Some(format!(
            "{path}: looks like data or weights and is not listed in {MANIFEST}; remove it"
        )),
    }
}

/// Whether a file of the repository is left out on purpose: weights, learned parameters, products and
/// predictions. The README of the archive says how to get them.
pub(crate) fn is_left_out(path: &str) -> bool {
    ["target/", "experiments/"].iter().any(|folder| path.starts_with(folder))
        || ["submission.csv", "sample_submission.csv"].contains(&path)
        || path.starts_with("crates/kaggle/weights/") && path.ends_with(".safetensors")
        || path.starts_with("book/records/") && path.ends_with("/parameters.npz")
}

/// Whether a file of a starter is left out on purpose: what verifies it, and what is handed in elsewhere.
pub(crate) fn is_left_out_of_starter(path: &str) -> bool {
    ["tools/", "fixtures/"].iter().any(|folder| path.starts_with(folder))
        || path == ARCHIVE
        || !path.contains('/') && [".pdf", ".zip"].iter().any(|ending| path.ends_with(ending))
}

/// The reason why a path cannot stand in an archive that every system unpacks alike; `None` if it can.
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

    #[test]
    fn data_and_secrets_are_refused_and_the_rest_is_not() {
        let known = [("fixtures/a.npz".to_owned(), sha256(b"PK\0"))].into();
        let key = format!("-----BEGIN RSA {PRIVATE_KEY}\n");
        for (path, contents, expected) in [
            ("src/main.rs", &b"fn main() {}"[..], None),
            ("book/a.png", b"\x89PNG\0", None),
            ("fixtures/a.npz", b"PK\0", None),
            ("src/key.rs", b"", None),
            ("fixtures/b.npz", b"PK\0", Some("not listed in fixtures/manifest.toml")),
            ("fixtures/a.npz", b"PK\0course", Some("may be data of the course")),
            ("weights.safetensors", b"text", Some("looks like data or weights")),
            ("tool", b"\x7fELF\0", Some("looks like data or weights")),
            ("a.csv", &[b'1'; MAX_BYTES + 1], Some("has 4.2 MB, more than 4 MB")),
            (".env", b"", Some("looks like a secret")),
            ("crates/a/.env.local", b"", Some("looks like a secret")),
            ("kaggle.json", b"{}", Some("looks like a secret")),
            ("a.pem", b"", Some("looks like a secret")),
            ("notes.md", key.as_bytes(), Some("looks like a secret")),
        ] {
            let (path, contents) = (path.to_owned(), contents.to_vec());
            let problem = problem(&known, &PackedFile { path, contents, executable: false });
            assert_eq!(problem.is_some(), expected.is_some(), "{problem:?}");
            let problem = problem.unwrap_or_default();
            assert!(problem.contains(expected.unwrap_or_default()), "{problem}");
        }
    }
}
