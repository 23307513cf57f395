//! The table of contents, the bookmarks, and the headings that both lead to.

use super::{body, squeezed_body};
use crate::pdf::chapter::{Chapter, Role, plain};
use crate::pdf::contents;
use crate::pdf::read::{Pdf, Spot, squeezed};

pub(super) fn check(chapters: &[Chapter], pdf: &Pdf) -> Vec<String> {
    let mut problems = contents_agree(chapters, pdf);
    let titles: Vec<&str> =
        pdf.outline.iter().filter(|b| b.level == 1).map(|b| b.title.trim()).collect();
    let mut expected: Vec<String> = chapters.iter().map(Chapter::printed_heading).collect();
    expected.insert(usize::from(!expected.is_empty()), contents::TITLE.to_owned());
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
fn contents_agree(chapters: &[Chapter], pdf: &Pdf) -> Vec<String> {
    let page_of = |id: &str| pdf.destinations.get(id).map(|spot| spot.page);
    let others = || chapters.iter().filter(|chapter| chapter.role != Role::Title);
    let Some(end) = others().next().and_then(|chapter| page_of(&chapter.id)) else {
        return vec!["the PDF does not say where its first chapter is".to_owned()];
    };
    let table: String = pdf.pages.iter().take(end - 1).skip(1).map(squeezed_body).collect();
    let mut problems = Vec::new();
    let mut rest = table.as_str();
    let mut entry = |id: &str, name: &str| {
        let Some(page) = page_of(id) else {
            problems.push(format!("the PDF does not say where \"{name}\" is"));
            return;
        };
        let line = format!("{}{page}", squeezed([name]));
        match rest.split_once(&line) {
            Some((_, after))
                if !after.starts_with(|c: char| c.is_ascii_digit()) || is_next(after) =>
            {
                rest = after;
            }
            _ => problems.push(format!(
                "the table of contents does not have, in its place, \"{name}\" on page {page}"
            )),
        }
    };
    for chapter in others() {
        entry(&chapter.id, &chapter.listed.name);
        for section in &chapter.sections {
            entry(&section.id, &plain(&section.html));
        }
    }
    problems
}

/// Whether the digits that follow a page's number begin the next entry: `4.1 ReLU`, `3 The package`.
fn is_next(after: &str) -> bool {
    let name = after.trim_start_matches(|c: char| c.is_ascii_digit());
    name.len() + 1 == after.len() && name.starts_with(|c: char| c == '.' || c.is_alphabetic())
}

/// Whether a heading has no text below it in its column.
fn is_stranded(pdf: &Pdf, spot: Spot) -> bool {
    let Some(page) = pdf.pages.get(spot.page - 1) else { return true };
    let column = |x: f64| if page.width > page.height { x > page.width / 2.0 } else { false };
    let below = |y: f64| y > spot.y - 1.0;
    let mut lines: Vec<f64> = body(page)
        .filter(|run| {
            below(run.y) && column(run.x) == column(spot.x) && !run.text.trim().is_empty()
        })
        .map(|run| run.y)
        .collect();
    lines.sort_by(f64::total_cmp);
    lines.dedup_by(|a, b| (*a - *b).abs() < 3.0);
    lines.len() < 2
}
