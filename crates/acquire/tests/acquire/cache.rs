//! What is on this machine: found, damaged, removed.

use std::fs;
use std::process::Command;

use acquire::{Place, clean, locate};

use crate::server::Answer;
use crate::tiny::{Machine, content, gzipped, official};

#[test]
fn what_is_there_is_used_where_it_is_and_nothing_is_written() {
    for folder in ["tiny", "tiny-batches-bin", ""] {
        let machine = Machine::new();
        machine.fill(folder);
        let found = machine.ensure().unwrap();
        assert_eq!(
            found.folder.components().as_path(),
            machine.place().join(folder).components().as_path()
        );
        assert_eq!(found.source, "cache");
        assert_eq!(locate(&machine.set, &machine.request).unwrap(), found);
    }
}

#[test]
fn places_are_looked_at_in_order() {
    let mut machine = Machine::new();
    machine.fill("tiny");
    let first = Place { path: machine.folder.path().join("first"), origin: "--data-dir" };
    machine.request.places.insert(0, first.clone());
    assert_eq!(machine.ensure().unwrap().source, "cache");
    for file in machine.set.files {
        machine.write(&format!("first/tiny/{}.gz", file.name), &gzipped(&content(file.name)));
    }
    let found = machine.ensure().unwrap();
    assert_eq!((found.folder, found.source.as_str()), (first.path.join("tiny"), "--data-dir"));
}

#[test]
fn a_damaged_file_is_not_used_and_stays_until_it_can_be_replaced() {
    let mut machine = Machine::new();
    machine.fill("tiny");
    machine.write("place/tiny/data_batch_2.bin", b"damaged");
    fs::remove_file(machine.place().join("tiny/test_batch.bin")).unwrap();
    machine.request.offline = true;
    let message = machine.message();
    assert!(message.contains("data_batch_2.bin is damaged or another file: expected 9219 bytes"));
    assert!(message.contains("but got 7 bytes with SHA-256"), "{message}");
    assert!(message.contains("MACHINE/place/tiny/test_batch.bin is missing"), "{message}");
    assert!(message.contains("cargo xtask data tiny"), "{message}");
    assert_eq!(fs::read(machine.place().join("tiny/data_batch_2.bin")).unwrap(), b"damaged");
    machine.request.offline = false;
    let _server = machine.serve(vec![Answer::File(official())]);
    machine.ensure().unwrap();
    machine.assert_complete();
}

#[cfg(unix)]
#[test]
fn offline_asks_neither_a_client_nor_a_server() {
    let mut machine = Machine::new();
    let server = machine.serve_twice(Answer::File(official()));
    machine.request.clients.npm = machine.program("npm", "");
    machine.request.clients.apt_get = machine.program("apt-get", "");
    machine.request.offline = true;
    let message = machine.message();
    assert!(message.contains("not asked: offline"), "{message}");
    assert_eq!(machine.calls(), [""; 0]);
    assert_eq!(server.requests(), []);
    assert!(!machine.place().exists(), "nothing was written");
    // The same request asks both when it may.
    machine.request.offline = false;
    machine.ensure().unwrap();
    assert_eq!((machine.calls().len(), server.requests().len()), (1, 1));
}

#[test]
fn cleaning_removes_what_was_fetched_and_nothing_else() {
    let machine = Machine::new();
    machine.fill("tiny");
    for name in [
        "downloads/tiny/tiny.tar.gz.part",
        ".cs189-packagesX/x",
        "tiny/notes.txt",
        "thesis.txt",
        "other/data_batch_1.bin",
    ] {
        machine.write(&format!("place/{name}"), b"text");
    }
    let sets = [machine.set];
    let (removed, bytes) = clean(machine.place(), &sets).unwrap();
    assert_eq!(removed.len(), 5);
    let fetched: u64 = machine.set.files.iter().map(|file| file.bytes).sum();
    assert_eq!(bytes, fetched + 4);
    assert_eq!(machine.names(""), ["other", "thesis.txt", "tiny"]);
    assert_eq!(machine.names("tiny"), ["notes.txt"]);
    assert_eq!(clean(machine.place(), &sets).unwrap(), (vec![], 0));
    // A place of our own goes too.
    let machine = Machine::new();
    machine.fill("tiny");
    clean(machine.place(), &sets).unwrap();
    assert!(!machine.place().exists());
}

#[test]
fn output_that_nobody_reads_or_a_full_device_is_no_panic() {
    let program = || Command::new(env!("CARGO_BIN_EXE_data"));
    let arguments = ["where", "--offline", "--data-dir", "."];
    system::for_tests::survives_without_output(program, &arguments);
}
