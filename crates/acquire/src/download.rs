//! The official home of a data set, over HTTP by the program `curl`; what breaks off is resumed.
//!
//! The homes could not be reached from the machine on which this was written: what is tested is this
//! code against a server on the same machine, not the addresses in [`DataSet`](crate::DataSet).

use std::fs;
use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;

use md5::{Digest, Md5};

use crate::ensure::Fetch;
use crate::error::{file_error, unexpected};
use crate::store::partial_download;
use crate::{AcquireError, Clients, Files, HomeForm, Request};

impl Fetch<'_> {
    /// Downloads what the home has below `base`.
    pub(crate) fn download(&self, base: &str) -> Result<Files, AcquireError> {
        let download = |name: &str, limit| {
            let url = format!("{}/{name}", base.trim_end_matches('/'));
            let part = partial_download(self.request.first_place(), self.set, name)?;
            Ok::<_, AcquireError>(Download { request: self.request, url, part, limit })
        };
        match self.set.form {
            HomeForm::Archive { name, bytes, md5 } => download(name, bytes)?.fetch(&|part| {
                check_md5(part, md5)?;
                self.unpack(part)
            }),
            HomeForm::Gzipped => {
                let files = self.set.files.iter().map(|file| {
                    // No gzipped file is longer than this (RFC 1952), decompressed or not.
                    let limit = file.bytes + file.bytes / 1000 + 1024;
                    let download = download(&format!("{}.gz", file.name), limit)?;
                    Ok((file.name.to_owned(), download.fetch(&|part| Ok(file.read_at(part)?))?))
                });
                files.collect()
            }
        }
    }
}

fn check_md5(path: &Path, expected: &str) -> Result<(), AcquireError> {
    let bytes = fs::read(path).map_err(file_error("read", path))?;
    let got = system::hex(&Md5::digest(&bytes));
    if got == expected {
        return Ok(());
    }
    let got = format!("{} bytes with MD5 {got}", bytes.len());
    Err(unexpected(path, format!("MD5 {expected}"), got))
}

/// How often in a row an attempt may bring nothing new.
const ATTEMPTS: u32 = 4;

/// A file to be downloaded.
struct Download<'a> {
    request: &'a Request,
    url: String,
    /// The file that it is written to, and kept in if it is not complete.
    part: PathBuf,
    /// More bytes than this are not taken.
    limit: u64,
}

impl Download<'_> {
    /// Downloads the file, continuing after what is already there, and lets `read` read and check it. What is
    /// refused is removed; a resumed file, which the server may have changed in between, is fetched once more
    /// from its beginning.
    fn fetch<T>(&self, read: &dyn Fn(&Path) -> Result<T, AcquireError>) -> Result<T, AcquireError> {
        let resumed = self.length() > 0;
        self.complete()?;
        let error = match read(&self.part) {
            Ok(content) => return Ok(content),
            Err(error) => error,
        };
        self.remove()?;
        if !resumed {
            return Err(self.refused(format!("{error}; the download was removed")));
        }
        let wrong = "the resumed file is wrong; downloading it from the beginning";
        self.request.say(&format!("{}: {wrong}", self.url));
        self.fetch(read)
    }

    /// Attempts go on as long as each brings something. When they fail, what has arrived stays for the next
    /// run.
    fn complete(&self) -> Result<(), AcquireError> {
        let (mut failures, mut pause) = (0, self.request.clients.pause);
        loop {
            let before = self.length();
            let Some(problem) = self.attempt()? else { return Ok(()) };
            if self.length() > before {
                (failures, pause) = (0, self.request.clients.pause);
            }
            failures += 1;
            if failures >= ATTEMPTS {
                let kept = match self.length() {
                    0 => String::new(),
                    n => format!("; {n} bytes are kept in {} to be resumed", self.part.display()),
                };
                return Err(self.refused(format!(
                    "{problem} ({failures} attempts in a row brought nothing{kept})"
                )));
            }
            let seconds = pause.as_secs_f64();
            self.request.say(&format!("{}: {problem}; trying again in {seconds:.0} s", self.url));
            thread::sleep(pause);
            pause *= 2;
        }
    }

    /// Asks once for what is missing; returns a problem that may pass.
    fn attempt(&self) -> Result<Option<String>, AcquireError> {
        let Clients { curl: program, stall, .. } = &self.request.clients;
        let mut curl = Command::new(program);
        // On a terminal its own meter says how much there is, how fast it comes, and how long it takes.
        if self.request.quiet || !io::stderr().is_terminal() {
            curl.arg("--silent");
        }
        curl.args(["--fail", "--location", "--globoff", "--proto", "=http,https"])
            .args(["--write-out", "%{http_code}\n%{errormsg}"])
            .args(["--user-agent", concat!("cs189-hw6-data/", env!("CARGO_PKG_VERSION"))])
            .args(["--connect-timeout", "20", "--speed-limit", "1000"])
            .args(["--speed-time", &stall.as_secs().to_string()])
            .args(["--max-filesize", &self.limit.to_string(), "--continue-at", "-"])
            .args(["--url", &self.url, "--output"])
            .arg(&self.part);
        curl.stdin(Stdio::null()).stderr(Stdio::inherit());
        let output = curl.output().map_err(|cause| {
            self.refused(format!(
                "`{}`, which downloads it, cannot be run: {cause}; install curl, or download this file \
                 by hand and name it, or the folder with it, with --from",
                program.display()
            ))
        })?;
        let said = String::from_utf8_lossy(&output.stdout);
        let (status, error) = said.split_once('\n').unwrap_or((&said, ""));
        let code = output.status.code();
        let message = format!("curl: ({}) {}", code.unwrap_or_default(), error.trim());
        let too_large = || format!("expected at most {} bytes, but the file has more", self.limit);
        // The exit codes are listed in curl's manual.
        match (code, status.parse().unwrap_or(0_u16)) {
            // Where the server did not say how long the file is.
            (Some(0), ..416) if self.length() > self.limit => {
                self.remove()?;
                Err(self.refused(too_large()))
            }
            // 416: what is asked for begins after the end of the file, and the check tells if that is right.
            (Some(0), _) | (_, 416) => Ok(None),
            (_, status @ (408 | 429 | 500..)) => Ok(Some(format!("the server answered {status}"))),
            (_, status @ 400..) => {
                Err(self.refused(format!("the server answered {status}, expected 200")))
            }
            (Some(23), _) => {
                let cause = io::Error::new(io::ErrorKind::StorageFull, message);
                Err(file_error("write", &self.part)(cause))
            }
            // The server cannot resume, so it is asked for the whole.
            (Some(33), _) => {
                self.remove()?;
                self.attempt()
            }
            (Some(63), _) => Err(self.refused(too_large())),
            // No connection, a transfer that broke, or none for too long.
            (Some(7 | 16 | 18 | 28 | 35 | 52 | 55 | 56 | 92), _) => Ok(Some(message)),
            _ => Err(self.refused(message)),
        }
    }

    fn length(&self) -> u64 {
        self.part.metadata().map_or(0, |metadata| metadata.len())
    }

    fn remove(&self) -> Result<(), AcquireError> {
        match fs::remove_file(&self.part) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(file_error("remove", &self.part)(error))
            }
            _ => Ok(()),
        }
    }

    fn refused(&self, problem: String) -> AcquireError {
        AcquireError::Source(format!("{}: {problem}", self.url))
    }
}
