//! The graded code, gathered from the sources.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, anyhow, bail};

use crate::entries::{ENTRIES, Entry};
use crate::rust_file::{Item, items};

/// An entry with its code.
#[derive(Debug)]
pub struct GatheredEntry {
    /// The entry.
    pub entry: &'static Entry,
    /// The code, file by file.
    pub listings: Vec<Listing>,
}

/// Code of one file.
#[derive(Debug)]
pub struct Listing {
    /// The file, relative to the root of the workspace.
    pub file: &'static str,
    /// The first and the last line of each piece, from 1.
    pub lines: Vec<(usize, usize)>,
    /// The code as it is written; methods within the `impl` block that they stand in.
    pub code: String,
}

/// Gathers all entries from the sources below `root`, in the course's order: their items, and what these use of
/// the entry's files, and so on, unless an earlier entry shows it.
///
/// # Errors
/// If a source is not there or not Rust, or an item is in none of its files.
pub fn gather(root: &Path) -> Result<Vec<GatheredEntry>> {
    let files: BTreeSet<_> = ENTRIES.iter().flat_map(|entry| entry.files).collect();
    let mut all = Vec::new();
    for file in files {
        let path = root.join(file);
        // Kernels may be in fewer files, as in a starter: whether an item is missing is seen below.
        if !path.exists() && ENTRIES.iter().all(|entry| entry.files[0] != *file) {
            continue;
        }
        let text =
            fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        all.extend(items(file, &text).map_err(|cause| {
            let line = cause.span().start().line;
            anyhow!("{file}:{line}: not Rust: {cause}; `cargo check` says more")
        })?);
    }
    let mut sources = Sources { items: all, shown: BTreeSet::new() };
    ENTRIES.iter().map(|entry| sources.gather(entry)).collect()
}

struct Sources {
    items: Vec<Item>,
    /// The items of the entries so far.
    shown: BTreeSet<usize>,
}

impl Sources {
    fn gather(&mut self, entry: &'static Entry) -> Result<GatheredEntry> {
        let items = &self.items;
        let places: Vec<usize> =
            (0..items.len()).filter(|&place| entry.files.contains(&items[place].file)).collect();
        let mut chosen = BTreeSet::new();
        for name in entry.items {
            let is_meant = |place: &&usize| {
                let item = &items[**place];
                item.name == *name || name.contains(" for ") && item.owner() == Some(*name)
            };
            let mut meant = places.iter().filter(is_meant).peekable();
            if meant.peek().is_none() {
                bail!(
                    "the entry {} lacks `{name}`: it is not in {}; write it, or change the entry in \
                     crates/handin/src/entries.rs",
                    entry.name,
                    entry.files[0]
                );
            }
            chosen.extend(meant);
        }
        // What an earlier entry shows is not repeated; what that uses is shown there, too.
        while let Some(&next) = places.iter().find(|next| {
            !chosen.contains(*next) && !self.shown.contains(next) && self.is_used(**next, &chosen)
        }) {
            chosen.insert(next);
        }
        let listings = entry.files.iter().filter_map(|file| {
            // In the order of the file.
            let items = chosen.iter().map(|&place| &items[place]).filter(|item| item.file == *file);
            listing(&items.collect::<Vec<_>>())
        });
        let listings = listings.collect();
        self.shown.extend(chosen);
        Ok(GatheredEntry { entry, listings })
    }

    /// Whether one of the chosen items uses this one. A method can only be meant if its type is shown.
    fn is_used(&self, place: usize, chosen: &BTreeSet<usize>) -> bool {
        let item = &self.items[place];
        let is_owner = |other: &usize| Some(self.items[*other].name.as_str()) == item.owner();
        let uses_it = |user: &usize| {
            let user = &self.items[*user];
            (item.is_public || user.file == item.file) && user.uses(item)
        };
        (item.owner().is_none() || self.shown.union(chosen).any(is_owner))
            && chosen.iter().any(uses_it)
    }
}

/// The code of these items of a file; `None` if there are none.
fn listing(items: &[&Item]) -> Option<Listing> {
    let mut listing = Listing { file: items.first()?.file, lines: Vec::new(), code: String::new() };
    let Listing { lines, code, .. } = &mut listing;
    let mut block: Option<&(usize, String)> = None;
    for item in items {
        let head = item.head.as_ref();
        if block.is_some() && block != head {
            code.push_str("}\n");
        }
        if !code.is_empty() {
            code.push('\n');
        }
        if let Some((_, head)) = head.filter(|_| block != head) {
            code.push_str(head);
        }
        block = head;
        code.push_str(&item.code);
        let (first, last) = item.lines;
        match lines.last_mut() {
            // Nothing but an empty line stands between the two.
            Some(piece) if first <= piece.1 + 2 => piece.1 = last,
            _ => lines.push((first, last)),
        }
    }
    if block.is_some() {
        code.push_str("}\n");
    }
    Some(listing)
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
        let items = items("a.rs", text).unwrap();
        let items: Vec<_> = items.iter().filter(|item| item.name != "A::two").collect();
        let Listing { lines, code, .. } = listing(&items).unwrap();
        assert_eq!(code, "impl A {\n    fn one() {}\n\n    fn three() {}\n}\n\nfn four() {}\n");
        assert_eq!(lines, [(2, 2), (6, 6), (9, 9)]);
    }
}
