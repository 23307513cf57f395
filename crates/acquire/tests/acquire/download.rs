//! Downloads from a server on this machine that misbehaves in every way that servers do.

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use acquire::{AcquireError, Http, Reporter, download};
use tempfile::TempDir;

use crate::server::{Answer, Request, Server};

fn body() -> Vec<u8> {
    (0..300_000_u32).map(|i| (i % 1009 * i % 251) as u8).collect()
}

/// Impatient, so that the tests are fast.
fn http() -> Http {
    Http {
        connect: Duration::from_secs(5),
        stall: Duration::from_secs(1),
        attempts: 3,
        pause: Duration::from_millis(10),
        if_slow: None,
    }
}

struct Fixture {
    server: Server,
    folder: TempDir,
}

impl Fixture {
    fn new(answers: impl Into<Vec<Answer>>) -> Self {
        Self { server: Server::start(answers.into()), folder: tempfile::tempdir().unwrap() }
    }

    fn part(&self) -> PathBuf {
        self.folder.path().join("x.part")
    }

    fn download(&self) -> Result<Vec<u8>, AcquireError> {
        let url = format!("{}/data/x", self.server.url);
        download(&url, &self.part(), 1_000_000, &http(), &Reporter::quiet())?;
        Ok(fs::read(self.part()).unwrap())
    }

    fn message(&self) -> String {
        self.download().unwrap_err().to_string().replace(&self.server.url, "URL")
    }
}

#[test]
fn a_whole_file_comes_in_one_request() {
    let fixture = Fixture::new([Answer::File { body: body() }]);
    assert_eq!(fixture.download().unwrap(), body());
    let expected = Request { path: "/data/x".to_owned(), from: None };
    assert_eq!(fixture.server.requests(), [expected]);
}

#[test]
fn a_cut_transfer_continues_where_it_ended() {
    let cut = |after| Answer::Cut { body: body(), after };
    let fixture = Fixture::new([cut(100_000), cut(50_000), Answer::File { body: body() }]);
    assert_eq!(fixture.download().unwrap(), body());
    assert_eq!(fixture.server.ranges(), [None, Some(100_000), Some(150_000)]);
}

#[test]
fn a_later_run_continues_what_an_earlier_one_left() {
    let fixture = Fixture::new([Answer::File { body: body() }]);
    fs::write(fixture.part(), &body()[..12_345]).unwrap();
    assert_eq!(fixture.download().unwrap(), body());
    assert_eq!(fixture.server.ranges(), [Some(12_345)]);
}

#[test]
fn what_was_complete_already_is_not_sent_again() {
    let fixture = Fixture::new([Answer::File { body: body() }]);
    fs::write(fixture.part(), body()).unwrap();
    assert_eq!(fixture.download().unwrap(), body());
    assert_eq!(fixture.server.ranges(), [Some(300_000)]);
}

#[test]
fn a_part_that_is_longer_than_the_file_is_dropped() {
    let fixture = Fixture::new([Answer::File { body: body() }]);
    fs::write(fixture.part(), vec![0; 400_000]).unwrap();
    assert_eq!(fixture.download().unwrap(), body());
    assert_eq!(fixture.server.ranges(), [Some(400_000), None]);
}

#[test]
fn a_server_without_ranges_sends_the_whole_again() {
    let fixture = Fixture::new([Answer::Whole { body: body() }]);
    fs::write(fixture.part(), [7; 1000]).unwrap();
    assert_eq!(fixture.download().unwrap(), body());
}

#[test]
fn a_missing_file_is_not_asked_for_twice() {
    let fixture = Fixture::new([Answer::Status(404)]);
    assert_eq!(fixture.message(), "URL/data/x: the server answered 404, expected 200");
    assert_eq!(fixture.server.requests().len(), 1);
    assert!(!fixture.part().exists());
}

#[test]
fn a_server_in_trouble_is_asked_again() {
    let fixture = Fixture::new([Answer::Status(503), Answer::File { body: body() }]);
    assert_eq!(fixture.download().unwrap(), body());
    let fixture = Fixture::new([Answer::Status(503)]);
    let message = fixture.message();
    assert!(message.contains("answered 503 (3 attempts in a row brought nothing)"), "{message}");
    assert_eq!(fixture.server.requests().len(), 3);
}

#[test]
fn a_server_that_hangs_is_left_and_what_came_is_kept() {
    let fixture = Fixture::new([Answer::Hang { body: body(), after: 1000 }, Answer::Status(500)]);
    let start = Instant::now();
    let message = fixture.message();
    assert!(start.elapsed() < Duration::from_secs(10), "{:?}", start.elapsed());
    assert!(message.contains("1000 bytes are kept in"), "{message}");
    assert_eq!(fs::read(fixture.part()).unwrap(), body()[..1000]);

    let silent = Fixture::new([Answer::Hang { body: body(), after: 0 }]);
    let message = silent.message();
    assert!(message.contains("3 attempts in a row brought nothing"), "{message}");
}

#[test]
fn a_server_that_is_not_there_is_named() {
    let folder = tempfile::tempdir().unwrap();
    // The port was free a moment ago.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let url = format!("http://127.0.0.1:{port}/x");
    let error = download(&url, &folder.path().join("x"), 10, &http(), &Reporter::quiet());
    let error = error.unwrap_err().to_string();
    assert!(error.starts_with(&url), "{error}");
}

#[test]
fn more_than_there_can_be_is_not_stored() {
    let large = vec![0; 1_000_001];
    let fixture = Fixture::new([Answer::File { body: large }]);
    let expected = "URL/data/x: the file has 1000001 bytes, expected at most 1000000";
    assert_eq!(fixture.message(), expected);
    assert!(!fixture.part().exists());
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_named_with_what_to_do() {
    let fixture = Fixture::new([Answer::File { body: body() }]);
    std::os::unix::fs::symlink("/dev/full", fixture.part()).unwrap();
    let message = fixture.message();
    assert!(message.contains("x.part: No space left on device"), "{message}");
    assert!(message.ends_with("free some space, or name a folder elsewhere with --data-dir"));
}
