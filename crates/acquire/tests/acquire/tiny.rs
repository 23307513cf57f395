//! A data set of a few images, in every form in which CIFAR-10 is offered.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use acquire::{AcquireError, Clients, DataSet, Found, HomeForm, Package, Place, Request, ensure};
use datasets::{CIFAR10_RECORD, KnownFile};
use flate2::{Compression, write::GzEncoder};
use md5::Md5;
use sha2::{Digest, Sha256};
use tempfile::TempDir;

use crate::server::{Answer, Server};

/// The files, each with the number of its images.
const COUNTS: [(&str, usize); 3] =
    [("data_batch_1.bin", 2), ("data_batch_2.bin", 3), ("test_batch.bin", 1)];

/// The bytes of a file.
pub(crate) fn content(name: &str) -> Vec<u8> {
    let index = COUNTS.iter().position(|(file, _)| *file == name).unwrap();
    let record = |image: usize| {
        let value = move |i: usize| ((i + 1) * (i / 7 + 13 * image + 101 * index)) as u8;
        std::iter::once((image + index) as u8).chain((1..CIFAR10_RECORD).map(value))
    };
    (0..COUNTS[index].1).flat_map(record).collect()
}

/// The data set, whose home is an archive with this checksum.
fn set(archive: &[u8]) -> DataSet {
    let files = COUNTS.map(|(name, _)| {
        let content = content(name);
        let sha256 = system::hex(&Sha256::digest(&content)).leak();
        KnownFile { name, bytes: content.len() as u64, sha256 }
    });
    DataSet {
        name: "tiny",
        files: Vec::from(files).leak(),
        other_folders: &["tiny-batches-bin"],
        system_folder: None,
        package: Package::Npm { package: "tiny@1.0.0", megabytes: 1 },
        urls: &[],
        form: HomeForm::Archive {
            name: "tiny.tar.gz",
            bytes: archive.len() as u64,
            md5: system::hex(&Md5::digest(archive)).leak(),
        },
        other_sources: "none",
    }
}

pub(crate) fn gzipped(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

pub(crate) fn tar_gz(members: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    for (name, bytes) in members {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        tar.append_data(&mut header, name, bytes.as_slice()).unwrap();
    }
    gzipped(&tar.into_inner().unwrap())
}

/// The official archive.
pub(crate) fn official() -> Vec<u8> {
    let members = COUNTS.map(|(name, _)| (format!("tiny-batches-bin/{name}"), content(name)));
    tar_gz(&members)
}

/// The archive of the npm package, images before labels; `labels` of training images are left.
pub(crate) fn npm(labels: usize) -> Vec<u8> {
    let mut members = Vec::new();
    let (mut train, mut test) = (Vec::new(), Vec::new());
    for (name, count) in COUNTS {
        let content = content(name);
        let mut pixels = Vec::new();
        for record in content.chunks(CIFAR10_RECORD) {
            if name == "test_batch.bin" { &mut test } else { &mut train }.push(record[0]);
            for at in 0..1024 {
                pixels.extend([1, 1025, 2049].map(|plane| record[plane + at]));
            }
        }
        let mut bytes = Vec::new();
        let mut encoder = png::Encoder::new(&mut bytes, 1024, count as u32);
        encoder.set_color(png::ColorType::Rgb);
        encoder.write_header().unwrap().write_image_data(&pixels).unwrap();
        members.push((format!("package/{}.png", name.trim_end_matches(".bin")), bytes));
    }
    train.truncate(labels);
    for (name, labels) in [("test_lables.json", test), ("train_lables.json", train)] {
        members.push((format!("package/{name}"), format!("{labels:?}").into_bytes()));
    }
    tar_gz(&members)
}

/// A place for the data set, and how it is asked for: no client is installed.
pub(crate) struct Machine {
    pub(crate) folder: TempDir,
    pub(crate) set: DataSet,
    pub(crate) request: Request,
    /// The address of its server, if it has one.
    url: String,
}

impl Machine {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("place");
        let places = vec![Place { path, origin: "cache" }];
        let [npm, apt_get, dpkg_deb] = [(); 3].map(|()| PathBuf::from("no-such-client"));
        // Impatient, so that the tests are fast.
        let (stall, pause) = (Duration::from_secs(1), Duration::from_millis(10));
        let clients = Clients { npm, apt_get, dpkg_deb, stall, pause, ..Clients::default() };
        let request = Request { places, offline: false, from: None, clients, quiet: true };
        Self { folder, set: set(&official()), request, url: "no server".to_owned() }
    }

    /// A server with these answers, which is the official home.
    pub(crate) fn serve(&mut self, answers: Vec<Answer>) -> Server {
        let server = Server::start(answers);
        self.homes(&server.url, [""]);
        server
    }

    /// A server whose folders `a` and `b` are the official homes.
    pub(crate) fn serve_twice(&mut self, answer: Answer) -> Server {
        let server = Server::start(vec![answer]);
        self.homes(&server.url, ["/a", "/b"]);
        server
    }

    /// Folders of a server as the official homes.
    pub(crate) fn homes<const N: usize>(&mut self, url: &str, folders: [&str; N]) {
        let homes = folders.map(|folder| &*format!("{url}{folder}").leak());
        self.set.urls = Vec::from(homes).leak();
        self.url = url.to_owned();
    }

    /// A file beside the place.
    pub(crate) fn write(&self, name: &str, bytes: &[u8]) -> PathBuf {
        system::for_tests::write(self.folder.path(), name, bytes);
        self.folder.path().join(name)
    }

    /// A program that notes its call in the file `calls` and then does this.
    #[cfg(unix)]
    pub(crate) fn program(&self, name: &str, script: &str) -> PathBuf {
        use std::os::unix::fs::PermissionsExt;
        let calls = self.folder.path().join("calls");
        let text = format!("#!/bin/sh\necho {name} \"$@\" >> {}\n{script}\n", calls.display());
        let path = self.write(name, text.as_bytes());
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        path
    }

    /// The calls of programs so far.
    pub(crate) fn calls(&self) -> Vec<String> {
        let text = fs::read_to_string(self.folder.path().join("calls")).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }

    pub(crate) fn place(&self) -> &Path {
        &self.request.places[0].path
    }

    /// The files of the data set, written to a folder of the place.
    pub(crate) fn fill(&self, folder: &str) {
        for (name, _) in COUNTS {
            self.write(&format!("place/{folder}/{name}"), &content(name));
        }
    }

    pub(crate) fn ensure(&self) -> Result<Found, AcquireError> {
        ensure(&self.set, &self.request)
    }

    /// The error, with the names of this machine's folders and of its server left out.
    pub(crate) fn message(&self) -> String {
        let error = self.ensure().unwrap_err().to_string();
        let error = error.replace(&self.folder.path().display().to_string(), "MACHINE");
        error.replace(&self.url, "URL")
    }

    /// That all files are in their place and right, and nothing else is there.
    pub(crate) fn assert_complete(&self) {
        for (name, _) in COUNTS {
            assert_eq!(fs::read(self.place().join("tiny").join(name)).unwrap(), content(name));
        }
        assert_eq!(self.names("tiny").len(), COUNTS.len());
        assert_eq!(self.names(""), ["tiny"]);
    }

    /// The names in a folder of the place, in order.
    pub(crate) fn names(&self, folder: &str) -> Vec<String> {
        system::for_tests::names(&self.place().join(folder))
    }
}
