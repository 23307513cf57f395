//! The graded code, gathered from the sources.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::ops::Range;
use std::path::Path;

use anyhow::{Context, Result, anyhow};

use crate::entries::{Entry, SECTIONS, entries};
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
    pub builds_on: Vec<&'static str>,
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
    /// Gathers all entries from the sources below `root`: their items, and what these use of the entry's
    /// files, and so on.
    ///
    /// # Errors
    /// If a source is not there or not Rust, or an item is in none of its files.
    pub fn gather(root: &Path) -> Result<Self> {
        let mut gatherer = Gatherer::default();
        for file in entries().flat_map(|entry| entry.files) {
            if !gatherer.files.contains_key(file) {
                gatherer.files.insert(file, read(root, file)?);
            }
        }
        let mut sections = Vec::new();
        for section in &SECTIONS {
            let gathered = section.entries.iter().map(|entry| gatherer.gather(entry));
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

fn read(root: &Path, file: &str) -> Result<RustFile> {
    let path = root.join(file);
    let text =
        fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    RustFile::parse(&text).map_err(|cause| {
        let line = cause.span().start().line;
        anyhow!("{file}:{line}: not Rust: {cause}; `cargo check` says more")
    })
}

/// The file of an item, and its number there.
type Place = (&'static str, usize);

#[derive(Default)]
struct Gatherer {
    files: BTreeMap<&'static str, RustFile>,
    /// The entry that shows an item, so that no other shows it again.
    shown: BTreeMap<Place, &'static str>,
}

impl Gatherer {
    fn gather(&mut self, entry: &'static Entry) -> Result<GatheredEntry> {
        let places: Vec<Place> = entry
            .files
            .iter()
            .flat_map(|&file| (0..self.files[file].items.len()).map(move |index| (file, index)))
            .collect();
        let mut chosen = Vec::new();
        for name in entry.items {
            let is_meant = |place: &&Place| {
                let item = self.item(place);
                item.name == *name || name.contains(" for ") && item.owner() == Some(*name)
            };
            let meant = chosen.len();
            chosen.extend(places.iter().filter(is_meant).copied());
            if chosen.len() == meant {
                return Err(self.missing(entry, name, &places));
            }
        }
        // What an earlier entry shows is not repeated; what that uses is shown there, too.
        let mut builds_on = BTreeSet::new();
        while let Some(next) = places.iter().find(|next| {
            !chosen.contains(next) && !builds_on.contains(*next) && self.is_used(next, &chosen)
        }) {
            if self.shown.contains_key(next) {
                builds_on.insert(*next);
            } else {
                chosen.push(*next);
            }
        }
        let mut listings = Vec::new();
        for &file in entry.files {
            let mut items: Vec<_> = chosen
                .iter()
                .filter(|place| place.0 == file)
                .map(|place| self.item(place))
                .collect();
            items.sort_by_key(|item| item.lines.start);
            if !items.is_empty() {
                listings.push(listing(file, &self.files[file], &items));
            }
        }
        let earlier: BTreeSet<_> = builds_on.iter().map(|place| self.shown[place]).collect();
        let builds_on =
            entries().map(|entry| entry.name).filter(|name| earlier.contains(name)).collect();
        self.shown.extend(chosen.into_iter().map(|place| (place, entry.name)));
        Ok(GatheredEntry { name: entry.name, listings, builds_on })
    }

    fn item(&self, (file, index): &Place) -> &Item {
        &self.files[file].items[*index]
    }

    /// Whether one of the chosen items uses this one. A method can only be meant if its type is shown.
    fn is_used(&self, place: &Place, chosen: &[Place]) -> bool {
        let item = self.item(place);
        let is_owner = |other: &Place| Some(self.item(other).name.as_str()) == item.owner();
        (item.owner().is_none() || self.shown.keys().chain(chosen).any(is_owner))
            && chosen
                .iter()
                .any(|user| (item.is_public || user.0 == place.0) && self.item(user).uses(item))
    }

    /// The error for an item that is not there, with names that are similar.
    fn missing(&self, entry: &Entry, item: &str, places: &[Place]) -> anyhow::Error {
        let names = places.iter().map(|place| self.item(place).name.as_str());
        let mut near: Vec<(f64, &str)> = names
            .map(|name| (strsim::jaro_winkler(item, name), name))
            .filter(|(similarity, _)| *similarity > 0.7)
            .collect();
        near.sort_by(|a, b| b.0.total_cmp(&a.0));
        let near: Vec<_> = near.into_iter().take(3).map(|(_, name)| name).collect();
        let there_are = match near[..] {
            [] => String::new(),
            _ => format!(" (there are {})", near.join(", ")),
        };
        anyhow!(
            "the entry {} lacks `{item}`: it is not in {}{there_are}; write it, or change the entry in \
             crates/handin/src/entries.rs",
            entry.name,
            entry.files[0]
        )
    }
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
        let file = RustFile::parse(text).unwrap();
        let items: Vec<_> = file.items.iter().filter(|item| item.name != "A::two").collect();
        let listing = listing("a.rs", &file, &items);
        assert_eq!(
            listing.code,
            "impl A {\n    fn one() {}\n\n    fn three() {}\n}\n\nfn four() {}\n"
        );
        assert_eq!(listing.lines, [(2, 2), (6, 6), (9, 9)]);
    }
}
