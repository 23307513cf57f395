//! A target folder in which the dependencies are compiled already.
//!
//! Cargo takes the packages of two copies of one workspace for the same, so the copies must not
//! share a target folder: each would run what was compiled from the other. The dependencies are the
//! same for both, so all of it is linked or copied, and `cargo clean --workspace` leaves only them.

use std::fs::{self, File};
use std::io;
use std::path::Path;

/// Larger files are linked, smaller ones copied: cargo writes into those.
const WORTH_A_LINK: u64 = 1 << 16;

/// Puts what is compiled in the target folder `from` into the folder `to`; how many files.
///
/// # Errors
/// If a folder cannot be read or a file not be written.
pub fn share(from: &Path, to: &Path) -> io::Result<usize> {
    let mut shared = 0;
    for folder in ["debug/.fingerprint", "debug/build", "debug/deps"] {
        if from.join(folder).is_dir() {
            shared += share_all(&from.join(folder), &to.join(folder))?;
        }
    }
    Ok(shared)
}

/// Links or copies a file, or a folder with all that is in it.
fn share_all(from: &Path, to: &Path) -> io::Result<usize> {
    let metadata = fs::metadata(from)?;
    if metadata.is_dir() {
        fs::create_dir_all(to)?;
        let mut shared = 0;
        for entry in fs::read_dir(from)? {
            let name = entry?.file_name();
            shared += share_all(&from.join(&name), &to.join(&name))?;
        }
        return Ok(shared);
    }
    if metadata.len() < WORTH_A_LINK || fs::hard_link(from, to).is_err() {
        fs::copy(from, to)?;
        // Cargo compares the times of what it compiled.
        File::options().write(true).open(to)?.set_modified(metadata.modified()?)?;
    }
    Ok(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_compiled_is_shared_with_its_times() {
        let files = [
            ("debug/deps/libndarray-01ab.rlib", vec![7; 1 << 17]),
            ("debug/deps/ndarray-01ab.d", b"d".to_vec()),
            ("debug/build/zstd-sys-04ab/out/a.h", b"1".to_vec()),
            ("debug/report", b"program".to_vec()),
        ];
        let from = system::for_tests::folder(&files);
        let to = from.path().join("other");
        assert_eq!(share(from.path(), &to).unwrap(), 3);
        for (path, contents) in &files[..3] {
            assert_eq!(fs::read(to.join(path)).unwrap(), *contents, "{path}");
            let time = |target: &Path| fs::metadata(target.join(path)).unwrap().modified().unwrap();
            assert_eq!(time(from.path()), time(&to));
        }
        assert!(!to.join("debug/report").exists());
    }
}
