//! The file as a whole: its pages, its fonts, what it says of itself.

use super::{BOTTOM, Expected, TOP, body, pages_of};
use crate::pdf::contents;
use crate::pdf::layout::Role;
use crate::pdf::read::{Link, Page, Pdf, squeezed};

/// How far text has to stay from the edges of the paper, in points.
const EDGE: f64 = 20.0;

/// US letter, upright.
const PAPER: (f64, f64) = (612.0, 792.0);

pub(super) fn check(expected: &Expected<'_>, pdf: &Pdf) -> Vec<String> {
    let mut problems = Vec::new();
    let mut require = |holds: bool, problem: &dyn Fn() -> String| {
        if !holds {
            problems.push(problem());
        }
    };
    for (key, value) in [("Title", expected.title.trim()), ("Author", expected.author.trim())] {
        let found = pdf.information.get(key).map_or("", String::as_str);
        require(found == value, &|| format!("the file's {key} is {found:?}, not {value:?}"));
    }
    require(pdf.language == "en", &|| {
        format!("the file's language is {:?}, not \"en\"", pdf.language)
    });
    require(!pdf.fonts.is_empty(), &|| "the file has no font, hence no text".to_owned());
    for (font, _) in pdf.fonts.iter().filter(|(_, embedded)| !**embedded) {
        require(false, &|| format!("the font {font} is not in the file"));
    }
    let titles = running_titles(expected, pdf);
    for (page, number) in pdf.pages.iter().zip(1..) {
        let (size, turned) = ((page.width, page.height), (page.height, page.width));
        let near =
            |size: (f64, f64)| (size.0 - PAPER.0).abs() < 1.0 && (size.1 - PAPER.1).abs() < 1.0;
        require(near(size) || near(turned), &|| {
            format!("page {number} is {size:?} points: not letter")
        });
        require(body(page).next().is_some(), &|| format!("page {number} is blank"));
        let (top, bottom) = furniture(page);
        if number > 1 {
            require(bottom == number.to_string(), &|| {
                format!("page {number} has the number \"{bottom}\" at its foot")
            });
            let title = titles.get(number - 1).map_or("", String::as_str);
            require(top == squeezed([title]), &|| {
                format!("page {number} has \"{top}\" at its head, not \"{title}\"")
            });
        } else {
            require(top.is_empty() && bottom.is_empty(), &|| {
                "the title page has a running title or a page number".to_owned()
            });
        }
        let outside =
            |x: f64, y: f64| x < EDGE || x > page.width - EDGE || y < 0.0 || y > page.height;
        if let Some(run) = page.runs.iter().find(|run| {
            !run.text.trim().is_empty()
                && (outside(run.x, run.y) || outside(run.x + run.width, run.y))
        }) {
            require(false, &|| {
                format!("page {number}: \"{}\" reaches beyond the margin", run.text)
            });
        }
        if let Some(run) = page.runs.iter().find(|run| run.text.contains('\u{fffd}')) {
            require(false, &|| {
                format!(
                    "page {number}: a character at {:.0}, {:.0} points is in no font of this machine",
                    run.x, run.y
                )
            });
        }
        for link in &page.links {
            match link {
                Link::Inside(id) => require(pdf.destinations.contains_key(id), &|| {
                    format!("page {number} links to \"{id}\", which is nowhere")
                }),
                Link::Address(address) => require(
                    address.starts_with("https://") || address.starts_with("mailto:"),
                    &|| format!("page {number} links to {address}, which readers do not have"),
                ),
            }
        }
    }
    problems
}

/// The running title and the number of a page.
fn furniture(page: &Page) -> (String, String) {
    let text = |wanted: &dyn Fn(f64) -> bool| {
        squeezed(page.runs.iter().filter(|run| wanted(run.y)).map(|run| run.text.as_str()))
    };
    (text(&|y| y < TOP), text(&|y| y > page.height - BOTTOM))
}

/// What each page should have at its head.
fn running_titles(expected: &Expected<'_>, pdf: &Pdf) -> Vec<String> {
    let chapters = &expected.layout.chapters;
    let mut titles = vec![contents::TITLE.to_owned(); pdf.pages.len()];
    for (index, chapter) in chapters.iter().enumerate() {
        if chapter.role == Role::Title {
            continue;
        }
        for page in pages_of(chapters, index, pdf).into_iter().flatten() {
            titles[page - 1] = chapter.running_title().to_owned();
        }
    }
    titles
}
