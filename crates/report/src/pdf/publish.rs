//! The finished PDF, where readers find it.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::files;

/// Its name in the book's folder.
const NAME: &str = "book.pdf";

/// The pages that begin the book; one is a copy of the other.
const FIRST_PAGES: [&str; 2] = ["index.html", "title.html"];

/// Writes the PDF to `file` and into the book, whose first page then has a link to it.
pub fn publish(bytes: &[u8], pages: usize, book: &Path, file: &Path) -> Result<()> {
    write(file, bytes)?;
    write(&book.join(NAME), bytes)?;
    for name in FIRST_PAGES {
        let page = book.join(name);
        write(&page, linked(&files::read(&page)?, pages)?.as_bytes())?;
    }
    // One that did not pass would be of an older book.
    let rejected = rejected(file);
    if rejected.exists() {
        fs::remove_file(&rejected)
            .with_context(|| format!("cannot remove {}", rejected.display()))?;
    }
    Ok(())
}

/// Writes a PDF that did not pass beside the place where it should have been, and returns where.
pub fn reject(bytes: &[u8], file: &Path) -> Result<PathBuf> {
    let rejected = rejected(file);
    write(&rejected, bytes)?;
    Ok(rejected)
}

fn rejected(file: &Path) -> PathBuf {
    file.with_extension("rejected.pdf")
}

fn linked(page: &str, pages: usize) -> Result<String> {
    let link = format!("<p class=\"pdf-link\"><a href=\"{NAME}\">PDF</a> ({pages} pages)</p>");
    // The menu has a heading too.
    let main = page.find("<main>").unwrap_or_default();
    let heading =
        page[main..].find("</h1>").context("the first page of the book has no heading")?;
    let (before, after) = page.split_at(main + heading + "</h1>".len());
    Ok(format!("{before}\n{link}{after}"))
}

/// The whole file or none, in a folder that is created if need be.
fn write(file: &Path, bytes: &[u8]) -> Result<()> {
    let folder = file.parent().context("a file to write has a folder")?;
    fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))?;
    system::replace(file, bytes).with_context(|| format!("cannot write {}", file.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_good_pdf_is_linked_and_replaces_a_rejected_one_and_not_the_reverse() {
        let folder = tempfile::tempdir().unwrap();
        let book = folder.path().join("book");
        fs::create_dir(&book).unwrap();
        for name in FIRST_PAGES {
            fs::write(book.join(name), "<h1>Menu</h1><main><h1>T</h1>\nx</main>").unwrap();
        }
        let file = folder.path().join("a/b.pdf");
        let rejected = reject(b"bad", &file).unwrap();
        assert_eq!(rejected, folder.path().join("a/b.rejected.pdf"));
        assert!(!file.exists());
        publish(b"%PDF", 7, &book, &file).unwrap();
        assert!(!rejected.exists());
        for copy in [&file, &book.join("book.pdf")] {
            assert_eq!(fs::read(copy).unwrap(), b"%PDF");
        }
        for name in FIRST_PAGES {
            let text = fs::read_to_string(book.join(name)).unwrap();
            assert!(
                text.contains("T</h1>\n<p class=\"pdf-link\"><a href=\"book.pdf\">PDF</a> (7"),
                "{text}"
            );
        }
        reject(b"bad", &file).unwrap();
        assert_eq!(fs::read(&file).unwrap(), b"%PDF");
        fs::write(book.join("index.html"), "<h1>Menu</h1><main>").unwrap();
        let error = publish(b"%PDF", 7, &book, &file).unwrap_err().to_string();
        assert!(error.contains("has no heading"), "{error}");
    }
}
