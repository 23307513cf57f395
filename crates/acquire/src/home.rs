//! The official home of a data set, over HTTP.
//!
//! The homes could not be reached from the machine on which this was written: what is tested is this
//! code against a server on the same machine, not the addresses in [`DataSet`].

use std::fs;
use std::path::Path;

use md5::{Digest, Md5};

use crate::error::file_error;
use crate::import::{copy_file, unpack};
use crate::workspace::Workspace;
use crate::{AcquireError, DataSet, Download, HomeForm, Http, Reporter};

/// Downloads what the home has below `base` and puts the files into `to`. The SHA-256 of the files is
/// checked where they are installed.
pub(crate) fn fetch(
    set: &DataSet,
    base: &str,
    to: &Path,
    workspace: &Workspace,
    http: &Http,
    reporter: &Reporter,
) -> Result<(), AcquireError> {
    let if_slow = format!("It can be interrupted; the same command resumes it. {}", set.faster());
    let download = |name: &str, bytes, limit, take: &dyn Fn(&Path) -> Result<(), AcquireError>| {
        let part = &workspace.partial_download(name)?;
        let url = &format!("{}/{name}", base.trim_end_matches('/'));
        let download = Download { url, part, bytes, limit, if_slow: if_slow.clone() };
        download.fetch(http, reporter, take)?;
        Ok::<_, AcquireError>(part.clone())
    };
    let remove = |part: &Path| fs::remove_file(part).map_err(file_error("remove", part));
    match set.home.form {
        HomeForm::Archive { name, bytes, md5 } => {
            let part = download(name, bytes, bytes, &|part| check_md5(part, md5))?;
            unpack(set, &part, to)?;
            remove(&part)
        }
        HomeForm::Gzipped { bytes } => {
            for (file, &bytes) in set.files.iter().zip(bytes) {
                // No gzipped file is longer than this (RFC 1952), decompressed or not.
                let limit = file.bytes + file.bytes / 1000 + 1024;
                let name = format!("{}.gz", file.name);
                remove(&download(&name, bytes, limit, &|part| copy_file(file, part, to))?)?;
            }
            Ok(())
        }
    }
}

fn check_md5(path: &Path, expected: &str) -> Result<(), AcquireError> {
    let bytes = fs::read(path).map_err(file_error("read", path))?;
    let got = system::hex(&Md5::digest(&bytes));
    if got == expected {
        return Ok(());
    }
    Err(AcquireError::Contents {
        path: path.to_owned(),
        expected: format!("MD5 {expected}"),
        got: format!("{} bytes with MD5 {got}", bytes.len()),
    })
}
