//! The official home of a data set, over HTTP.
//!
//! The homes could not be reached from the machine on which this was written: what is tested is this
//! code against a server on the same machine, not the addresses in [`DataSet`].

use std::fs::{self, File};
use std::io::Read;
use std::path::Path;

use md5::{Digest, Md5};

use crate::error::file_error;
use crate::import::copy_files;
use crate::progress::{SHORT, duration};
use crate::workspace::Workspace;
use crate::{AcquireError, DataSet, HomeForm, Http, Reporter, archive, download};

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
    let base = base.trim_end_matches('/');
    let http = &Http { if_slow: Some(set.faster()), ..http.clone() };
    match set.home.form {
        HomeForm::Archive { name, bytes, md5 } => {
            let part = workspace.partial_download(name)?;
            if set.home.urls.iter().any(|url| url.trim_end_matches('/') == base) {
                warn_of_wait(set, name, bytes, &part, reporter);
            }
            let limit = bytes + bytes / 8;
            let check = |part: &Path| check_md5(part, md5);
            checked(&format!("{base}/{name}"), &part, limit, http, reporter, check)?;
            let count = archive::unpack(set, &part, to)?;
            if count != set.files.len() {
                return Err(AcquireError::Contents {
                    path: part,
                    expected: format!("the {} files of {}", set.files.len(), set.name),
                    got: format!("{count} of them"),
                });
            }
            fs::remove_file(&part).map_err(file_error("remove", &part))
        }
        HomeForm::Gzipped => {
            for file in set.files {
                let name = format!("{}.gz", file.name);
                let part = workspace.partial_download(&name)?;
                let check = |part: &Path| Ok(file.verify(part)?);
                // No gzipped file is longer than this (RFC 1952), decompressed or not.
                let limit = file.bytes + file.bytes / 1000 + 1024;
                checked(&format!("{base}/{name}"), &part, limit, http, reporter, check)?;
                let target = to.join(name);
                fs::rename(&part, &target).map_err(file_error("write", &target))?;
            }
            copy_files(set, to, to)
        }
    }
}

/// Downloads and checks; a resumed file that is wrong is fetched once more from its beginning, since
/// the server may have changed it in between.
fn checked(
    url: &str,
    part: &Path,
    limit: u64,
    http: &Http,
    reporter: &Reporter,
    check: impl Fn(&Path) -> Result<(), AcquireError>,
) -> Result<(), AcquireError> {
    let resumed = part.exists();
    download(url, part, limit, http, reporter)?;
    let Err(error) = check(part) else { return Ok(()) };
    fs::remove_file(part).map_err(file_error("remove", part))?;
    if !resumed {
        let problem = format!("{error}; the download was removed");
        return Err(AcquireError::Http { url: url.to_owned(), problem });
    }
    reporter.say(&format!("{url}: the resumed file is wrong; downloading it from the beginning"));
    checked(url, part, limit, http, reporter, check)
}

fn check_md5(path: &Path, expected: &str) -> Result<(), AcquireError> {
    let unreadable = || file_error("read", path);
    let mut file = File::open(path).map_err(unreadable())?;
    let (mut hash, mut size) = (Md5::new(), 0);
    let mut buffer = vec![0; 1 << 16];
    loop {
        let n = file.read(&mut buffer).map_err(unreadable())?;
        if n == 0 {
            break;
        }
        hash.update(&buffer[..n]);
        size += n;
    }
    let got: String = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    if got == expected {
        return Ok(());
    }
    Err(AcquireError::Contents {
        path: path.to_owned(),
        expected: format!("MD5 {expected}"),
        got: format!("{size} bytes with MD5 {got}"),
    })
}

/// Says how long a throttled home takes, and what is faster.
fn warn_of_wait(set: &DataSet, name: &str, bytes: u64, part: &Path, reporter: &Reporter) {
    let Some((slowest, fastest)) = set.home.throttled else { return };
    let missing = bytes.saturating_sub(part.metadata().map_or(0, |metadata| metadata.len())) as f64;
    let (least, most) = (missing / fastest as f64, missing / slowest as f64);
    if most < SHORT {
        return;
    }
    reporter.say(&format!(
        "{name}: {:.0} MB are to be downloaded. The server has sent {} to {} kB/s since June 2026: \
         that takes {} to {}.\nIt can be interrupted; the same command resumes it. {}",
        missing / 1e6,
        slowest / 1000,
        fastest / 1000,
        duration(least),
        duration(most),
        set.faster(),
    ));
}
