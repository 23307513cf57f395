//! The submission as Markdown.

use std::fmt::Write as _;

use crate::submission::{GatheredEntry, Listing};

/// The submission as Markdown, with the sections as headings of this level.
pub fn markdown(submission: &[GatheredEntry], level: usize) -> String {
    let mut out = String::new();
    let mut section = "";
    for GatheredEntry { entry, listings } in submission {
        if entry.section != section {
            section = entry.section;
            let gap = if out.is_empty() { "" } else { "\n" };
            let _ = writeln!(out, "{gap}{} {section}", "#".repeat(level));
        }
        let _ = writeln!(out, "\nImplementation of `{}`:", entry.name);
        for listing in listings {
            let (file, lines) = (listing.file, lines(listing));
            let _ = writeln!(out, "\n`{file}`, {lines}:\n\n{}", fenced(&listing.code));
        }
    }
    out
}

/// The lines of a listing in words.
pub(crate) fn lines(listing: &Listing) -> String {
    let piece = |&(first, last): &(usize, usize)| match first == last {
        true => first.to_string(),
        false => format!("{first}-{last}"),
    };
    match &listing.lines[..] {
        [(first, last)] if first == last => format!("line {first}"),
        pieces => format!("lines {}", pieces.iter().map(piece).collect::<Vec<_>>().join(", ")),
    }
}

/// A block that shows the code as it is, whatever backticks are in it.
fn fenced(code: &str) -> String {
    let longest = code.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat((longest + 1).max(3));
    format!("{fence}rust\n{code}{fence}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entries::Entry;

    const ENTRY: Entry = Entry { section: "A:", name: "a.b", items: &[], files: &[] };
    const OTHER: Entry = Entry { section: "B:", ..ENTRY };

    #[test]
    fn code_with_fences_of_its_own_is_shown_as_it_is() {
        let gathered = |entry| {
            let code = "/// ```\n/// ````\nfn a() {}\n".to_owned();
            let listing = Listing { file: "a.rs", lines: vec![(3, 5), (9, 9)], code };
            GatheredEntry { entry, listings: vec![listing] }
        };
        let once = "\nImplementation of `a.b`:\n\n`a.rs`, lines 3-5, 9:\n\n\
            `````rust\n/// ```\n/// ````\nfn a() {}\n`````\n";
        let text = markdown(&[&ENTRY, &ENTRY, &OTHER].map(gathered), 2);
        assert_eq!(text, format!("## A:\n{once}{once}\n## B:\n{once}"));
    }
}
