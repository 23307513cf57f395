//! The title page, which stands alone on the first page.

use crate::front::HONOR_STATEMENTS;
use crate::pdf::contents;
use crate::pdf::layout::{Chapter, Role};
use crate::pdf::read::{Page, Pdf, squeezed};

/// Signature lines: one for each statement.
const SIGNATURES: usize = HONOR_STATEMENTS.len();

pub(super) fn check(chapters: &[Chapter], pdf: &Pdf) -> Vec<String> {
    let mut problems = Vec::new();
    let Some(page) = pdf.pages.first() else { return vec!["the PDF has no page".to_owned()] };
    let text = page.squeezed();
    for (source, statement) in HONOR_STATEMENTS {
        if !text.contains(&squeezed([statement])) {
            problems.push(format!("page 1 lacks the honor statement of {source}, word for word"));
        }
    }
    let signatures = text.matches("Signature").count();
    if signatures < SIGNATURES {
        problems.push(format!("page 1 has {signatures} signature lines, not {SIGNATURES}"));
    }
    let Some(title) = chapters.iter().find(|chapter| chapter.role == Role::Title) else {
        problems.push("the book has no title page".to_owned());
        return problems;
    };
    // Names, numbers, collaborators, Kaggle: whatever the page has on the screen.
    for part in title.texts().iter().filter(|part| !text.contains(&squeezed([part.as_str()]))) {
        problems.push(format!("page 1 lacks \"{part}\""));
    }
    for missing in title.marked_missing() {
        if !is_red(page, &missing) {
            problems.push(format!("on page 1 \"{missing}\" is not red"));
        }
    }
    let second = pdf.pages.get(1).map(super::squeezed_body).unwrap_or_default();
    if !second.starts_with(contents::TITLE) {
        problems.push("page 2 does not begin with the table of contents".to_owned());
    }
    problems
}

/// Whether the text that begins so is drawn in red.
fn is_red(page: &Page, text: &str) -> bool {
    let wanted = squeezed([text]);
    let mut inked = page.runs.iter().filter(|run| !run.text.trim().is_empty());
    inked.any(|run| {
        let [red, green, blue] = run.ink;
        wanted.starts_with(&squeezed([run.text.as_str()])) && red > 0.5 && green < 0.3 && blue < 0.3
    })
}
