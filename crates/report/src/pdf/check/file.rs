//! The file as a whole: what it says of itself, its pages.

use frontmatter::FrontMatter;

use super::{BOTTOM, CONTENTS, Placed, TOP, body, squeezed_runs};
use crate::pdf::layout::Role;
use crate::pdf::read::{Page, Pdf, squeezed};

/// Least distance of where a text begins from the edges of the paper, in points. `misfits.js` has looked at where
/// lines end.
const EDGE: f64 = 20.0;

/// US letter, upright.
const PAPER: (f64, f64) = (612.0, 792.0);

pub(super) fn check(placed: &[Placed<'_>], front: &FrontMatter, pdf: &Pdf) -> Vec<String> {
    let mut problems = Vec::new();
    let says = [
        ("Title", &pdf.title, front.title.trim()),
        ("Author", &pdf.author, front.author.trim()),
        ("language", &pdf.language, "en"),
    ];
    for (key, found, value) in says.into_iter().filter(|(_, found, value)| found != value) {
        problems.push(format!("the file's {key} is {found:?}, not {value:?}"));
    }
    for (page, number) in pdf.pages.iter().zip(1..) {
        let on_page = |chapter: &&Placed<'_>| chapter.numbers.contains(&number);
        let title = match placed.iter().find(on_page).map(|placed| placed.chapter) {
            Some(chapter) if chapter.role == Role::Title => "",
            Some(chapter) => &chapter.running_title,
            None => CONTENTS,
        };
        problems.extend(check_page(page, number, title, pdf));
    }
    problems
}

fn check_page(page: &Page, number: usize, title: &str, pdf: &Pdf) -> Vec<String> {
    let near = |(width, height): (f64, f64)| {
        (width - PAPER.0).abs() < 1.0 && (height - PAPER.1).abs() < 1.0
    };
    let top = squeezed_runs(page.runs.iter().filter(|run| run.y < TOP));
    let bottom = squeezed_runs(page.runs.iter().filter(|run| run.y > page.height - BOTTOM));
    let foot = if title.is_empty() { String::new() } else { number.to_string() };
    let (width, height) = (page.width, page.height);
    let mut problems = Vec::new();
    if !near((width, height)) && !near((height, width)) {
        problems.push(format!("page {number} is {:?} points: not letter", (width, height)));
    }
    if body(page).next().is_none() {
        problems.push(format!("page {number} is blank"));
    }
    if bottom != foot {
        problems.push(format!("page {number} has the number \"{bottom}\" at its foot"));
    }
    if top != squeezed(title) {
        problems.push(format!("page {number} has \"{top}\" at its head, not \"{title}\""));
    }
    let inside = |x: f64| x >= EDGE && x <= width - EDGE;
    let mut visible = page.runs.iter().filter(|run| !run.text.trim().is_empty());
    if let Some(run) = visible.find(|run| !inside(run.x) || run.y < 0.0 || run.y > height) {
        problems.push(format!("page {number}: \"{}\" reaches beyond the margin", run.text));
    }
    if let Some(run) = page.runs.iter().find(|run| run.text.contains('\u{fffd}')) {
        problems.push(format!(
            "page {number}: a character at {:.0}, {:.0} points is in no font of this machine",
            run.x, run.y
        ));
    }
    for link in &page.links {
        let is_public = link.starts_with("https://") || link.starts_with("mailto:");
        match link.strip_prefix('#') {
            Some(id) if !pdf.destinations.contains_key(id) => {
                problems.push(format!("page {number} links to \"{id}\", which is nowhere"));
            }
            None if !is_public => {
                problems.push(format!("page {number} links to {link}, which readers do not have"));
            }
            _ => {}
        }
    }
    problems
}
