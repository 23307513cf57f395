//! Downloads from a server on this machine that misbehaves in every way that servers do.

use std::fs;
use std::time::{Duration, Instant};

use acquire::HomeForm;

use crate::server::Answer;
use crate::tiny::{Machine, content, gzipped, official};

/// A file that a run leaves behind to be resumed.
const PART: &str = "place/downloads/tiny/tiny.tar.gz.part";

#[test]
fn an_archive_comes_whole_whatever_is_there_and_whatever_the_server_does() {
    let (archive, n) = (official(), official().len());
    let file = || Answer::File(official());
    let cut = |after| Answer::Cut(official(), after);
    for (case, answers, part, ranges) in [
        ("in one request", vec![file()], &[][..], vec![None]),
        ("cut", vec![cut(3000), cut(1000), file()], &[], vec![None, Some(3000), Some(4000)]),
        ("of an earlier run", vec![file()], &archive[..1234], vec![Some(1234)]),
        ("complete already", vec![file()], &archive, vec![Some(n)]),
        ("longer than the file", vec![file()], &[0; 40_000], vec![Some(40_000), None]),
        ("of another file", vec![file()], &[7; 1000], vec![Some(1000), None]),
        ("no ranges", vec![Answer::Whole(official())], &archive[..1000], vec![Some(1000), None]),
        ("in trouble", vec![Answer::Status(503), file()], &[], vec![None, None]),
    ] {
        let mut machine = Machine::new();
        if !part.is_empty() {
            machine.write(PART, part);
        }
        let server = machine.serve(answers);
        let found = machine.ensure().unwrap();
        assert_eq!(
            (found.folder, found.source),
            (machine.place().join("tiny"), server.url.clone())
        );
        machine.assert_complete();
        let expected: Vec<_> =
            ranges.into_iter().map(|from| ("/tiny.tar.gz".to_owned(), from)).collect();
        assert_eq!(server.requests(), expected, "{case}");
    }
}

#[test]
fn gzipped_files_are_fetched_one_by_one() {
    let mut machine = Machine::new();
    machine.set.form = HomeForm::Gzipped;
    let names = machine.set.files.iter().map(|file| file.name);
    let server = machine.serve(names.map(|name| Answer::File(gzipped(&content(name)))).collect());
    machine.homes(&server.url, ["/mnist/"]);
    machine.ensure().unwrap();
    machine.assert_complete();
    let expected = ["data_batch_1", "data_batch_2", "test_batch"];
    assert_eq!(server.requests(), expected.map(|name| (format!("/mnist/{name}.bin.gz"), None)));
}

#[test]
fn an_archive_that_is_refused_is_not_asked_for_again_and_leaves_nothing() {
    let n = official().len();
    let HomeForm::Archive { md5, .. } = Machine::new().set.form else { panic!("another form") };
    for (answer, expected) in [
        (Answer::Status(404), "the server answered 404, expected 200".to_owned()),
        (
            Answer::File(vec![0; n + 1]),
            format!("expected at most {n} bytes, but the file has more"),
        ),
        (Answer::File(vec![0; 100]), format!("expected MD5 {md5}, but got 100 bytes with MD5 ")),
    ] {
        let mut machine = Machine::new();
        let is_other = matches!(answer, Answer::File(_));
        let server = machine.serve(vec![answer]);
        let message = machine.message();
        assert!(message.contains("URL/tiny.tar.gz: ") && message.contains(&expected), "{message}");
        assert_eq!(
            message.contains("the download was removed"),
            is_other && !message.contains("at most")
        );
        assert!(message.contains("to retry: cargo xtask data tiny"), "{message}");
        assert_eq!(server.requests().len(), 1);
        assert_eq!(machine.names(""), [""; 0]);
    }
}

#[test]
fn a_server_that_fails_is_left_and_what_came_is_kept() {
    let hang = |after| Answer::Hang(official(), after);
    for (answers, kept, expected) in [
        (vec![Answer::Status(503)], 0, "answered 503 (4 attempts in a row brought nothing)"),
        (vec![hang(1000), Answer::Status(500)], 1000, "1000 bytes are kept in"),
        (vec![hang(0)], 0, "4 attempts in a row brought nothing"),
    ] {
        let (mut machine, start) = (Machine::new(), Instant::now());
        let _server = machine.serve(answers);
        let message = machine.message();
        assert!(message.contains(expected), "{message}");
        assert!(start.elapsed() < Duration::from_secs(15), "{:?}", start.elapsed());
        let part = fs::read(machine.folder.path().join(PART)).unwrap_or_default();
        assert_eq!(part, official()[..kept]);
    }
}

#[test]
fn what_cannot_be_asked_is_named_with_a_remedy() {
    let mut machine = Machine::new();
    // The port was free a moment ago.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    for (url, expected) in [
        (format!("http://127.0.0.1:{port}"), "4 attempts in a row brought nothing"),
        ("file:///etc".to_owned(), "curl: (1) "),
    ] {
        machine.homes(&url, [""]);
        let message = machine.message();
        assert!(message.contains("URL/tiny.tar.gz: ") && message.contains(expected), "{message}");
    }
    machine.request.clients.curl = "no-such-curl".into();
    let message = machine.message();
    assert!(message.contains("`no-such-curl`, which downloads it, cannot be run: "), "{message}");
    assert!(message.contains("install curl, or download this file by hand"), "{message}");
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_ends_the_search() {
    let mut machine = Machine::new();
    let server = machine.serve_twice(Answer::File(official()));
    fs::create_dir_all(machine.place().join("downloads/tiny")).unwrap();
    std::os::unix::fs::symlink("/dev/full", machine.folder.path().join(PART)).unwrap();
    let message = machine.message();
    assert!(
        message.contains("cannot write MACHINE/place/downloads/tiny/tiny.tar.gz.part: curl: (23) ")
    );
    assert!(
        message.contains("; free some space, or name another place with --data-dir"),
        "{message}"
    );
    assert_eq!(server.requests().len(), 1);
    assert_eq!(machine.names("tiny"), [""; 0]);
}
