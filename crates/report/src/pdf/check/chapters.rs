//! The chapters: each on pages of its own, with its figures and its code.

use super::{Placed, squeezed_body, squeezed_runs};
use crate::front::HONOR_STATEMENTS;
use crate::pdf::layout::{Listing, Role};
use crate::pdf::read::{Page, Pdf, squeezed};

pub(super) fn check(placed: &Placed<'_>, pdf: &Pdf) -> Vec<String> {
    let Placed { chapter, numbers, pages, text } = placed;
    let name = &chapter.name;
    if pages.is_empty() {
        return vec![format!("\"{name}\" has no page of its own")];
    }
    let mut problems = Vec::new();
    if !text.starts_with(&squeezed(&chapter.heading)) {
        problems.push(format!("\"{name}\" does not begin at the top of page {}", numbers.start));
    }
    match chapter.role {
        Role::Title => problems.extend(check_title(placed)),
        Role::Appendix => {
            problems.extend(check_appendix(placed, pdf));
            return problems;
        }
        Role::Text | Role::Question => {}
    }
    let lines = chapter.code_lines.iter();
    for line in lines.filter(|line| !text.contains(&squeezed(line))) {
        problems.push(format!("\"{name}\" lacks the line of code `{}`", line.trim()));
    }
    for caption in chapter.figures.iter().filter(|caption| !has_caption(pages, caption)) {
        let elsewhere = pdf.pages.chunks(1).position(|page| has_caption(page, caption));
        let place = elsewhere.map_or("nowhere".to_owned(), |at| format!("on page {}", at + 1));
        problems.push(format!("\"{name}\" lacks {caption} It is {place}"));
    }
    problems
}

/// True if a caption begins with this number. References to it in a text are not bold.
fn has_caption(pages: &[Page], caption: &str) -> bool {
    let bold = |page: &Page| squeezed_runs(page.runs.iter().filter(|run| run.is_bold));
    pages.iter().any(|page| bold(page).contains(&squeezed(caption)))
}

/// The title page has the honor statements, and whatever it has on the screen: names, numbers,
/// collaborators, Kaggle.
fn check_title(placed: &Placed<'_>) -> Vec<String> {
    let Placed { chapter, pages, .. } = placed;
    let text: String = pages.iter().map(|page| squeezed_runs(page.runs.iter())).collect();
    let lacks = |part: &str| !text.contains(&squeezed(part));
    let mut problems = Vec::new();
    for (source, _) in HONOR_STATEMENTS.iter().filter(|(_, statement)| lacks(statement)) {
        problems.push(format!("page 1 lacks the honor statement of {source}, word for word"));
    }
    let (signatures, wanted) = (text.matches("Signature").count(), HONOR_STATEMENTS.len());
    if signatures < wanted {
        problems.push(format!("page 1 has {signatures} signature lines, not {wanted}"));
    }
    for part in chapter.texts.iter().filter(|part| lacks(part)) {
        problems.push(format!("page 1 lacks \"{part}\""));
    }
    problems
}

/// The appendix has every file complete and in order, and each crate on pages of its own.
fn check_appendix(placed: &Placed<'_>, pdf: &Pdf) -> Vec<String> {
    let Placed { chapter, text, .. } = placed;
    let mut problems = Vec::new();
    let mut rest = text.as_str();
    for listing in &chapter.listings {
        match find(rest, listing) {
            Ok(after) => rest = after,
            Err(problem) => problems.push(problem),
        }
    }
    for section in &chapter.sections {
        let page = pdf.destinations.get(&section.id).and_then(|spot| pdf.pages.get(spot.page - 1));
        let name = squeezed(&section.name);
        if !page.is_some_and(|page| squeezed_body(page).starts_with(&name)) {
            problems.push(format!("{} does not begin at the top of a page", section.name));
        }
    }
    problems
}

/// The text after a file's name and code, or the first line of it that is not there.
fn find<'a>(text: &'a str, listing: &Listing) -> Result<&'a str, String> {
    let Listing { name, code } = listing;
    let heading = squeezed(name);
    let first = squeezed(code.lines().next().unwrap_or_default());
    let begins = |(at, _): &(usize, &str)| text[at + heading.len()..].starts_with(&first);
    let mut places = text.match_indices(&heading);
    // Where the file's name stands in other code, the file does not begin.
    let Some((at, _)) = places.clone().find(begins).or_else(|| places.next()) else {
        return Err(format!("the appendix lacks {name}, or it is out of order"));
    };
    let mut rest = &text[at + heading.len()..];
    for line in code.lines() {
        rest = rest.strip_prefix(squeezed(line).as_str()).ok_or_else(|| {
            format!("the appendix lacks, in its place, the line `{}` of {name}", line.trim())
        })?;
    }
    Ok(rest)
}
