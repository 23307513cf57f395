//! The chapters: each on pages of its own, with its figures and its code.

use super::{pages_of, squeezed_body};
use crate::pdf::layout::{Chapter, Role};
use crate::pdf::read::{Page, Pdf, squeezed};

/// What the text must not have, and what it would be. Code may have it.
const LEFTOVERS: [(&str, &str); 6] = [
    ("{{#", "a directive that was not expanded"),
    ("[@", "a reference that was not resolved"),
    ("??", "a reference that was not resolved"),
    ("$$", "a formula that was not rendered"),
    ("undefined", "a value that a script does not have"),
    ("NaN%", "a value that a script does not have"),
];

pub(super) fn check(chapters: &[Chapter], pdf: &Pdf) -> Vec<String> {
    let mut problems = Vec::new();
    for (index, chapter) in chapters.iter().enumerate() {
        let name = &chapter.listed.name;
        let Some(range) = pages_of(chapters, index, pdf) else {
            problems.push(format!("\"{name}\" has no page of its own"));
            continue;
        };
        let pages = &pdf.pages[range.start - 1..range.end - 1];
        let text: String = pages.iter().map(squeezed_body).collect();
        let heading = squeezed([chapter.printed_heading().as_str()]);
        if !text.starts_with(&heading) {
            problems.push(format!("\"{name}\" does not begin at the top of page {}", range.start));
        }
        if chapter.role == Role::Appendix {
            continue;
        }
        for line in chapter.code_lines().filter(|line| !text.contains(&squeezed([line.as_str()]))) {
            problems.push(format!("\"{name}\" lacks the line of code `{}`", line.trim()));
        }
        for caption in chapter.figures.iter().filter(|caption| !has_caption(pages, caption)) {
            let elsewhere =
                pdf.pages.iter().position(|page| has_caption(std::slice::from_ref(page), caption));
            let place = elsewhere.map_or("nowhere".to_owned(), |at| format!("on page {}", at + 1));
            problems.push(format!("\"{name}\" lacks {caption} It is {place}"));
        }
        for (page, number) in pages.iter().zip(range) {
            let prose = || page.runs.iter().filter(|run| !run.is_code);
            for (mark, meaning) in LEFTOVERS {
                if let Some(run) = prose().find(|run| run.text.contains(mark)) {
                    let text = run.text.trim();
                    problems.push(format!("page {number}: `{mark}` in \"{text}\": {meaning}"));
                }
            }
        }
    }
    problems
}

/// Whether a caption begins with this number. References to it in a text are not bold.
fn has_caption(pages: &[Page], caption: &str) -> bool {
    let bold = |page: &Page| {
        squeezed(page.runs.iter().filter(|run| run.is_bold).map(|run| run.text.as_str()))
    };
    pages.iter().any(|page| bold(page).contains(&squeezed([caption])))
}
