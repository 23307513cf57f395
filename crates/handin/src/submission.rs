//! The graded code, gathered from the sources.

use std::collections::BTreeMap;
use std::fs;
use std::ops::Range;
use std::path::Path;

use crate::HandinError;
use crate::entries::{Entry, SECTIONS, Source, entries};
use crate::rust_file::{Item, RustFile};

/// The graded code in the course's order.
#[derive(Clone, Debug, PartialEq)]
pub struct Submission {
    /// Its sections.
    pub sections: Vec<GatheredSection>,
}

/// A section with its code.
#[derive(Clone, Debug, PartialEq)]
pub struct GatheredSection {
    /// The heading.
    pub title: &'static str,
    /// The entries.
    pub entries: Vec<GatheredEntry>,
}

/// An entry with its code.
#[derive(Clone, Debug, PartialEq)]
pub struct GatheredEntry {
    /// The course's name of it.
    pub name: &'static str,
    /// The code, file by file.
    pub listings: Vec<Listing>,
    /// Earlier entries that show code which this one uses too.
    pub builds_on: &'static [&'static str],
}

/// Code of one file.
#[derive(Clone, Debug, PartialEq)]
pub struct Listing {
    /// The file, relative to the root of the workspace.
    pub file: &'static str,
    /// The first and the last line of each piece, from 1.
    pub lines: Vec<(usize, usize)>,
    /// The code as it is written; methods within the `impl` block that they stand in.
    pub code: String,
}

impl Submission {
    /// Gathers all entries from the sources below `root`.
    ///
    /// # Errors
    /// [`HandinError::Io`] and [`HandinError::Syntax`] for a source that is not there or not Rust,
    /// [`HandinError::MissingItem`] for an item that is not in its file,
    /// [`HandinError::NotShown`] if the code of an entry uses an item of its file that neither the
    /// entry nor those that it builds on show.
    pub fn gather(root: &Path) -> Result<Self, HandinError> {
        let mut files = BTreeMap::new();
        for source in entries().flat_map(|entry| entry.sources) {
            if !files.contains_key(source.file) {
                files.insert(source.file, read(root, source.file)?);
            }
        }
        let mut sections = Vec::new();
        for section in &SECTIONS {
            let gathered = section.entries.iter().map(|entry| gather(entry, &files));
            let entries = gathered.collect::<Result<_, _>>()?;
            sections.push(GatheredSection { title: section.title, entries });
        }
        Ok(Self { sections })
    }

    /// All entries in order.
    pub fn entries(&self) -> impl Iterator<Item = &GatheredEntry> {
        self.sections.iter().flat_map(|section| &section.entries)
    }
}

type Files = BTreeMap<&'static str, RustFile>;

fn read(root: &Path, file: &'static str) -> Result<RustFile, HandinError> {
    let path = root.join(file);
    let text = fs::read_to_string(&path).map_err(HandinError::read(&path))?;
    RustFile::parse(file, &text).map_err(|cause| HandinError::Syntax {
        file: file.to_owned(),
        line: cause.span().start().line,
        what: cause.to_string(),
    })
}

fn gather(entry: &'static Entry, files: &Files) -> Result<GatheredEntry, HandinError> {
    let mut listings = Vec::new();
    for source in entry.sources {
        let file = &files[source.file];
        let mut items = Vec::new();
        for name in source.items {
            items.push(file.item(name).ok_or_else(|| missing(entry, name, file))?);
        }
        check_uses(entry, source, file, &items)?;
        items.sort_by_key(|item| item.lines.start);
        listings.push(listing(source.file, file, &items));
    }
    Ok(GatheredEntry { name: entry.name, listings, builds_on: entry.builds_on })
}

fn missing(entry: &Entry, item: &str, file: &RustFile) -> HandinError {
    let mut near: Vec<(f64, &str)> = file
        .names()
        .map(|name| (strsim::jaro_winkler(item, name), name))
        .filter(|(similarity, _)| *similarity > 0.7)
        .collect();
    near.sort_by(|a, b| b.0.total_cmp(&a.0));
    HandinError::MissingItem {
        entry: entry.name,
        item: item.to_owned(),
        file: file.path().to_owned(),
        near: near.into_iter().take(3).map(|(_, name)| name.to_owned()).collect(),
    }
}

/// What the shown items use of their file is shown too, here or in an entry that this builds on.
fn check_uses(
    entry: &Entry,
    source: &Source,
    file: &RustFile,
    items: &[&Item],
) -> Result<(), HandinError> {
    let on = entries().filter(|other| entry.builds_on.contains(&other.name));
    let shown: Vec<&str> = on
        .flat_map(|entry| entry.sources)
        .chain([source])
        .filter(|other| other.file == source.file)
        .flat_map(|source| source.items)
        .copied()
        .collect();
    for item in items {
        if let Some(used) =
            file.names().find(|name| item.uses.may_be(name) && !shown.contains(name))
        {
            return Err(HandinError::NotShown {
                entry: entry.name,
                item: item.name.clone(),
                uses: used.to_owned(),
                file: source.file.to_owned(),
            });
        }
    }
    Ok(())
}

/// The code of these items, which are in the order of the file.
fn listing(name: &'static str, file: &RustFile, items: &[&Item]) -> Listing {
    let mut code = String::new();
    let mut lines: Vec<(usize, usize)> = Vec::new();
    let mut block: Option<&Range<usize>> = None;
    for (index, item) in items.iter().enumerate() {
        let head = item.head.as_ref();
        if block.is_some() && block != head {
            code.push_str("}\n");
        }
        if index > 0 {
            code.push('\n');
        }
        if let Some(head) = head.filter(|_| block != head) {
            write(&mut code, file, head);
        }
        block = head;
        write(&mut code, file, &item.lines);
        let (first, last) = (item.lines.start + 1, item.lines.end);
        match lines.last_mut() {
            // Nothing but an empty line stands between the two.
            Some(piece) if first <= piece.1 + 2 => piece.1 = last,
            _ => lines.push((first, last)),
        }
    }
    if block.is_some() {
        code.push_str("}\n");
    }
    Listing { file: name, lines, code }
}

fn write(code: &mut String, file: &RustFile, lines: &Range<usize>) {
    for line in file.shown(lines.clone()) {
        code.push_str(line);
        code.push('\n');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn methods_stand_in_their_block_and_pieces_in_the_order_of_the_file() {
        let text = "\
impl A {
    fn one() {}

    fn two() {}

    fn three() {}
}

fn four() {}
";
        let file = RustFile::parse("a.rs", text).unwrap();
        let mut items: Vec<_> =
            ["four", "A::three", "A::one"].map(|name| file.item(name).unwrap()).into();
        items.sort_by_key(|item| item.lines.start);
        let listing = listing("a.rs", &file, &items);
        assert_eq!(
            listing.code,
            "impl A {\n    fn one() {}\n\n    fn three() {}\n}\n\nfn four() {}\n"
        );
        assert_eq!(listing.lines, [(2, 2), (6, 6), (9, 9)]);
    }
}
