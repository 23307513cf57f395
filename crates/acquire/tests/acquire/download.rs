//! Downloads from a server on this machine that misbehaves in every way that servers do.

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use acquire::{AcquireError, Download, Http, Reporter};
use tempfile::TempDir;

use crate::server::{Answer, Request, Server};

const BYTES: u64 = 300_000;

fn body() -> Vec<u8> {
    (0..BYTES).map(|i| (i % 1009 * i % 251) as u8).collect()
}

/// Impatient, so that the tests are fast.
pub(crate) fn http() -> Http {
    let (connect, stall) = (Duration::from_secs(5), Duration::from_secs(1));
    Http { connect, stall, attempts: 3, pause: Duration::from_millis(10), ..Http::default() }
}

struct Fixture {
    server: Server,
    folder: TempDir,
    http: Http,
}

impl Fixture {
    /// A server with these answers, and a part of the file from an earlier run.
    fn new(answers: impl Into<Vec<Answer>>, part: &[u8]) -> Self {
        let server = Server::start(answers.into());
        let fixture = Self { server, folder: tempfile::tempdir().unwrap(), http: http() };
        if !part.is_empty() {
            fs::write(fixture.part(), part).unwrap();
        }
        fixture
    }

    fn part(&self) -> PathBuf {
        self.folder.path().join("x.part")
    }

    fn download(&self) -> Result<Vec<u8>, AcquireError> {
        let (url, part) = (&format!("{}/data/x", self.server.url), &self.part());
        let (bytes, limit, if_slow) = (BYTES, 1_000_000, String::new());
        let download = Download { url, part, bytes, limit, if_slow };
        download.fetch(&self.http, &Reporter::quiet(), |part| {
            let problem = "another file".to_owned();
            let wrong = AcquireError::Http { url: "URL".to_owned(), problem };
            if fs::read(part).unwrap() == body() { Ok(()) } else { Err(wrong) }
        })?;
        Ok(fs::read(self.part()).unwrap())
    }

    fn message(&self) -> String {
        self.download().unwrap_err().to_string().replace(&self.server.url, "URL")
    }
}

/// A transfer by name: the answers, the part that is there, and the first byte of each request.
type Transfer<'a> = (&'a str, Vec<Answer>, &'a [u8], &'a [Option<usize>]);

#[test]
fn a_file_comes_whole_whatever_is_there_and_whatever_the_server_does() {
    let file = || Answer::File { body: body() };
    let cut = |after| Answer::Cut { body: body(), after };
    let whole = || Answer::Whole { body: body() };
    let complete = body();
    let cases: [Transfer<'_>; 8] = [
        ("in one request", vec![file()], &[], &[None]),
        (
            "cut",
            vec![cut(100_000), cut(50_000), file()],
            &[],
            &[None, Some(100_000), Some(150_000)],
        ),
        ("of an earlier run", vec![file()], &complete[..12_345], &[Some(12_345)]),
        ("complete already", vec![file()], &complete, &[Some(300_000)]),
        ("longer than the file", vec![file()], &[0; 400_000], &[Some(400_000), None]),
        ("of another file", vec![file()], &[7; 1000], &[Some(1000), None]),
        ("no ranges", vec![whole()], &complete[..1000], &[Some(1000), None]),
        ("in trouble", vec![Answer::Status(503), file()], &[], &[None, None]),
    ];
    for (case, answers, part, ranges) in cases {
        let fixture = Fixture::new(answers, part);
        assert_eq!(fixture.download().unwrap(), complete, "{case}");
        assert_eq!(fixture.server.ranges(), ranges, "{case}");
        let expected = Request { path: "/data/x".to_owned(), from: ranges[0] };
        assert_eq!(fixture.server.requests()[0], expected, "{case}");
    }
}

#[test]
fn a_file_that_is_refused_is_not_asked_for_again_and_leaves_nothing() {
    let file = |body| Answer::File { body };
    for (answer, expected) in [
        (Answer::Status(404), "URL/data/x: the server answered 404, expected 200"),
        (
            file(vec![0; 1_000_001]),
            "URL/data/x: expected at most 1000000 bytes, but the file has more",
        ),
        (file(vec![0; 100]), "URL/data/x: URL: another file; the download was removed"),
    ] {
        let fixture = Fixture::new([answer], &[]);
        assert_eq!(fixture.message(), expected);
        assert_eq!(fixture.server.requests().len(), 1);
        assert!(!fixture.part().exists());
    }
}

#[test]
fn a_server_that_fails_is_left_and_what_came_is_kept() {
    let hang = |after| Answer::Hang { body: body(), after };
    for (answers, kept, expected) in [
        (vec![Answer::Status(503)], 0, "answered 503 (3 attempts in a row brought nothing)"),
        (vec![hang(1000), Answer::Status(500)], 1000, "1000 bytes are kept in"),
        (vec![hang(0)], 0, "3 attempts in a row brought nothing"),
    ] {
        let (fixture, start) = (Fixture::new(answers, &[]), Instant::now());
        let message = fixture.message();
        assert!(message.contains(expected), "{message}");
        assert!(start.elapsed() < Duration::from_secs(10), "{:?}", start.elapsed());
        assert_eq!(fs::read(fixture.part()).unwrap_or_default(), body()[..kept]);
    }
}

#[test]
fn what_cannot_be_asked_is_named_with_a_remedy() {
    let mut fixture = Fixture::new([Answer::Status(404)], &[]);
    // The port was free a moment ago.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    for (url, expected) in [
        (format!("http://127.0.0.1:{port}"), "3 attempts in a row brought nothing"),
        ("file:///etc".to_owned(), "curl: (1) "),
    ] {
        fixture.server.url = url;
        let message = fixture.message();
        assert!(message.starts_with("URL/data/x: ") && message.contains(expected), "{message}");
    }
    fixture.http.curl = "no-such-curl".into();
    let message = fixture.message();
    assert!(message.contains("`no-such-curl`, which downloads it, cannot be run: "), "{message}");
    assert!(message.contains("install curl, or download this file by hand"), "{message}");
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_named_with_what_to_do() {
    let fixture = Fixture::new([Answer::File { body: body() }], &[]);
    std::os::unix::fs::symlink("/dev/full", fixture.part()).unwrap();
    let message = fixture.message();
    assert!(message.contains("x.part: No space left on device"), "{message}");
    assert!(message.ends_with("free some space, or name a folder elsewhere with --data-dir"));
}
