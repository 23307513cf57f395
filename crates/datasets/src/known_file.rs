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
    #[must_use]
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
        let path = self.find(directory).unwrap_or_else(|| directory.join(self.name));
        let mut bytes = Vec::new();
        self.copy(&path, |chunk| {
            bytes.extend_from_slice(chunk);
            Ok::<_, DatasetError>(())
        })?;
        Ok(bytes)
    }

    /// Checks the file at this path, gzipped or plain, without keeping its bytes.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub fn verify(&self, path: &Path) -> Result<(), DatasetError> {
        self.copy(path, |_| Ok::<_, DatasetError>(()))
    }

    /// Hands the decompressed bytes of the file at this path to `sink`, piece by piece.
    ///
    /// Only when this returns `Ok` were they those of the known file. Never more than its size is
    /// read, whatever a gzipped file would expand to.
    ///
    /// # Errors
    /// As [`read`](Self::read), and those of `sink`.
    pub fn copy<E: From<DatasetError>>(
        &self,
        path: &Path,
        mut sink: impl FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        let unreadable = |cause| DatasetError::Io { path: path.to_owned(), cause };
        let mut reader = decompressed(path).map_err(unreadable)?.take(self.bytes + 1);
        let (mut hash, mut size) = (Sha256::new(), 0);
        let mut buffer = vec![0; 1 << 16];
        loop {
            let n = match reader.read(&mut buffer) {
                Ok(0) => break,
                Ok(n) => n,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(cause) => return Err(unreadable(cause).into()),
            };
            size += n as u64;
            if size > self.bytes {
                let got = format!("more than {} bytes", self.bytes);
                return Err(self.mismatch(path, got).into());
            }
            hash.update(&buffer[..n]);
            sink(&buffer[..n])?;
        }
        let sha256 = system::hex(&hash.finalize());
        if size == self.bytes && sha256 == self.sha256 {
            Ok(())
        } else {
            Err(self.mismatch(path, format!("{size} bytes with SHA-256 {sha256}")).into())
        }
    }

    fn mismatch(&self, path: &Path, got: String) -> DatasetError {
        let expected = format!("{} bytes with SHA-256 {}", self.bytes, self.sha256);
        DatasetError::Checksum { path: path.to_owned(), expected, got }
    }
}

/// One checksum for several files: the SHA-256 of what `sha256sum` prints for them, in this order.
#[must_use]
pub fn combined_sha256(files: &[KnownFile]) -> String {
    let lines: String =
        files.iter().map(|file| format!("{}  {}\n", file.sha256, file.name)).collect();
    system::hex(&Sha256::digest(lines))
}

/// The first bytes of a gzipped file (RFC 1952).
const GZIP: [u8; 2] = [0x1f, 0x8b];

fn decompressed(path: &Path) -> io::Result<Box<dyn Read>> {
    let mut reader = BufReader::with_capacity(1 << 16, File::open(path)?);
    Ok(if reader.fill_buf()?.starts_with(&GZIP) {
        Box::new(MultiGzDecoder::new(reader))
    } else {
        Box::new(reader)
    })
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
        assert_eq!(read("abc", b"abc").unwrap(), b"abc");
        assert_eq!(read("abc.gz", &gzipped(b"abc")).unwrap(), b"abc");
        // Some sources name a decompressed file `.gz`, and some the other way round.
        assert_eq!(read("abc", &gzipped(b"abc")).unwrap(), b"abc");
    }

    #[test]
    fn idx_files_are_found_with_a_dot_in_their_names() {
        let folder = tempfile::tempdir().unwrap();
        let file = KnownFile { name: "a-images-idx3-ubyte", ..ABC };
        for name in ["a-images.idx3-ubyte.gz", "a-images.idx3-ubyte", "a-images-idx3-ubyte"] {
            fs::write(folder.path().join(name), "abc").unwrap();
            assert_eq!(file.find(folder.path()), Some(folder.path().join(name)));
            assert_eq!(file.read(folder.path()).unwrap(), b"abc");
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
        assert!(read("abc", b"ab").unwrap_err().contains("but got 2 bytes with SHA-256"));
        assert!(read("abc", b"abcd").unwrap_err().ends_with("but got more than 3 bytes"));
        // A gigabyte of zeros would follow.
        assert!(read("abc.gz", &gzipped(&[0; 9999])).unwrap_err().ends_with("more than 3 bytes"));
    }

    #[test]
    fn a_missing_and_a_damaged_gzip_file_are_named() {
        assert!(read("other", b"").unwrap_err().starts_with("cannot read abc: "));
        let gzip = gzipped(b"abc");
        let error = read("abc.gz", &gzip[..gzip.len() - 4]).unwrap_err();
        assert!(error.starts_with("cannot read abc.gz: "), "{error}");
    }

    #[test]
    fn the_combined_checksum_is_that_of_sha256sums_output() {
        // printf '%s  abc\n' ba7816bf... | sha256sum
        let expected = "c32c110b2834d02b24bc526c30104802e185619f83437476d29715655b42941d";
        assert_eq!(combined_sha256(&[ABC]), expected);
    }
}
