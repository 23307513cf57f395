//! Files whose content is known: their size and SHA-256.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use flate2::bufread::MultiGzDecoder;
use sha2::{Digest, Sha256};

use crate::DatasetError;

/// A file of a published data set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KnownFile {
    /// Its name, without a `.gz`.
    pub name: &'static str,
    /// Its size, decompressed.
    pub bytes: u64,
    /// Its SHA-256, decompressed, in hexadecimal.
    pub sha256: &'static str,
}

impl KnownFile {
    /// Where the file is in a folder: under its name, or gzipped with `.gz` after it; IDX files also with a
    /// dot for the last hyphen but one, `images.idx3-ubyte`, as many copies have them.
    pub fn find(&self, directory: &Path) -> Option<PathBuf> {
        let names = [self.name.to_owned(), self.name.replace("-idx", ".idx")];
        let names = names.into_iter().flat_map(|name| [name.clone(), format!("{name}.gz")]);
        names.map(|name| directory.join(name)).find(|path| path.is_file())
    }

    /// The bytes of the file in a folder, decompressed and checked.
    ///
    /// # Errors
    /// [`DatasetError::Io`] if it is not there, [`DatasetError::Checksum`] if it is another.
    pub fn read(&self, directory: &Path) -> Result<Vec<u8>, DatasetError> {
        self.read_at(&self.find(directory).unwrap_or_else(|| directory.join(self.name)))
    }

    /// The bytes of the file at this path, gzipped or plain, decompressed and checked. Never more than its
    /// size is read, whatever a gzipped file would expand to.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub fn read_at(&self, path: &Path) -> Result<Vec<u8>, DatasetError> {
        let bytes = decompressed(path, self.bytes + 1)
            .map_err(|cause| DatasetError::Io { path: path.to_owned(), cause })?;
        self.check(path, &bytes)?;
        Ok(bytes)
    }

    /// Checks that these bytes, which are from this path, are the file.
    ///
    /// # Errors
    /// [`DatasetError::Checksum`] if they are not.
    pub fn check(&self, path: &Path, bytes: &[u8]) -> Result<(), DatasetError> {
        let (size, sha256) = (bytes.len() as u64, system::hex(&Sha256::digest(bytes)));
        if size == self.bytes && sha256 == self.sha256 {
            return Ok(());
        }
        let got = if size > self.bytes {
            format!("more than {} bytes", self.bytes)
        } else {
            format!("{size} bytes with SHA-256 {sha256}")
        };
        let expected = format!("{} bytes with SHA-256 {}", self.bytes, self.sha256);
        Err(DatasetError::Checksum { path: path.to_owned(), expected, got })
    }
}

/// One checksum for several files: the SHA-256 of what `sha256sum` prints for them, in this order.
pub fn combined_sha256(files: &[KnownFile]) -> String {
    let lines: String =
        files.iter().map(|file| format!("{}  {}\n", file.sha256, file.name)).collect();
    system::hex(&Sha256::digest(lines))
}

/// The first bytes of a gzipped file (RFC 1952).
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// At most so many bytes of a file, decompressed if it is gzipped.
fn decompressed(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    let mut file = BufReader::new(File::open(path)?);
    let mut bytes = Vec::new();
    if file.fill_buf()?.starts_with(&GZIP) {
        MultiGzDecoder::new(file).take(most).read_to_end(&mut bytes)?;
    } else {
        file.take(most).read_to_end(&mut bytes)?;
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::Write;

    use flate2::{Compression, write::GzEncoder};

    use super::*;

    /// The SHA-256 of "abc", one of the examples of FIPS 180-4.
    const ABC: KnownFile = KnownFile {
        name: "abc",
        bytes: 3,
        sha256: "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
    };

    fn gzipped(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn read(name: &str, bytes: &[u8]) -> Result<Vec<u8>, String> {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(name), bytes).unwrap();
        let place = format!("{}/", folder.path().display());
        ABC.read(folder.path()).map_err(|error| error.to_string().replace(&place, ""))
    }

    #[test]
    fn the_known_file_is_read_plain_and_gzipped() {
        // Some sources name a decompressed file `.gz`, and some the other way round.
        for (name, bytes) in
            [("abc", b"abc".to_vec()), ("abc.gz", gzipped(b"abc")), ("abc", gzipped(b"abc"))]
        {
            assert_eq!(read(name, &bytes).unwrap(), b"abc");
        }
    }

    #[test]
    fn idx_files_are_found_with_a_dot_in_their_names() {
        let folder = tempfile::tempdir().unwrap();
        let file = KnownFile { name: "a-images-idx3-ubyte", ..ABC };
        for name in ["a-images.idx3-ubyte.gz", "a-images.idx3-ubyte", "a-images-idx3-ubyte"] {
            fs::write(folder.path().join(name), "abc").unwrap();
            assert_eq!(file.find(folder.path()), Some(folder.path().join(name)));
        }
    }

    #[test]
    fn another_file_is_refused_with_both_checksums_and_sizes() {
        let error = read("abc", b"abd").unwrap_err();
        let expected = format!(
            "abc is damaged or another file: expected 3 bytes with SHA-256 {}, but got 3 bytes \
             with SHA-256 a52d159f262b2c6ddb724a61840befc36eb30c88877a4030b65cbe86298449c9",
            ABC.sha256
        );
        assert_eq!(error, expected);
        let gzip = gzipped(b"abc");
        for (name, bytes, expected) in [
            ("abc", &b"ab"[..], "but got 2 bytes with SHA-256"),
            ("abc", b"abcd", "but got more than 3 bytes"),
            // A gigabyte of zeros would follow.
            ("abc.gz", &gzipped(&[0; 9999]), "but got more than 3 bytes"),
            ("abc.gz", &gzip[..gzip.len() - 4], "cannot read abc.gz: "),
            ("other", b"", "cannot read abc: "),
        ] {
            let error = read(name, bytes).unwrap_err();
            assert!(error.contains(expected), "{error}");
        }
    }

    #[test]
    fn the_combined_checksum_is_that_of_sha256sums_output() {
        // printf '%s  abc\n' ba7816bf... | sha256sum
        let expected = "c32c110b2834d02b24bc526c30104802e185619f83437476d29715655b42941d";
        assert_eq!(combined_sha256(&[ABC]), expected);
    }
}
