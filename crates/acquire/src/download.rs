//! One file over HTTP, resumed where an earlier attempt ended.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::Path;
use std::thread;
use std::time::Duration;

use crate::error::file_error;
use crate::{AcquireError, Reporter};

/// How patient downloads are.
#[derive(Clone, Debug)]
pub struct Http {
    /// For a connection, and for the answer to a request.
    pub connect: Duration,
    /// For the next piece of a file.
    pub stall: Duration,
    /// How often in a row an attempt may bring nothing new.
    pub attempts: u32,
    /// The pause before the second attempt; it doubles.
    pub pause: Duration,
    /// What to say, once, of a transfer that turns out to take longer than a few minutes.
    pub if_slow: Option<String>,
}

impl Default for Http {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(20),
            stall: Duration::from_secs(60),
            attempts: 4,
            pause: Duration::from_secs(1),
            if_slow: None,
        }
    }
}

/// Why an attempt failed.
enum Failure {
    /// The next may succeed.
    Passing(String),
    /// It will not.
    Final(AcquireError),
}

impl From<AcquireError> for Failure {
    fn from(error: AcquireError) -> Self {
        Self::Final(error)
    }
}

/// Downloads `url` to the file `part`, continuing after what is already there.
///
/// Attempts go on as long as each brings something. When it fails, what has arrived stays in `part`
/// for the next call. Nothing here knows whether the bytes are right: check them.
///
/// # Errors
/// [`AcquireError::Http`] if the server does not give the file, stops sending, or sends more than
/// `limit` bytes; [`AcquireError::File`] if `part` cannot be written.
pub fn download(
    url: &str,
    part: &Path,
    limit: u64,
    settings: &Http,
    reporter: &Reporter,
) -> Result<(), AcquireError> {
    let config = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .user_agent(concat!("cs189-hw6-data/", env!("CARGO_PKG_VERSION")))
        .timeout_resolve(Some(settings.connect))
        .timeout_connect(Some(settings.connect))
        .timeout_recv_response(Some(settings.connect))
        .timeout_per_read(Some(settings.stall))
        .build();
    let agent: ureq::Agent = config.into();
    let (mut failures, mut pause) = (0, settings.pause);
    loop {
        let before = length(part);
        let problem = match attempt(&agent, url, part, limit, settings.if_slow.clone(), reporter) {
            Ok(()) => return Ok(()),
            Err(Failure::Final(error)) => return Err(error),
            Err(Failure::Passing(problem)) => problem,
        };
        if length(part) > before {
            (failures, pause) = (0, settings.pause);
        }
        failures += 1;
        if failures >= settings.attempts {
            let kept = match length(part) {
                0 => String::new(),
                n => format!("; {n} bytes are kept in {} to be resumed", part.display()),
            };
            let problem = format!("{problem} ({failures} attempts in a row brought nothing{kept})");
            return Err(AcquireError::Http { url: url.to_owned(), problem });
        }
        let seconds = pause.as_secs_f64();
        reporter.say(&format!("{url}: {problem}; trying again in {seconds:.0} s"));
        thread::sleep(pause);
        pause *= 2;
    }
}

/// Asks once for what is missing, and writes what comes.
fn attempt(
    agent: &ureq::Agent,
    url: &str,
    part: &Path,
    limit: u64,
    if_slow: Option<String>,
    reporter: &Reporter,
) -> Result<(), Failure> {
    let refused = |problem: String| AcquireError::Http { url: url.to_owned(), problem };
    let start = length(part);
    let mut request = agent.get(url).header("Accept-Encoding", "identity");
    if start > 0 {
        request = request.header("Range", format!("bytes={start}-"));
    }
    let response = request.call().map_err(|error| failure(url, &error))?;
    let header = |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok());
    let range = header("content-range").and_then(content_range);
    let (start, total) = match (response.status().as_u16(), range) {
        (206, Some((Some(first), total))) if first == start => (start, total),
        // What is asked for begins after the end: it was complete, or is another file by now.
        (416, Some((None, Some(total)))) if total == start => return Ok(()),
        (416 | 206, _) => {
            remove(part)?;
            return Err(Failure::Passing("the server has another file than before".to_owned()));
        }
        // The whole file, also where a server does not know ranges.
        (200, _) => (0, header("content-length").and_then(|length| length.parse().ok())),
        (status @ (408 | 429 | 500..), _) => {
            return Err(Failure::Passing(format!("the server answered {status}")));
        }
        (status, _) => {
            return Err(refused(format!("the server answered {status}, expected 200")).into());
        }
    };
    if let Some(total) = total.filter(|total| *total > limit) {
        let problem = format!("the file has {total} bytes, expected at most {limit}");
        return Err(refused(problem).into());
    }
    let mut file = File::options().create(true).append(true).open(part);
    if start == 0 {
        file = File::create(part);
    }
    let mut file = file.map_err(file_error("write", part))?;
    let mut transfer = reporter.transfer(name(url), start, total).advise(if_slow);
    let mut reader = response.into_body().into_reader();
    let mut buffer = vec![0; 1 << 16];
    let mut done = start;
    loop {
        let n = match reader.read(&mut buffer) {
            Ok(n) => n,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(Failure::Passing(format!("the transfer broke: {error}"))),
        };
        if n == 0 {
            break;
        }
        done += n as u64;
        if done > limit {
            drop(file);
            remove(part)?;
            return Err(refused(format!("more than {limit} bytes came")).into());
        }
        file.write_all(&buffer[..n]).map_err(file_error("write", part))?;
        transfer.advance(n as u64);
    }
    match total {
        Some(total) if done < total => {
            Err(Failure::Passing(format!("the transfer ended after {done} of {total} bytes")))
        }
        _ => Ok(()),
    }
}

/// Whether asking again can help.
fn failure(url: &str, error: &ureq::Error) -> Failure {
    match error {
        ureq::Error::Timeout(_) | ureq::Error::Io(_) | ureq::Error::ConnectionFailed => {
            Failure::Passing(error.to_string())
        }
        _ => Failure::Final(AcquireError::Http { url: url.to_owned(), problem: error.to_string() }),
    }
}

/// The first byte and the length of the whole in `bytes 5-9/10`, `bytes 5-9/*` or `bytes */10`.
fn content_range(value: &str) -> Option<(Option<u64>, Option<u64>)> {
    let (range, total) = value.trim().strip_prefix("bytes ")?.split_once('/')?;
    let first = if range == "*" { None } else { Some(range.split_once('-')?.0.parse().ok()?) };
    Some((first, total.parse().ok()))
}

fn length(part: &Path) -> u64 {
    part.metadata().map_or(0, |metadata| metadata.len())
}

fn name(url: &str) -> &str {
    url.rsplit('/').next().unwrap_or(url)
}

fn remove(part: &Path) -> Result<(), AcquireError> {
    match fs::remove_file(part) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(file_error("remove", part)(error))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read() {
        assert_eq!(content_range("bytes 5-9/10"), Some((Some(5), Some(10))));
        assert_eq!(content_range("bytes 5-9/*"), Some((Some(5), None)));
        assert_eq!(content_range("bytes */10"), Some((None, Some(10))));
        assert_eq!(content_range("lines 5-9/10"), None);
        assert_eq!(content_range("bytes x-9/10"), None);
    }
}
