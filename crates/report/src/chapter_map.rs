//! The map of the book: the reading time of each chapter, and the earlier chapters that it builds on.

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};

use mdbook_driver::book::{Book, BookItem};

use crate::fragment::{Fragment, PieceKind};
use crate::markdown::{Table, cells};
use crate::references::{References, number_prefix};

/// Words that are read in a minute.
const SPEED: usize = 200;

/// A table of the chapters between those that begin and those that end the book. A chapter builds on the earlier ones to which its text or
/// its formulas refer.
pub(crate) fn table(
    book: &Book,
    chapters: &[(PathBuf, Fragment)],
    references: &References,
) -> String {
    let mut table = Table::new("chapter | >minutes | builds on");
    let mut before: Vec<(&Path, String)> = Vec::new();
    for item in book.iter() {
        let chapter = match item {
            BookItem::PartTitle(title) => {
                table.row(cells![format!("**{title}**"), "", ""]);
                continue;
            }
            BookItem::Chapter(chapter) if chapter.number.is_some() => chapter,
            BookItem::Chapter(_) | BookItem::Separator => continue,
        };
        let found = chapters.iter().find(|(path, _)| Some(path) == chapter.path.as_ref());
        let Some((path, fragment)) = found else { continue };
        let link = |name: &str, path: &Path| format!("[{name}]({})", path.display());
        let referred = referred(path, fragment, references);
        let earlier = before.iter().filter(|(path, _)| referred.contains(*path));
        let earlier: Vec<String> = earlier.map(|(path, name)| link(name, path)).collect();
        let words = fragment.replace(|_| String::new()).split_whitespace().count();
        let minutes = words.div_ceil(SPEED);
        table.row(cells![link(&chapter.name, path), minutes, earlier.join(", ")]);
        // A number is a name that is short.
        let short = number_prefix(&chapter.name);
        let is_number = short.starts_with(|c: char| c.is_ascii_digit());
        before.push((path, if is_number { short } else { chapter.name.clone() }));
    }
    table.0
}

/// The chapters to which one refers, by labels and by links.
fn referred(path: &Path, fragment: &Fragment, references: &References) -> BTreeSet<PathBuf> {
    let of_label = |kind: &PieceKind| match kind {
        PieceKind::Reference(label) => Some(references.targets.get(label)?.chapter.clone()),
        _ => None,
    };
    let labels = fragment.pieces.iter().filter_map(|piece| of_label(&piece.kind));
    let folder = path.parent().unwrap_or(Path::new(""));
    let links = fragment.text.split("](").skip(1).filter_map(|link| link.split([')', '#']).next());
    labels.chain(links.map(|link| without_dots(&folder.join(link)))).collect()
}

/// A path with its `..` taken off.
fn without_dots(path: &Path) -> PathBuf {
    path.components().fold(PathBuf::new(), |mut plain, part| {
        match part {
            Component::ParentDir => {
                plain.pop();
            }
            part => plain.push(part),
        }
        plain
    })
}
