//! One file over HTTP by the program `curl`, resumed where an earlier attempt ended.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{ChildStdout, Command, Stdio};
use std::thread;
use std::time::Duration;

use crate::error::file_error;
use crate::{AcquireError, Reporter};

/// The downloader, and its patience.
#[derive(Clone, Debug)]
pub struct Http {
    /// The program `curl`, by name or path. It knows proxies and the system's certificates.
    pub curl: PathBuf,
    /// The time for a connection, in whole seconds.
    pub connect: Duration,
    /// The time for which less than a kilobyte a second may arrive, in whole seconds.
    pub stall: Duration,
    /// How often in a row an attempt may bring nothing new.
    pub attempts: u32,
    /// The pause before the second attempt; it doubles.
    pub pause: Duration,
}

impl Default for Http {
    fn default() -> Self {
        Self {
            curl: "curl".into(),
            connect: Duration::from_secs(20),
            stall: Duration::from_secs(60),
            attempts: 4,
            pause: Duration::from_secs(1),
        }
    }
}

/// A file to be downloaded.
#[derive(Clone, Debug)]
pub struct Download<'a> {
    /// Its address.
    pub url: &'a str,
    /// The file that it is written to, and kept in if it is not complete.
    pub part: &'a Path,
    /// Its published size, for the progress display.
    pub bytes: u64,
    /// More bytes than this are not taken.
    pub limit: u64,
    /// Said once of a transfer that turns out to take longer than a few minutes.
    pub if_slow: String,
}

impl Download<'_> {
    /// Downloads the file, continuing after what is already there, and hands it to `check`. If that
    /// refuses a resumed file, which the server may have changed in between, it is fetched once more from
    /// its beginning.
    ///
    /// Attempts go on as long as each brings something. When they fail, what has arrived stays in `part`
    /// for the next call.
    ///
    /// # Errors
    /// [`AcquireError::Http`] if the server does not give the file, stops sending, sends more than `limit`
    /// bytes, or sends what `check` refuses; [`AcquireError::File`] if `part` cannot be written.
    pub fn fetch(
        &self,
        http: &Http,
        reporter: &Reporter,
        check: impl Fn(&Path) -> Result<(), AcquireError>,
    ) -> Result<(), AcquireError> {
        let resumed = self.length() > 0;
        self.complete(http, reporter)?;
        let error = match check(self.part) {
            Err(error) if !error.is_about_writing() => error,
            other => return other,
        };
        self.remove()?;
        if !resumed {
            return Err(self.refused(format!("{error}; the download was removed")));
        }
        let url = self.url;
        reporter
            .say(&format!("{url}: the resumed file is wrong; downloading it from the beginning"));
        self.fetch(http, reporter, check)
    }

    fn complete(&self, http: &Http, reporter: &Reporter) -> Result<(), AcquireError> {
        let (mut failures, mut pause) = (0, http.pause);
        loop {
            let before = self.length();
            let Some(problem) = self.attempt(http, reporter)? else { return Ok(()) };
            if self.length() > before {
                (failures, pause) = (0, http.pause);
            }
            failures += 1;
            if failures >= http.attempts {
                let kept = match self.length() {
                    0 => String::new(),
                    n => format!("; {n} bytes are kept in {} to be resumed", self.part.display()),
                };
                return Err(self.refused(format!(
                    "{problem} ({failures} attempts in a row brought nothing{kept})"
                )));
            }
            let seconds = pause.as_secs_f64();
            reporter.say(&format!("{}: {problem}; trying again in {seconds:.0} s", self.url));
            thread::sleep(pause);
            pause *= 2;
        }
    }

    /// Asks once for what is missing; returns a problem that may pass.
    fn attempt(&self, http: &Http, reporter: &Reporter) -> Result<Option<String>, AcquireError> {
        let seconds = |time: Duration| time.as_secs().to_string();
        let mut curl = Command::new(&http.curl);
        curl.args(["--silent", "--show-error", "--fail", "--location", "--globoff"])
            .args(["--proto", "=http,https", "--write-out", "%{stderr}\n%{http_code}"])
            .args(["--user-agent", concat!("cs189-hw6-data/", env!("CARGO_PKG_VERSION"))])
            .args(["--connect-timeout", &seconds(http.connect)])
            .args(["--speed-limit", "1000", "--speed-time", &seconds(http.stall)])
            .args(["--max-filesize", &self.limit.to_string()])
            .args(["--continue-at", &self.length().to_string(), "--url", self.url])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = curl.spawn().map_err(|cause| {
            self.refused(format!(
                "`{}`, which downloads it, cannot be run: {cause}; install curl, or download this file \
                 by hand and name it, or the folder with it, with --from",
                http.curl.display()
            ))
        })?;
        let received = child.stdout.take().map_or(Ok(()), |body| self.receive(body, reporter));
        if received.is_err() {
            // It may have ended by itself.
            let _ = child.kill();
        }
        let output = child.wait_with_output();
        received?;
        let output = output.map_err(|cause| self.refused(format!("curl was lost: {cause}")))?;
        let said = String::from_utf8_lossy(&output.stderr);
        let (message, status) = said.rsplit_once('\n').unwrap_or((&said, ""));
        let message = message.trim().to_owned();
        // The exit codes are listed in curl's manual.
        match (output.status.code(), status.parse().unwrap_or(0_u16)) {
            // 416: what is asked for begins after the end of the file, and the check tells if that is right.
            (Some(0), _) | (_, 416) => Ok(None),
            (_, status @ (408 | 429 | 500..)) => Ok(Some(format!("the server answered {status}"))),
            (_, status @ 400..) => {
                Err(self.refused(format!("the server answered {status}, expected 200")))
            }
            // The server cannot resume, so it is asked for the whole.
            (Some(33), _) => {
                self.remove()?;
                self.attempt(http, reporter)
            }
            (Some(63), _) => Err(self.too_large()),
            // No connection, a transfer that broke, or none for too long.
            (Some(7 | 16 | 18 | 28 | 35 | 52 | 55 | 56 | 92), _) => Ok(Some(message)),
            _ => Err(self.refused(message)),
        }
    }

    /// Appends the bytes that curl writes to `part`.
    fn receive(&self, mut body: ChildStdout, reporter: &Reporter) -> Result<(), AcquireError> {
        let name = self.url.rsplit('/').next().unwrap_or(self.url);
        let mut done = self.length();
        let mut transfer = reporter.transfer(name, done, self.bytes, &self.if_slow);
        let mut buffer = vec![0; 1 << 16];
        loop {
            let n = match body.read(&mut buffer) {
                Ok(0) => return Ok(()),
                Ok(n) => n,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(self.refused(format!("curl cannot be read: {error}"))),
            };
            done += n as u64;
            if done > self.limit {
                self.remove()?;
                return Err(self.too_large());
            }
            // Opened for each piece, so that no file is made where nothing arrives.
            let mut part = File::options().create(true).append(true).open(self.part);
            let written = part.as_mut().map_or(Ok(()), |part| part.write_all(&buffer[..n]));
            part.and(written).map_err(file_error("write", self.part))?;
            transfer.reach(done);
        }
    }

    fn length(&self) -> u64 {
        self.part.metadata().map_or(0, |metadata| metadata.len())
    }

    fn remove(&self) -> Result<(), AcquireError> {
        match fs::remove_file(self.part) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(file_error("remove", self.part)(error))
            }
            _ => Ok(()),
        }
    }

    fn refused(&self, problem: String) -> AcquireError {
        AcquireError::Http { url: self.url.to_owned(), problem }
    }

    fn too_large(&self) -> AcquireError {
        self.refused(format!("expected at most {} bytes, but the file has more", self.limit))
    }
}
