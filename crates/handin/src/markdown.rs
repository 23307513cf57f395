//! The submission as Markdown.

use std::fmt::Write as _;

use crate::submission::{Listing, Submission};

/// The submission as Markdown, with the sections as headings of this level.
#[must_use]
pub fn markdown(submission: &Submission, level: usize) -> String {
    let mut out = String::new();
    for section in &submission.sections {
        if !out.is_empty() {
            out.push('\n');
        }
        let _ = writeln!(out, "{} {}", "#".repeat(level), section.title);
        for entry in &section.entries {
            let _ = writeln!(out, "\nImplementation of `{}`:", entry.name);
            for listing in &entry.listings {
                let _ = writeln!(out, "\n{}\n\n{}", caption(listing), fenced(&listing.code));
            }
            if !entry.builds_on.is_empty() {
                let names = entry.builds_on.iter().map(|name| format!("`{name}`"));
                let names = names.collect::<Vec<_>>().join(", ");
                let _ = writeln!(out, "\nIt also uses code that is shown under {names}.");
            }
        }
    }
    out
}

fn caption(listing: &Listing) -> String {
    format!("`{}`, {}:", listing.file, lines(listing))
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
    use crate::submission::{GatheredEntry, GatheredSection};

    #[test]
    fn code_with_fences_of_its_own_is_shown_as_it_is() {
        let code = "/// ```\n/// ````\nfn a() {}\n".to_owned();
        let listing = Listing { file: "a.rs", lines: vec![(3, 5), (9, 9)], code };
        let entry =
            GatheredEntry { name: "a.b", listings: vec![listing], builds_on: vec!["c.d", "e.f"] };
        let section = GatheredSection { title: "A Implementations:", entries: vec![entry] };
        let submission = Submission { sections: vec![section.clone(), section] };
        let text = markdown(&submission, 2);
        let once = "## A Implementations:\n\nImplementation of `a.b`:\n\n`a.rs`, lines 3-5, 9:\n\n\
            `````rust\n/// ```\n/// ````\nfn a() {}\n`````\n\n\
            It also uses code that is shown under `c.d`, `e.f`.\n";
        assert_eq!(text, format!("{once}\n{once}"));
    }
}
