//! What the browser leaves to be done: metadata, the same bytes for the same input, size.

use anyhow::{Context, Result};
use lopdf::{Dictionary, Document, Object, SaveOptions, text_string};

/// Sets the metadata, and packs the file.
///
/// # Errors
/// If the file is not a PDF, or has no catalog.
pub(super) fn finish(mut document: Document, title: &str, author: &str) -> Result<Vec<u8>> {
    let mut information = Dictionary::new();
    for (key, value) in [("Title", title), ("Author", author)] {
        if !value.trim().is_empty() {
            information.set(key, text_string(value.trim()));
        }
    }
    // The browser's version and the date would make each file another one.
    let information = document.add_object(information);
    document.trailer.set("Info", Object::Reference(information));
    document.trailer.remove(b"ID");
    let catalog = document.catalog_mut().context("the PDF has no catalog")?;
    catalog.set("PageMode", Object::Name(b"UseOutlines".to_vec()));
    let mut preferences = Dictionary::new();
    preferences.set("DisplayDocTitle", true);
    catalog.set("ViewerPreferences", preferences);
    document.prune_objects();
    // The structure for screen readers is many small objects: one by one they are most of the file.
    let options = SaveOptions::builder()
        .use_object_streams(true)
        .use_xref_streams(true)
        .max_objects_per_stream(200)
        .compression_level(6)
        .build();
    let mut bytes = Vec::new();
    document.save_with_options(&mut bytes, options).context("the PDF cannot be packed")?;
    Ok(bytes)
}
