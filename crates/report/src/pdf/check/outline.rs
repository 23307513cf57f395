//! The table of contents, the bookmarks, and the headings that both lead to.

use super::{CONTENTS, body, squeezed_body};
use crate::pdf::layout::{Chapter, Role};
use crate::pdf::read::{Pdf, Spot, squeezed};

pub(super) fn check(chapters: &[Chapter], pdf: &Pdf) -> Vec<String> {
    let mut problems = check_contents(chapters, pdf);
    let titles: Vec<&str> =
        pdf.outline.iter().filter(|b| b.is_top).map(|b| b.title.trim()).collect();
    let mut expected: Vec<&str> = chapters.iter().map(|chapter| &*chapter.heading).collect();
    expected.insert(expected.len().min(1), CONTENTS);
    if titles != expected {
        problems.push(format!("the bookmarks are {titles:?}, not the chapters {expected:?}"));
    }
    for bookmark in &pdf.outline {
        match bookmark.spot {
            None => problems.push(format!("the bookmark \"{}\" leads nowhere", bookmark.title)),
            Some(spot) if is_stranded(pdf, spot) => problems.push(format!(
                "the heading \"{}\" stands alone at the foot of page {}",
                bookmark.title, spot.page
            )),
            Some(_) => {}
        }
    }
    problems
}

/// Every entry of the table of contents names the page where its heading is.
fn check_contents(chapters: &[Chapter], pdf: &Pdf) -> Vec<String> {
    let page_of = |id: &str| pdf.destinations.get(id).map(|spot| spot.page);
    let chapters = || chapters.iter().filter(|chapter| chapter.role != Role::Title);
    let Some(end) = chapters().next().and_then(|chapter| page_of(&chapter.id)) else {
        return vec!["the PDF does not say where its first chapter is".to_owned()];
    };
    let table: String = pdf.pages.iter().take(end - 1).skip(1).map(squeezed_body).collect();
    let mut problems = Vec::new();
    if !table.starts_with(CONTENTS) {
        problems.push("page 2 does not begin with the table of contents".to_owned());
    }
    let mut rest = table.as_str();
    let entries = chapters().flat_map(|chapter| {
        let sections = chapter.sections.iter().map(|section| (&section.id, &section.name));
        [(&chapter.id, &chapter.name)].into_iter().chain(sections)
    });
    for (id, name) in entries {
        let Some(page) = page_of(id) else {
            problems.push(format!("the PDF does not say where \"{name}\" is"));
            continue;
        };
        match rest.split_once(&format!("{}{page}", squeezed(name))) {
            Some((_, after)) if !after.starts_with(is_digit) || is_next(after) => rest = after,
            _ => problems.push(format!(
                "the table of contents does not have, in its place, \"{name}\" on page {page}"
            )),
        }
    }
    problems
}

fn is_digit(c: char) -> bool {
    c.is_ascii_digit()
}

/// True if the digits that follow a page's number begin the next entry: `4.1 ReLU`, `3 The package`.
fn is_next(after: &str) -> bool {
    let name = after.trim_start_matches(is_digit);
    name.len() + 1 == after.len() && name.starts_with(|c: char| c == '.' || c.is_alphabetic())
}

/// True if a heading has no text below it in its column.
fn is_stranded(pdf: &Pdf, spot: Spot) -> bool {
    let Some(page) = pdf.pages.get(spot.page - 1) else { return true };
    let is_right = |x: f64| page.width > page.height && x > page.width / 2.0;
    let below = body(page).filter(|run| run.y > spot.y - 1.0 && !run.text.trim().is_empty());
    let mut lines: Vec<f64> =
        below.filter(|run| is_right(run.x) == is_right(spot.x)).map(|run| run.y).collect();
    lines.sort_by(f64::total_cmp);
    lines.dedup_by(|a, b| (*a - *b).abs() < 3.0);
    lines.len() < 2
}
